/* SPDX-License-Identifier: ISC */
/*
 * post_rows.h - posts of the status site as rows of the ledger, for the
 * commands about them. Functions print what is wrong and answer with an exit code.
 */
#pragma once

#include "cli/ledger_rows.h"
#include "proto/status/status_post_edit.h"

/* A post, and the row that it points into. */
struct post_row {
	uint32_t number;
	struct buf row;
	struct status_post p;
};
void post_row_done(struct post_row *p);
int post_row_get(
    struct admin *a, uint32_t number, struct post_row *ret) WARN_UNUSED;
int post_row_fault(struct admin *a, const struct status_fault *f);

/*
 * Give p a number and, where it has none, a slug that no other post has, and put
 * it. p->slug points into slug afterwards.
 */
int post_row_add(struct admin *a, struct status_post *p, struct buf *slug,
    uint32_t *ret_number) WARN_UNUSED;
/* Put what became of a post; with update, that one as the number last_update. */
int post_row_change(struct admin *a, const struct post_row *was,
    const struct status_post *p, const struct status_update *update,
    const char *what) WARN_UNUSED;

/* An update of a post, and the row that it points into. */
struct update_row {
	uint32_t number;
	struct buf row;
	struct status_update u;
};
void update_row_done(struct update_row *u);
int update_row_get(struct admin *a, uint32_t post, uint32_t number,
    struct update_row *ret) WARN_UNUSED;
/* Put p again, and u instead of was. */
int update_row_change(struct admin *a, uint32_t post,
    const struct update_row *was, const struct status_update *u) WARN_UNUSED;

/* All posts in the order of their numbers; what cannot be read is left out. */
typedef void (*post_fn)(
    void *arg, uint32_t number, const struct status_post *p);
int post_rows_each(struct admin *a, post_fn fn, void *arg) WARN_UNUSED;

/* "17": *ret_update is 0; "17/2": one of its updates. Prints an error. */
bool post_number(struct admin *a, const char *word, uint32_t *ret_number,
    uint32_t *ret_update) WARN_UNUSED;
