/* SPDX-License-Identifier: ISC */
/*
 * mime_text.h - the readable text of a message as a stream of UTF-8:
 * decoded headers, and text parts with transfer encoding and charset undone.
 * For search and for the full-text index.
 *
 * Layer: proto. Memory: one chunk of MIME_TEXT_CHUNK bytes and its decoded
 * forms, however long the message is.
 */
#pragma once

#include "proto/mime/mime_parse.h"

#define MIME_TEXT_CHUNK KIB(64)

/* Which texts are wanted. */
enum {
	MIME_TEXT_HEADER = 1 << 0, /* fields of the message, of its parts and
	                              of messages in it */
	MIME_TEXT_BODY = 1 << 1,   /* text and message parts */
};

/*
 * Receives pieces of UTF-8; no character is cut between two, but words are. starts is set on the first piece of each field or part: text on both
 * sides of it is not one text. Answer false to stop.
 */
typedef bool mime_text_fn(void *ctx, struct str piece, bool starts);

/*
 * Walk the texts of a message in order. False when fn stopped it. HTML is
 * given as it is, tags included.
 */
bool mime_text_walk(const struct mime_tree *tree, struct str message,
    unsigned which, mime_text_fn *fn, void *ctx);
/* Is a part's content one of the texts of MIME_TEXT_BODY? */
bool mime_text_is_readable(const struct mime_part *part);
/*
 * Append the decoded value of a field. Tabs become blanks: nobody sees with
 * which of them a line was folded.
 */
void mime_text_put_value(struct str raw, struct buf *out);
/* Walk the content of one part, which may be of any type. */
bool mime_text_walk_part(const struct mime_part *part, struct str message,
    mime_text_fn *fn, void *ctx);
