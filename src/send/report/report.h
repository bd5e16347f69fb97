/* SPDX-License-Identifier: ISC */
/*
 * report.h - bounces, delay notices and receipts: messages to the sender about
 * entries of the queue.
 *
 * A report is delivered like any other message, with the null sender. Only
 * when that is durable do the entries get their results: a crash in between
 * repeats both, and the report's trace id, made from the entries, keeps the
 * store from delivering it twice.
 */
#pragma once

#include "send/result/decide.h"
#include "send/server.h"

struct report_rcpt {
	struct entry *entry;
	struct decision decision;
	struct judgement judgement; /* text is a copy */
	struct msg_queue_result result;
	char *texts; /* what result's and judgement's strings point into */
};

struct report {
	struct report *next; /* of the same mail; in the line */
	struct server *sv;
	struct domain *domain;
	enum report_kind kind;
	struct report_rcpt *rcpts;
	size_t n, cap;
	/* while it is being sent */
	uint64_t weight;     /* bytes, about */
	struct buf original; /* the message, or its beginning */
	uint64_t size;       /* of the message */
	struct buf text;     /* the report */
	struct buf structure;
	bool is_8bit;
	unsigned tries;
	uint64_t now_ms; /* when it was made: the same in all tries */
	struct loop_timer *again;
	char trace[64];
};

struct report *report_new(
    struct server *sv, struct domain *d, enum report_kind kind);
/* Takes r's entry and texts over. */
void report_add(struct report *r, const struct report_rcpt *rcpt);
/* Write and deliver it, then settle its entries. Takes it over. */
void report_send(struct report *r);

/* --- for report.c and settle.c ------------------------------------------------------ */

/* The entry's result is final: to the store; the entry is freed. */
void settle_finish(struct server *sv, struct domain *d, struct entry *e,
    const struct msg_queue_result *result);
