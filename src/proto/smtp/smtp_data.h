/* SPDX-License-Identifier: ISC */
/*
 * smtp_data.h - the message behind DATA: dot-stuffing undone, its end found.
 *
 * Only CRLF.CRLF ends the message, and a bare CR or LF anywhere makes it
 * unacceptable: these are the places where two servers can be made to see
 * two different messages. A bad message is still read to its end, because
 * the client has only one place to be told.
 *
 * NUL and 8-bit bytes pass; whether they may is the session's rule.
 *
 * Layer: proto. No I/O, no allocation: what comes out points into the input.
 */
#pragma once

#include "base/str.h"

enum smtp_data_step {
	SMTP_DATA_MORE,  /* the input is used up: read more */
	SMTP_DATA_SLICE, /* *ret is the next piece of the message */
	SMTP_DATA_END,   /* *in now starts with the next command */
};

enum smtp_data_state {
	SMTP_DATA_LINE_START,
	SMTP_DATA_TEXT,
	SMTP_DATA_CR,     /* behind a CR */
	SMTP_DATA_DOT,    /* behind a dot that starts a line */
	SMTP_DATA_DOT_CR, /* behind such a dot and a CR */
	SMTP_DATA_AT_END,
};

struct smtp_data {
	enum smtp_data_state state;
	uint64_t size;    /* bytes handed out; with CRLF, without stuffing */
	size_t line;      /* bytes of the current line so far */
	size_t line_max;  /* longest line, its CRLF not counted */
	bool has_bad_eol; /* bare CR or LF: refuse at the end, 5.6.11 */
};

/* A zeroed struct is ready, too. */
void smtp_data_init(struct smtp_data *d);

/*
 * Take some bytes from the front of *in, which is what was received and not
 * yet used; everything may be dropped when the answer is MORE. Call it until
 * it says MORE or END. After END it must not be called again.
 *
 * The slices, one after the other, are the message, whatever the split of
 * the input was. Once has_bad_eol is set nothing more is handed out, and what
 * was is to be thrown away at the end.
 */
enum smtp_data_step smtp_data_next(
    struct smtp_data *d, struct str *in, struct str *ret) WARN_UNUSED;
