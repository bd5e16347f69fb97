/* SPDX-License-Identifier: ISC */
/*
 * feed_text.h - texts and times as the documents of this folder need them.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

/*
 * Append s as character data of XML 1.0, good between tags and in quotes of
 * either kind. What XML cannot hold at all, not even as a reference (section
 * 2.2: controls but tab and line ends, U+FFFE, U+FFFF, what is not UTF-8), is
 * U+FFFD. A carriage return is written as a reference, as a parser would make
 * a line feed of it.
 */
void feed_put_xml(struct buf *to, struct str s);

/* "2026-11-30T08:50:00Z" (RFC 3339). */
void feed_put_time(struct buf *to, uint64_t s);
/* "Mon, 30 Nov 2026 08:50:00 GMT" (RFC 822 with four digits of the year, as RSS
 * wants it; RFC 9110 for Last-Modified). */
void feed_put_date(struct buf *to, uint64_t s);
