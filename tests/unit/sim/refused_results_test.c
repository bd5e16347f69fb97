/* SPDX-License-Identifier: ISC */
/*
 * refused_results_test.c - the store refuses a batch of results in which one
 * makes no sense: it changes nothing by then, takes each half that does make
 * sense, and what is refused alone stays lent until its lease ends.
 */
#include "../store/queue/qfixture.h"

#include "send/result/results_batch.h"

#define N     60
#define BAD   41
#define STATE 77 /* none of the states of an entry */

static struct results_batch *
batch_of(const struct items *items)
{
	struct results_batch *b = results_batch_new(NULL);

	for (size_t i = 0; i < items->n; i++)
		results_batch_add(b,
		    &(struct msg_queue_result){ .message = items->v[i].message,
			.rcpt = items->v[i].rcpt,
			.lease = items->v[i].lease,
			.state = i == BAD ? STATE : QUEUE_DELIVERED,
			.counts = 1,
			.reply = STR("250 ok") },
		    (struct result_of){ NULL, 0 });
	return b;
}

/* How many of them the store did not know; -1: it refused them all. */
static int
tell_store(struct qfixture *t, const struct results_batch *b)
{
	struct msg_queue_results q = { .now_ms = t->now_ms,
		.results = buf_str(&b->list) };
	struct buf out = BUF_INIT(KIB(1));
	struct msg_queue_results_reply r;
	struct verdict v = queue_results(t->q, &q, &out);
	int stale = -1;

	CHECK(v.outcome == DONE || v.outcome == PERMFAIL, "for good");
	if (verdict_is_done(v) &&
	    msg_queue_results_reply_get(buf_str(&out), &r))
		stale = (int)r.stale;
	buf_done(&out);
	return stale;
}

static void
put_mail(struct qfixture *t, struct items *ret)
{
	for (size_t i = 0; i < N; i++)
		CHECK(verdict_is_done(
			  add_mail(t, "a@b.example", "u@far.example")),
		    "mail");
	lease(t, "far.example", N, ret);
	CHECK(ret->n == N, "all are lent");
}

TEST(the_store_takes_all_but_the_one_that_makes_no_sense)
{
	struct results_batch *b, *next;
	struct items items, again;
	size_t refused = 0;
	struct qfixture t;

	qfixture_start(&t);
	put_mail(&t, &items);
	for (b = batch_of(&items); b != NULL; b = next) {
		size_t before = entries(&t);
		int stale = tell_store(&t, b);

		CHECK(stale <= 0, "nothing is told twice");
		if (stale < 0 && b->n > 1) {
			CHECK(entries(&t) == before, "nothing is half done");
			next = b;
			(void)results_batch_split(b);
			continue;
		}
		refused += stale < 0;
		CHECK(entries(&t) == before - (stale < 0 ? 0 : b->n), "gone");
		next = b->next;
		results_batch_free(b);
	}
	CHECK(refused == 1 && entries(&t) == 1, "all but that one");
	/* It was not lost: it is delivered once more. */
	t.now_ms += 61 * 1000;
	lease(&t, "far.example", N, &again);
	CHECK(again.n == 1 && again.v[0].message == items.v[BAD].message,
	    "its lease ends");
	CHECK(settle(&t, &again.v[0], QUEUE_DELIVERED, 0), "settled");
	CHECK(queue_problems(&t) == 0 && blobs(&t) == 0, "clean");
	qfixture_stop(&t);
}

TEST_MAIN(UNIT(the_store_takes_all_but_the_one_that_makes_no_sense))
