/* SPDX-License-Identifier: ISC */
/*
 * queue_damage_test.c - records of the queue that are damaged, gone, or do not agree
 * with each other: named, passed over, and nobody else's trouble.
 */
#include "qfixture.h"

static struct qfixture t;

static int
setup(UNUSED void **state)
{
	qfixture_start(&t);
	return 0;
}

static int
teardown(UNUSED void **state)
{
	return qfixture_end(&t);
}

/* Bytes under a key of the queue's shard, or none. */
static void
write_raw(struct str key, const struct str *val)
{
	struct engine_shard shard = { 'q', 1 };
	struct engine_batch *b = engine_batch_new(t.f.engine);

	if (val)
		batch_put(b, shard, key, *val);
	else
		batch_del(b, shard, key);
	ASSERT(engine_commit(t.f.engine, b, NULL, NULL) == 0);
}

TEST(damage_is_named_and_passed_over)
{
	struct str bad = STR("\xff\xff");
	struct str keys[] = { STR("Dx"), STR("Lxxxxxxxx"), STR("Gxxxxxxxx"),
		STR("Hx"), STR("Kx"), STR("Zx"), STR("Mxxxxxxxx") };
	struct queue_key entry, message;
	struct buf keep = BUF_INIT(KIB(4));
	struct items i;
	struct str val;

	add_mail(&t, "a@b.c", "x@one.example y@one.example");
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		write_raw(keys[k], &bad);
	qfixture_restart(&t);
	CHECK(queue_problems(&t) >= ARRAY_LEN(keys), "named");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 2, "the others are lent");
	CHECK(settle(&t, &i.v[0], QUEUE_RELEASED, t.now_ms) &&
		  settle(&t, &i.v[1], QUEUE_RELEASED, t.now_ms),
	    "given back");
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		write_raw(keys[k], NULL);
	CHECK(queue_problems(&t) == 0, "all of that was it");

	entry = qkey_entry(i.v[0].message, 0);
	message = qkey_id('M', i.v[0].message);
	ASSERT(engine_get(t.f.engine, (struct engine_shard){ 'q', 1 },
		   queue_key_str(&entry), &val) == 1);
	buf_put_str(&keep, val);
	write_raw(queue_key_str(&entry), &bad);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].rcpt == 1, "the one that can be read");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "and answered");
	ASSERT(engine_get(t.f.engine, (struct engine_shard){ 'q', 1 },
		   queue_key_str(&message), &val) == 1);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == 0, "no circle");
	CHECK(entries(&t) == 1 && blobs(&t) == 1, "nothing is thrown away");
	val = buf_str(&keep);
	write_raw(queue_key_str(&entry), &val);
	qfixture_restart(&t);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].rcpt == 0, "once it is repaired");
	buf_done(&keep);
}

/* What was delivered, and cannot be noted, is delivered again: so one damaged
 * record must not stand in the way of a thousand results. */
TEST(damage_keeps_no_other_result_away)
{
	struct str bad = STR("\xff\xff");
	struct buf list = BUF_INIT(KIB(8)), out = BUF_INIT(KIB(1));
	struct msg_queue_results q = { .now_ms = t.now_ms };
	struct msg_queue_results_reply r;
	struct buf keep = BUF_INIT(KIB(4));
	struct queue_key entry, message;
	uint64_t second;
	struct items i;
	struct str val;

	add_mail(&t, "a@b.c", "x@one.example");
	add_mail(&t, "a@b.c", "y@one.example");
	add_mail(&t, "a@b.c", "z@one.example");
	lease(&t, "one.example", 10, &i);
	ASSERT(i.n == 3);
	entry = qkey_entry(i.v[0].message, i.v[0].rcpt);
	second = i.v[1].message;
	message = qkey_id('M', second);
	ASSERT(engine_get(t.f.engine, (struct engine_shard){ 'q', 1 },
		   queue_key_str(&entry), &val) == 1);
	buf_put_str(&keep, val);
	write_raw(queue_key_str(&entry), &bad);
	write_raw(queue_key_str(&message), &bad);
	for (size_t k = 0; k < i.n; k++)
		msg_queue_result_put(&list,
		    &(struct msg_queue_result){ .message = i.v[k].message,
			.rcpt = i.v[k].rcpt,
			.lease = i.v[k].lease,
			.state = QUEUE_DELIVERED });
	q.results = buf_str(&list);
	CHECK(verdict_is_done(queue_results(t.q, &q, &out)) &&
		  msg_queue_results_reply_get(buf_str(&out), &r),
	    "the others are noted");
	CHECK(r.stale == 1 && entries(&t) == 1, "all but one");
	t.now_ms += 3600 * 1000;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0, "nobody gets it once more");
	CHECK(queue_problems(&t) >= 2, "the check names them");
	val = buf_str(&keep);
	write_raw(queue_key_str(&entry), &val);
	/* As the end of its message would have left it. */
	write_raw(queue_key_str(&message), NULL);
	message = qkey_id('G', second);
	buf_reset(&keep, KIB(4));
	queue_gone_record_encode(
	    &keep, &(struct queue_gone_record){ .trace = STR("trace1"),
		       .mail_from = STR("a@b.c"),
		       .n_rcpts = 1 });
	val = buf_str(&keep);
	write_raw(queue_key_str(&message), &val);
	buf_done(&keep);
	buf_done(&list);
	buf_done(&out);
}

/* The newest lease has them, whatever an older record says that should be gone. */
TEST(an_entry_is_lent_once_after_a_restart)
{
	struct buf items = BUF_INIT(KIB(1)), val = BUF_INIT(KIB(1));
	struct queue_lease_record r = { OWNER, t.now_ms + 3600 * 1000,
		STR("one.example"), 1, STR_NONE };
	struct msg_queue_item older;
	struct queue_stats st;
	struct queue_key key;
	struct items i;
	struct str bytes;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1, "lent");
	older = i.v[0];
	older.lease--;
	queue_lease_item_put(
	    &items, &(struct queue_lease_item){ older.message, older.rcpt, 0 });
	r.items = buf_str(&items);
	queue_lease_record_encode(&val, &r);
	key = qkey_id('L', older.lease);
	bytes = buf_str(&val);
	write_raw(queue_key_str(&key), &bytes);
	qfixture_restart(&t);
	queue_stats(t.q, &st);
	CHECK(st.leased == 1 && st.leases == 1, "by one lease");
	CHECK(!settle(&t, &older, QUEUE_FAILED, 0), "not that one");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "the newest");
	CHECK(entries(&t) == 0, "delivered");
	buf_done(&items);
	buf_done(&val);
}

/* The record of the entry counts: what it says is held, or due later, is not sent because
 * the index has it otherwise. */
TEST(an_entry_that_the_index_has_otherwise_is_not_lent)
{
	struct buf keep = BUF_INIT(KIB(4)), other = BUF_INIT(KIB(4));
	struct queue_entry_record r;
	struct queue_key entry;
	struct str val;
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_RELEASED, t.now_ms), "given back");
	entry = qkey_entry(i.v[0].message, i.v[0].rcpt);
	ASSERT(engine_get(t.f.engine, (struct engine_shard){ 'q', 1 },
		   queue_key_str(&entry), &val) == 1);
	buf_put_str(&keep, val);
	for (unsigned k = 0; k < 2; k++) {
		ASSERT(queue_entry_record_decode(buf_str(&keep), &r));
		if (k == 0)
			r.flags |= QUEUE_ENTRY_HELD;
		else
			r.due_ms += 3600 * 1000;
		buf_reset(&other, KIB(4));
		queue_entry_record_encode(&other, &r);
		val = buf_str(&other);
		write_raw(queue_key_str(&entry), &val);
		lease(&t, "one.example", 10, &i);
		CHECK(i.n == 0, k == 0 ? "held" : "due later");
		CHECK(queue_problems(&t) > 0, "the check names it");
		val = buf_str(&keep);
		write_raw(queue_key_str(&entry), &val);
		qfixture_restart(&t);
	}
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1, "once it is repaired");
	buf_done(&keep);
	buf_done(&other);
}

/* A key of a recipient that cannot be read may be of one who waits. */
TEST(a_message_stays_while_anything_is_left_of_its_recipients)
{
	struct buf keep = BUF_INIT(KIB(4));
	struct queue_key entry;
	struct str val, cut;
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example y@one.example");
	lease(&t, "one.example", 10, &i);
	entry = qkey_entry(i.v[1].message, i.v[1].rcpt);
	cut = str_first(queue_key_str(&entry), entry.n - 1U);
	ASSERT(engine_get(t.f.engine, (struct engine_shard){ 'q', 1 },
		   queue_key_str(&entry), &val) == 1);
	buf_put_str(&keep, val);
	val = buf_str(&keep);
	write_raw(queue_key_str(&entry), NULL);
	write_raw(cut, &val);
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "the other one");
	CHECK(blobs(&t) == 1 && queue_problems(&t) > 0, "its bytes stay");
	write_raw(cut, NULL);
	write_raw(queue_key_str(&entry), &val);
	CHECK(settle(&t, &i.v[1], QUEUE_DELIVERED, 0), "once it is repaired");
	CHECK(blobs(&t) == 0, "and then they go");
	buf_done(&keep);
}

TEST_MAIN(CASE(damage_is_named_and_passed_over),
    CASE(damage_keeps_no_other_result_away),
    CASE(an_entry_is_lent_once_after_a_restart),
    CASE(an_entry_that_the_index_has_otherwise_is_not_lent),
    CASE(a_message_stays_while_anything_is_left_of_its_recipients))
