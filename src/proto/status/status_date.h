/* SPDX-License-Identifier: ISC */
/*
 * status_date.h - moments as texts: RFC 3339 for programs, and the dates that
 * stand over posts of a web page ("7 June 2018 09:12:19 +0000").
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

/* "2018-06-07T09:12:19Z" */
void status_date_put(struct buf *to, uint64_t s);
/* RFC 3339 date-time: 'T' or a space, any offset; a fraction is left out. From
 * 1970 to 9999. */
bool status_date_parse(struct str text, uint64_t *ret) WARN_UNUSED;
/* "7 June 2018 09:12:19 +0000", English, the month in full or in short. */
bool status_date_parse_long(struct str text, uint64_t *ret) WARN_UNUSED;
