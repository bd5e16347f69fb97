/* SPDX-License-Identifier: ISC */
/* results.c - batches of results on their way to the store. See results.h. */
#include "send/results.h"

#include "base/log.h"

#define BATCH_BYTES KIB(900)
#define BATCH_MAX   2000
/* Batches whose answer is still out. */
#define WINDOW   4
#define AGAIN_MS 300

struct batch {
	struct batch *next;
	struct results *r;
	struct buf list; /* msg_queue_result, back to back */
	struct held **held;
	size_t n, cap;
	bool is_asked;
};

struct results {
	struct runtime *rt;
	struct loop *loop;
	struct batch *first, **end;
	unsigned asked;
	bool is_queued;
	struct loop_timer *again;
	loop_fn done;
	void *done_arg;
};

static void send_all(void *arg);

struct results *
results_new(struct runtime *rt)
{
	struct results *r = X_NEW(struct results);

	r->rt = rt;
	r->loop = runtime_loop(rt);
	r->end = &r->first;
	r->again = loop_timer_new(r->loop, send_all, r);
	return r;
}

static struct batch *
open_batch(struct results *r)
{
	struct batch *b = CONTAINER_OF(r->end, struct batch, next);

	if (r->end != &r->first && !b->is_asked && b->n < BATCH_MAX &&
	    b->list.n < BATCH_BYTES)
		return b;
	b = X_NEW(struct batch);
	b->r = r;
	b->list = BUF_INIT(MIB(1));
	*r->end = b;
	r->end = &b->next;
	return b;
}

void
results_add(
    struct results *r, const struct msg_queue_result *result, struct held *held)
{
	struct batch *b = open_batch(r);

	msg_queue_result_put(&b->list, result);
	ASSERT(!b->list.failed);
	b->held = x_grow(b->held, &b->cap, b->n + 1, sizeof(struct held *));
	b->held[b->n++] = held;
	if (r->is_queued)
		return;
	r->is_queued = true;
	loop_defer(r->loop, send_all, r);
}

bool
results_are_done(const struct results *r)
{
	return r->first == NULL;
}

void
results_when_done(struct results *r, loop_fn fn, void *arg)
{
	r->done = fn;
	r->done_arg = arg;
	if (results_are_done(r))
		loop_defer(r->loop, fn, arg);
}

void
results_resume(struct results *r)
{
	loop_timer_set(r->again, 0);
}

static void
drop(struct results *r, struct batch *b)
{
	struct batch **at = &r->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (r->end == &b->next)
		r->end = at;
	for (size_t i = 0; i < b->n; i++)
		held_answered(b->held[i]);
	free(b->held);
	buf_done(&b->list);
	free(b);
}

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct batch *b = arg;
	struct results *r = b->r;
	struct msg_queue_results_reply reply;

	r->asked--;
	b->is_asked = false;
	if (m->outcome == TEMPFAIL) {
		loop_timer_set(r->again, AGAIN_MS);
		return;
	}
	if (m->outcome != DONE)
		log_event(EV_SEND_STORE, LC("what", "results"),
		    LC("reason", reason_str(ipc_reason(m))));
	else if (msg_queue_results_reply_get(m->body, &reply) &&
		 reply.stale > 0)
		log_event(EV_SEND_STALE, LU("results", reply.stale));
	drop(r, b);
	if (r->first != NULL)
		send_all(r);
	else if (r->done != NULL)
		r->done(r->done_arg);
}

static void
send_batch(struct results *r, struct batch *b)
{
	struct buf body = BUF_INIT(MIB(1) + KIB(1));
	struct msg_queue_results m = {
		.now_ms = loop_time_ms(r->loop),
		.results = buf_str(&b->list),
	};
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_RESULTS, .fd = -1
	};

	msg_queue_results_put(&body, &m);
	req.body = buf_str(&body);
	b->is_asked = true;
	r->asked++;
	runtime_request(r->rt, &req, on_answer, b);
	buf_done(&body);
}

static void
send_all(void *arg)
{
	struct results *r = arg;

	r->is_queued = false;
	for (struct batch *b = r->first; b != NULL && r->asked < WINDOW;
	     b = b->next)
		if (!b->is_asked)
			send_batch(r, b);
}
