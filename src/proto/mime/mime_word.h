/* SPDX-License-Identifier: ISC */
/*
 * mime_word.h - encoded words of RFC 2047: "=?charset?Q?text?=" in headers.
 *
 * Tolerant in the ways mail needs: words within quoted strings and without
 * blanks around them, multi-byte characters cut between two words of one
 * charset, missing padding, blanks inside a Q word, raw 8-bit text.
 *
 * Layer: proto.
 */
#pragma once

#include "base/buf.h"

/*
 * Append a raw header value as UTF-8 on one line: unfolded, encoded words
 * decoded, blanks between two adjacent words dropped (section 6.2), raw
 * 8-bit bytes taken as UTF-8 or else windows-1252. What appends is always
 * well-formed UTF-8 without CR, LF and NUL. Time is linear in the length.
 */
void mime_word_decode(struct str value, struct buf *out);
/* Is there anything to decode? False: value is ASCII without "=?". */
bool mime_word_is_encoded(struct str value);
/*
 * Append UTF-8 text as an unstructured header value: as it is when it is
 * printable ASCII, else as encoded words of at most 75 characters (UTF-8,
 * B), separated by CRLF SPACE, no character cut. Decoding gives it back.
 * Text that is not UTF-8 has its bad bytes replaced.
 */
void mime_word_encode(struct str utf8, struct buf *out);
