/* SPDX-License-Identifier: ISC */
/*
 * pure_test.c - what role send decides without any I/O: when, where to, how
 * many at a time, and what a reply means. Time is an argument here.
 */
#include "../test.h"

#include "proto/smtp/smtp_command.h"
#include "send/result/decide.h"
#include "send/queue/due.h"
#include "proto/mx/mx.h"
#include "send/queue/pace.h"
#include "send/queue/schedule.h"

#define MINUTE 60000ULL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  1790000000000ULL

static const struct schedule usual = {
	.first_ms = 3 * MINUTE,
	.max_ms = 2 * HOUR,
	.expire_ms = 5 * DAY,
	.delay_ms = 4 * HOUR,
};

/* --- schedule ------------------------------------------------------------------------- */

/* splitmix64, so that a failing run can be repeated. */
static uint32_t
dice(uint64_t *seed)
{
	uint64_t z = *seed += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	return (uint32_t)(z >> 16);
}

TEST(five_days_of_retries)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t random = seed, now = START, told_at = 0, last = now;
		struct schedule_entry e = { .arrival_ms = START };
		uint32_t early = 0;

		for (;;) {
			uint64_t next;

			e.attempts++;
			if (schedule_is_over(&usual, &e, now))
				break;
			if (schedule_is_late(&usual, &e, now)) {
				CHECK(told_at == 0, "told once");
				told_at = now;
				e.is_delay_told = true;
			}
			next = schedule_next(&usual, &e, now, dice(&random));
			CHECK(next > now, "forwards");
			CHECK(next <= START + 5 * DAY, "not beyond the end");
			CHECK(next - now <= 2 * HOUR + 15 * MINUTE, "pause");
			early += next < START + 30 * MINUTE;
			last = now;
			now = next;
		}
		CHECK(now == START + 5 * DAY, "the last attempt is at the end");
		CHECK(now - last <= 2 * HOUR + 15 * MINUTE, "no gap");
		CHECK(told_at >= START + 4 * HOUR, "late enough");
		CHECK(told_at <= START + 6 * HOUR + 15 * MINUTE, "in time");
		CHECK(early >= 3, "soon at first");
		CHECK(e.attempts >= 55 && e.attempts <= 85, "attempts");
	}
}

TEST(retries_spread)
{
	struct schedule_entry e = { .arrival_ms = START, .attempts = 1 };

	CHECK(schedule_next(&usual, &e, START, 0) ==
		  START + 3 * MINUTE - 3 * MINUTE / 8,
	    "the earliest");
	CHECK(schedule_next(&usual, &e, START, UINT32_MAX) ==
		  START + 3 * MINUTE + 3 * MINUTE / 8,
	    "the latest");
	e.attempts = UINT32_MAX;
	CHECK(schedule_next(&usual, &e, START, 0) > START, "many attempts");
}

TEST(deliver_by_ends_early)
{
	struct schedule_entry e = { .arrival_ms = START,
		.attempts = 1,
		.deliver_by = (START + MINUTE) / 1000,
		.is_returned = true };

	CHECK(schedule_next(&usual, &e, START, 0) == START + MINUTE,
	    "one last attempt");
	CHECK(!schedule_is_over(&usual, &e, START + MINUTE - 1), "not yet");
	CHECK(schedule_is_over(&usual, &e, START + MINUTE), "over");
	e.is_returned = false;
	CHECK(!schedule_is_over(&usual, &e, START + HOUR), "N goes on");
	CHECK(schedule_is_late(&usual, &e, START + MINUTE), "but says so");
}

/* --- what is due ----------------------------------------------------------------------- */

TEST(the_earliest_comes_first)
{
	struct due items[500], *first;
	struct due_heap heap = { 0 };
	uint64_t seed = 7, last = 0;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		items[i].place = DUE_NOWHERE;
		due_add(&heap, &items[i], dice(&seed) % 1000);
	}
	/* Some go away, some change their time. */
	for (size_t i = 0; i < ARRAY_LEN(items); i += 3) {
		due_remove(&heap, &items[i]);
		due_remove(&heap, &items[i]);
		if (i % 2 == 0)
			due_add(&heap, &items[i], dice(&seed) % 1000);
	}
	while ((first = due_first(&heap)) != NULL) {
		CHECK(first->at_ms >= last, "in order");
		last = first->at_ms;
		due_remove(&heap, first);
		CHECK(first->place == DUE_NOWHERE, "out");
		n++;
	}
	CHECK(n == 500 - 83, "all that were left");
	free(heap.items);
}

/* --- pace ------------------------------------------------------------------------------ */

static const struct pace_limits limits = {
	.first = 5, .max = 20, .pause_ms = MINUTE, .pause_max_ms = 30 * MINUTE
};

static uint32_t
open_all(struct pace *p, uint64_t now)
{
	while (pace_may_open(p, &limits, now)) {
		pace_begin(p);
		if (pace_is_proven(p))
			pace_opened(p, &limits, now);
	}
	return p->open;
}

TEST(an_unknown_destination_gets_one_connection)
{
	struct pace p = { 0 };

	CHECK(open_all(&p, START) == 1, "one");
	CHECK(!pace_is_proven(&p), "not proven");
	pace_opened(&p, &limits, START);
	CHECK(open_all(&p, START) == 5, "then the first few");
}

TEST(success_opens_more_failure_fewer)
{
	struct pace p = { 0 };

	open_all(&p, START);
	pace_opened(&p, &limits, START);
	for (int i = 0; i < 1000; i++) {
		open_all(&p, START);
		pace_delivered(&p, &limits);
	}
	CHECK(open_all(&p, START) == 20, "up to the limit");
	CHECK(!pace_failed(&p, &limits, START, 0), "others are left");
	CHECK(p.open == 19 && !pace_may_open(&p, &limits, START), "half");
	for (int i = 0; i < 10; i++)
		pace_end(&p);
	CHECK(pace_may_open(&p, &limits, START), "below half");
}

TEST(a_dead_destination_is_left_alone_longer_and_longer)
{
	struct pace p = { 0 };
	uint64_t now = START, pause = 0;

	for (int i = 0; i < 20; i++) {
		CHECK(open_all(&p, now) == 1, "one probe");
		CHECK(pace_failed(&p, &limits, now, 0), "closed");
		CHECK(!pace_may_open(&p, &limits, now), "not now");
		CHECK(p.closed_until_ms - now >= pause, "not shorter");
		pause = p.closed_until_ms - now;
		CHECK(pause <= 30 * MINUTE, "bounded");
		now = p.closed_until_ms;
	}
	CHECK(pause == 30 * MINUTE, "the longest");
	CHECK(open_all(&p, now) == 1, "a probe");
	pace_opened(&p, &limits, now);
	CHECK(pace_is_proven(&p), "back");
	CHECK(open_all(&p, now) == 5, "as at first");
}

TEST(what_can_wait_goes_a_little_at_a_time)
{
	struct spare s = { 0 };
	uint32_t went = 0;

	for (uint64_t now = 1000; now < 3000; now += 10) {
		uint32_t n = spare_room(&s, 150, now);

		CHECK(n <= 150, "no more than is wanted");
		spare_take(&s, n);
		went += n;
	}
	CHECK(went == 2000 / SPARE_TURN_MS * SPARE_TURN, "a turn's worth each");
	CHECK(spare_room(&s, 1, 2999) == 0, "nothing is left of this one");
	CHECK(spare_room(&s, 1000, 3000 + SPARE_TURN_MS) == SPARE_TURN,
	    "what was not used is not saved");
	spare_take(&s, UINT32_MAX);
	CHECK(spare_room(&s, 1, 3000 + SPARE_TURN_MS) == 0, "never below zero");
}

/* --- MX ---------------------------------------------------------------------------------- */

static enum mx_result
order(const char *const *hosts, const uint16_t *prefs, size_t n, uint64_t seed,
    struct mx_list *list)
{
	struct mx_record r[MX_RECORDS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		r[i].preference = prefs[i];
		snprintf(r[i].host, sizeof(r[i].host), "%s", hosts[i]);
	}
	return mx_order(
	    r, n, STR("example.com"), STR("mail.us.example"), seed, list);
}

TEST(mx_hosts_are_sorted_and_equals_shuffled)
{
	static const char *const hosts[] = { "c", "a", "b", "d" };
	static const uint16_t prefs[] = { 20, 10, 10, 30 };
	struct buf key = BUF_INIT(KIB(4)), again = BUF_INIT(KIB(4));
	unsigned a_first = 0;
	struct mx_list list;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		CHECK(order(hosts, prefs, 4, seed, &list) == MX_OK, "ok");
		CHECK(list.n == 4, "all");
		CHECK(strcmp(list.hosts[2], "c") == 0, "third");
		CHECK(strcmp(list.hosts[3], "d") == 0, "last");
		a_first += strcmp(list.hosts[0], "a") == 0;
		buf_reset(&again, KIB(4));
		mx_key(&list, &again);
		if (seed == 0)
			mx_key(&list, &key);
		CHECK(str_eq(buf_str(&key), buf_str(&again)),
		    "one key for all orders");
	}
	CHECK(str_eq(buf_str(&key), STR("a,b>c>d")), "key");
	CHECK(a_first > 400 && a_first < 600, "half and half");
	buf_done(&key);
	buf_done(&again);
}

TEST(mx_special_cases)
{
	static const uint16_t prefs[] = { 0, 10, 20 };
	struct mx_list list;

	CHECK(order(NULL, NULL, 0, 1, &list) == MX_OK && list.n == 1 &&
		  strcmp(list.hosts[0], "example.com") == 0,
	    "implicit");
	CHECK(order((const char *const[]){ "" }, prefs, 1, 1, &list) == MX_NULL,
	    "null MX");
	CHECK(order((const char *const[]){ "", "b" }, prefs, 2, 1, &list) ==
		      MX_OK &&
		  list.n == 1 && strcmp(list.hosts[0], "b") == 0,
	    "a root among others means nothing");
	CHECK(order((const char *const[]){ "a", "MAIL.us.example", "c" }, prefs,
		  3, 1, &list) == MX_OK &&
		  list.n == 1 && strcmp(list.hosts[0], "a") == 0,
	    "only what is better than us");
	CHECK(order((const char *const[]){ "mail.us.example", "b" }, prefs, 2,
		  1, &list) == MX_LOOP,
	    "we are the best");
	CHECK(order((const char *const[]){ "b", "mail.us.example" },
		  (const uint16_t[]){ 10, 10 }, 2, 1, &list) == MX_LOOP,
	    "our equals are no better");
	CHECK(order((const char *const[]){ "a", "a", "a" }, prefs, 3, 1,
		  &list) == MX_OK &&
		  list.n == 1,
	    "each once");
}

TEST(mx_lists_are_bounded)
{
	const char *hosts[MX_RECORDS_MAX];
	uint16_t prefs[MX_RECORDS_MAX];
	char names[MX_RECORDS_MAX][8];
	struct mx_list list;

	for (size_t i = 0; i < MX_RECORDS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "h%zu", i);
		hosts[i] = names[i];
		prefs[i] = (uint16_t)i;
	}
	CHECK(order(hosts, prefs, MX_RECORDS_MAX, 3, &list) == MX_OK, "ok");
	CHECK(list.n == MX_HOSTS_MAX, "cut");
	CHECK(strcmp(list.hosts[0], "h0") == 0, "the best stay");
}

/* --- decisions --------------------------------------------------------------------------------- */

static struct decision
after(const struct msg_queue_item *item, struct judgement j, uint64_t age)
{
	struct moment at = { item->arrival_ms + age, 1U << 31 };

	return decide(&usual, item, &j, at);
}

TEST(what_becomes_of_an_entry)
{
	struct msg_queue_item item = { .arrival_ms = START,
		.mail_from = STR("a@example.net") };
	const struct judgement done = { .outcome = DONE };
	const struct judgement later = { .outcome = TEMPFAIL };
	const struct judgement never = { .outcome = PERMFAIL };
	const struct judgement held = { .outcome = TEMPFAIL, .is_held = true };
	const struct judgement back = { .outcome = TEMPFAIL,
		.is_untried = true };
	struct decision d = after(&item, done, 0);

	CHECK(d.state == QUEUE_DELIVERED && d.report == REPORT_NONE, "done");
	d = after(&item, later, MINUTE);
	CHECK(d.state == QUEUE_DEFERRED && d.counts && d.due_ms > START &&
		  d.report == REPORT_NONE && !d.is_delay_told,
	    "later");
	d = after(&item, later, 4 * HOUR);
	CHECK(d.state == QUEUE_DEFERRED && d.report == REPORT_DELAYED &&
		  d.is_delay_told,
	    "late");
	item.is_delay_told = true;
	d = after(&item, later, 5 * HOUR);
	CHECK(d.report == REPORT_NONE && d.is_delay_told, "told once");
	d = after(&item, later, 5 * DAY);
	CHECK(d.state == QUEUE_FAILED && d.is_expired &&
		  d.report == REPORT_FAILED,
	    "given up");
	d = after(&item, never, 0);
	CHECK(d.state == QUEUE_FAILED && d.report == REPORT_FAILED, "never");
	d = after(&item, (struct judgement){ .outcome = NOT_FOUND }, 0);
	CHECK(d.state == QUEUE_FAILED && d.report == REPORT_FAILED, "nobody");
	d = after(&item, held, 0);
	CHECK(d.state == QUEUE_HELD && !d.counts, "held");
	d = after(&item, back, 9 * DAY);
	CHECK(d.state == QUEUE_RELEASED && !d.counts && d.due_ms > START,
	    "untried is no failure");
}

TEST(nothing_is_tried_before_there_is_use)
{
	struct msg_queue_item item = { .arrival_ms = START,
		.mail_from = STR("a@example.net") };
	struct judgement j = { .outcome = TEMPFAIL,
		.not_before_ms = START + 10 * HOUR };
	struct decision d = after(&item, j, MINUTE);

	CHECK(d.state == QUEUE_DEFERRED && d.due_ms == START + 10 * HOUR,
	    "not before");
	j.not_before_ms = START + 9 * DAY;
	d = after(&item, j, MINUTE);
	CHECK(d.due_ms == START + 5 * DAY, "but before it is given up");
	j.not_before_ms = START;
	d = after(&item, j, MINUTE);
	CHECK(d.due_ms > START + MINUTE && d.due_ms < START + HOUR,
	    "as scheduled");
}

TEST(who_is_told)
{
	const struct judgement done = { .outcome = DONE };
	const struct judgement relayed = { .outcome = DONE, .has_dsn = true };
	const struct judgement never = { .outcome = PERMFAIL };
	const struct judgement later = { .outcome = TEMPFAIL };
	struct msg_queue_item item = { .arrival_ms = START };

	CHECK(after(&item, never, 0).report == REPORT_NONE, "null sender");
	CHECK(after(&item, later, 5 * DAY).report == REPORT_NONE, "likewise");
	item.mail_from = STR("a@example.net");
	item.notify = SMTP_NOTIFY_NEVER;
	CHECK(after(&item, never, 0).report == REPORT_NONE, "NEVER");
	CHECK(after(&item, later, 4 * HOUR).report == REPORT_NONE, "NEVER");
	item.notify = SMTP_NOTIFY_DELAY;
	CHECK(after(&item, never, 0).report == REPORT_NONE, "DELAY only");
	CHECK(after(&item, later, 4 * HOUR).report == REPORT_DELAYED, "DELAY");
	item.notify = SMTP_NOTIFY_SUCCESS;
	CHECK(after(&item, done, 0).report == REPORT_RELAYED, "SUCCESS");
	CHECK(after(&item, relayed, 0).report == REPORT_NONE,
	    "the next server tells it");
	item.deliver_by_mode = SMTP_BY_TRACE;
	CHECK(after(&item, relayed, 0).report == REPORT_RELAYED, "each relay");
	item.notify = SMTP_NOTIFY_NEVER;
	CHECK(after(&item, relayed, 0).report == REPORT_NONE, "NEVER");
	item.notify = SMTP_NOTIFY_SUCCESS;
	item.mail_from = STR_NONE;
	CHECK(after(&item, done, 0).report == REPORT_NONE, "null sender");
}

/* --- hosts that will not do -------------------------------------------------------- */

TEST(each_host_that_will_not_do_is_noted_once)
{
	struct mail *m = mail_new(NULL, 0);
	char name[256] = { 0 };
	size_t n = 0;

	CHECK(!mail_is_unfit(m, STR("mx.example")), "none at first");
	CHECK(mail_note_unfit(m, STR("mx.example")), "new");
	CHECK(!mail_note_unfit(m, STR("MX.example")), "known");
	CHECK(mail_is_unfit(m, STR("mx.example")), "one");
	CHECK(!mail_is_unfit(m, STR("x.example")), "not its end");
	CHECK(!mail_is_unfit(m, STR("mx.exampl")), "not its beginning");
	CHECK(mail_note_unfit(m, STR("mx2.example")), "another");
	CHECK(mail_is_unfit(m, STR("mx.example")), "still");
	memset(name, 'x', 250);
	while (n < 10000) {
		snprintf(name + 245, sizeof(name) - 245, "%04zu", n++);
		if (!mail_note_unfit(m, str_c(name)))
			break;
	}
	CHECK(n > 50 && n < 100, "there is a bound");
	mail_free(m);
}

TEST_MAIN(UNIT(five_days_of_retries), UNIT(retries_spread),
    UNIT(deliver_by_ends_early), UNIT(the_earliest_comes_first),
    UNIT(an_unknown_destination_gets_one_connection),
    UNIT(success_opens_more_failure_fewer),
    UNIT(a_dead_destination_is_left_alone_longer_and_longer),
    UNIT(what_can_wait_goes_a_little_at_a_time),
    UNIT(mx_hosts_are_sorted_and_equals_shuffled), UNIT(mx_special_cases),
    UNIT(mx_lists_are_bounded), UNIT(what_becomes_of_an_entry),
    UNIT(nothing_is_tried_before_there_is_use), UNIT(who_is_told),
    UNIT(each_host_that_will_not_do_is_noted_once))
