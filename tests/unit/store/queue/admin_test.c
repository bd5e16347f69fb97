/* SPDX-License-Identifier: ISC */
/*
 * admin_test.c - what an operator does with the queue: list, retry, hold,
 * release, cancel, return, reroute, trace; and how history ends.
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

static struct str
encode(struct buf *b, struct msg_queue_filter f)
{
	buf_reset(b, KIB(4));
	msg_queue_filter_put(b, &f);
	return buf_str(b);
}

/* What the last list said that it could not know. */
static uint64_t unknown;
static char unknown_domain[200];

/* "recipient:state:tries " of each, in the order told; *ret_portions. */
static const char *
list_in(struct msg_queue_filter f, unsigned *ret_portions)
{
	static char text[4000];
	struct buf filter = BUF_INIT(KIB(4)), after = BUF_INIT(KIB(1));
	struct buf b = BUF_INIT(MIB(1));
	struct msg_queue_list q = { encode(&filter, f), STR_NONE };
	struct msg_queue_list_reply r;
	struct msg_queue_row row;

	*ret_portions = 0;
	unknown = 0;
	do {
		q.after = buf_str(&after);
		ASSERT(verdict_is_done(queue_list(t.q, &q, fresh(&t.f))));
		ASSERT(msg_queue_list_reply_get(buf_str(&t.f.out), &r));
		for (struct wire w = wire_read(r.items);
		     w.in.n && msg_queue_row_read(&w, &row);)
			buf_printf(&b, "%.*s:%u:%u ", STR_ARG(row.recipient),
			    row.state, row.attempts);
		unknown += r.unknown;
		snprintf(unknown_domain, sizeof(unknown_domain), "%.*s",
		    STR_ARG(r.unknown_domain));
		buf_reset(&after, KIB(1));
		buf_put_str(&after, r.after);
		++*ret_portions;
	} while (after.n);
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&filter);
	buf_done(&after);
	buf_done(&b);
	return text;
}

static const char *
list(struct msg_queue_filter f)
{
	unsigned portions;

	return list_in(f, &portions);
}

/* How many were changed; *ret_busy of them were lent. */
static uint64_t
change_counted(enum queue_action action, struct msg_queue_filter f,
    const char *route, uint64_t *ret_busy)
{
	struct buf filter = BUF_INIT(KIB(4)), after = BUF_INIT(KIB(1));
	struct msg_queue_change q = { (uint8_t)action, encode(&filter, f),
		str_c(route), STR_NONE };
	struct msg_queue_change_reply r;
	uint64_t n = 0;

	*ret_busy = 0;
	do {
		q.after = buf_str(&after);
		ASSERT(verdict_is_done(queue_change(t.q, &q, fresh(&t.f))));
		ASSERT(msg_queue_change_reply_get(buf_str(&t.f.out), &r));
		n += r.changed;
		*ret_busy += r.in_delivery;
		buf_reset(&after, KIB(1));
		buf_put_str(&after, r.after);
	} while (after.n);
	buf_done(&filter);
	buf_done(&after);
	return n;
}

static uint64_t
change(enum queue_action action, struct msg_queue_filter f, const char *route)
{
	uint64_t busy;

	return change_counted(action, f, route, &busy);
}

/* Three messages with five recipients; u@two.example is deferred. */
static void
fill(void)
{
	struct queue_message m = { .trace = STR("t1"),
		.mail_from = STR("alice@demo.example"),
		.size = 3 };
	struct items i;

	add_to(&t, &m, "x@one.example y@one.example u@two.example", 0,
	    ticket_of(&t.f, STR("abc")));
	m.trace = STR("t2");
	m.mail_from = STR("bob@demo.example");
	add_to(&t, &m, "x@one.example", 0, ticket_of(&t.f, STR("abc")));
	m.trace = STR("t3");
	m.mail_from = STR("");
	add_to(&t, &m, "v@two.example", 0, ticket_of(&t.f, STR("abc")));
	lease(&t, "two.example", 1, &i);
	ASSERT(
	    i.n == 1 && settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms + 60000));
}

TEST(a_list_holds_what_was_asked_for)
{
	static const struct {
		const char *name;
		struct msg_queue_filter f;
		const char *want;
	} cases[] = {
		{ "all", { .state = 0 },
		    "x@one.example:1:0 y@one.example:1:0 u@two.example:2:1 "
		    "x@one.example:1:0 v@two.example:1:0 " },
		{ "id", { .id = STR("t1") },
		    "x@one.example:1:0 y@one.example:1:0 u@two.example:2:1 " },
		{ "no such id", { .id = STR("t9") }, "" },
		{ "sender", { .sender = STR("Bob@demo.example") },
		    "x@one.example:1:0 " },
		{ "null sender", { .sender = STR("<>") },
		    "v@two.example:1:0 " },
		{ "recipient", { .recipient = STR("x@one.example") },
		    "x@one.example:1:0 x@one.example:1:0 " },
		{ "domain", { .domain = STR("two.example") },
		    "v@two.example:1:0 u@two.example:2:1 " },
		{ "domain, not its parent", { .domain = STR("example") }, "" },
		{ "host", { .mx = STR("mx.example") }, "u@two.example:2:1 " },
		{ "hosts", { .mx = STR("*.example") }, "u@two.example:2:1 " },
		{ "other hosts", { .mx = STR("*.x.example") }, "" },
		{ "state", { .state = QUEUE_SHOW_DEFERRED },
		    "u@two.example:2:1 " },
		{ "several",
		    { .sender = STR("alice@demo.example"),
			.domain = STR("one.example"),
			.recipient = STR("y@one.example") },
		    "y@one.example:1:0 " },
	};

	fill();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (strcmp(list(cases[i].f), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, list(cases[i].f));
}

/* --- by the mail servers of domains ------------------------------------------------- */

/* Role send has looked them up; NULL: it could not. */
static struct verdict
told(const char *domain, const char *hosts)
{
	struct buf items = BUF_INIT(MIB(1));
	struct verdict v;

	msg_mx_found_put(
	    &items, &(struct msg_mx_found){ .domain = str_c(domain),
			.is_known = hosts != NULL,
			.hosts = str_c(hosts) });
	v = queue_hosts(
	    t.q, &(struct msg_list_reply){ .items = buf_str(&items) });
	buf_done(&items);
	return v;
}

static void
tell(const char *domain, const char *hosts)
{
	ASSERT(verdict_is_done(told(domain, hosts)));
}

TEST(mail_that_was_never_tried_is_found_by_its_mail_servers)
{
	const struct msg_queue_filter big = { .mx = STR("*.Big.example") };
	const char *one =
	    "x@one.example:1:0 y@one.example:1:0 x@one.example:1:0 ";

	fill();
	/* u@two.example was tried elsewhere: that is what is known of it. */
	assert_string_equal(list(big), "");
	CHECK(unknown == 4, "nobody has told");
	tell("one.example", "mx.other.example mx7.BIG.example");
	assert_string_equal(list(big), one);
	CHECK(unknown == 1, "v@two.example");
	assert_string_equal(unknown_domain, "two.example");
	tell("two.example", "mx.other.example");
	assert_string_equal(list(big), one);
	CHECK(unknown == 0, "all is known");
	assert_string_equal(
	    list((struct msg_queue_filter){
		.mx = STR("mx.other.example"), .sender = STR("<>") }),
	    "v@two.example:1:0 ");
	assert_string_equal(
	    list((struct msg_queue_filter){ .mx = STR("big.example") }), "");
	assert_string_equal(
	    list((struct msg_queue_filter){ .mx = STR("*.g.example") }), "");
	/* It was tried at mx.example, and goes to others now. */
	assert_string_equal(
	    list((struct msg_queue_filter){ .mx = STR("mx.example") }),
	    "u@two.example:2:1 ");
}

TEST(mail_servers_are_those_that_were_told_last)
{
	const struct msg_queue_filter big = { .mx = STR("*.big.example"),
		.domain = STR("one.example") };

	fill();
	tell("one.example", "mx.big.example");
	/* It cannot be looked up now: what was known before still counts. */
	tell("one.example", NULL);
	CHECK(change(QUEUE_HOLD, big, "") == 3, "by what is known");
	CHECK(change(QUEUE_HOLD, big, "") == 0, "they are");
	/* Held, and never tried: found again. */
	CHECK(change(QUEUE_RELEASE, big, "") == 3, "released");
	tell("one.example", "mx.other.example");
	assert_string_equal(list(big), "");
	CHECK(unknown == 0, "it moved");
	tell("one.example", "");
	assert_string_equal(list(big), "");
	CHECK(unknown == 0, "it goes nowhere, and that is known");
	/* That may have been for a setting which is another by now. */
	tell("one.example", NULL);
	assert_string_equal(list(big), "");
	CHECK(unknown == 3, "it is not known any more");
	/* With its last entry what is known of a domain goes. */
	change(QUEUE_CANCEL,
	    (struct msg_queue_filter){ .domain = STR("one.example") }, "");
	tell("one.example", "mx.big.example");
	fill();
	assert_string_equal(list(big), "");
	CHECK(unknown == 3, "it is a new domain");
}

TEST(what_the_operator_sent_another_way_is_not_found_by_mail_servers)
{
	const struct msg_queue_filter big = { .mx = STR("*.big.example") };

	fill();
	tell("one.example", "mx.big.example");
	tell("two.example", "mx.other.example");
	change(QUEUE_REROUTE,
	    (struct msg_queue_filter){ .recipient = STR("y@one.example") },
	    "relay.example:25");
	change(QUEUE_REROUTE, (struct msg_queue_filter){ .id = STR("t2") },
	    "direct source=192.0.2.1");
	assert_string_equal(list(big), "x@one.example:1:0 x@one.example:1:0 ");
	CHECK(unknown == 0, "the relay's are no unknown ones");
}

TEST(mail_servers_that_make_no_sense_are_refused)
{
	static char many[MIB(1) - 500];
	struct verdict v;

	fill();
	memset(many, 'a', sizeof(many) - 1);
	v = told("one.example", many);
	CHECK(v.outcome == PERMFAIL, "more than 16 hosts have");
	v = queue_hosts(t.q, &(struct msg_list_reply){ .items = STR("\x05") });
	CHECK(v.outcome == PERMFAIL, "half an item");
}

TEST(a_long_list_comes_in_portions)
{
	struct queue_message m = { .trace = STR("many"),
		.mail_from = STR("a@b.c") };
	struct msg_queue_filter filters[] = { { .id = STR("many") },
		{ .domain = STR("one.example") }, { .state = 0 } };
	char address[40];

	for (unsigned i = 0; i < 2500; i++) {
		snprintf(address, sizeof(address), "u%u@one.example", i);
		ASSERT(verdict_is_done(add_to(&t, &m, address, 0, NULL)));
	}
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		unsigned portions;

		(void)list_in(filters[i], &portions);
		CHECK(portions == 3, "of a thousand");
		CHECK(change(i % 2 ? QUEUE_RELEASE : QUEUE_HOLD, filters[i],
			  "") == 2500,
		    "each of them, once");
	}
	CHECK(change(QUEUE_CANCEL, filters[2], "") == 2500, "cancel");
	CHECK(entries(&t) == 0, "all");
}

TEST(held_and_released)
{
	struct msg_queue_filter one = { .domain = STR("one.example") };
	struct items i;

	fill();
	CHECK(change(QUEUE_HOLD, one, "") == 3, "hold");
	CHECK(change(QUEUE_HOLD, one, "") == 0, "held already");
	CHECK(change(QUEUE_RETRY, one, "") == 0, "held ones stay held");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == 0, "nothing to do");
	qfixture_restart(&t);
	assert_string_equal(
	    list((struct msg_queue_filter){ .state = QUEUE_SHOW_HELD }),
	    "x@one.example:4:0 y@one.example:4:0 x@one.example:4:0 ");
	CHECK(change(QUEUE_RELEASE, one, "") == 3, "release");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 3, "at once");
}

TEST(a_retry_is_due_now)
{
	struct msg_queue_filter all = { .state = 0 };
	struct buf due = BUF_INIT(KIB(4));
	struct items i;

	fill();
	while (queue_take_due(t.q, &due, KIB(3)))
		;
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 1, "one is deferred");
	t.now_ms += 5;
	CHECK(change(QUEUE_RETRY, all, "") == 1, "the others are due");
	buf_reset(&due, KIB(4));
	CHECK(queue_take_due(t.q, &due, KIB(3)), "send is told");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].attempts == 1, "now");
	buf_done(&due);
}

TEST(an_entry_that_is_held_while_it_is_delivered)
{
	struct msg_queue_filter one = { .id = STR("t2") };
	struct items i;
	uint64_t busy;

	fill();
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 3, "lent");
	CHECK(change_counted(QUEUE_HOLD, one, "", &busy) == 1 && busy == 1,
	    "hold");
	qfixture_restart(&t);
	CHECK(settle(&t, &i.v[2], QUEUE_DEFERRED, t.now_ms), "its result");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0, "is held");
	assert_string_equal(list(one), "x@one.example:4:1 ");
}

TEST(a_delivery_counts_though_it_was_held_meanwhile)
{
	struct msg_queue_filter one = { .id = STR("t2") };
	struct items i;

	fill();
	lease(&t, "one.example", 10, &i);
	change(QUEUE_HOLD, one, "");
	CHECK(settle(&t, &i.v[2], QUEUE_DELIVERED, 0), "its result");
	assert_string_equal(list(one), "");
}

/* When the first domain that is told is due; 0: none is, or not by itself. */
static uint64_t
told_due(void)
{
	struct buf out = BUF_INIT(KIB(4));
	struct msg_queue_domain d = { .due_ms = 0 };
	struct wire w;

	if (queue_take_due(t.q, &out, KIB(3))) {
		w = wire_read(buf_str(&out));
		ASSERT(msg_queue_domain_read(&w, &d));
	}
	buf_done(&out);
	return d.due_ms;
}

TEST(what_was_held_without_a_time_is_due_when_it_is_released)
{
	struct msg_queue_filter all = { .recipient = STR("x@new.example") };
	struct items i;

	add_mail(&t, "a@b.example", "x@new.example");
	lease(&t, "new.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_HELD, 0), "there is no way");
	lease(&t, "new.example", 10, &i);
	(void)told_due();
	t.now_ms += 1000;
	CHECK(change(QUEUE_RELEASE, all, "") == 1, "release");
	CHECK(told_due() > 0, "send hears of it");
	lease(&t, "new.example", 10, &i);
	CHECK(i.n == 1, "and gets it");
	CHECK(i.v[0].freed_ms == t.now_ms, "since when it could go");
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms), "not now");
	t.now_ms += 1000;
	lease(&t, "new.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].freed_ms == t.now_ms - 1000, "it stays");
	add_mail(&t, "a@b.example", "y@new.example");
	lease(&t, "new.example", 10, &i);
	CHECK(i.n == 1, "and what comes then");
}

TEST(an_entry_of_the_version_before_goes_on)
{
	const struct queue_entry_record r = {
		.address = STR("x@new.example"), .due_ms = 1000, .freed_ms = 5
	};
	struct queue_entry_record back;
	struct buf b = BUF_INIT(KIB(1));

	queue_entry_record_encode(&b, &r);
	CHECK(
	    queue_entry_record_decode(buf_str(&b), &back) && back.freed_ms == 5,
	    "this one");
	b.p[0] = QUEUE_RECORD_VERSION;
	CHECK(!queue_entry_record_decode(buf_str(&b), &back), "too much");
	CHECK(
	    queue_entry_record_decode(str_first(buf_str(&b), b.n - 1), &back) &&
		back.due_ms == 1000 && back.freed_ms == 0,
	    "the one before");
	buf_done(&b);
}

TEST(cancelled_is_gone)
{
	struct msg_queue_filter one = { .id = STR("t1") };
	struct items i;
	uint64_t busy;

	fill();
	lease(&t, "one.example", 1, &i);
	CHECK(change_counted(QUEUE_CANCEL, one, "", &busy) == 3 && busy == 2,
	    "cancel");
	CHECK(!settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "too late");
	CHECK(entries(&t) == 2 && blobs(&t) == 2, "with its bytes");
	CHECK(change(QUEUE_CANCEL, one, "") == 0, "once");
}

TEST(returned_means_that_send_bounces_it)
{
	struct msg_queue_filter one = { .recipient = STR("u@two.example") };
	struct items i;

	fill();
	change(QUEUE_HOLD, one, "");
	CHECK(change(QUEUE_RETURN, one, "") == 1, "return");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 2, "due now");
	CHECK(i.v[0].is_cancelled && !i.v[1].is_cancelled, "and told");
	CHECK(settle(&t, &i.v[0], QUEUE_FAILED, 0), "bounced");
}

TEST(a_route_that_the_operator_names_stays)
{
	struct msg_queue_filter one = { .recipient = STR("u@two.example") };
	struct items i;

	fill();
	CHECK(change(QUEUE_REROUTE, one, "relay2") == 1, "reroute");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 2 && str_eq(i.v[0].route, STR("relay2")), "now");
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms), "deferred");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 1 && str_eq(i.v[0].route, STR("relay2")), "stays");
	CHECK(change(QUEUE_REROUTE, one, "-") == 1, "none");
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms), "deferred");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].route.n == 0, "gone");
}

TEST(requests_that_make_no_sense_are_refused)
{
	struct buf filter = BUF_INIT(KIB(4));
	struct msg_queue_filter none = { .state = 0 };
	struct msg_queue_change q = { .action = 99 };
	struct msg_queue_list l = { .filter = STR("x") };

	q.filter = encode(&filter, none);
	CHECK(queue_change(t.q, &q, fresh(&t.f)).outcome == PERMFAIL, "action");
	q.action = QUEUE_REROUTE;
	CHECK(queue_change(t.q, &q, fresh(&t.f)).outcome == PERMFAIL, "route");
	CHECK(queue_list(t.q, &l, fresh(&t.f)).outcome == PERMFAIL, "filter");
	buf_done(&filter);
}

/* --- history --------------------------------------------------------------------- */

/* "id(recipient:state,...|still here,...) " of each life. */
static const char *
trace(const char *text)
{
	static char told[4000];
	struct buf b = BUF_INIT(KIB(64)), after = BUF_INIT(KIB(1));
	struct msg_queue_trace q = { str_c(text), STR_NONE };
	struct msg_queue_trace_reply r;
	struct msg_queue_life m;
	struct msg_queue_event e;
	struct msg_text rcpt;

	do {
		q.after = buf_str(&after);
		ASSERT(verdict_is_done(queue_trace(t.q, &q, fresh(&t.f))));
		ASSERT(msg_queue_trace_reply_get(buf_str(&t.f.out), &r));
		for (struct wire w = wire_read(r.items);
		     w.in.n && msg_queue_life_read(&w, &m);) {
			buf_printf(&b, "%.*s(", STR_ARG(m.id));
			for (struct wire v = wire_read(m.events);
			     v.in.n && msg_queue_event_read(&v, &e);)
				buf_printf(&b, "%.*s:%u,", STR_ARG(e.recipient),
				    e.state);
			buf_put_c(&b, "|");
			for (struct wire v = wire_read(m.rcpts);
			     v.in.n && msg_text_read(&v, &rcpt);)
				buf_printf(&b, "%.*s,", STR_ARG(rcpt.text));
			buf_put_c(&b, ") ");
		}
		buf_reset(&after, KIB(1));
		buf_put_str(&after, r.after);
	} while (after.n);
	snprintf(told, sizeof(told), "%s", buf_c(&b));
	buf_done(&b);
	buf_done(&after);
	return told;
}

TEST(a_life_is_told_by_id_and_by_address)
{
	struct items i;

	fill();
	lease(&t, "one.example", 1, &i);
	t.now_ms += 7;
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	assert_string_equal(trace("t1"), "t1(u@two.example:1,x@one.example:2,|"
					 "y@one.example,u@two.example,) ");
	assert_string_equal(trace("X@One.example"),
	    "t1(x@one.example:2,|) t2(|x@one.example,) ");
	assert_string_equal(trace("bob@demo.example"), "t2(|x@one.example,) ");
	assert_string_equal(trace("nobody@demo.example"), "");
	change(QUEUE_CANCEL, (struct msg_queue_filter){ .id = STR("t1") }, "");
	assert_string_equal(trace("alice@demo.example"),
	    "t1(u@two.example:1,x@one.example:2,y@one.example:16,"
	    "u@two.example:16,|) ");
}

TEST(many_lives_come_in_portions)
{
	struct queue_message m = { .trace = STR("t"),
		.mail_from = STR("a@b.c") };
	const char *told;
	size_t n = 0;

	for (unsigned i = 0; i < 120; i++)
		ASSERT(
		    verdict_is_done(add_to(&t, &m, "x@one.example", 0, NULL)));
	for (told = trace("a@b.c"); (told = strstr(told, "t(|x@")); told++)
		n++;
	CHECK(n == 120, "all");
}

TEST(history_ends_after_some_days)
{
	struct engine_stats before, after;
	struct items i;

	engine_stats(t.f.engine, &before);
	fill();
	change(QUEUE_CANCEL, (struct msg_queue_filter){ .id = STR("t1") }, "");
	t.now_ms += UINT64_C(10) * 24 * 3600 * 1000;
	lease(&t, "one.example", 10, &i);
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	CHECK(verdict_is_done(queue_purge_step(t.q)), "purge");
	CHECK(trace("t1")[0] && trace("t2")[0] && trace("t3")[0], "all");
	t.now_ms += UINT64_C(5) * 24 * 3600 * 1000;
	CHECK(verdict_is_done(queue_purge_step(t.q)), "purge");
	CHECK(!trace("t1")[0], "over");
	CHECK(trace("t2")[0], "ended five days ago");
	CHECK(trace("t3")[0], "still here");
	CHECK(queue_problems(&t) == 0, "check");
	change(QUEUE_CANCEL, (struct msg_queue_filter){ .state = 0 }, "");
	t.now_ms += UINT64_C(15) * 24 * 3600 * 1000;
	CHECK(verdict_is_done(queue_purge_step(t.q)), "purge");
	engine_stats(t.f.engine, &after);
	CHECK(after.keys == before.keys, "nothing is left behind");
}

TEST(much_history_ends_in_small_steps)
{
	struct queue_message m = { .trace = STR("t"),
		.mail_from = STR("a@b.c") };
	struct engine_stats before, after;
	unsigned steps = 0;

	engine_stats(t.f.engine, &before);
	for (unsigned i = 0; i < 1800; i++)
		ASSERT(verdict_is_done(
		    add_to(&t, &m, "x@one.example y@one.example", 0, NULL)));
	change(QUEUE_CANCEL, (struct msg_queue_filter){ .state = 0 }, "");
	t.now_ms += UINT64_C(20) * 24 * 3600 * 1000;
	do {
		ASSERT(verdict_is_done(queue_purge_step(t.q)));
		engine_stats(t.f.engine, &after);
		steps++;
	} while (after.keys != before.keys && steps < 100);
	CHECK(steps == 4, "500 each");
}

TEST_MAIN(CASE(a_list_holds_what_was_asked_for),
    CASE(mail_that_was_never_tried_is_found_by_its_mail_servers),
    CASE(mail_servers_are_those_that_were_told_last),
    CASE(what_the_operator_sent_another_way_is_not_found_by_mail_servers),
    CASE(mail_servers_that_make_no_sense_are_refused),
    CASE(a_long_list_comes_in_portions), CASE(held_and_released),
    CASE(a_retry_is_due_now), CASE(an_entry_that_is_held_while_it_is_delivered),
    CASE(a_delivery_counts_though_it_was_held_meanwhile),
    CASE(what_was_held_without_a_time_is_due_when_it_is_released),
    CASE(an_entry_of_the_version_before_goes_on), CASE(cancelled_is_gone),
    CASE(returned_means_that_send_bounces_it),
    CASE(a_route_that_the_operator_names_stays),
    CASE(requests_that_make_no_sense_are_refused),
    CASE(a_life_is_told_by_id_and_by_address),
    CASE(many_lives_come_in_portions), CASE(history_ends_after_some_days),
    CASE(much_history_ends_in_small_steps))
