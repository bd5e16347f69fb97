/* SPDX-License-Identifier: ISC */
/*
 * mailfile.h - what Maildir and mbox files have in common: flags, and the
 * line ends of a Unix text file against those of a message.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/buf.h"

/* The same values as enum imap_flag. */
enum {
	MAILFILE_SEEN = 1 << 0,
	MAILFILE_ANSWERED = 1 << 1,
	MAILFILE_FLAGGED = 1 << 2,
	MAILFILE_DELETED = 1 << 3,
	MAILFILE_DRAFT = 1 << 4,
};

/*
 * Append text with every line end as CRLF: LF becomes CRLF, CRLF stays, a
 * bare CR is data. Pieces may be cut anywhere: *after_cr carries over what
 * the last byte was, false at first.
 */
void mailfile_put_crlf(struct buf *out, struct str text, bool *after_cr);
/* Append a whole message with CRLF as LF; other bytes stay. */
void mailfile_put_lf(struct buf *out, struct str message);
