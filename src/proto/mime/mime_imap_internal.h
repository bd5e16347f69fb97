/* SPDX-License-Identifier: ISC */
/*
 * mime_imap_internal.h - texts of IMAP's FETCH: writing them from a tree,
 * and reading them back without trust. For this folder only.
 */
#pragma once

#include "proto/mime/mime_structure.h"

/* A text stops growing by optional values beyond this: NIL from there on. */
#define IMAP_TEXT_BUDGET KIB(400)
/* Parentheses inside each other in a text that is read. */
#define IMAP_TEXT_DEPTH 4096

/* Append the BODYSTRUCTURE of a part and what is in it. */
void imap_put_bodystructure(
    const struct mime_part *part, struct str message, struct buf *out);

/* Is s one parenthesised list, well formed to its end? */
bool imap_is_list(struct str s);

/*
 * Read a BODYSTRUCTURE and, when out is not NULL, append it without the
 * extension data. False when it has not the form of one.
 */
bool imap_copy_body(struct str bodystructure, struct buf *out);
