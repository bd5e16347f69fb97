/* SPDX-License-Identifier: ISC */
/*
 * imap_write.h - the small pieces of which server responses are made.
 *
 * All append to a buf whose failed flag is sticky. Strings that come from
 * messages or users go through the string writers here, never through
 * buf_put_str(): that is what keeps a subject line from becoming protocol.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/imap/imap_date.h"
#include "proto/imap/imap_fetch.h"
#include "proto/imap/imap_flags.h"

#define IMAP_MAX_QUOTED 1024 /* longer strings are sent as literals */

enum imap_status_word {
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
	IMAP_BYE,
	IMAP_PREAUTH,
};

/* A status response as a value. code ("TRYCREATE") may be NULL. */
struct imap_reply {
	enum imap_status_word word;
	const char *code;
	const char *text;
};

/* "tag OK [CODE] text" CRLF; an empty tag gives "*". */
void imap_put_reply(struct buf *b, struct str tag, struct imap_reply reply);
/* The same with code and text that are not constants; unsafe bytes of both
 * (controls, 8-bit, "]" in the code) become "?". */
void imap_put_status(struct buf *b, struct str tag, enum imap_status_word word,
    struct str code, struct str text);

/* Decimal, faster than buf_put_u64 for small numbers. */
void imap_put_number(struct buf *b, uint64_t v);

/* "* 123 FETCH (" ; the caller separates items and ends with ")" CRLF. */
void imap_put_fetch_open(struct buf *b, uint32_t seq);
/* "* 123 FETCH (UID 4 FLAGS (\Seen))" CRLF in one go: the hot line. */
void imap_put_fetch_flags(struct buf *b, uint32_t seq, uint32_t uid,
    const struct imap_flags *flags, bool is_recent);

/*
 * string: quoted when short and plain, else a literal. NUL bytes cannot be
 * sent (RFC 3501 4.3.1) and become 0x80.
 */
void imap_put_string(struct buf *b, struct str s);
/* nstring: NIL for s.p == NULL. */
void imap_put_nstring(struct buf *b, struct str s);
/* astring: an atom where the bytes allow it (never "NIL"). */
void imap_put_astring(struct buf *b, struct str s);
/* "{n}" CRLF, after which the caller sends n bytes; ~{n} when binary. */
void imap_put_literal(struct buf *b, uint64_t n, bool is_binary);
/*
 * A mailbox name from UTF-8: modified UTF-7, or UTF-8 for a client that has
 * enabled it; as astring. name must be well-formed UTF-8: bugs abort.
 */
void imap_put_mailbox(struct buf *b, struct str name, bool utf8_names);

/* ATOM-CHAR of RFC 3501. */
bool imap_is_atom_char(char c);
/* ASTRING-CHAR: ATOM-CHAR or "]". */
bool imap_is_astring_char(char c);
