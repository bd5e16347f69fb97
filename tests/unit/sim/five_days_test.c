/* SPDX-License-Identifier: ISC */
/*
 * five_days_test.c - five days of a queue in milliseconds: the store's queue
 * and the decisions of role send, with a clock that jumps from one attempt to
 * the next. Each day the store starts anew.
 *
 * Servers of other domains are dead for some time, or for good. What has to
 * come of it: attempts soon at first and two hours apart later, one notice of
 * the delay, delivery soon after the server is back, and an end after five
 * days, for whom each sender is told.
 */
#include "../store/queue/qfixture.h"

#include "proto/smtp/smtp_command.h"
#include "sim_decide.h"

#define MINUTE (UINT64_C(60) * 1000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NEVER  UINT64_MAX
#define PAUSE  (2 * HOUR + 15 * MINUTE) /* the longest, jitter included */
#define ROUNDS 10000                    /* of the clock; about 600 come */

/* A message to a domain whose server is back after so long. */
static const struct letter {
	const char *from, *to, *domain;
	uint64_t dead_ms;
	uint64_t by_ms; /* DELIVERBY, with R; 0: none */
} letters[] = {
	{ "a@b.example", "u@alive.example", "alive.example", 0, 0 },
	{ "a@b.example", "u@grey.example", "grey.example", MINUTE, 0 },
	{ "a@b.example", "u@lunch.example", "lunch.example", HOUR, 0 },
	{ "a@b.example", "u@night.example", "night.example", 9 * HOUR, 0 },
	{ "a@b.example", "u@days.example", "days.example", 3 * DAY, 0 },
	{ "a@b.example", "u@late.example", "late.example", 5 * DAY - HOUR, 0 },
	{ "a@b.example", "u@gone.example", "gone.example", NEVER, 0 },
	{ "", "u@bounce.example", "bounce.example", NEVER, 0 },
	{ "", "u@slow.example", "slow.example", DAY, 0 },
	{ "a@b.example", "u@by.example", "by.example", NEVER, 90 * MINUTE },
};

/* What came of one of them. */
struct fate {
	uint32_t attempts, notices, bounces;
	uint64_t first_ms, last_ms, longest_ms; /* since QT0 */
	uint64_t notice_ms;
	bool is_delivered, is_expired;
};

struct world {
	struct qfixture t;
	uint64_t random;
	struct fate fates[ARRAY_LEN(letters)];
};

/* splitmix64, so that a failing run can be repeated. */
static uint32_t
dice(uint64_t *seed)
{
	uint64_t z = *seed += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	return (uint32_t)(z >> 16);
}

static void
put_letters(struct world *w)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const struct letter *l = &letters[i];
		struct queue_message m = { .trace = str_c(l->domain),
			.mail_from = str_c(l->from),
			.size = 6,
			.deliver_by = l->by_ms ? (QT0 + l->by_ms) / 1000 : 0,
			.deliver_by_mode = l->by_ms ? SMTP_BY_RETURN : 0 };

		CHECK(verdict_is_done(add_to(&w->t, &m, l->to, 0,
			  ticket_of(&w->t.f, STR("body\r\n")))),
		    l->to);
	}
}

/* The clock stands at an attempt: note it, and what is told. */
static struct sim_decision
attempt(struct world *w, const struct letter *l, struct fate *f,
    const struct msg_queue_item *item)
{
	uint64_t since = w->t.now_ms - QT0;
	struct sim_decision d =
	    sim_decide(item, since < l->dead_ms, w->t.now_ms, dice(&w->random));

	CHECK(item->attempts == f->attempts, "the store counts them too");
	if (f->attempts++ > 0)
		f->longest_ms = MAX(f->longest_ms, since - f->last_ms);
	else
		f->first_ms = since;
	f->last_ms = since;
	f->is_delivered = d.result.state == QUEUE_DELIVERED;
	f->is_expired = d.is_expired;
	f->bounces += d.is_bounce;
	f->notices += d.is_notice;
	if (d.is_notice)
		f->notice_ms = since;
	return d;
}

static void
tell_store(struct world *w, const struct msg_queue_item *item,
    struct msg_queue_result result)
{
	struct buf list = BUF_INIT(KIB(8)), out = BUF_INIT(KIB(1));
	struct msg_queue_results q = { .now_ms = w->t.now_ms };

	result.message = item->message;
	result.rcpt = item->rcpt;
	result.lease = item->lease;
	result.reply = STR("450 4.2.1 later");
	msg_queue_result_put(&list, &result);
	q.results = buf_str(&list);
	CHECK(verdict_is_done(queue_results(w->t.q, &q, &out)), "results");
	buf_done(&list);
	buf_done(&out);
}

static void
try_domain(struct world *w, size_t i)
{
	struct items items;

	lease(&w->t, letters[i].domain, 10, &items);
	for (size_t k = 0; k < items.n; k++) {
		struct sim_decision d =
		    attempt(w, &letters[i], &w->fates[i], &items.v[k]);

		tell_store(w, &items.v[k], d.result);
	}
}

/* When the next entry is due; 0: there is none. */
static uint64_t
next_due(struct world *w)
{
	struct msg_queue_domains q = { .after = STR_NONE };
	struct msg_list_reply reply;
	struct msg_queue_domain d;
	uint64_t next = 0;
	struct wire in;

	CHECK(verdict_is_done(queue_domains(w->t.q, &q, fresh(&w->t.f))) &&
		  msg_list_reply_get(buf_str(&w->t.f.out), &reply),
	    "domains");
	for (in = wire_read(reply.items); in.in.n;) {
		CHECK(msg_queue_domain_read(&in, &d), "domain");
		if (d.due_ms > 0 && (next == 0 || d.due_ms < next))
			next = d.due_ms;
	}
	return next;
}

static void
live(struct world *w)
{
	unsigned rounds = 0, day = 0;
	uint64_t due;

	while (entries(&w->t) > 0) {
		ASSERT(++rounds < ROUNDS);
		due = next_due(w);
		CHECK(due > 0, "who waits is due some time");
		w->t.now_ms = MAX(w->t.now_ms, due);
		if ((w->t.now_ms - QT0) / DAY > day) {
			day++;
			qfixture_restart(&w->t);
		}
		for (size_t i = 0; i < ARRAY_LEN(letters); i++)
			try_domain(w, i);
	}
}

static void
check_fate(const struct letter *l, const struct fate *f)
{
	uint64_t end = l->by_ms ? l->by_ms : 5 * DAY;
	bool is_lost = l->dead_ms >= end;
	bool has_sender = *l->from != '\0';
	bool is_late = MIN(l->dead_ms, end) > 4 * HOUR + PAUSE;

	CHECK(f->first_ms == 0, "tried at once");
	CHECK(f->longest_ms <= PAUSE, "tried again in time");
	CHECK(f->is_delivered == !is_lost && f->is_expired == is_lost, l->to);
	if (is_lost)
		CHECK(f->last_ms == end, "the last attempt is at the end");
	else
		CHECK(
		    f->last_ms - l->dead_ms <= PAUSE, "soon after it is back");
	CHECK(f->bounces == (is_lost && has_sender), "one bounce");
	CHECK(f->notices == (is_late && has_sender), "one notice");
	if (f->notices)
		CHECK(f->notice_ms >= 4 * HOUR &&
			  f->notice_ms <= 4 * HOUR + PAUSE,
		    "in time");
	if (l->dead_ms == NEVER && !l->by_ms)
		CHECK(f->attempts >= 55 && f->attempts <= 85, "attempts");
	if (l->dead_ms == MINUTE)
		CHECK(
		    f->attempts == 2 && f->last_ms < 4 * MINUTE, "greylisted");
}

TEST(five_days_of_a_queue)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct world w = { .random = seed };

		qfixture_start(&w.t);
		put_letters(&w);
		live(&w);
		for (size_t i = 0; i < ARRAY_LEN(letters); i++)
			check_fate(&letters[i], &w.fates[i]);
		CHECK(w.t.now_ms == QT0 + 5 * DAY, "all of the five days");
		CHECK(queue_problems(&w.t) == 0, "a clean queue");
		CHECK(blobs(&w.t) == 0, "no bytes are left");
		qfixture_stop(&w.t);
	}
}

TEST_MAIN(UNIT(five_days_of_a_queue))
