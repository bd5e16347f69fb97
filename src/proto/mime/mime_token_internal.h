/* SPDX-License-Identifier: ISC */
/*
 * mime_token_internal.h - lexical pieces of structured fields, RFC 5322
 * section 3.2: blanks, comments, quoted strings. For this folder only.
 */
#pragma once

#include "base/arena.h"

/* Comments nest; deeper parentheses are only counted, never recursed into. */

static inline bool
token_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/*
 * Length of the comment, quoted string or domain literal at the start of s
 * (its first byte says which), closing byte included; all of s when it does
 * not end.
 */
size_t token_enclosed_length(struct str s);

/* Drop blanks at the start. */
struct str token_skip_blanks(struct str s);
/* Drop blanks and comments at the start. */
struct str token_skip_cfws(struct str s);

/* Length of the token of RFC 2045 section 5.1 at the start of s; 0: none. */
size_t token_length(struct str s);

/*
 * What is inside of a quoted string or a comment of this length at the start
 * of s: escapes undone, line ends, CR and NUL dropped. In place when there
 * is nothing to undo, else in the arena; STR_NONE when that is full.
 */
struct str token_unquote(struct str enclosed, struct arena *a);
