/* SPDX-License-Identifier: ISC */
/*
 * copy_write.h - a static copy in a folder.
 *
 * Every file is written aside and takes its place by rename: nobody ever reads
 * half of one. All are written before the first takes its place, the first
 * pages last, and what is not there any more goes after that: so what a page
 * leads to is there. What was not made here is left alone: the folder's list
 * (.mailstead-copy) says what was.
 */
#pragma once

#include "cli/copy/copy_make.h"

#define COPY_LIST ".mailstead-copy"

struct copy_names {
	char **v;
	size_t n, cap;
};

struct copy_result {
	size_t written, unchanged, removed;
	struct copy_names changed; /* written and removed; with want_names */
	bool want_names;           /* and folders stay, for rsync */
};

/*
 * Write c into dir, which is made when it is not there. is_whole: what the list
 * has and c has not is removed. An exit code; what is wrong was printed.
 * *ret is the caller's to end, in any case.
 */
int copy_write(struct admin *a, const struct copy *c, const char *dir,
    bool is_whole, struct copy_result *ret) WARN_UNUSED;
void copy_result_done(struct copy_result *r);
