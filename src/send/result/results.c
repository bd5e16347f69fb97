/* SPDX-License-Identifier: ISC */
/* results.c - batches of results on their way to the store. See results.h. */
#include "send/result/results.h"

#include "base/log.h"

/* Batches whose answer is still out. */
#define WINDOW   4
#define AGAIN_MS 300

struct results {
	struct runtime *rt;
	struct loop *loop;
	struct slate *slate;
	unsigned replaying; /* batches of an earlier process */
	struct results_batch *first, **end;
	unsigned asked;
	bool is_queued;
	struct loop_timer *again;
	loop_fn replayed; /* who waits for that; NULL: nobody */
	void *replayed_arg;
};

static void send_all(void *arg);

static struct results_batch *
open_batch(struct results *r)
{
	struct results_batch *b =
	    CONTAINER_OF(r->end, struct results_batch, next);

	if (r->end != &r->first && !b->is_asked && !results_batch_is_full(b))
		return b;
	b = results_batch_new(r);
	*r->end = b;
	r->end = &b->next;
	return b;
}

void
results_add(struct results *r, const struct msg_queue_result *result,
    struct result_of of)
{
	results_batch_add(open_batch(r), result, of);
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
results_when_replayed(struct results *r, loop_fn fn, void *arg)
{
	r->replayed = NULL;
	if (r->replaying == 0) {
		fn(arg);
		return;
	}
	r->replayed = fn;
	r->replayed_arg = arg;
}

void
results_resume(struct results *r)
{
	loop_timer_set(r->again, 0);
}

static void
drop(struct results *r, struct results_batch *b)
{
	struct results_batch **at = &r->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (r->end == &b->next)
		r->end = at;
	for (size_t i = 0; i < b->n; i++) {
		held_answered(b->of[i].held);
		slate_wipe(r->slate, b->of[i].slot);
	}
	results_batch_free(b);
}

/*
 * The store cannot make sense of the batch. It is told of each half by itself,
 * and so on, until one result is alone with that: all others are noted. True:
 * it was that one.
 */
static bool
is_refused_alone(struct results *r, struct results_batch *b)
{
	struct results_batch *rest;
	struct msg_queue_result one;

	if (b->n == 1) {
		one = results_batch_first(b);
		log_event(EV_SEND_RESULT_REFUSED, LU("message", one.message),
		    LU("rcpt", one.rcpt), LU("state", one.state),
		    LS("reply", one.reply));
		return true;
	}
	rest = results_batch_split(b);
	if (r->end == &b->next)
		r->end = &rest->next;
	r->replaying += b->is_replay;
	return false;
}

static void
log_answer(const struct results_batch *b, uint32_t stale)
{
	/* Of those that were left, the store may have had some. */
	if (b->is_replay)
		log_event(
		    EV_SEND_REPLAY, LU("results", b->n), LU("known", stale));
	else if (stale > 0)
		log_event(EV_SEND_STALE, LU("results", stale));
}

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct results_batch *b = arg;
	struct results *r = b->owner;
	struct msg_queue_results_reply reply;

	r->asked--;
	b->is_asked = false;
	if (m->outcome == TEMPFAIL) {
		loop_timer_set(r->again, AGAIN_MS);
		return;
	}
	if (m->outcome != DONE) {
		log_event(EV_SEND_STORE, LC("what", "results"),
		    LC("reason", reason_str(ipc_reason(m))));
		if (!is_refused_alone(r, b)) {
			send_all(r);
			return;
		}
	} else if (msg_queue_results_reply_get(m->body, &reply)) {
		log_answer(b, reply.stale);
	}
	r->replaying -= b->is_replay;
	drop(r, b);
	if (r->first != NULL)
		send_all(r);
	if (r->replaying == 0 && r->replayed != NULL)
		TAKE_PTR(r->replayed)(r->replayed_arg);
}

static void
send_batch(struct results *r, struct results_batch *b)
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
	for (struct results_batch *b = r->first; b != NULL && r->asked < WINDOW;
	     b = b->next)
		if (!b->is_asked)
			send_batch(r, b);
}

/* --- what an earlier process left -------------------------------------------------- */

static void
replay(struct results *r, const struct slate_result *left, uint32_t slot)
{
	struct msg_queue_result result = {
		.message = left->message,
		.rcpt = left->rcpt,
		.lease = left->lease,
		.state = (uint8_t)left->state,
		.counts = true,
		.reply = left->state == QUEUE_DELIVERED
		             ? STR("accepted, just before the process ended")
		             : STR("refused, just before the process ended"),
	};
	struct results_batch *b;

	results_add(r, &result, (struct result_of){ NULL, slot });
	b = CONTAINER_OF(r->end, struct results_batch, next);
	if (b->is_replay)
		return;
	b->is_replay = true;
	r->replaying++;
}

struct results *
results_new(struct runtime *rt, struct slate *slate)
{
	struct results *r = X_NEW(struct results);
	struct slate_result left;

	r->rt = rt;
	r->loop = runtime_loop(rt);
	r->slate = slate;
	r->end = &r->first;
	r->again = loop_timer_new(r->loop, send_all, r);
	for (uint32_t at = 0; slate_next(slate, &at, &left); at++)
		replay(r, &left, at);
	return r;
}
