/* SPDX-License-Identifier: ISC */
/*
 * feedback_internal.h - what the files that read reports share.
 */
#pragma once

#include "filter/feedback_read.h"

/* Rows of one report, as they become full. */
struct feedback_rows {
	const struct feedback_head *head;
	struct str owner;
	uint64_t until;
	struct buf value;
	unsigned n_rows, n_items, n_in_row;
};

void feedback_rows_begin(struct feedback_rows *r,
    const struct feedback_head *head, struct str owner, uint64_t now);
/* False: it is one too many. */
bool feedback_rows_put(
    struct feedback_rows *r, const struct feedback_item *item, struct buf *out);
/* The last row; rest (NULL: none) stands for those that were too many. */
void feedback_rows_end(
    struct feedback_rows *r, const struct feedback_item *rest, struct buf *out);

/* The domain of the address, or one below it. */
bool feedback_is_about(struct str domain, const struct feedback_context *c);
/* A name in lower case, into b (emptied first). */
struct str feedback_lower(struct buf *b, struct str s);

enum feedback_found feedback_read_dmarc(
    struct str xml, const struct feedback_context *c, struct feedback *f);
enum feedback_found feedback_read_tls(
    struct str json, const struct feedback_context *c, struct feedback *f);
/* fields: of message/delivery-status. */
enum feedback_found feedback_read_bounce(
    struct str fields, const struct feedback_context *c, struct feedback *f);
/* fields: of message/feedback-report; original: the header of the message
 * that it is about, maybe empty. */
enum feedback_found feedback_read_abuse(struct str fields, struct str original,
    const struct feedback_context *c, struct feedback *f);
