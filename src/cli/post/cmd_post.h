/* SPDX-License-Identifier: ISC */
/* cmd_post.h - what the files of "mailstead post" share. */
#pragma once

#include "cli/post/post_rows.h"

struct post_words {
	struct args args;
	uint64_t now_s;
	const char *file, *text, *title, *slug, *state, *affects, *tags,
	    *categories, *from, *to, *next_update, *publish, *incident, *author,
	    *language, *kind, *tag, *limit;
	bool is_draft, is_quiet, is_open, is_dry_run;
};

/* --- cmd_post_list.c, cmd_post_import.c ----------------------------------------- */

int post_delete(struct admin *a, struct post_words *w);
int post_list(struct admin *a, struct post_words *w);
int post_show(struct admin *a, struct post_words *w);
/* Without a word when it went well. */
int post_import_file(struct admin *a, const char *file) WARN_UNUSED;
int post_import(struct admin *a, struct post_words *w);
