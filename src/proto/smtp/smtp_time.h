/* SPDX-License-Identifier: ISC */
/*
 * smtp_time.h - the date-time of HOLDUNTIL (RFC 4865 with erratum 2040: the
 * date-time of RFC 3339 section 5.6).
 *
 * Strict: it comes from programs, and a time that was misread would hold a
 * message until nobody knows when. Layer: proto. No clock.
 */
#pragma once

#include "base/str.h"

/*
 * Seconds since 1970-01-01T00:00:00Z, fractions cut off; a leap second
 * counts as the one behind it. False, and *ret untouched, when it is no
 * date-time, does not exist (30 February), or is before 1970.
 */
bool smtp_time_parse(struct str s, uint64_t *ret) WARN_UNUSED;

/* Bytes of a time as it is written, and a NUL. */
#define SMTP_TIME_MAX 32
/* Write a time as smtp_time_parse() reads it, in UTC: a C string. Years after
 * 9999 are written as their last second. */
void smtp_time_format(uint64_t seconds, char ret[SMTP_TIME_MAX]);
