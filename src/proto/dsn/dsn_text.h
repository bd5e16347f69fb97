/* SPDX-License-Identifier: ISC */
/*
 * dsn_text.h - the words of reports, from the table dsn_text.def.
 *
 * Layer: proto. No I/O, no allocation but in the buf handed in.
 */
#pragma once

#include "base/buf.h"

enum dsn_text {
	DSN_TEXT_SUBJECT_FAILED,
	DSN_TEXT_SUBJECT_DELAYED,
	DSN_TEXT_SUBJECT_DONE,
	DSN_TEXT_INTRO,
	DSN_TEXT_FAILED,
	DSN_TEXT_DELAYED,
	DSN_TEXT_DELIVERED,
	DSN_TEXT_RELAYED,
	DSN_TEXT_EXPANDED,
	DSN_TEXT_ORIGINAL,
	DSN_TEXT_ANSWERED,
	DSN_TEXT_REASON,
	DSN_TEXT_UNTIL,
	DSN_TEXT_HAS_MESSAGE,
	DSN_TEXT_HAS_HEADER,
	DSN_TEXT_UNKNOWN_USER,
	DSN_TEXT_DISABLED,
	DSN_TEXT_FULL,
	DSN_TEXT_TOO_BIG,
	DSN_TEXT_NO_DOMAIN,
	DSN_TEXT_BLOCKED,
	DSN_TEXT_CONTENT,
	DSN_TEXT_POLICY,
	DSN_TEXT_SENDER,
	DSN_TEXT_TLS,
	DSN_TEXT_FEATURE,
	DSN_TEXT_UNREACHABLE,
	DSN_TEXT_EXPIRED,
	DSN_TEXT_OTHER,
	DSN_TEXT_COUNT,
};

#define DSN_LINE_WIDTH 72

#define DSN_LANGUAGES_MAX 16

/* A language by its code, region ignored ("de-AT"); English if unknown. */
int dsn_language(struct str code);
/* The code of a language; NULL behind the last one. */
const char *dsn_language_code(int language);

/* Never NULL: English stands in. */
const char *dsn_text(int language, enum dsn_text id);

/*
 * Append a text with "{}" replaced, wrapped into lines of DSN_LINE_WIDTH
 * characters with blanks in front of each. CRLF line ends.
 */
void dsn_text_put(
    struct buf *to, const char *text, struct str value, size_t indent);

/* Append a line as it is: controls and broken UTF-8 become "?". */
void dsn_text_put_line(struct buf *to, struct str line, size_t indent);

/*
 * Append a text part: its Content-Type, -Language (RFC 3282 section 2) and
 * -Transfer-Encoding lines, empty line, and the text, which has CRLF line
 * ends; quoted-printable when it is not ASCII or has lines that are too long.
 */
void dsn_text_put_part(struct buf *to, int language, struct str text);

/* Append a value for a header field, as an encoded word when not ASCII. */
void dsn_text_put_word(struct buf *to, const char *text);
