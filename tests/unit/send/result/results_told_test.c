/* SPDX-License-Identifier: ISC */
/*
 * results_told_test.c - results on their way to a store that goes away, refuses one of
 * them, or is new: each is told until it is noted, and stays on the slate until then.
 */
#include "../../test.h"
#include "base/log.h"
#include "proc/runtime.h"
#include "send/result/results.h"
#include "send/result/slate.h"

#define RESULTS 1000
#define LOST    77 /* the store cannot make sense of the result of this message */

static uint64_t page[RESULTS * SLATE_SLOT_BYTES / sizeof(uint64_t)];

/* Nothing of it ends before its process does. */
struct runtime {
	struct loop *loop;
	struct slate *slate;
	struct results *results;
	unsigned away; /* so many times it is not there */
	unsigned asked, refused, replayed;
	unsigned noted[RESULTS + 1]; /* by message */
	bool has_lost;
};
static struct runtime worlds[3];

struct answer {
	struct runtime *rt;
	ipc_reply_fn fn;
	void *arg;
	struct ipc_msg msg;
	struct buf body;
};

static unsigned
on_slate(const struct runtime *rt)
{
	struct slate_result r;
	unsigned n = 0;

	for (uint32_t at = 0; slate_next(rt->slate, &at, &r); at++)
		n++;
	return n;
}

static void
give_answer(void *arg)
{
	struct answer *a = arg;
	struct runtime *rt = a->rt;
	bool is_away = a->msg.outcome == TEMPFAIL;

	a->msg.body = buf_str(&a->body);
	a->fn(a->arg, &a->msg);
	buf_done(&a->body);
	free(a);
	if (is_away)
		results_resume(rt->results);
	if (results_are_done(rt->results))
		loop_stop(rt->loop);
}

/* All of a list or none, as store/queue/results.c has it. */
static void
note(struct answer *a, struct str list)
{
	struct runtime *rt = a->rt;
	struct msg_queue_results_reply reply = { 0 };
	struct msg_queue_result r;
	bool is_lost = false;

	for (struct wire w = wire_read(list); w.in.n > 0;) {
		CHECK(msg_queue_result_read(&w, &r), "well-formed");
		is_lost |= rt->has_lost && r.message == LOST;
	}
	if (is_lost) {
		struct msg_error e = { .reason = REASON_INTERNAL };

		rt->refused++;
		a->msg.outcome = PERMFAIL;
		msg_error_put(&a->body, &e);
		return;
	}
	for (struct wire w = wire_read(list); w.in.n > 0;) {
		CHECK(msg_queue_result_read(&w, &r), "well-formed");
		rt->noted[r.message]++;
	}
	msg_queue_results_reply_put(&a->body, &reply);
}

uint32_t
runtime_request(struct runtime *rt, const struct ipc_peer_request *req,
    ipc_reply_fn fn, void *arg)
{
	struct answer *a = X_NEW(struct answer);
	struct msg_queue_results m;

	CHECK(req->to == ROLE_STORE && req->type == MSG_QUEUE_RESULTS &&
		  msg_queue_results_get(req->body, &m),
	    "results");
	a->rt = rt;
	a->fn = fn;
	a->arg = arg;
	a->body = BUF_INIT(KIB(1));
	a->msg = (struct ipc_msg){
		.type = req->type, .is_reply = true, .outcome = DONE, .fd = -1
	};
	rt->asked++;
	if (rt->away > 0) {
		rt->away--;
		a->msg.outcome = TEMPFAIL;
	} else {
		note(a, m.results);
	}
	loop_defer(rt->loop, give_answer, a);
	return 1;
}

struct loop *
runtime_loop(struct runtime *rt)
{
	return rt->loop;
}

static void
world_init(struct runtime *w)
{
	w->loop = loop_new();
	w->slate = slate_new(page, sizeof(page));
	w->results = results_new(w, w->slate);
}

/* The first n messages are over. */
static void
settle(struct runtime *w, uint64_t n)
{
	for (uint64_t i = 1; i <= n; i++) {
		struct slate_result s = { i, 9, 0, QUEUE_DELIVERED };
		struct msg_queue_result r = { .message = i,
			.lease = 9,
			.state = QUEUE_DELIVERED,
			.reply = STR("250 ok") };

		results_add(w->results, &r,
		    (struct result_of){ NULL, slate_note(w->slate, &s) });
	}
}

TEST(results_are_kept_until_the_store_has_them)
{
	struct runtime *w = &worlds[0];

	world_init(w);
	CHECK(results_are_done(w->results), "nothing to tell");
	w->away = 3;
	settle(w, 5);
	CHECK(!results_are_done(w->results) && on_slate(w) == 5, "noted");
	loop_run(w->loop);
	CHECK(w->asked == 4, "until it is there");
	for (uint64_t i = 1; i <= 5; i++)
		CHECK(w->noted[i] == 1, "each once");
	CHECK(on_slate(w) == 0, "and then the slate is clean");
	settle(w, 2);
	loop_run(w->loop);
	CHECK(w->asked == 5 && w->noted[2] == 2 && w->noted[3] == 1,
	    "what comes later, too");
}

TEST(one_that_makes_no_sense_takes_no_other_along)
{
	struct runtime *w = &worlds[1];

	world_init(w);
	w->has_lost = true;
	settle(w, RESULTS);
	loop_run(w->loop);
	for (uint64_t i = 1; i <= RESULTS; i++)
		CHECK(w->noted[i] == (i != LOST), "all others, once");
	CHECK(w->refused > 1 && w->refused < 50, "found by halves");
	CHECK(on_slate(w) == 0, "clean");
}

static void
on_replayed(void *arg)
{
	struct runtime *w = arg;

	for (uint64_t i = 1; i <= RESULTS; i++)
		CHECK(w->noted[i] == (i != LOST), "it has them by then");
	w->replayed++;
}

TEST(what_an_earlier_process_left_is_told_first)
{
	struct runtime *w = &worlds[2];
	struct slate *earlier = slate_new(page, sizeof(page));

	for (uint64_t i = 1; i <= RESULTS; i++)
		(void)slate_note(
		    earlier, &(struct slate_result){ i, 9, 0, QUEUE_FAILED });
	slate_free(earlier);
	world_init(w);
	w->away = 1;
	w->has_lost = true;
	results_when_replayed(w->results, on_replayed, w);
	CHECK(w->replayed == 0 && on_slate(w) == RESULTS, "not told yet");
	loop_run(w->loop);
	CHECK(w->replayed == 1 && on_slate(w) == 0, "told");
	results_when_replayed(w->results, on_replayed, w);
	CHECK(w->replayed == 2, "nothing is left: at once");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(results_are_kept_until_the_store_has_them),
		UNIT(one_that_makes_no_sense_takes_no_other_along),
		UNIT(what_an_earlier_process_left_is_told_first),
	};

	log_init("send-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
