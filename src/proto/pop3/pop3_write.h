/* SPDX-License-Identifier: ISC */
/*
 * pop3_write.h - what a POP3 server says: messages and status lines.
 *
 * Any stored bytes become a legal multi-line response (RFC 1939 section 3):
 * lines that begin with a dot get another, CRLF is kept as it is, a last
 * line without CRLF gets one. A bare LF, which an import may have left in
 * the store, becomes CRLF: a client that takes it for a line end must not
 * find the end of the response behind it.
 *
 * Layer: proto. No I/O, no allocation in the writer.
 */
#pragma once

#include "base/buf.h"

enum pop3_writer_state {
	POP3_WRITER_LINE_START,
	POP3_WRITER_TEXT,
	POP3_WRITER_BLANK_CR, /* behind a CR that starts a line */
	POP3_WRITER_TEXT_CR,  /* behind another CR */
};

struct pop3_writer {
	enum pop3_writer_state state;
	bool is_stuffed; /* the dot that is next has got its other dot */
	bool is_top;
	bool in_body;
	uint32_t lines_left; /* TOP: lines of the body still to come */
};

/* For RETR: all of the message. */
void pop3_writer_init(struct pop3_writer *w);
/* For TOP: the header, the blank line and so many lines of the body. */
void pop3_writer_init_top(struct pop3_writer *w, uint32_t lines);

/* TOP has all that it asked for: the rest of the message is not needed. */
bool pop3_writer_is_full(const struct pop3_writer *w) WARN_UNUSED;

/*
 * Take bytes from the front of *in, a piece of the message, and set *ret to
 * the next piece of the response: it points into the input or is constant.
 * False when *in is used up or the writer is full. The response does not
 * depend on how the message is split.
 */
bool pop3_writer_next(
    struct pop3_writer *w, struct str *in, struct str *ret) WARN_UNUSED;

/*
 * By how many octets a message grows when its line ends become CRLF, a last
 * line without one included: its length and this is what LIST and STAT tell
 * (RFC 1939 section 11), and what RETR sends, without dots that are stuffed
 * and the final one.
 */
uint64_t pop3_crlf_extra(struct str message);

/* What completes the response after the last piece; a constant. */
struct str pop3_writer_end(struct pop3_writer *w);

/*
 * Append "+OK text" or "-ERR [CODE] text" and CRLF; code (RFC 2449 section 8,
 * RFC 3206) may be NULL. Controls and non-ASCII bytes become "?", and text
 * is cut where the line would pass 512 octets.
 */
void pop3_put_ok(struct buf *to, struct str text);
void pop3_put_err(struct buf *to, const char *code, struct str text);
