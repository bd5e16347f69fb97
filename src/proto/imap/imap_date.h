/* SPDX-License-Identifier: ISC */
/*
 * imap_date.h - INTERNALDATE and the dates of SEARCH (RFC 3501 9).
 *
 * Day numbers count days of the proleptic Gregorian calendar since
 * 1970-01-01, so that SEARCH compares integers. Years are 1 to 9999.
 *
 * Layer: proto. No I/O, no clock: "now" is always given.
 */
#pragma once

#include "base/buf.h"

struct imap_time {
	int64_t utc;      /* seconds since 1970-01-01T00:00:00Z */
	int zone_minutes; /* east of Greenwich, -1439..1439 */
};

/* Length of a date-time, quotes included: "17-Jul-1996 02:44:25 -0700" */
#define IMAP_DATE_TIME_LEN 28

/*
 * The inside of a quoted date-time, 26 bytes (the day may have a leading
 * space). False when it is not one: then *ret is untouched. Leap second 60 is
 * accepted and counts as the next second.
 */
bool imap_date_time_parse(struct str s, struct imap_time *ret) WARN_UNUSED;
/* Append it with its quotes, in zone t.zone_minutes. */
void imap_put_date_time(struct buf *b, struct imap_time t);

/* "1-Feb-1994" or "01-Feb-1994", without quotes, to a day number. */
bool imap_date_parse(struct str s, int32_t *ret_day) WARN_UNUSED;
/* The day number of a time in its own zone, as SEARCH asks for. */
int32_t imap_day_of(struct imap_time t);
/* Day number to calendar date and back; valid for years 1 to 9999. */
void imap_day_to_civil(
    int32_t day, int *ret_year, int *ret_month, int *ret_mday);
int32_t imap_civil_to_day(int year, int month, int mday);
