/* SPDX-License-Identifier: ISC */
/*
 * select.h - the entries that an operator means, for store/queue only.
 */
#pragma once

#include "store/queue/queue_internal.h"

#define SELECT_LOOK     1000 /* entries looked at in one portion */
#define SELECT_MESSAGES 1000 /* and messages */

struct selection {
	/* Called for each entry; m is its message's record. */
	struct verdict (*visit)(struct queue *q, struct selection *s,
	    struct qtx_entry e, const struct queue_entry_record *r);
	struct msg_queue_filter filter;
	struct queue_message_record m;
	struct buf after; /* where to go on; empty: that was all */
	/* Fit, but for the host, of which nothing is known; the domain of one. */
	uint64_t unknown;
	char unknown_domain[QUEUE_DOMAIN_MAX + 1];
	/* Inside. */
	struct qtx_entry *v;
	size_t n;
	struct buf message;
	uint64_t message_number;
};

/* Visits the entries of a portion, and sets after. selection_done() in any
 * case. */
struct verdict select_portion(struct queue *q, struct selection *s,
    struct str filter, struct str after) WARN_UNUSED;
void selection_done(struct selection *s);
enum queue_show entry_shown_as(const struct queue *q, struct qtx_entry e,
    const struct queue_entry_record *r);
