/* SPDX-License-Identifier: ISC */
/*
 * flows_test.c - what waits for whom, as the store tells it: sums stay right whatever comes,
 * goes and moves, and what has no room is counted with the others.
 */
#include "../test.h"
#include "proc/ipc_msgs.h"
#include "send/queue/flows.h"
#include "send/server.h"

#define DOMAINS 3000

struct world {
	struct server sv;
	struct flows *fs;
	uint32_t waiting[DOMAINS]; /* as the store has told */
	uint64_t seed, all;
};

static void
world_init(struct world *w)
{
	*w = (struct world){ .seed = 7 };
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
	CHECK(flows_counts(w->fs, buf_str(&body)), "understood");
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
	CHECK(!flows_counts(w.fs, STR("\1")), "what is malformed is refused");
	buf_done(&list);
	world_done(&w);
}

TEST_MAIN(UNIT(sums_are_right_with_more_domains_than_room),
    UNIT(a_new_store_or_sender_begins_anew))
