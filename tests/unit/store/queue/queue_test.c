/* SPDX-License-Identifier: ISC */
/*
 * queue_test.c - the life of entries: in, lent, answered, gone.
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

TEST(a_message_goes_in_and_out)
{
	struct items i;

	CHECK(verdict_is_done(add_mail(&t, "a@b.example",
		  "x@one.example y@one.example z@two.example")),
	    "add");
	CHECK(entries(&t) == 3 && blobs(&t) == 1, "there");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 2, "two");
	CHECK(str_eq(i.v[0].address, STR("x@one.example")) &&
		  str_eq(i.v[1].address, STR("y@one.example")),
	    "addresses");
	CHECK(str_eq(i.v[0].mail_from, STR("a@b.example")) &&
		  str_eq(i.v[0].trace_id, STR("trace1")) && i.v[0].size == 6 &&
		  i.v[0].attempts == 0,
	    "envelope");
	CHECK(i.v[0].prefix == i.v[1].prefix, "the same bytes");
	CHECK(i.next_due_ms == t.now_ms + 60000, "the lease's end");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "first");
	CHECK(settle(&t, &i.v[1], QUEUE_FAILED, 0), "second");
	CHECK(entries(&t) == 1 && blobs(&t) == 1, "one is left");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == 0, "nothing more");
	lease(&t, "two.example", 10, &i);
	CHECK(i.n == 1 && settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "last");
	CHECK(entries(&t) == 0 && blobs(&t) == 0, "all is gone");
}

TEST(bytes_are_prefix_and_blob_without_local_fields)
{
	struct msg_queue_read q = { 0 };
	struct queue_bytes bytes;
	struct items i;

	add_mail(&t, "", "x@one.example");
	lease(&t, "one.example", 1, &i);
	q.message = i.v[0].message;
	CHECK(
	    verdict_is_done(queue_read(t.q, &q, fresh(&t.f), &bytes)), "read");
	CHECK(str_eq(buf_str(&t.f.out), STR("Received: here\r\n")), "prefix");
	CHECK(bytes.blob != 0 && bytes.blob_size == 6, "blob");
	q.rcpt = 1;
	CHECK(queue_read(t.q, &q, fresh(&t.f), &bytes).outcome == NOT_FOUND,
	    "no such entry");
}

/* Each recipient has the lines that were put before its copy. */
TEST(prefixes_that_differ_are_each_recipients_own)
{
	static const char *const want[] = { "Received: here\r\n",
		"Received: apart\r\n", "Received: here\r\n",
		"Received: apart\r\n" };
	struct msg_queue_read q = { 0 };
	struct queue_bytes bytes;
	struct items i;

	add_mail(&t, "",
	    "x@one.example apart1@one.example y@one.example "
	    "apart2@one.example");
	qfixture_restart(&t);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 4, "four");
	for (uint32_t k = 0; k < 4; k++) {
		q.message = i.v[k].message;
		q.rcpt = i.v[k].rcpt;
		CHECK(i.v[k].prefix == k % 2, "its number");
		CHECK(
		    verdict_is_done(queue_read(t.q, &q, fresh(&t.f), &bytes)) &&
			str_eq(buf_str(&t.f.out), str_c(want[q.rcpt])),
		    want[q.rcpt]);
	}
	/* The check behind each test names what would be left. */
	for (uint32_t k = 0; k < 4; k++)
		CHECK(settle(&t, &i.v[k], QUEUE_DELIVERED, 0), "gone");
}

TEST(a_deferred_entry_comes_back_when_it_is_due)
{
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms + 5000), "defer");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == t.now_ms + 5000, "not yet");
	t.now_ms += 5000;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].attempts == 1, "again");
	CHECK(str_eq(i.v[0].last_reply, STR("450 4.2.1 later")), "reply");
	CHECK(settle(&t, &i.v[0], QUEUE_RELEASED, t.now_ms), "given back");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].attempts == 1, "that was no attempt");
}

/* A message to so many recipients of one domain. */
static void
add_many(size_t n)
{
	struct buf to = BUF_INIT(KIB(8));

	for (size_t i = 0; i < n; i++)
		buf_printf(&to, "%sx%zu@one.example", i ? " " : "", i);
	buf_put(&to, "", 1);
	CHECK(verdict_is_done(add_mail(&t, "a@b.example", to.p)), "in");
	buf_done(&to);
}

TEST(recipients_of_one_message_are_lent_together)
{
	struct items i;

	add_many(3);
	add_many(40);
	add_many(2);
	lease(&t, "one.example", 5, &i);
	CHECK(i.n == 43, "the whole message, and not the next one");
	CHECK(i.v[42].message == i.v[3].message, "of one message");
	lease(&t, "one.example", 5, &i);
	CHECK(i.n == 2 && i.next_due_ms > t.now_ms, "the rest");
}

TEST(a_message_of_many_is_lent_in_parts)
{
	struct items i;

	add_many(1);
	add_many(150);
	lease(&t, "one.example", 2, &i);
	CHECK(i.n == 102, "as many as a server takes, and one");
	lease(&t, "one.example", 2, &i);
	CHECK(i.n == 49, "the rest");
}

TEST(a_lease_is_nobody_elses_until_it_ends)
{
	struct items first, i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &first);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == t.now_ms + 60000, "lent");
	t.now_ms += 60000;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].lease != first.v[0].lease, "another lease");
	CHECK(!settle(&t, &first.v[0], QUEUE_DELIVERED, 0), "too late");
	CHECK(entries(&t) == 1, "still there");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "the new one counts");
}

TEST(a_late_result_counts_while_nobody_else_has_it)
{
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	t.now_ms += 3600000;
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "late, and true");
}

TEST(results_once_more_change_nothing)
{
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms + 1), "first");
	CHECK(!settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms + 1), "again");
	t.now_ms++;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].attempts == 1, "counted once");
}

TEST(leases_outlive_the_store)
{
	struct items i, none;

	add_mail(&t, "a@b.example", "x@one.example y@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 2, "lent");
	CHECK(settle(&t, &i.v[1], QUEUE_DEFERRED, t.now_ms), "one answered");
	qfixture_restart(&t);
	lease(&t, "one.example", 10, &none);
	CHECK(none.n == 1 && none.v[0].rcpt == 1, "the other is still lent");
	CHECK(!settle(&t, &i.v[1], QUEUE_DELIVERED, 0), "answered already");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "the old lease holds");
	CHECK(entries(&t) == 1, "one left");
}

TEST(another_sender_gets_them_at_once)
{
	struct items i, again;
	uint32_t ended;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(verdict_is_done(
		  take_over(t.q, OWNER + 1, &i.v[0].lease, 1, &ended)) &&
		  ended == 1,
	    "another, whatever it names");
	CHECK(queue_is_owner(t.q, OWNER + 1) && !queue_is_owner(t.q, OWNER),
	    "the owner");
	lease(&t, "one.example", 10, &again);
	CHECK(again.n == 1, "gets them");
	CHECK(!settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "of the dead one");
	qfixture_restart(&t);
	CHECK(!queue_is_owner(t.q, OWNER + 1), "a new store knows no owner");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0, "but the leases");
	CHECK(settle(&t, &again.v[0], QUEUE_DELIVERED, 0), "which hold");
}

TEST(a_lease_that_nobody_was_told_of_ends)
{
	struct items known, lost, again;
	uint32_t ended;

	add_mail(&t, "a@b.example", "x@one.example");
	add_mail(&t, "a@b.example", "y@one.example");
	add_mail(&t, "a@b.example", "z@two.example");
	lease(&t, "one.example", 1, &known);
	lease(&t, "one.example", 1, &lost);
	lease(&t, "two.example", 1, &lost);
	qfixture_restart(&t);
	CHECK(verdict_is_done(
		  take_over(t.q, OWNER, &known.v[0].lease, 1, &ended)) &&
		  ended == 2,
	    "those that it does not know");
	lease(&t, "one.example", 10, &again);
	CHECK(again.n == 1 && again.v[0].message != known.v[0].message,
	    "lent anew");
	CHECK(!settle(&t, &lost.v[0], QUEUE_DELIVERED, 0), "it is over");
	lease(&t, "two.example", 10, &again);
	CHECK(again.n == 1, "of the other domain, too");
	qfixture_restart(&t);
	CHECK(settle(&t, &known.v[0], QUEUE_DELIVERED, 0), "what it named");
	CHECK(queue_problems(&t) == 0, "check");
}

TEST(a_result_before_the_next_sender_takes_over_counts)
{
	struct items i, again;
	uint32_t ended;

	add_mail(&t, "a@b.example", "x@one.example y@one.example");
	lease(&t, "one.example", 10, &i);
	qfixture_restart(&t);
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "of the dead one");
	CHECK(verdict_is_done(take_over(t.q, OWNER + 1, NULL, 0, &ended)) &&
		  ended == 1,
	    "the next one");
	lease(&t, "one.example", 10, &again);
	CHECK(again.n == 1 && again.v[0].rcpt == i.v[1].rcpt, "the other one");
}

TEST(bytes_that_are_no_list_of_leases_end_none)
{
	struct msg_queue_take m = { STR("\1\2\3") };
	struct items i;
	uint32_t ended = 7;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(queue_take(t.q, OWNER, &m, &ended).outcome == PERMFAIL &&
		  ended == 7,
	    "refused");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "it holds");
}

TEST(priority_comes_before_time)
{
	struct queue_message m = { .priority = 10, .mail_from = STR("a@b.c") };
	struct items i;

	add_to(&t, &m, "normal@one.example", 0, NULL);
	t.now_ms += 10;
	m.priority = 12;
	add_to(&t, &m, "urgent@one.example", 0, NULL);
	m.priority = 1;
	add_to(&t, &m, "slow@one.example", 0, NULL);
	m.priority = 19;
	m.arrival_ms = t.now_ms + 500;
	add_to(&t, &m, "future@one.example", 0, NULL);
	lease(&t, "one.example", 1, &i);
	CHECK(i.n == 1 && str_starts(i.v[0].address, STR("urgent")), "1");
	lease(&t, "one.example", 1, &i);
	CHECK(i.n == 1 && str_starts(i.v[0].address, STR("normal")), "2");
	CHECK(i.next_due_ms == t.now_ms, "another is due");
	lease(&t, "one.example", 5, &i);
	CHECK(i.n == 1 && str_starts(i.v[0].address, STR("slow")), "3");
	CHECK(i.next_due_ms == t.now_ms + 500, "then the future one");
}

TEST(mail_may_be_asked_to_wait)
{
	struct queue_message m = { .mail_from = STR("a@b.c"),
		.hold_until = QT0 / 1000 + 3600 };
	struct items i;

	add_to(&t, &m, "x@one.example", 0, NULL);
	lease(&t, "one.example", 1, &i);
	CHECK(i.n == 0 && i.next_due_ms == QT0 + 3600000, "RFC 4865");
}

TEST(a_user_here_is_one_whatever_happens_to_the_entry)
{
	struct queue_message m = { .mail_from = STR("a@b.c"),
		.hold_until = QT0 / 1000 + 1 };
	struct items i;

	add_to(&t, &m, "here@one.example x@one.example", 0, NULL);
	t.now_ms += 1000;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 2 && i.v[0].is_local && !i.v[1].is_local, "lent");
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, t.now_ms), "once more");
	qfixture_restart(&t);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 1 && i.v[0].is_local && i.v[0].attempts == 1, "still");
}

TEST(a_held_entry_waits_for_the_operator)
{
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_HELD, t.now_ms), "hold");
	t.now_ms += UINT64_C(1000) * 24 * 3600 * 1000;
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == 0 && entries(&t) == 1, "held");
	qfixture_restart(&t);
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 0 && i.next_due_ms == 0 && entries(&t) == 1, "for ever");
}

/* The domains told as due: "name:due-QT0:count " each. */
static const char *
due(void)
{
	static char text[500];
	struct buf out = BUF_INIT(KIB(4)), b = BUF_INIT(KIB(4));
	struct msg_queue_domain d;
	struct wire w;

	while (queue_take_due(t.q, &out, KIB(3)))
		;
	w = wire_read(buf_str(&out));
	while (w.in.n && msg_queue_domain_read(&w, &d))
		buf_printf(&b, "%.*s:%d:%u ", STR_ARG(d.domain),
		    (int)(d.due_ms - QT0), d.count);
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&out);
	buf_done(&b);
	return text;
}

/* How many were changed. */
static uint64_t
change_all(enum queue_action action, const struct msg_queue_filter *filter)
{
	struct buf f = BUF_INIT(KIB(1)), out = BUF_INIT(KIB(4));
	struct msg_queue_change_reply reply = { 0 };

	msg_queue_filter_put(&f, filter);
	CHECK(verdict_is_done(queue_change(t.q,
		  &(struct msg_queue_change){
		      .action = (uint8_t)action, .filter = buf_str(&f) },
		  &out)) &&
		  msg_queue_change_reply_get(buf_str(&out), &reply),
	    "change");
	buf_done(&f);
	buf_done(&out);
	return reply.changed;
}

/* The counts told: "name:was>waiting+began-left " each, "held was>held " behind those that
 * have any; "anew " before all. */
static const char *
counts(void)
{
	static char text[500];
	struct buf out = BUF_INIT(KIB(4)), b = BUF_INIT(KIB(4));
	struct msg_queue_count c;
	bool is_anew = false;
	struct wire w;

	if (queue_take_counts(t.q, &out, KIB(3), &is_anew) && is_anew)
		buf_put_c(&b, "anew ");
	w = wire_read(buf_str(&out));
	while (w.in.n && msg_queue_count_read(&w, &c)) {
		buf_printf(&b, "%.*s:%u>%u+%u-%u ", STR_ARG(c.domain), c.was,
		    c.waiting, c.began, c.left);
		if (c.held_was + c.held > 0)
			buf_printf(&b, "held %u>%u ", c.held_was, c.held);
	}
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&out);
	buf_done(&b);
	return text;
}

TEST(send_hears_how_much_waits_and_costs_what_changed)
{
	uint32_t ended;
	struct items i;

	CHECK(strcmp(counts(), "anew ") == 0, "it took over");
	CHECK(strcmp(counts(), "") == 0, "nothing is new");
	add_mail(
	    &t, "a@b.example", "x@one.example y@one.example z@two.example");
	counts();
	add_mail(&t, "a@b.example", "x@one.example");
	CHECK(strcmp(counts(), "one.example:2>3+1-0 ") == 0, "one more");
	lease(&t, "one.example", 10, &i);
	CHECK(strcmp(counts(), "") == 0, "what is lent waits still");
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "one goes");
	CHECK(settle(&t, &i.v[1], QUEUE_DEFERRED, t.now_ms + 9), "one stays");
	CHECK(settle(&t, &i.v[2], QUEUE_HELD, t.now_ms), "one is held");
	CHECK(strcmp(counts(), "one.example:3>1+0-1 held 0>1 ") == 0,
	    "and one waits");
	/* A new sender, and a new store. */
	CHECK(verdict_is_done(take_over(t.q, OWNER + 1, NULL, 0, &ended)),
	    "another one");
	CHECK(strstr(counts(), "one.example:0>1+0-0 held 0>1 ") != NULL,
	    "hears all");
	qfixture_restart(&t);
	CHECK(strcmp(counts(), "") == 0, "nobody took over");
	CHECK(verdict_is_done(take_over(t.q, OWNER, NULL, 0, &ended)), "once");
	CHECK(strstr(counts(), "one.example:0>1+0-0 held 0>1 ") != NULL,
	    "all again");
	/* One that goes and comes again in the meantime. */
	lease(&t, "two.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_DELIVERED, 0), "the last one");
	add_mail(&t, "a@b.example", "q@two.example r@two.example");
	CHECK(strcmp(counts(), "two.example:1>2+2-1 ") == 0, "is told once");
	lease(&t, "two.example", 10, &i);
	for (size_t k = 0; k < i.n; k++)
		CHECK(settle(&t, &i.v[k], QUEUE_DELIVERED, 0), "gone");
	CHECK(strcmp(counts(), "two.example:2>0+0-2 ") == 0, "and its end");
	CHECK(strcmp(counts(), "") == 0, "nothing is left to tell");
}

TEST(send_hears_how_much_is_held)
{
	const struct msg_queue_filter one = { .domain = STR("one.example") };

	add_mail(&t, "a@b.example", "x@one.example y@one.example");
	counts();
	CHECK(change_all(QUEUE_HOLD, &one) == 2, "hold");
	assert_string_equal(counts(), "one.example:2>0+0-0 held 0>2 ");
	CHECK(change_all(QUEUE_RELEASE, &one) == 2, "release");
	assert_string_equal(counts(), "one.example:0>2+2-0 held 2>0 ");
	CHECK(change_all(QUEUE_HOLD, &one) == 2, "hold");
	counts();
	/* The domain goes with what was held, and nothing of it had waited. */
	CHECK(change_all(QUEUE_CANCEL, &one) == 2, "cancel");
	assert_string_equal(counts(), "one.example:0>0+0-0 held 2>0 ");
	assert_string_equal(counts(), "");
}

TEST(send_hears_of_what_is_due_earlier_than_it_knows)
{
	struct items i;

	t.now_ms += 10;
	add_mail(&t, "a@b.c", "x@one.example y@one.example");
	assert_string_equal(due(), "one.example:10:2 ");
	assert_string_equal(due(), "");
	t.now_ms += 5;
	add_mail(&t, "a@b.c", "z@one.example");
	assert_string_equal(due(), "");
	lease(&t, "one.example", 10, &i);
	CHECK(i.n == 3, "lent");
	add_mail(&t, "a@b.c", "x@one.example u@two.example");
	assert_string_equal(due(), "two.example:15:1 one.example:15:4 ");
	lease(&t, "two.example", 10, &i);
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	assert_string_equal(due(), "");
}

TEST(a_domain_that_went_before_it_was_told_is_not)
{
	struct items i;

	add_mail(&t, "a@b.c", "x@one.example");
	lease(&t, "one.example", 10, &i);
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	assert_string_equal(due(), "");
	add_mail(&t, "a@b.c", "x@one.example");
	assert_string_equal(due(), "one.example:0:1 ");
}

TEST(domains_come_in_portions)
{
	char from[40], address[60];
	struct msg_queue_domains q = { STR("") };
	struct msg_list_reply r = { .has_more = 1 };
	struct msg_queue_domain d;
	size_t n = 0, portions = 0;

	for (unsigned i = 0; i < 2500; i++) {
		struct queue_message m = { .mail_from = STR("a@b.c") };

		snprintf(address, sizeof(address), "x@d%04u.example", i);
		ASSERT(verdict_is_done(add_to(&t, &m, address, 0, NULL)));
	}
	while (r.has_more) {
		struct wire w;

		CHECK(verdict_is_done(queue_domains(t.q, &q, fresh(&t.f))),
		    "ask");
		CHECK(msg_list_reply_get(buf_str(&t.f.out), &r), "reply");
		w = wire_read(r.items);
		while (w.in.n) {
			CHECK(msg_queue_domain_read(&w, &d), "domain");
			snprintf(address, sizeof(address), "d%04zu.example", n);
			CHECK(str_eq(d.domain, str_c(address)), "in order");
			CHECK(d.count == 1 && d.due_ms == QT0, "summary");
			n++;
		}
		snprintf(from, sizeof(from), "%.*s", STR_ARG(d.domain));
		q.after = str_c(from);
		portions++;
	}
	CHECK(n == 2500 && portions == 3, "all");
}

TEST(local_copies_and_entries_share_the_bytes)
{
	struct queue_message m = { .mail_from = STR("a@b.c"), .size = 4 };
	uint64_t account = add_user(&t.f, "alice@demo.example");
	struct msg_mailbox mb;
	struct items i;

	CHECK(verdict_is_done(add_to(&t, &m, "x@one.example", account,
		  ticket_of(&t.f, STR("abcd")))),
	    "add");
	CHECK(blobs(&t) == 1, "one blob");
	CHECK(status_of(&t.f, account, "INBOX", &mb) && mb.messages == 1,
	    "local");
	lease(&t, "one.example", 10, &i);
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	CHECK(blobs(&t) == 1, "alice still has it");
	CHECK(count_problems(&t.f) == 0, "check");
	CHECK(add_to(&t, &m, "x@one.example", 999, ticket_of(&t.f, STR("abcd")))
		      .outcome == NOT_FOUND,
	    "no such account");
	CHECK(entries(&t) == 0 && blobs(&t) == 1, "all or nothing");
}

TEST(what_is_over_a_limit_is_refused)
{
	struct queue_message m = { .mail_from = STR("a@b.c"), .account = 5 };

	t.limits = (struct queue_limits){ 5, 3, 14 };
	queue_set_limits(t.q, &t.limits);
	CHECK(verdict_is_done(add_to(&t, &m, "1@a.b 2@a.b", 0, NULL)), "two");
	CHECK(
	    add_to(&t, &m, "3@a.b 4@a.b", 0, NULL).reason == REASON_QUEUE_LIMIT,
	    "of the account");
	m.account = 6;
	CHECK(verdict_is_done(add_to(&t, &m, "3@a.b 4@a.b", 0, NULL)), "four");
	qfixture_restart(&t);
	m.account = 7;
	CHECK(add_to(&t, &m, "5@a.b 6@a.b", 0, NULL).reason == REASON_DISK_FULL,
	    "of the queue, after a restart");
	m.account = 5;
	CHECK(add_to(&t, &m, "5@a.b 6@a.b", 0, NULL).reason == REASON_DISK_FULL,
	    "in order");
	CHECK(verdict_is_done(add_to(&t, &m, "5@a.b", 0, NULL)),
	    "the last ones that there is room for");
	m.is_unlimited = true;
	CHECK(verdict_is_done(add_to(&t, &m, "5@a.b 6@a.b", 0, NULL)),
	    "a bounce");
	m.is_unlimited = false;
	CHECK(add_to(&t, &m, "x@[127.0.0.1]", 0, NULL).reason == REASON_NAME,
	    "not a name");
	CHECK(add_to(&t, &m, "x@UPPER.example", 0, NULL).reason == REASON_NAME,
	    "not clean");
}

TEST(a_retry_is_known)
{
	struct items i;
	bool is_known;

	add_mail(&t, "a@b.c", "x@one.example");
	CHECK(verdict_is_done(queue_knows(t.q, STR("trace1"), 6, &is_known)) &&
		  is_known,
	    "waiting");
	CHECK(verdict_is_done(queue_knows(t.q, STR("trace1"), 7, &is_known)) &&
		  !is_known,
	    "another size");
	CHECK(verdict_is_done(queue_knows(t.q, STR("trace2"), 6, &is_known)) &&
		  !is_known,
	    "another id");
	lease(&t, "one.example", 10, &i);
	settle(&t, &i.v[0], QUEUE_DELIVERED, 0);
	CHECK(verdict_is_done(queue_knows(t.q, STR("trace1"), 6, &is_known)) &&
		  is_known,
	    "sent already");
	CHECK(verdict_is_done(queue_knows(t.q, STR("trace1"), 7, &is_known)) &&
		  !is_known,
	    "not one of another size");
}

/* It waits for ever, and yet for a server: an operator may hurry it. */
TEST(a_time_that_never_comes_is_not_held)
{
	uint32_t ended;
	struct items i;

	add_mail(&t, "a@b.example", "x@one.example");
	lease(&t, "one.example", 10, &i);
	CHECK(settle(&t, &i.v[0], QUEUE_DEFERRED, UINT64_MAX), "deferred");
	qfixture_restart(&t);
	CHECK(verdict_is_done(take_over(t.q, OWNER, NULL, 0, &ended)), "anew");
	CHECK(strstr(counts(), "one.example:0>1+0-0 ") != NULL, "it waits");
}

TEST_MAIN(CASE(a_message_goes_in_and_out),
    CASE(prefixes_that_differ_are_each_recipients_own),
    CASE(a_time_that_never_comes_is_not_held),
    CASE(bytes_are_prefix_and_blob_without_local_fields),
    CASE(a_deferred_entry_comes_back_when_it_is_due),
    CASE(recipients_of_one_message_are_lent_together),
    CASE(a_message_of_many_is_lent_in_parts),
    CASE(a_lease_is_nobody_elses_until_it_ends),
    CASE(a_late_result_counts_while_nobody_else_has_it),
    CASE(results_once_more_change_nothing), CASE(leases_outlive_the_store),
    CASE(another_sender_gets_them_at_once),
    CASE(a_lease_that_nobody_was_told_of_ends),
    CASE(a_result_before_the_next_sender_takes_over_counts),
    CASE(bytes_that_are_no_list_of_leases_end_none),
    CASE(priority_comes_before_time), CASE(mail_may_be_asked_to_wait),
    CASE(a_user_here_is_one_whatever_happens_to_the_entry),
    CASE(a_held_entry_waits_for_the_operator),
    CASE(send_hears_how_much_waits_and_costs_what_changed),
    CASE(send_hears_how_much_is_held),
    CASE(send_hears_of_what_is_due_earlier_than_it_knows),
    CASE(a_domain_that_went_before_it_was_told_is_not),
    CASE(domains_come_in_portions),
    CASE(local_copies_and_entries_share_the_bytes),
    CASE(what_is_over_a_limit_is_refused), CASE(a_retry_is_known))
