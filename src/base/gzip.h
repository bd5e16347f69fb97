/* SPDX-License-Identifier: ISC */
/*
 * gzip.h - files of gzip (RFC 1952), whole in memory: the reports of mail
 * authentication travel in them. The one wrapper of zlib.
 *
 * Layer: base. No I/O, no clock: the same bytes give the same file.
 */
#pragma once

#include "base/buf.h"

/* Append in, compressed. to->failed when it does not fit. */
void gzip_put(struct buf *to, struct str in);
/* The same as small as zlib makes it, for what is sent many times. */
void gzip_put_best(struct buf *to, struct str in);

enum gunzip {
	GUNZIP_OK,
	GUNZIP_BAD,     /* no gzip, cut off, a wrong sum, or more behind it */
	GUNZIP_TOO_BIG, /* to's max is not enough: a bomb, or not for us */
};

/*
 * Append what one gzip file holds. Never takes more memory than to may grow
 * to, whatever it claims; on a failure to is as it was.
 */
enum gunzip gunzip(struct buf *to, struct str in) WARN_UNUSED;
/* The same for a stream without header and sum (RFC 1951), of which all of in
 * is one: as zip files have it. */
enum gunzip gunzip_raw(struct buf *to, struct str in) WARN_UNUSED;
/* The sum of gzip and zip files (CRC-32). */
uint32_t gzip_sum(struct str s);
