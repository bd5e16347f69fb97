/* SPDX-License-Identifier: ISC */
/*
 * line.h - cut a byte stream into lines that end with CRLF.
 *
 * Strict on purpose: only CRLF ends a line. A bare CR or a bare LF is an
 * error, because two programs that disagree about line ends can be made to
 * see two different dialogues. SMTP commands, POP3 commands and SASL
 * exchanges are framed with it.
 *
 * Layer: base. No I/O, no allocation.
 */
#pragma once

#include "base/str.h"

enum line_frame {
	LINE_MORE,     /* no complete line yet: read more */
	LINE_OK,       /* *ret_line and *ret_used are set */
	LINE_TOO_LONG, /* final: the caller closes, or reports and closes */
	LINE_BARE_EOL, /* final: the same */
};

struct line_framer {
	size_t max;  /* longest line accepted, CRLF not counted */
	size_t seen; /* bytes of the current line already examined */
};

/*
 * Look for one line at the start of in, which holds everything received and
 * not yet consumed. After LINE_OK the caller drops *ret_used bytes before the
 * next call; *ret_line is without its CRLF, points into in and lives as long
 * as in does. Nothing is set on the other answers.
 *
 * Callers may change max between lines. The answer does not depend on how the
 * input was split into reads, and no byte is examined twice.
 */
enum line_frame line_framer_next(struct line_framer *f, struct str in,
    struct str *ret_line, size_t *ret_used) WARN_UNUSED;
