/* SPDX-License-Identifier: ISC */
/*
 * arrival_test.c - how messages came, and whose mailboxes they went into: as
 * it is told, found, known again after a crash, and forgotten.
 */
#include "qfixture.h"

#include "store/queue/arrival.h"
#include "store/queue/queue_internal.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static struct qfixture t;
static uint64_t alice;

static void
login(UNUSED void *arg, uint64_t account, struct buf *out)
{
	if (account == alice)
		buf_put_c(out, "alice@here.example");
}

static int
setup(UNUSED void **state)
{
	struct queue_config c;
	uint32_t ended;

	qfixture_start(&t);
	alice = add_user(&t.f, "alice@here.example");
	queue_free(t.q);
	c = (struct queue_config){ .engine = t.f.engine,
		.now_ms = qfixture_now,
		.arg = &t,
		.limits = t.limits,
		.login = login };
	ASSERT(queue_open(&c, &t.q) == 0);
	ASSERT(verdict_is_done(take_over(t.q, OWNER, NULL, 0, &ended)));
	return 0;
}

static int
teardown(UNUSED void **state)
{
	return qfixture_end(&t);
}

/* --- arriving -------------------------------------------------------------------- */

struct came {
	const char *trace, *from, *copies; /* addresses here */
	const char *remote;                /* and elsewhere; or NULL */
	bool is_signed_in, is_junk;
};

/* As store/req_deliver.c does it, without mailboxes. */
static bool
arrive(struct came c)
{
	struct queue_arrival a = { .trace = str_c(c.trace),
		.mail_from = str_c(c.from),
		.account = c.is_signed_in ? alice : 0,
		.size = 6,
		.arrival_ms = t.now_ms,
		.service = STR("mx"),
		.client = STR("mx.far.example"),
		.ip = STR("192.0.2.1"),
		.tls = STR("TLSv1.3"),
		.results = STR("spf=pass") };
	struct queue_message m = { .trace = a.trace,
		.mail_from = a.mail_from,
		.account = a.account,
		.size = 6,
		.priority = 10,
		.arrival_ms = t.now_ms };
	struct queue_rcpt rcpt = { .address = str_c(c.remote ? c.remote : "") };
	struct engine_batch *b = engine_batch_new(t.f.engine);
	struct queue_adding *adding = NULL;
	struct queue_copy *copies = x_calloc(6000, sizeof(*copies));
	struct str rest = str_c(c.copies), one;
	size_t n = 0;
	int r;

	while (rest.n) {
		rest = str_split(rest, ' ', &one);
		ASSERT(n < 6000);
		copies[n++] = (struct queue_copy){
			.address = one, .account = alice, .is_junk = c.is_junk
		};
	}
	if (c.remote)
		adding = queue_add(t.q, b, &m, &rcpt, 1, 0);
	queue_arrived(t.q, b, &a, copies, n, adding);
	r = engine_commit(t.f.engine, b, NULL, NULL);
	if (adding)
		queue_added(adding, r >= 0);
	free(copies);
	return r >= 0;
}

/* --- what is told ------------------------------------------------------------------ */

struct told {
	size_t lives, copies, queued, portions;
	struct msg_queue_life m; /* of the first one, which points into out */
	struct msg_arrival a;
	struct msg_queue_copied c;
	struct buf out;
};

static void
count_life(struct told *to, const struct msg_queue_life *m)
{
	struct msg_queue_copied c;

	if (to->lives++ == 0) {
		to->m = *m;
		if (m->arrival.n)
			CHECK(msg_arrival_get(m->arrival, &to->a), "arrival");
	}
	to->queued += m->recipients;
	for (struct wire w = wire_read(m->copies);
	     msg_queue_copied_read(&w, &c);)
		if (to->copies++ == 0)
			to->c = c;
}

static void
ask(struct told *to, const char *text)
{
	struct buf after = BUF_INIT(64);
	struct msg_queue_trace_reply r;
	struct msg_queue_life m;

	*to = (struct told){ .out = BUF_INIT(MIB(64)) };
	do {
		struct msg_queue_trace q = { str_c(text), buf_str(&after) };
		size_t from = to->out.n;

		ASSERT(verdict_is_done(queue_trace(t.q, &q, &to->out)));
		ASSERT(msg_queue_trace_reply_get(
		    str_from(buf_str(&to->out), from), &r));
		for (struct wire w = wire_read(r.items);
		     msg_queue_life_read(&w, &m);)
			count_life(to, &m);
		buf_reset(&after, 64);
		buf_put_str(&after, r.after);
		to->portions++;
	} while (after.n && to->portions < 1000);
	buf_done(&after);
}

/* "lives:copies:queued", and of the first one who sent it. */
static const char *
trace(const char *text)
{
	static char line[300];
	struct told to;

	ask(&to, text);
	snprintf(line, sizeof(line), "%zu:%zu:%zu %.*s", to.lives, to.copies,
	    to.queued, STR_ARG(to.m.sender));
	buf_done(&to.out);
	return line;
}

TEST(what_came_is_told_by_id_sender_recipient_and_account)
{
	struct told to;

	CHECK(arrive((struct came){ .trace = "one",
		  .from = "bob@far.example",
		  .copies = "sales@here.example",
		  .is_junk = true }),
	    "arrive");
	assert_string_equal(trace("one"), "1:1:0 bob@far.example");
	assert_string_equal(trace("BOB@far.example"), "1:1:0 bob@far.example");
	assert_string_equal(
	    trace("sales@here.example"), "1:1:0 bob@far.example");
	assert_string_equal(
	    trace("alice@here.example"), "1:1:0 bob@far.example");
	assert_string_equal(trace("carol@here.example"), "0:0:0 ");
	ask(&to, "one");
	CHECK(str_eq(to.a.service, STR("mx")) &&
		  str_eq(to.a.client, STR("mx.far.example")) &&
		  str_eq(to.a.ip, STR("192.0.2.1")) &&
		  str_eq(to.a.tls, STR("TLSv1.3")) &&
		  str_eq(to.a.results, STR("spf=pass")),
	    "how it came");
	CHECK(str_eq(to.c.recipient, STR("sales@here.example")) &&
		  str_eq(to.c.login, STR("alice@here.example")) && to.c.is_junk,
	    "where it went");
	CHECK(to.m.arrival_ms == QT0 && to.m.size == 6 && to.m.copies_n == 1 &&
		  to.m.recipients == 0,
	    "the message");
	buf_done(&to.out);
}

/* What a note with that id, by that service, is about. */
static const char *
about(const char *id, const char *service)
{
	static char text[100];
	struct engine_batch *b = engine_batch_new(t.f.engine);
	struct queue_arrival a = { .trace = str_c(id),
		.arrival_ms = t.now_ms,
		.service = str_c(service) };
	struct queue_copy copy = { .address = STR("a@b.example") };
	struct told to;

	queue_arrived(t.q, b, &a, &copy, 1, NULL);
	ASSERT(engine_commit(t.f.engine, b, NULL, NULL) == 0);
	ask(&to, id);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(to.m.about));
	buf_done(&to.out);
	return text;
}

TEST(a_report_says_what_it_is_about)
{
	char id[60];
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 1, &i);
	snprintf(id, sizeof(id), "%llx.0f0123abcd",
	    (unsigned long long)i.v[0].message);
	assert_string_equal(about(id, "send"), "trace1");
	/* Of somebody else, and what only looks like one. */
	id[strlen(id) - 1] = 'e';
	assert_string_equal(about(id, "mx"), "");
	id[strlen(id) - 9] = 'x';
	assert_string_equal(about(id, "send"), "");
	assert_string_equal(about("ffffffffffffffff.0f0123abcd", "send"), "");
	assert_string_equal(about("ffffffffffffffff1.0f0123abcd", "send"), "");
	assert_string_equal(about(".0f0123abcd", "send"), "");
	assert_string_equal(about("1.f0123abcd", "send"), "");
	assert_string_equal(about("f0123abcd", "send"), "");
}

TEST(who_had_signed_in_finds_what_went_out_in_any_name)
{
	CHECK(arrive((struct came){ .trace = "two",
		  .from = "sales@here.example",
		  .copies = "alice@here.example",
		  .is_signed_in = true }),
	    "arrive");
	assert_string_equal(
	    trace("alice@here.example"), "1:1:0 sales@here.example");
}

TEST(copies_here_and_what_is_queued_are_one_life)
{
	struct told to;
	struct items i;

	CHECK(arrive((struct came){ .trace = "both",
		  .from = "alice@here.example",
		  .copies = "dora@here.example erik@here.example",
		  .remote = "x@far.example",
		  .is_signed_in = true }),
	    "arrive");
	assert_string_equal(trace("both"), "1:2:1 alice@here.example");
	assert_string_equal(
	    trace("dora@here.example"), "1:1:1 alice@here.example");
	assert_string_equal(trace("x@far.example"), "1:0:1 alice@here.example");
	lease(&t, "far.example", 10, &i);
	CHECK(i.n == 1 && settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "gone");
	assert_string_equal(trace("both"), "1:2:1 alice@here.example");
	/* Of the others' events nothing is told to who asks for one. */
	ask(&to, "dora@here.example");
	CHECK(to.m.events.n == 0 && to.m.arrival.n > 0, "only hers");
	buf_done(&to.out);
	ask(&to, "x@far.example");
	CHECK(to.m.events.n > 0 && to.m.copies.n == 0, "only theirs");
	buf_done(&to.out);
}

TEST(very_many_copies_are_in_parts)
{
	struct buf names = BUF_INIT(MIB(1));
	struct told to;

	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&names, "%su%u@list.here.example", i ? " " : "", i);
	CHECK(arrive((struct came){ .trace = "many",
		  .from = "bob@far.example",
		  .copies = buf_c(&names) }),
	    "arrive");
	ask(&to, "many");
	CHECK(to.lives == 1 && to.copies == ARRIVAL_COPIES_MAX &&
		  to.m.copies_n == 5000,
	    "as many as are noted, and their number");
	buf_done(&to.out);
	assert_string_equal(
	    trace("u4000@list.here.example"), "1:1:0 bob@far.example");
	buf_done(&names);
}

/* So many messages, each third of one kind: all of them are told, once. */
static void
tell_many(const char *from, bool is_third_queued)
{
	char id[40];
	struct told to;

	for (unsigned i = 0; i < 180; i++) {
		bool is_queued = (i % 3 == 0) == is_third_queued;

		snprintf(id, sizeof(id), "id%u", i);
		t.now_ms++;
		CHECK(arrive((struct came){ .trace = id,
			  .from = from,
			  .copies = "dora@here.example",
			  .remote = is_queued ? "x@far.example" : NULL }),
		    "arrive");
	}
	ask(&to, from);
	CHECK(to.lives == 180 && to.copies == 180, "each of them once");
	CHECK(to.queued == (is_third_queued ? 60 : 120), "of both kinds");
	CHECK(to.portions < 8, "in large portions");
	buf_done(&to.out);
}

TEST(both_kinds_come_in_the_order_of_time)
{
	tell_many("bob@far.example", true);
	tell_many("bill@far.example", false);
}

TEST(a_retry_of_it_is_known)
{
	bool is_known;

	CHECK(arrive((struct came){ .trace = "once",
		  .from = "bob@far.example",
		  .copies = "dora@here.example" }),
	    "arrive");
	CHECK(verdict_is_done(queue_knows(t.q, STR("once"), 6, &is_known)) &&
		  is_known,
	    "known");
	CHECK(verdict_is_done(queue_knows(t.q, STR("once"), 7, &is_known)) &&
		  !is_known,
	    "another one");
	qfixture_restart(&t);
	CHECK(verdict_is_done(queue_knows(t.q, STR("once"), 6, &is_known)) &&
		  is_known,
	    "after a crash");
}

TEST(numbers_go_on_after_a_restart_within_the_same_moment)
{
	const struct came c = { .trace = "a",
		.from = "bob@far.example",
		.copies = "dora@here.example" };

	CHECK(arrive(c), "arrive");
	qfixture_restart(&t);
	CHECK(arrive(c), "arrive");
	assert_string_equal(trace("a"), "2:2:0 bob@far.example");
}

TEST(it_is_forgotten_after_some_days_with_all_that_led_to_it)
{
	struct engine_stats before, after;
	struct items i;

	engine_stats(t.f.engine, &before);
	CHECK(arrive((struct came){ .trace = "old",
		  .from = "bob@far.example",
		  .copies = "dora@here.example sales@here.example" }),
	    "arrive");
	CHECK(arrive((struct came){ .trace = "waits",
		  .from = "bob@far.example",
		  .copies = "dora@here.example",
		  .remote = "x@far.example" }),
	    "arrive");
	t.now_ms += 14 * DAY_MS + 1;
	CHECK(arrive((struct came){ .trace = "new",
		  .from = "bob@far.example",
		  .copies = "dora@here.example" }),
	    "arrive");
	CHECK(verdict_is_done(queue_purge_step(t.q)), "purge");
	assert_string_equal(trace("old"), "0:0:0 ");
	assert_string_equal(trace("waits"), "1:1:1 bob@far.example");
	assert_string_equal(
	    trace("dora@here.example"), "2:2:1 bob@far.example");
	lease(&t, "far.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "it went");
	t.now_ms += 15 * DAY_MS;
	CHECK(verdict_is_done(queue_purge_step(t.q)), "purge");
	engine_stats(t.f.engine, &after);
	CHECK(after.keys == before.keys, "nothing is left behind");
}

TEST(much_of_it_ends_in_small_steps)
{
	struct engine_stats before, after;
	unsigned steps = 0;

	engine_stats(t.f.engine, &before);
	for (unsigned i = 0; i < 1800; i++)
		CHECK(arrive((struct came){ .trace = "x",
			  .from = "bob@far.example",
			  .copies = "dora@here.example",
			  .remote = i % 4 ? NULL : "x@far.example" }),
		    "arrive");
	t.now_ms += 20 * DAY_MS;
	do {
		ASSERT(verdict_is_done(queue_purge_step(t.q)));
		steps++;
	} while (steps < 4);
	engine_stats(t.f.engine, &after);
	/* Those with something in the queue stay: message, entry, its place,
	 * note, and five look-ups. */
	assert_int_equal(after.keys - before.keys, 450 * (4 + 5));
}

TEST(nothing_is_kept_when_nothing_shall_be)
{
	struct queue_limits none = { 0, 0, 0 };
	struct engine_stats before, after;

	queue_set_limits(t.q, &none);
	engine_stats(t.f.engine, &before);
	CHECK(arrive((struct came){ .trace = "x",
		  .from = "bob@far.example",
		  .copies = "dora@here.example" }),
	    "arrive");
	engine_stats(t.f.engine, &after);
	CHECK(after.keys == before.keys, "nothing was written");
	queue_set_limits(t.q, &t.limits);
}

/* --- damage ------------------------------------------------------------------------- */

TEST(a_record_is_what_it_was_and_a_damaged_one_is_none)
{
	struct buf copies = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(4));
	struct arrival_record r = { .trace = STR("id"),
		.mail_from = STR("a@b.c"),
		.login = STR("l"),
		.size = 7,
		.arrival_ms = QT0,
		.n_copies = 1,
		.flags = ARRIVAL_IS_ALL,
		.service = STR("mx"),
		.client = STR("c"),
		.ip = STR("::1"),
		.tls = STR("t"),
		.results = STR("r") };
	struct arrival_record back;

	arrival_copy_put(
	    &copies, &(struct arrival_copy){ STR("x@y.z"), STR(""), 1 });
	r.copies = buf_str(&copies);
	arrival_record_encode(&b, &r);
	CHECK(arrival_record_decode(buf_str(&b), &back) &&
		  str_eq(back.login, r.login) && back.size == 7 &&
		  back.n_copies == 1 && str_eq(back.copies, r.copies),
	    "the same");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!arrival_record_decode(str_first(buf_str(&b), n), &back),
		    "cut");
	b.p[0]++;
	CHECK(!arrival_record_decode(buf_str(&b), &back), "another version");
	b.p[0]--;
	buf_reset(&b, KIB(4));
	r.n_copies = 0;
	arrival_record_encode(&b, &r);
	CHECK(!arrival_record_decode(buf_str(&b), &back), "more than it says");
	buf_done(&copies);
	buf_done(&b);
}

TEST(what_is_damaged_is_named_and_the_rest_is_told)
{
	struct engine_batch *b;
	struct told to;

	CHECK(arrive((struct came){ .trace = "good",
		  .from = "bob@far.example",
		  .copies = "dora@here.example",
		  .remote = "x@far.example" }),
	    "arrive");
	ask(&to, "good");
	buf_done(&to.out);
	b = engine_batch_new(t.f.engine);
	batch_put(b, QUEUE_SHARD, QKEY(akey_part(1, 0)), STR("junk"));
	batch_put(b, QUEUE_SHARD, QKEY(akey_part(2, 1)), STR("junk"));
	batch_put(b, QUEUE_SHARD, QKEY(akey_lookup(STR("y"), 3)), STR_NONE);
	ASSERT(engine_commit(t.f.engine, b, NULL, NULL) >= 0);
	CHECK(queue_problems(&t) == 3, "all three");
	assert_string_equal(trace("good"), "1:1:1 bob@far.example");
	assert_string_equal(trace("y"), "0:0:0 ");
	b = engine_batch_new(t.f.engine);
	batch_del(b, QUEUE_SHARD, QKEY(akey_part(1, 0)));
	batch_del(b, QUEUE_SHARD, QKEY(akey_part(2, 1)));
	batch_del(b, QUEUE_SHARD, QKEY(akey_lookup(STR("y"), 3)));
	ASSERT(engine_commit(t.f.engine, b, NULL, NULL) >= 0);
}

TEST_MAIN(CASE(what_came_is_told_by_id_sender_recipient_and_account),
    CASE(a_report_says_what_it_is_about),
    CASE(who_had_signed_in_finds_what_went_out_in_any_name),
    CASE(copies_here_and_what_is_queued_are_one_life),
    CASE(very_many_copies_are_in_parts),
    CASE(both_kinds_come_in_the_order_of_time), CASE(a_retry_of_it_is_known),
    CASE(numbers_go_on_after_a_restart_within_the_same_moment),
    CASE(it_is_forgotten_after_some_days_with_all_that_led_to_it),
    CASE(much_of_it_ends_in_small_steps),
    CASE(nothing_is_kept_when_nothing_shall_be),
    CASE(a_record_is_what_it_was_and_a_damaged_one_is_none),
    CASE(what_is_damaged_is_named_and_the_rest_is_told))
