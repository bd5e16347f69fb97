/* SPDX-License-Identifier: ISC */
/*
 * mime_date.h - the date-time of RFC 5322 section 3.3, and what is found in
 * its place: obsolete zones and years (section 4.3), missing seconds or
 * zones, comments, ctime() order, ISO 8601, dashes.
 *
 * Layer: proto. No clock: the caller brings the time.
 */
#pragma once

#include "base/buf.h"

struct mime_date {
	int64_t epoch;    /* seconds since 1970-01-01T00:00:00Z */
	int32_t zone_min; /* minutes east of UTC, -1439 to 1439 */
};

/* A date on the wall: what epoch is in a zone. Gregorian, proleptic. */
struct mime_civil {
	int32_t year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
	int hour, minute, second;
	int weekday; /* 0 is Sunday */
};

/* Years outside of this are no date. */
#define MIME_YEAR_MIN 1900
#define MIME_YEAR_MAX 9999

/*
 * Parse the value of a Date field (folds allowed). False, and *ret untouched,
 * when no day, month, year and time of day can be made out or they do not
 * exist (30 February, 24:00). A leap second counts as the second before it;
 * a missing or unknown zone is +0000. The day's name is not checked.
 */
bool mime_date_parse(struct str in, struct mime_date *ret) WARN_UNUSED;

/*
 * Append "Mon, 23 Nov 2026 18:20:05 +0100". An epoch outside of the years
 * above is clamped, as is the zone, so that parsing gives back what was
 * formatted.
 */
void mime_date_format(struct mime_date date, struct buf *out);

/* "Jan" to "Dec" for 1 to 12; "Sun" to "Sat" for 0 to 6. */
const char *mime_month_name(int month);
const char *mime_weekday_name(int weekday);

struct mime_civil mime_civil_of(struct mime_date date);
/* The weekday is ignored; fields out of range are the caller's bug. */
struct mime_date mime_civil_to_date(struct mime_civil c, int32_t zone_min);
/* Days since 1970-01-01, as the sender's wall showed them: IMAP's SENTON. */
int64_t mime_date_day(struct mime_date date);
