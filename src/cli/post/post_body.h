/* SPDX-License-Identifier: ISC */
/*
 * post_body.h - where the text of a post comes from: a file, standard input, or
 * the user's editor.
 */
#pragma once

#include "cli/admin.h"

enum post_body_ask {
	POST_BODY_EDITOR,   /* on a terminal: the editor */
	POST_BODY_OPTIONAL, /* on a terminal: no text */
};

/*
 * Append the text to ret: text if it is not NULL; what is in file ("-":
 * standard input); else standard input when that is no terminal; else what ask
 * says, the editor beginning with what is in ret. CRLF becomes LF. Prints what is
 * wrong; an exit code.
 */
int post_body_read(struct admin *a, const char *text, const char *file,
    enum post_body_ask ask, struct buf *ret) WARN_UNUSED;
/* There is something to read in it; else it is said what it can be given by. */
int post_body_need(struct admin *a, const struct buf *body) WARN_UNUSED;
/* Is standard input no terminal? */
bool post_body_is_piped(void) WARN_UNUSED;
/* The editor on what is in ret. */
int post_body_edit(struct admin *a, struct buf *ret) WARN_UNUSED;
