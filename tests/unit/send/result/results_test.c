/* SPDX-License-Identifier: ISC */
/* results_test.c - a batch of results in pieces is the same results. */
#include "../../test.h"
#include "send/queue/entry.h"
#include "send/result/results_batch.h"

#define BAD 617

static struct results_batch *
batch_of(size_t n)
{
	struct results_batch *b = results_batch_new(NULL);

	for (size_t i = 0; i < n; i++)
		results_batch_add(b,
		    &(struct msg_queue_result){ .message = i,
			.reply = i % 2 ? STR("250 ok") : STR_NONE },
		    (struct result_of){ NULL, (uint32_t)i * 3 });
	return b;
}

/* The store that cannot read one of them. */
static bool
is_fine(const struct results_batch *b)
{
	struct wire w = wire_read(buf_str(&b->list));
	struct msg_queue_result r;
	size_t n = 0;

	while (w.in.n > 0) {
		CHECK(msg_queue_result_read(&w, &r), "reads");
		CHECK(b->of[n++].slot == r.message * 3, "what goes with it");
		if (r.message == BAD)
			return false;
	}
	CHECK(n == b->n, "count");
	return true;
}

TEST(one_bad_result_is_found_and_takes_no_other_along)
{
	struct results_batch *first = batch_of(1000), *b = first, *next;
	size_t noted = 0, tries = 0, refused = 0;
	uint64_t last = 0;

	/* What an earlier process left is counted until all of it is told. */
	first->is_replay = true;
	while (b != NULL) {
		CHECK(b->is_replay, "each part of it");
		CHECK(++tries < 50, "halves, not one by one");
		if (!is_fine(b) && b->n > 1) {
			(void)results_batch_split(b);
			continue;
		}
		CHECK(results_batch_first(b).message >= last, "in order");
		last = results_batch_first(b).message;
		if (b->n == 1 && last == BAD)
			refused++;
		else
			noted += b->n;
		next = b->next;
		results_batch_free(b);
		b = next;
	}
	CHECK(refused == 1 && noted == 999, "all but that one");
}

TEST(a_batch_has_a_bound)
{
	struct results_batch *b = batch_of(RESULTS_BATCH_MAX - 1);

	CHECK(!results_batch_is_full(b), "one more");
	results_batch_add(b, &(struct msg_queue_result){ .message = 1 },
	    (struct result_of){ 0 });
	CHECK(results_batch_is_full(b), "no more");
	results_batch_free(b);
}

TEST(mail_waits_from_when_it_could_go)
{
	struct msg_queue_item item = { .arrival_ms = 5000 };

	CHECK(entry_free_ms(&item) == 5000, "accepted");
	item.hold_until = 7;
	CHECK(entry_free_ms(&item) == 7000, "held by who sent it");
	item.freed_ms = 9000;
	CHECK(entry_free_ms(&item) == 9000, "released by an operator");
	item.hold_until = 10;
	CHECK(entry_free_ms(&item) == 10000, "before its time");
}

TEST_MAIN(UNIT(mail_waits_from_when_it_could_go),
    UNIT(one_bad_result_is_found_and_takes_no_other_along),
    UNIT(a_batch_has_a_bound))
