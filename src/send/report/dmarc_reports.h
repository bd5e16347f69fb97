/* SPDX-License-Identifier: ISC */
/*
 * dmarc_reports.h - when DMARC reports are made: behind the end of each period
 * (report.interval), one after the other, with a pause after each.
 */
#pragma once

#include "send/server.h"

struct dmarc_reports;

struct dmarc_reports *dmarc_reports_new(struct server *sv);
/* No further ones. */
void dmarc_reports_stop(struct dmarc_reports *r);

/*
 * When the report of the period that begins at begin is due, in seconds since
 * 1970: role filter has put its last rows by then; and servers of different
 * names do not begin all at once.
 */
uint64_t dmarc_reports_due(
    uint64_t begin, uint32_t interval_s, struct str hostname);
