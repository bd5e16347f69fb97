/* SPDX-License-Identifier: ISC */
/*
 * limit_test.c - limits in a real store: what is remembered, what is held,
 * what the operator does, over restarts and months.
 */
#include "../queue/qfixture.h"
#include "store/limit/limit_internal.h"

static struct qfixture t;
static struct limiter *l;
static uint64_t alice;

static void
open_limiter(void)
{
	struct limit_config c = { .engine = t.f.engine,
		.dir = t.f.d,
		.now = fixture_now,
		.arg = &t.f,
		.limits = { 20, 10, 5 } };

	ASSERT(limiter_open(&c, &l) == 0);
}

static int
setup(UNUSED void **state)
{
	qfixture_start(&t);
	alice = add_user(&t.f, "alice@demo.example");
	open_limiter();
	return 0;
}

static uint64_t
problems(void)
{
	struct mail_check check = { .problem = fixture_problem };

	ASSERT(verdict_is_done(limiter_check_account(l, alice, &check)));
	return check.problems + queue_problems(&t);
}

static void
restart(void)
{
	limiter_free(l);
	qfixture_restart(&t);
	open_limiter();
}

static int
teardown(UNUSED void **state)
{
	uint64_t n = problems();

	restart();
	n += problems();
	limiter_free(l);
	qfixture_stop(&t);
	return n ? -1 : 0;
}

static void
next_day(void)
{
	t.f.now += 86400;
	t.now_ms = t.f.now * 1000;
}

struct adding {
	struct queue_message m;
	struct queue_rcpt rcpts[64];
	size_t n;
	struct queue_adding *queue;
	struct limit_message *limit;
};

static void
put(void *arg, struct engine_batch *b, uint64_t blob)
{
	struct adding *a = arg;

	a->queue = queue_add(t.q, b, &a->m, a->rcpts, a->n, blob);
	limiter_put(a->limit, b);
}

/* To n recipients from number first on: "" or why it is held. */
static const char *
send_to(unsigned first, unsigned n)
{
	static char reason[200];
	char addresses[64][40];
	struct adding a = { .m = { .trace = STR("t"),
				.mail_from = STR("alice@demo.example"),
				.account = alice,
				.size = 1,
				.priority = 10,
				.arrival_ms = t.now_ms } };
	struct mail_delivery d = { .ticket = ticket_of(&t.f, STR("x")),
		.size = 1,
		.trace = STR("t"),
		.more = put,
		.arg = &a };
	struct verdict v;

	for (unsigned i = 0; i < n; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "r%u@x.example",
		    first + i);
		a.rcpts[a.n++] =
		    (struct queue_rcpt){ .address = str_c(addresses[i]) };
	}
	v = limiter_judge(l, alice, a.rcpts, a.n, &a.limit);
	if (!verdict_is_done(v)) {
		engine_ticket_free(d.ticket);
		return reason_str(v.reason);
	}
	a.m.held = limit_message_reason(a.limit);
	snprintf(reason, sizeof(reason), "%.*s", STR_ARG(a.m.held));
	v = mail_deliver(t.f.mail, &d, NULL, 0);
	ASSERT(verdict_is_done(v));
	queue_added(a.queue, true);
	limiter_added(a.limit, true);
	return reason;
}

static struct msg_limit_row
row(void)
{
	static struct buf out;
	struct msg_limit_list q = { .name = STR("alice@demo.example") };
	struct msg_limit_list_reply r;
	struct msg_limit_row row = { 0 };
	struct wire w;

	buf_done(&out);
	out = BUF_INIT(MIB(2));
	ASSERT(verdict_is_done(limiter_list(l, &q, &out)));
	ASSERT(msg_limit_list_reply_get(buf_str(&out), &r));
	w = wire_read(r.items);
	if (w.in.n)
		ASSERT(msg_limit_row_read(&w, &row));
	return row;
}

static void
act(enum limit_action action)
{
	struct msg_limit_change q = { .name = STR("alice@demo.example"),
		.action = (uint8_t)action };

	ASSERT(verdict_is_done(limiter_change(l, &q, fresh(&t.f))));
}

static uint64_t
release(void)
{
	struct buf filter = BUF_INIT(KIB(1)), out = BUF_INIT(KIB(1));
	struct msg_queue_filter f = { .account = alice };
	struct msg_queue_change q = { .action = QUEUE_RELEASE };
	struct msg_queue_change_reply r;

	msg_queue_filter_put(&filter, &f);
	q.filter = buf_str(&filter);
	ASSERT(verdict_is_done(queue_change(t.q, &q, &out)));
	ASSERT(msg_queue_change_reply_get(buf_str(&out), &r));
	buf_done(&filter);
	buf_done(&out);
	return r.changed;
}

static size_t
due(void)
{
	struct items i;

	lease(&t, "x.example", 100, &i);
	for (size_t k = 0; k < i.n; k++)
		ASSERT(settle(&t, &i.v[k], QUEUE_DELIVERED, 0));
	return i.n;
}

TEST(first_time_is_once)
{
	for (unsigned day = 0; day < 3; day++) {
		assert_string_equal(send_to(0, 10), "");
		assert_int_equal(row().first, day ? 0 : 10);
		restart();
		assert_int_equal(row().known, 10);
		next_day();
	}
	assert_string_equal(send_to(0, 10), "");
	assert_int_equal(row().counted, 0); /* they have become regular */
	assert_string_equal(send_to(0, 10), "");
	assert_int_equal(row().counted, 10);
	assert_int_equal(row().recipients, 20);
	assert_int_equal(due(), 50);
}

TEST(over_a_limit_all_of_a_message_is_held_and_all_that_follows)
{
	assert_string_equal(send_to(0, 10), "");
	assert_string_equal(
	    send_to(9, 2), "first-time recipients today: 11, limit 10");
	assert_string_equal(send_to(0, 1), "the account is held");
	restart();
	assert_string_equal(send_to(0, 1), "the account is held");
	assert_int_equal(due(), 10);
	assert_int_equal(entries(&t), 4);
	assert_int_equal(row().state, LIMIT_STATE_HELD);
	assert_int_equal(limiter_held(l), 1);
	next_day();
	assert_string_equal(send_to(0, 1), "the account is held");
}

TEST(release_lets_it_go_and_forgives_the_day)
{
	(void)send_to(0, 10);
	(void)send_to(10, 5);
	(void)send_to(15, 2);
	assert_int_equal(due(), 10);
	act(LIMIT_RELEASE);
	assert_int_equal(release(), 7);
	assert_int_equal(release(), 0);
	assert_int_equal(due(), 7);
	assert_int_equal(entries(&t), 0);
	assert_string_equal(send_to(20, 10), "");
	assert_string_equal(
	    send_to(30, 1), "first-time recipients today: 11, limit 10");
	assert_int_equal(limiter_held(l), 1);
}

TEST(a_blocked_account_sends_nothing)
{
	(void)send_to(0, 11);
	act(LIMIT_BLOCK);
	assert_string_equal(send_to(0, 1), "blocked");
	assert_int_equal(limiter_held(l), 0);
	restart();
	assert_string_equal(send_to(0, 1), "blocked");
	assert_int_equal(entries(&t), 11);
	act(LIMIT_OPEN);
	assert_string_equal(send_to(0, 1), "");
	/* What was held stays so, until the operator says. */
	assert_int_equal(due(), 1);
	assert_int_equal(release(), 11);
}

TEST(limits_of_its_own_and_of_its_domain)
{
	struct msg_limit_change q = { .name = STR("demo.example"),
		.action = LIMIT_SET,
		.sets_first = 1,
		.max_first = 12 };

	assert_int_equal(row().account, 0);
	ASSERT(verdict_is_done(limiter_change(l, &q, fresh(&t.f))));
	restart();
	assert_string_equal(send_to(0, 12), "");
	assert_int_equal(row().max_first, 12);
	assert_int_equal(row().max_recipients, 20);
	q.name = STR("alice@demo.example");
	q.max_first = UINT64_MAX;
	ASSERT(verdict_is_done(limiter_change(l, &q, fresh(&t.f))));
	assert_string_equal(send_to(12, 9), "recipients today: 21, limit 20");
	act(LIMIT_RELEASE);
	q.max_first = 0;
	ASSERT(verdict_is_done(limiter_change(l, &q, fresh(&t.f))));
	assert_int_equal(row().max_first, 12);
	q.name = STR("elsewhere.example");
	assert_int_equal(limiter_change(l, &q, fresh(&t.f)).outcome, NOT_FOUND);
}

TEST(the_operator_is_told_once_a_day)
{
	struct msg_limit_tell tell;
	uint64_t account = 0;

	assert_false(limiter_to_tell(l, fresh(&t.f), &account));
	(void)send_to(0, 11);
	restart();
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
	assert_true(msg_limit_tell_get(buf_str(&t.f.out), &tell));
	assert_true(str_eq(tell.login, STR("alice@demo.example")));
	assert_true(
	    str_eq(tell.why, STR("first-time recipients today: 11, limit 10")));
	/* Until it is said that it was done. */
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
	assert_true(verdict_is_done(limiter_told(l, account)));
	assert_false(limiter_to_tell(l, fresh(&t.f), &account));
	restart();
	assert_false(limiter_to_tell(l, fresh(&t.f), &account));
	act(LIMIT_RELEASE);
	(void)send_to(11, 11);
	assert_false(limiter_to_tell(l, fresh(&t.f), &account));
	act(LIMIT_RELEASE);
	next_day();
	(void)send_to(22, 11);
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
}

/* One postmaster who takes no mail keeps no other from being told. */
TEST(who_cannot_be_told_of_waits_behind_the_others)
{
	uint64_t bob = add_user(&t.f, "bob@demo.example"), account = 0;
	uint64_t us = alice;

	(void)send_to(0, 11);
	alice = bob;
	(void)send_to(0, 11);
	alice = us;
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
	assert_int_equal(account, us);
	limiter_not_told(l, us);
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
	assert_int_equal(account, bob);
	assert_true(verdict_is_done(limiter_told(l, bob)));
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
	assert_int_equal(account, us);
	limiter_not_told(l, us);
	assert_true(limiter_to_tell(l, fresh(&t.f), &account));
}

TEST(the_same_address_in_other_letters_is_known)
{
	struct queue_rcpt rcpts[] = { { .address = STR("A.B@x.example") },
		{ .address = STR("a.b@x.example") } };
	struct limit_message *m;
	struct engine_batch *b;

	ASSERT(verdict_is_done(limiter_judge(l, alice, rcpts, 2, &m)));
	b = engine_batch_new(t.f.engine);
	limiter_put(m, b);
	assert_int_equal(engine_commit(t.f.engine, b, NULL, NULL), 0);
	limiter_added(m, true);
	assert_int_equal(row().first, 1);
	assert_int_equal(row().known, 1);
}

static void
purge_all(void)
{
	for (unsigned i = 0; i < 50; i++)
		ASSERT(verdict_is_done(limiter_purge_step(l)));
}

TEST(what_is_long_ago_is_forgotten)
{
	(void)send_to(0, 10);
	assert_int_equal(due(), 10);
	for (unsigned i = 0; i < 300; i++)
		next_day();
	(void)send_to(0, 4);
	assert_int_equal(due(), 4);
	for (unsigned i = 0; i < 101; i++)
		next_day();
	purge_all();
	assert_int_equal(row().known, 4);
	for (unsigned i = 0; i < 301; i++)
		next_day();
	purge_all();
	assert_int_equal(row().account, 0);
}

TEST(a_full_memory_is_kept_for_less_long)
{
	assert_int_equal(limit_keep_days(10), 400);
	assert_int_equal(limit_keep_days(LIMIT_KNOWN_MAX / 2), 400);
	assert_int_equal(limit_keep_days(LIMIT_KNOWN_MAX * 3 / 4), 220);
	assert_int_equal(limit_keep_days(LIMIT_KNOWN_MAX), 40);
	assert_int_equal(limit_keep_days(UINT32_MAX), 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_time_is_once),
		CASE(
		    over_a_limit_all_of_a_message_is_held_and_all_that_follows),
		CASE(release_lets_it_go_and_forgives_the_day),
		CASE(a_blocked_account_sends_nothing),
		CASE(limits_of_its_own_and_of_its_domain),
		CASE(the_operator_is_told_once_a_day),
		CASE(who_cannot_be_told_of_waits_behind_the_others),
		CASE(the_same_address_in_other_letters_is_known),
		CASE(what_is_long_ago_is_forgotten),
		CASE(a_full_memory_is_kept_for_less_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
