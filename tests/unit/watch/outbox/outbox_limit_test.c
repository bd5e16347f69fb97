/* SPDX-License-Identifier: ISC */
/* outbox_limit_test.c - how much strangers may have sent to people. */
#include "../../test.h"
#include "watch/outbox/outbox_internal.h"

TEST(confirmations_cannot_flood_an_address)
{
	static const char *const names[] = { "a@example.org", "A@Example.org",
		"a+1@example.org", "a+2@example.org", "a@example.org" };
	struct outbox_limit *l = outbox_limit_new(NULL);
	struct status_message m = { .purpose = STATUS_FOR_CONFIRM };
	uint64_t now = 1795392000;
	size_t sent = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		m.to = str_c(names[i]);
		if (outbox_limit_ask(l, &m, now + i) != OUTBOX_LIMIT_OK)
			continue;
		CHECK(outbox_limit_count(l, &m, now + i, now + i), "held");
		sent++;
	}
	CHECK(sent == 3, "three a day");
	m.to = STR("b@example.org");
	CHECK(outbox_limit_ask(l, &m, now) == OUTBOX_LIMIT_OK, "another one");
	m.to = STR("A.+x@example.org");
	CHECK(outbox_limit_ask(l, &m, now + 86399) == OUTBOX_LIMIT_RECEIVER,
	    "not yet");
	CHECK(outbox_limit_ask(l, &m, now + 86403) == OUTBOX_LIMIT_OK,
	    "the next day");
	CHECK(!outbox_limit_count(l, &m, now - 86400, now), "too old");
	m.purpose = STATUS_FOR_TEST;
	CHECK(outbox_limit_ask(l, &m, now) == OUTBOX_LIMIT_OK, "another kind");
	free(l);
}

/* To a receiver of each number between the two, until one may not. */
static size_t
confirm_many(struct outbox_limit *l, const char *before, const char *behind,
    uint64_t now, enum outbox_limit_answer *ret_last)
{
	struct status_message m = { .purpose = STATUS_FOR_CONFIRM };
	char to[80];

	for (size_t n = 0; n < 10000; n++) {
		(void)snprintf(to, sizeof(to), "%s%zu%s", before, n, behind);
		m.to = str_c(to);
		*ret_last = outbox_limit_ask(l, &m, now);
		if (*ret_last != OUTBOX_LIMIT_OK)
			return n;
		CHECK(outbox_limit_count(l, &m, now, now), "held");
	}
	return 10000;
}

TEST(confirmations_have_a_budget)
{
	struct suffixes *list = suffixes_parse(STR("com\norg\n"));
	struct outbox_limit *l = outbox_limit_new(list);
	struct status_message busy = { .purpose = STATUS_FOR_CONFIRM,
		.to = STR("victim@example.org") };
	uint64_t now = 1795392000;
	enum outbox_limit_answer last;

	for (size_t i = 0; i < 3; i++)
		CHECK(outbox_limit_count(l, &busy, now, now), "held");
	CHECK(confirm_many(l, "x@h", ".example.com", now, &last) == 100,
	    "hosts of a domain are one domain");
	CHECK(last == OUTBOX_LIMIT_ALL, "later");
	CHECK(confirm_many(l, "x@d", ".com", now, &last) == 2000 - 103,
	    "all together");
	CHECK(last == OUTBOX_LIMIT_ALL, "later");
	CHECK(outbox_limit_ask(l, &busy, now) == OUTBOX_LIMIT_RECEIVER,
	    "who got most is not forgotten");
	CHECK(confirm_many(l, "x@d", ".com", now + 86400, &last) == 2000,
	    "the next day");
	free(l);
	suffixes_free(list);
}

/* How many of this kind may be under way at the same time, from N on? */
static size_t
begin_many(struct outbox *o, struct parcel *v, size_t n,
    enum status_purpose purpose, bool is_one_domain)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct parcel){ .purpose = purpose,
			.domain = is_one_domain ? 7 : i };
		if (!outbox_has_room(o, &v[i]))
			return i;
		outbox_take_place(o, &v[i]);
	}
	return n;
}

TEST(places_are_kept_for_alerts)
{
	struct outbox *o = X_NEW(struct outbox);
	struct parcel a[30], b[30], c[30], d[30];
	size_t n;

	CHECK(begin_many(o, a, 30, STATUS_FOR_CONFIRM, true) == 1, "a domain");
	outbox_leave_place(o, &a[0]);
	CHECK(begin_many(o, a, 30, STATUS_FOR_CONFIRM, false) == 4, "domains");
	n = begin_many(o, b, 30, STATUS_FOR_NEWS, false);
	CHECK(n == 12, "news are not held up by them");
	CHECK(begin_many(o, c, 30, STATUS_FOR_TEST, false) == 0, "no more");
	CHECK(begin_many(o, d, 30, STATUS_FOR_ALERT, false) == 4, "alerts");
	outbox_leave_place(o, &a[1]);
	CHECK(begin_many(o, c, 30, STATUS_FOR_CONFIRM, true) == 1, "again");
	for (size_t i = 0; i < 4; i++) {
		if (i != 1)
			outbox_leave_place(o, &a[i]);
		outbox_leave_place(o, &d[i]);
	}
	outbox_leave_place(o, &c[0]);
	for (size_t i = 0; i < n; i++)
		outbox_leave_place(o, &b[i]);
	CHECK(o->n_busy == 0 && o->n_busy_others == 0 && o->n_busy_news == 0 &&
		  o->n_busy_confirm == 0,
	    "all is given back");
	free(o);
}

/* n rows of confirmations, as role web puts them. */
static void
put_confirmations(struct outbox *o, size_t first, size_t n)
{
	const struct status_message m = { .purpose = STATUS_FOR_CONFIRM,
		.to = STR("somebody@example.org"),
		.language = STR("en") };
	struct msg_ledger_changed c = { .table = LEDGER_OUTBOX };
	struct buf value = BUF_INIT(KIB(4)), rows = BUF_INIT(MIB(8));

	status_message_encode(&m, &value);
	for (size_t i = first; i < first + n; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%08zu", i);
		msg_ledger_row_put(
		    &rows, &(struct msg_ledger_row){
			       .key = str_c(key), .value = buf_str(&value) });
	}
	assert_false(rows.failed);
	c.rows = buf_str(&rows);
	assert_true(outbox_changed(o, &c));
	buf_done(&value);
	buf_done(&rows);
}

TEST(confirmations_leave_room_for_what_is_our_own)
{
	/* An outbox lives as long as its process. */
	static struct server sv;
	struct outbox *o;

	sv.loop = loop_new();
	o = sv.outbox = outbox_new(&sv);
	put_confirmations(o, 0, 10);
	CHECK(o->n == 10 && !outbox_wants_rows(o), "all are held");
	put_confirmations(o, 10, OUTBOX_ASKED_MAX);
	CHECK(o->n == OUTBOX_ASKED_MAX, "as many as may be");
	CHECK(!outbox_can_hold(o, LEDGER_OUTBOX), "full");
	CHECK(outbox_can_hold(o, LEDGER_TOLD), "there is room");
	CHECK(!outbox_wants_rows(o), "not yet");
	while (o->n > OUTBOX_ASKED_MAX / 2)
		outbox_forget(o, o->v[o->n - 1]);
	CHECK(!outbox_wants_rows(o), "not quite");
	outbox_forget(o, o->v[0]);
	CHECK(outbox_wants_rows(o), "the others have their turn");
	while (o->n > 0)
		outbox_forget(o, o->v[o->n - 1]);
	CHECK(o->n_asked == 0, "all are counted back");
}

TEST_MAIN(UNIT(confirmations_cannot_flood_an_address),
    UNIT(confirmations_have_a_budget), UNIT(places_are_kept_for_alerts),
    UNIT(confirmations_leave_room_for_what_is_our_own))
