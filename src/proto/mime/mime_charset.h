/* SPDX-License-Identifier: ISC */
/*
 * mime_charset.h - text in any charset to UTF-8, and case folding. The one
 * wrapper of ICU's converters and character properties.
 *
 * Never fails: bytes that mean nothing become U+FFFD. UTF-8, US-ASCII and
 * everything unknown do not pass through ICU. Text labelled US-ASCII, not
 * labelled, or labelled with a charset nobody knows is read as UTF-8, and
 * each byte that is not UTF-8 as windows-1252. ISO-8859-1 is read as
 * windows-1252 (as browsers do); NUL comes out as U+FFFD.
 *
 * Layer: proto. ICU's data is built in; no files are opened.
 */
#pragma once

#include "base/buf.h"

/* Longer names are unknown. */
#define MIME_CHARSET_NAME_MAX 64

struct mime_charset; /* a converter with its state */

/* Is the label one that has a meaning? */
bool mime_charset_is_known(struct str name);
/* Is each byte below 128 in it, wherever it stands, that ASCII character? */
bool mime_charset_is_ascii_based(struct str name);

/* Never NULL; the caller closes it. */
struct mime_charset *mime_charset_open(struct str name);
void mime_charset_close(struct mime_charset *cs); /* NULL is fine */
void mime_charset_closep(struct mime_charset **cs);
/*
 * Append what in means, with what was left of earlier calls. last flushes
 * and resets. The output does not depend on how the input was split.
 */
void mime_charset_feed(
    struct mime_charset *cs, struct str in, bool last, struct buf *out);

/* Open, feed and close in one. */
void mime_charset_to_utf8(struct str name, struct str in, struct buf *out);

/*
 * Append UTF-8 folded for comparison: Unicode simple case folding, so that
 * the length in characters stays. Bytes that are not UTF-8 become U+FFFD.
 */
void mime_charset_fold(struct str utf8, struct buf *out);
