/* SPDX-License-Identifier: ISC */
/*
 * copy_make.h - all files of a static copy, from the running server's role
 * web, in memory.
 *
 * What is there is found by following the links of the pages; and the numbers of
 * all posts are read from the ledger, whose permanent addresses become pages that
 * lead to them.
 */
#pragma once

#include "cli/admin.h"
#include "cli/output/progress.h"

#define COPY_FILES_MAX 500000
#define COPY_BYTES_MAX MIB(512)

struct copy_file {
	char *name; /* "fr/index.html" */
	struct str body;
	bool is_live; /* it says how things are now */
};

struct copy {
	struct copy_file *files;
	size_t n, cap;
	uint64_t bytes;
};

struct copy_maker {
	struct admin *a;
	struct str site;        /* the public address */
	struct ipc_client *web; /* NULL at first */
};

/*
 * Make all files, or those alone that say how things are now. An exit code;
 * what is wrong was printed. progress may be NULL.
 */
int copy_make(struct copy_maker *m, bool only_live, struct progress *progress,
    struct copy *ret) WARN_UNUSED;
void copy_free(struct copy *c);
/* A number: another one, other states of systems, or other posts. 0
 * while that is not known. An exit code. */
int copy_version(struct copy_maker *m, uint64_t *ret) WARN_UNUSED;
void copy_maker_done(struct copy_maker *m);
