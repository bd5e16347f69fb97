/* SPDX-License-Identifier: ISC */
/*
 * smtp_reply.h - replies of a server: writing ours, reading others'.
 *
 * A reply is a value; only here does it become lines. Text may quote what an
 * outsider sent, so nothing in it can end a line or start another reply.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/buf.h"

/* Longest reply line with its CRLF (RFC 5321 section 4.5.3.1.5). */
#define SMTP_REPLY_LINE_MAX 512
/* What we read of another server's reply; more is an error. */
#define SMTP_REPLY_LINES_MAX 128
#define SMTP_REPLY_TEXT_MAX  KIB(16)

/* An enhanced status code, as in 5.7.1 (RFC 3463). */
struct smtp_status {
	uint8_t class; /* 2, 4 or 5; 0: none */
	uint16_t subject;
	uint16_t detail;
};

struct smtp_reply {
	int code;         /* 200 to 599 */
	const char *esc;  /* "5.7.1", or NULL */
	const char *text; /* UTF-8; '\n' starts another line */
	bool is_utf8;     /* the client may be sent UTF-8 (RFC 6531) */
};

/*
 * Append the reply. Lines that would be too long are split, at a space if
 * there is one in their second half. Controls, and non-ASCII characters unless
 * is_utf8, become "?"; broken UTF-8 counts as non-ASCII in any case.
 */
void smtp_reply_format(struct buf *to, const struct smtp_reply *reply);

/*
 * Append the reply to EHLO: the host's greeting and a line for each keyword
 * with its parameters ("SIZE 52428800"). No enhanced codes (RFC 2034).
 */
void smtp_reply_format_ehlo(struct buf *to, const char *greeting,
    const char *const *keywords, size_t n);

/*
 * Read "5.7.1" at the start of text, followed by a space or the end.
 * *ret_rest is what follows the space. False when there is none; the class
 * has to match that of the reply's code (RFC 2034 section 4).
 */
bool smtp_status_parse(struct str text, int code, struct smtp_status *ret,
    struct str *ret_rest) WARN_UNUSED;

enum smtp_reply_step {
	SMTP_REPLY_MORE, /* a line of several: feed the next */
	SMTP_REPLY_DONE, /* code and text are complete */
	SMTP_REPLY_BAD,  /* final: not SMTP, or two codes in one reply */
	SMTP_REPLY_LONG, /* final: more than the limits allow */
};

/* Gathers the lines of one reply. */
struct smtp_reply_reader {
	int code; /* 0 before the first line */
	size_t lines;
	struct buf text; /* lines with '\n' between them */
};

void smtp_reply_reader_init(struct smtp_reply_reader *r);
void smtp_reply_reader_done(struct smtp_reply_reader *r);
/* Forget the reply that was read; for the next one. */
void smtp_reply_reader_reset(struct smtp_reply_reader *r);
/*
 * Feed one line, CRLF removed. After anything but MORE the reader has to be
 * reset before the next line.
 */
enum smtp_reply_step smtp_reply_reader_line(
    struct smtp_reply_reader *r, struct str line) WARN_UNUSED;
