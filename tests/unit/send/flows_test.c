/* SPDX-License-Identifier: ISC */
/*
 * flows_test.c - what waits for whom, as the store tells it: sums stay right whatever comes,
 * goes and moves, and what has no room is counted with the others.
 */
#include "../test.h"
#include "proc/ipc_msgs.h"
#include "proto/provider/provider.h"
#include "proto/reply/reply.h"
#include "send/queue/dest.h"
#include "send/queue/flow.h"
#include "send/queue/flows.h"
#include "send/server.h"

#define DOMAINS 3000
#define MINUTE  UINT64_C(60000)
/* A step of a flow begins, long ago. */
#define T0 (UINT64_C(5000000) * FLOW_STEP_MS)

struct world {
	struct server sv;
	struct flows *fs;
	uint32_t waiting[DOMAINS]; /* as the store has told */
	uint64_t seed, all, now;
};

static void
world_init(struct world *w)
{
	*w = (struct world){ .seed = 7, .now = T0 };
	w->sv.loop = loop_new();
	w->fs = flows_new(&w->sv);
}

static void
world_done(struct world *w)
{
	flows_free(w->fs);
	loop_free(w->sv.loop);
}

static uint32_t
any(struct world *w, uint32_t below)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) +
	          UINT64_C(1442695040888963407);
	return (uint32_t)(w->seed >> 33) % below;
}

static void
put(struct world *w, struct buf *to, unsigned domain, uint32_t waiting)
{
	uint32_t was = w->waiting[domain];
	char name[32];

	snprintf(name, sizeof(name), "d%u.example", domain);
	msg_queue_count_put(
	    to, &(struct msg_queue_count){ .domain = str_c(name),
		    .was = was,
		    .waiting = waiting,
		    .began = waiting > was ? waiting - was : 0,
		    .left = waiting < was ? was - waiting : 0,
		    .oldest = waiting > 0 ? 1 : 0 });
	w->waiting[domain] = waiting;
	w->all = w->all - was + waiting;
}

static void
send_counts(struct world *w, const struct buf *list, bool is_anew)
{
	struct buf body = BUF_INIT(MIB(1));

	msg_queue_counts_put(
	    &body, &(struct msg_queue_counts){ is_anew, buf_str(list) });
	CHECK(flows_counts(w->fs, buf_str(&body), w->now), "understood");
	buf_done(&body);
}

TEST(sums_are_right_with_more_domains_than_room)
{
	struct world w;

	world_init(&w);
	for (unsigned round = 0; round < 40; round++) {
		struct buf list = BUF_INIT(MIB(1));
		uint64_t sum = 0;

		for (unsigned i = 0; i < 500; i++)
			put(&w, &list, any(&w, DOMAINS),
			    any(&w, 3) ? any(&w, 100) : 0);
		send_counts(&w, &list, false);
		buf_done(&list);
		for (unsigned i = 0; i < DOMAINS; i++) {
			char name[32];

			snprintf(name, sizeof(name), "d%u.example", i);
			sum += flows_waiting(w.fs, str_c(name));
		}
		sum += flows_waiting(w.fs, STR("others"));
		CHECK(sum == w.all, "each is counted once");
		CHECK(flows_waiting(w.fs, STR("")) == w.all, "and in all");
	}
	CHECK(flows_waiting(w.fs, STR("others")) > 0, "some have no room");
	world_done(&w);
}

TEST(a_new_store_or_sender_begins_anew)
{
	struct buf list = BUF_INIT(KIB(4));
	struct world w;

	world_init(&w);
	put(&w, &list, 1, 50);
	put(&w, &list, 2, 9);
	send_counts(&w, &list, true);
	CHECK(flows_waiting(w.fs, STR("d1.example")) == 50, "told");
	buf_reset(&list, KIB(4));
	w.waiting[1] = w.waiting[2] = 0;
	put(&w, &list, 1, 40);
	send_counts(&w, &list, true);
	CHECK(flows_waiting(w.fs, STR("d1.example")) == 40, "told again");
	CHECK(flows_waiting(w.fs, STR("d2.example")) == 0, "gone meanwhile");
	CHECK(flows_waiting(w.fs, STR("")) == 40, "in all");
	CHECK(!flows_counts(w.fs, STR("\1"), w.now),
	    "what is malformed is refused");
	buf_done(&list);
	world_done(&w);
}

/* Of one domain, alone. */
static void
count(struct world *w, const char *domain, uint32_t was, uint32_t waiting,
    uint32_t began, uint32_t left)
{
	struct buf list = BUF_INIT(KIB(1));

	msg_queue_count_put(
	    &list, &(struct msg_queue_count){ .domain = str_c(domain),
		       .was = was,
		       .waiting = waiting,
		       .began = began,
		       .left = left,
		       .oldest = waiting > 0 ? 1000 - waiting : 0 });
	send_counts(w, &list, false);
	buf_done(&list);
}

/* As many domains as there is room for. */
static void
count_all(struct world *w, uint32_t was, uint32_t waiting)
{
	for (unsigned i = 0; i < FLOWS_DOMAINS_MAX;) {
		struct buf list = BUF_INIT(KIB(512));

		for (unsigned n = 0; n < 5000; n++, i++) {
			char name[32];

			snprintf(name, sizeof(name), "f%u.example", i);
			msg_queue_count_put(&list,
			    &(struct msg_queue_count){ .domain = str_c(name),
				.was = was,
				.waiting = waiting });
		}
		send_counts(w, &list, false);
		buf_done(&list);
	}
}

static size_t
look(struct world *w, struct msg_sent_stuck *ret)
{
	static struct buf stuck;
	struct wire r;
	size_t n = 0;

	buf_done(&stuck);
	stuck = BUF_INIT(KIB(32));
	flows_look(w->fs, w->now, &stuck);
	for (r = wire_read(buf_str(&stuck)); r.in.n > 0; n++)
		if (!msg_sent_stuck_read(&r, ret))
			fail_msg("a malformed list");
	return n;
}

/* What is held in a place, by the list that people see; -1: it is not in it. */
static int64_t
held_in(struct world *w, const char *name)
{
	struct buf list = BUF_INIT(MIB(1));
	struct msg_queue_destination d;
	int64_t found = -1;

	flows_put(w->fs, &list);
	for (struct wire r = wire_read(buf_str(&list));
	     msg_queue_destination_read(&r, &d);)
		if (str_eq(d.name, str_c(name)))
			found = (int64_t)d.held;
	buf_done(&list);
	return found;
}

static void
hold(struct world *w, const char *domain, uint32_t was, uint32_t held)
{
	struct buf list = BUF_INIT(KIB(1));

	msg_queue_count_put(&list,
	    &(struct msg_queue_count){
		.domain = str_c(domain), .held_was = was, .held = held });
	send_counts(w, &list, false);
	buf_done(&list);
}

TEST(what_is_held_is_counted_by_itself)
{
	struct world w;

	world_init(&w);
	w.sv.providers = provider_table_new();
	hold(&w, "one.example", 0, 3);
	CHECK(held_in(&w, "one.example") == 3, "it is listed for that");
	CHECK(flows_waiting(w.fs, STR("")) == 0, "and does not wait");
	hold(&w, "one.example", 3, 0);
	CHECK(held_in(&w, "one.example") == -1, "gone");
	count_all(&w, 0, 1);
	hold(&w, "late.example", 0, 4);
	CHECK(held_in(&w, "others") == 4, "there is no room for it");
	hold(&w, "late.example", 4, 1);
	CHECK(held_in(&w, "others") == 1, "less of it");
	provider_table_free(w.sv.providers);
	world_done(&w);
}

TEST(a_domain_that_gets_room_takes_its_part_from_the_others)
{
	struct msg_sent_stuck none;
	struct world w;
	uint64_t others;

	world_init(&w);
	count_all(&w, 0, 1);
	others = flows_waiting(w.fs, STR("others"));
	count(&w, "late.example", 0, 5, 5, 0);
	CHECK(flows_waiting(w.fs, STR("late.example")) == 0, "no room");
	CHECK(flows_waiting(w.fs, STR("others")) == others + 5, "of others");
	count_all(&w, 1, 0);
	CHECK(flows_waiting(w.fs, STR("others")) == 5, "it alone");
	w.now += 5 * MINUTE;
	CHECK(look(&w, &none) == 0, "nothing is stuck");
	count(&w, "late.example", 5, 6, 1, 0);
	CHECK(flows_waiting(w.fs, STR("late.example")) == 0, "they may return");
	/* Domains are forgotten, then places. */
	w.now += 60 * MINUTE;
	CHECK(look(&w, &none) == 0, "nothing is stuck");
	w.now += 60 * MINUTE;
	CHECK(look(&w, &none) == 0, "nothing is stuck");
	count(&w, "late.example", 6, 8, 2, 0);
	CHECK(flows_waiting(w.fs, STR("late.example")) == 8, "room");
	CHECK(flows_waiting(w.fs, STR("others")) == 0, "no more with them");
	CHECK(flows_waiting(w.fs, STR("")) == 8, "in all");
	w.now += 60 * MINUTE;
	CHECK(look(&w, &none) == 0, "nothing is stuck");
	CHECK(flows_waiting(w.fs, STR("late.example")) == 8,
	    "what waits is not forgotten");
	count(&w, "late.example", 8, 0, 0, 8);
	CHECK(flows_waiting(w.fs, STR("")) == 0, "gone");
	world_done(&w);
}

/* A store that was damaged takes back more than it told. */
TEST(sums_are_never_below_nothing)
{
	struct world w;

	world_init(&w);
	count(&w, "a.example", 0, 3, 3, 0);
	count(&w, "b.example", 7, 2, 0, 5);
	CHECK(flows_waiting(w.fs, STR("b.example")) == 2, "what it says now");
	CHECK(flows_waiting(w.fs, STR("others")) == 0, "not below");
	CHECK(flows_waiting(w.fs, STR("")) == 0, "in all");
	world_done(&w);
}

static void
defer(struct world *w, const char *domain, const char *text)
{
	flows_deferred(w->fs, str_c(domain),
	    &(struct judgement){ .outcome = TEMPFAIL,
		.has_class = true,
		.class = REPLY_RATE,
		.code = 450,
		.text = str_c(text) });
}

TEST(what_is_stuck_is_told_one_by_one_or_as_all)
{
	struct msg_sent_stuck s;
	struct world w;

	world_init(&w);
	count(&w, "a.example", 0, 30, 30, 0);
	defer(&w, "a.example", "4.7.1 slow down");
	w.now += 29 * MINUTE;
	CHECK(look(&w, &s) == 0, "not yet");
	w.now += MINUTE;
	CHECK(look(&w, &s) == 1 && s.name.n == 0 && s.waiting == 30,
	    "all together: it is about us");
	CHECK(s.cause.n == 0 && s.code == 0, "of no receiver");
	count(&w, "b.example", 0, 0, 800, 900);
	CHECK(look(&w, &s) == 1 && str_eq(s.name, STR("a.example")), "one");
	CHECK(s.waiting == 30 && s.began == 30 && s.left == 0 &&
		  s.since == T0 / 1000,
	    "since it came");
	CHECK(str_eq(s.cause, STR("rate")) && s.code == 450 &&
		  str_eq(s.reply, STR("4.7.1 slow down")),
	    "and why");
	count(&w, "a.example", 30, 5, 0, 25);
	CHECK(look(&w, &s) == 0, "it goes out");
	world_done(&w);
}

/* --- where it goes, and why it waits ---------------------------------------------------- */

/* One for all: it lives as long as its process. */
static struct server places;

static struct dest *
dest_of(const char *host, uint16_t port, bool is_relay)
{
	static char none[] = "", name[] = "mail.example.net";
	static struct conf conf;
	struct dest_spec spec = { .hosts = { { .name = host, .port = port } },
		.n = 1,
		.key = str_c(host),
		.is_relay = is_relay };

	if (places.dests == NULL) {
		conf.send_source4 = conf.send_source6 = none;
		conf.hostname = name;
		places.conf = &conf;
		places.loop = loop_new();
		places.providers = provider_table_new();
		places.dests = dests_new(&places);
		places.flows = flows_new(&places);
	}
	return dest_get(&places, &spec);
}

static size_t
rows(struct msg_queue_destination *ret, size_t max)
{
	static struct buf list;
	struct wire r;
	size_t n = 0;

	buf_done(&list);
	list = BUF_INIT(KIB(32));
	flows_put(places.flows, &list);
	for (r = wire_read(buf_str(&list)); r.in.n > 0; n++)
		if (n == max || !msg_queue_destination_read(&r, &ret[n]))
			fail_msg("a malformed list");
	return n;
}

TEST(domains_of_one_provider_or_relay_are_one_destination)
{
	struct dest *big = dest_of("a.mail.protection.outlook.com", 25, false);
	struct dest *relay = dest_of("relay.example", 0, true);
	struct dest *own = dest_of("mx.c.example", 25, false);
	struct msg_queue_destination d[4];
	struct world w = { .fs = places.flows, .now = T0 };

	count(&w, "a.example", 0, 4, 4, 0);
	count(&w, "b.example", 0, 3, 3, 0);
	count(&w, "c.example", 0, 2, 2, 0);
	CHECK(rows(d, 4) == 3, "no way is known");
	flows_place(places.flows, STR("a.example"), big);
	flows_place(places.flows, STR("b.example"), big);
	flows_place(places.flows, STR("c.example"), own);
	flows_place(places.flows, STR("empty.example"), own);
	CHECK(rows(d, 4) == 2 && str_eq(d[0].name, STR("microsoft")) &&
		  str_eq(d[0].title, STR("Microsoft 365")) &&
		  d[0].waiting == 7 && d[0].domains == 2 && d[0].oldest == 996,
	    "a provider, which most waits for");
	CHECK(str_eq(d[1].name, STR("c.example")) && d[1].title.n == 0 &&
		  d[1].waiting == 2 && d[1].caused == 0,
	    "a domain; nothing that is empty");
	flows_place(places.flows, STR("a.example"), relay);
	CHECK(rows(d, 4) == 3 &&
		  str_eq(d[0].name, STR("relay:relay.example:25")) &&
		  d[0].waiting == 4 && d[1].waiting == 3 && d[1].domains == 1,
	    "it takes another way now");
	count(&w, "a.example", 4, 9, 5, 0);
	CHECK(flows_waiting(places.flows, d[0].name) == 9, "it stays there");
	dest_unref(big);
	dest_unref(relay);
	dest_unref(own);
}

TEST(the_cause_is_one_word_of_what_was_said_last)
{
	static const struct {
		struct smtp_status status;
		const char *want;
	} cases[] = {
		{ { 4, 3, 0 }, "local" },
		{ { 4, 4, 1 }, "connection" },
		{ { 4, 4, 3 }, "dns" },
		{ { 4, 4, 4 }, "dns" },
		{ { 4, 4, 2 }, "connection" },
		{ { 4, 7, 1 }, "blocked" },
		{ { 4, 7, 5 }, "tls" },
		{ { 4, 0, 0 }, "connection" },
	};
	struct dest *own = dest_of("mx.d.example", 25, false);
	struct msg_queue_destination d[8];
	struct world w = { .fs = places.flows, .now = T0 };

	count(&w, "d.example", 0, 100, 100, 0);
	flows_place(places.flows, STR("d.example"), own);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		flows_deferred(places.flows, STR("d.example"),
		    &(struct judgement){
			.status = cases[i].status, .text = STR("words") });
		CHECK(
		    rows(d, 8) > 0 && str_eq(d[0].cause, str_c(cases[i].want)),
		    cases[i].want);
	}
	defer(&w, "d.example", "come again");
	CHECK(rows(d, 8) > 0 && str_eq(d[0].cause, STR("rate")) &&
		  d[0].code == 450 && str_eq(d[0].reply, STR("come again")) &&
		  d[0].caused > 0,
	    "what the reply means, when that is known");
	dest_unref(own);
}

TEST_MAIN(UNIT(sums_are_right_with_more_domains_than_room),
    UNIT(a_new_store_or_sender_begins_anew),
    UNIT(what_is_held_is_counted_by_itself),
    UNIT(a_domain_that_gets_room_takes_its_part_from_the_others),
    UNIT(sums_are_never_below_nothing),
    UNIT(what_is_stuck_is_told_one_by_one_or_as_all),
    UNIT(domains_of_one_provider_or_relay_are_one_destination),
    UNIT(the_cause_is_one_word_of_what_was_said_last))
