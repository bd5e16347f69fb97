/* SPDX-License-Identifier: ISC */
/* results_batch.c - results that travel together. See results_batch.h. */
#include "send/result/results_batch.h"

struct results_batch *
results_batch_new(void *owner)
{
	struct results_batch *b = X_NEW(struct results_batch);

	b->owner = owner;
	b->list = BUF_INIT(MIB(1));
	return b;
}

void
results_batch_free(struct results_batch *b)
{
	free(b->of);
	buf_done(&b->list);
	free(b);
}

bool
results_batch_is_full(const struct results_batch *b)
{
	return b->n >= RESULTS_BATCH_MAX || b->list.n >= RESULTS_BATCH_BYTES;
}

void
results_batch_add(struct results_batch *b,
    const struct msg_queue_result *result, struct result_of of)
{
	msg_queue_result_put(&b->list, result);
	ASSERT(!b->list.failed);
	b->of = x_grow(b->of, &b->cap, b->n + 1, sizeof(*b->of));
	b->of[b->n++] = of;
}

struct msg_queue_result
results_batch_first(const struct results_batch *b)
{
	struct wire w = wire_read(buf_str(&b->list));
	struct msg_queue_result r;

	if (!msg_queue_result_read(&w, &r))
		die("a result of our own cannot be read");
	return r;
}

struct results_batch *
results_batch_split(struct results_batch *b)
{
	struct results_batch *rest = results_batch_new(b->owner);
	struct wire w = wire_read(buf_str(&b->list));
	struct msg_queue_result r;
	size_t half = b->n / 2, end = 0;

	ASSERT(b->n > 1);
	for (size_t i = 0; i < b->n; i++) {
		if (!msg_queue_result_read(&w, &r))
			die("a result of our own cannot be read");
		if (i < half)
			end = b->list.n - w.in.n;
		else
			results_batch_add(rest, &r, b->of[i]);
	}
	b->list.n = end;
	b->n = half;
	rest->is_replay = b->is_replay;
	rest->next = b->next;
	b->next = rest;
	return rest;
}
