/* SPDX-License-Identifier: ISC */
/*
 * rows.h - what DMARC found, counted, and put into the ledger now and then:
 * role send makes the reports of it.
 *
 * Messages of the same kind are one row with a count, whose key is this
 * process's own: so a row is put again when it has grown, and processes do
 * not write over each other's. What is not in the ledger yet when a process
 * dies is lost: these are statistics.
 */
#pragma once

#include "filter/server.h"
#include "proto/dmarc/dmarc_row.h"

/* Kinds of messages that are counted at a time; more are not reported. */
#define ROWS_MAX      20000
#define ROWS_FLUSH_MS 5000
/* How long behind its period a row waits for its report. */
#define ROWS_KEEP_S (3 * 86400)

struct rows *rows_new(struct server *sv);
/* One message more. */
void rows_add(struct rows *rs, const struct dmarc_published *published,
    const struct dmarc_report_row *row);
/* Put what is new now; fn runs when that is durable, or has failed. */
void rows_stop(struct rows *rs, void (*fn)(void *arg), void *arg);
