/* SPDX-License-Identifier: ISC */
/* verdict_test.c - the one sentence that everybody reads. */
#include "../test.h"
#include "web/page/parts.h"

#define S(service_, status_, flags_) \
	{ \
		.service = STATUS_##service_, .status = WATCH_##status_, \
		.flags = (flags_) \
	}
#define ALL_UP S(RECEIVE, UP, 0), S(SEND, UP, 0), S(READ, UP, 0)
#define ALL_BITS \
	(STATUS_SERVICE_BIT(STATUS_RECEIVE) | \
	    STATUS_SERVICE_BIT(STATUS_SEND) | STATUS_SERVICE_BIT(STATUS_READ))
#define PLAN (WATCH_SITE_PLANNED | WATCH_SITE_EXCUSED)

static const struct {
	const char *name;
	struct msg_watch_service services[STATUS_SERVICES];
	size_t n_services;
	int system; /* enum watch_status of the one system; -1: none */
	unsigned flags;
	struct said said;
	enum look look;
	enum word sentence;
} cases[] = {
	{ "all well", { ALL_UP }, 3, WATCH_UP, 0, { 0 }, LOOK_UP, T_ALL_WELL },
	{ "one is down", { S(RECEIVE, UP, 0), S(READ, DOWN, 0) }, 2, WATCH_DOWN,
	    0, { 0 }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "all are down", { S(RECEIVE, DOWN, 0), S(READ, DOWN, 0) }, 2,
	    WATCH_DOWN, 0, { 0 }, LOOK_DOWN, T_ALL_DOWN },
	{ "webmail alone is down", { ALL_UP, S(WEBMAIL, DOWN, 0) }, 4, WATCH_UP,
	    0, { 0 }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "one is slow", { S(RECEIVE, UP, 0), S(READ, DEGRADED, 0) }, 2,
	    WATCH_DEGRADED, 0, { 0 }, LOOK_DEGRADED, T_PARTLY_ILL },
	{ "another system is down", { ALL_UP }, 3, WATCH_DOWN, 0, { 0 },
	    LOOK_DOWN, T_OTHERS_ILL },
	{ "unknown is never green", { S(RECEIVE, UP, 0), S(READ, UNKNOWN, 0) },
	    2, WATCH_UP, 0, { 0 }, LOOK_UNKNOWN, T_NOT_SEEN },
	{ "unknown does not hide what is down",
	    { S(RECEIVE, UNKNOWN, 0), S(READ, DOWN, 0) }, 2, WATCH_DOWN, 0,
	    { 0 }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "planned work is no outage", { S(READ, DOWN, PLAN) }, 1, WATCH_DOWN,
	    PLAN, { 0 }, LOOK_UP, T_ALL_WELL },
	{ "planned work hides nothing",
	    { S(RECEIVE, DOWN, 0), S(READ, DOWN, PLAN) }, 2, WATCH_DOWN, PLAN,
	    { 0 }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "people know more than probes", { ALL_UP }, 3, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DOWN }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "people say it is slow", { ALL_UP }, 3, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DEGRADED }, LOOK_DEGRADED, T_PARTLY_ILL },
	{ "posts make nothing better", { S(READ, DOWN, 0) }, 1, WATCH_DOWN, 0,
	    { .mail = STATUS_IMPACT_DEGRADED }, LOOK_DOWN, T_ALL_DOWN },
	{ "posts of mail win over other systems' checks", { ALL_UP }, 3,
	    WATCH_DOWN, 0, { .mail = STATUS_IMPACT_DOWN }, LOOK_DOWN,
	    T_PARTLY_DOWN },
	{ "and mail with problems", { ALL_UP }, 3, WATCH_DOWN, 0,
	    { .mail = STATUS_IMPACT_DEGRADED }, LOOK_DOWN, T_PARTLY_ILL },
	{ "posts of mail win over what is not known",
	    { S(RECEIVE, UP, 0), S(READ, UNKNOWN, 0) }, 2, WATCH_DOWN, 0,
	    { .mail = STATUS_IMPACT_DEGRADED }, LOOK_DOWN, T_PARTLY_ILL },
	{ "posts of others say nothing about mail", { ALL_UP }, 3, WATCH_UP, 0,
	    { .others = STATUS_IMPACT_DEGRADED }, LOOK_DEGRADED, T_OTHERS_ILL },
	{ "however bad they are", { ALL_UP }, 3, WATCH_UP, 0,
	    { .others = STATUS_IMPACT_DOWN }, LOOK_DOWN, T_OTHERS_ILL },
	{ "both are said", { ALL_UP }, 3, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DEGRADED, .others = STATUS_IMPACT_DOWN },
	    LOOK_DOWN, T_PARTLY_ILL },
	{ "all of mail is said to be down", { ALL_UP }, 3, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DOWN, .down = ALL_BITS }, LOOK_DOWN,
	    T_ALL_DOWN },
	{ "one service is said to be ill", { ALL_UP }, 3, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DEGRADED,
		.ill = STATUS_SERVICE_BIT(STATUS_READ) },
	    LOOK_DEGRADED, T_PARTLY_ILL },
	{ "planned work does not hide what is said", { S(READ, DOWN, PLAN) }, 1,
	    WATCH_DOWN, PLAN,
	    { .mail = STATUS_IMPACT_DOWN,
		.down = STATUS_SERVICE_BIT(STATUS_READ) },
	    LOOK_DOWN, T_ALL_DOWN },
	{ "others alone are said to be down", { { 0 } }, 0, WATCH_UP, 0,
	    { .others = STATUS_IMPACT_DOWN }, LOOK_DOWN, T_SYSTEMS_DOWN },
	{ "mail without a check of it", { { 0 } }, 0, WATCH_UP, 0,
	    { .mail = STATUS_IMPACT_DOWN }, LOOK_DOWN, T_PARTLY_DOWN },
	{ "nothing is watched, and mail is slow", { { 0 } }, 0, -1, 0,
	    { .mail = STATUS_IMPACT_DEGRADED }, LOOK_DEGRADED, T_PARTLY_ILL },
	{ "systems alone", { { 0 } }, 0, WATCH_UP, 0, { 0 }, LOOK_UP,
	    T_SYSTEMS_WELL },
	{ "systems alone, down", { { 0 } }, 0, WATCH_DOWN, 0, { 0 }, LOOK_DOWN,
	    T_SYSTEMS_DOWN },
	{ "nothing is watched", { { 0 } }, 0, -1, 0, { 0 }, LOOK_PLAIN,
	    T_NOTHING_YET },
};

static void
make(size_t i, struct site_state *t, struct msg_watch_system *m)
{
	*m = (struct msg_watch_system){ .id = STR("Box"),
		.key = STR("box"),
		.flags = (uint8_t)(WATCH_SITE_CHECKED | cases[i].flags) };
	*t = (struct site_state){ .is_known = true, .at_s = 1000 };
	if (cases[i].system >= 0) {
		m->status = (uint8_t)cases[i].system;
		t->systems = m;
		t->n_systems = 1;
	}
	t->n_services = cases[i].n_services;
	memcpy(t->services, cases[i].services, sizeof(t->services));
}

TEST(the_worst_unplanned_state_wins)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct msg_watch_system m;
		struct site_state t;
		struct verdict v;

		make(i, &t, &m);
		v = verdict_from(&t, &cases[i].said);
		CHECK(v.look == cases[i].look, cases[i].name);
		CHECK(v.sentence == cases[i].sentence, cases[i].name);
	}
}

/* "Everything answers as it should" is about everything. */
TEST(what_is_not_seen_is_not_said_to_be_well)
{
	static const struct {
		const char *name;
		enum watch_status system;
		bool is_well, is_unsure;
	} leads[] = {
		{ "all is seen", WATCH_UP, true, false },
		{ "a system of others is not", WATCH_UNKNOWN, false, true },
		{ "one is down", WATCH_DOWN, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
		const struct said said = { 0 };
		struct msg_watch_system m;
		struct site_state t;
		struct verdict v;

		make(0, &t, &m);
		m.status = (uint8_t)leads[i].system;
		v = verdict_from(&t, &said);
		CHECK(
		    verdict_is_all_well(&v) == leads[i].is_well, leads[i].name);
		CHECK(
		    verdict_is_unsure(&v) == leads[i].is_unsure, leads[i].name);
		CHECK(leads[i].system == WATCH_DOWN || v.sentence == T_ALL_WELL,
		    leads[i].name);
	}
}

/* Nobody's view was interrupted where nothing was looked at yet. */
TEST(a_watcher_that_begins_says_so)
{
	static const struct {
		const char *name;
		enum watch_status status[2]; /* of two systems */
		uint64_t at_s[2];
		bool is_mail_known;
		enum word sentence;
		bool is_starting;
	} starts[] = {
		{ "nothing yet", { WATCH_UNKNOWN, WATCH_UNKNOWN }, { 0, 0 },
		    false, T_NOT_YET, true },
		/* Of systems that are not shown. */
		{ "what is internal", { WATCH_UP, WATCH_UP }, { 0, 0 }, false,
		    T_NOT_YET, true },
		{ "one yet", { WATCH_UP, WATCH_UNKNOWN }, { 900, 0 }, false,
		    T_NOT_SEEN, true },
		{ "mail first", { WATCH_UP, WATCH_UNKNOWN }, { 900, 0 }, true,
		    T_ALL_WELL, true },
		{ "one was seen, and is not", { WATCH_UNKNOWN, WATCH_UNKNOWN },
		    { 900, 0 }, false, T_NOT_SEEN, false },
		{ "both were", { WATCH_UNKNOWN, WATCH_UP }, { 900, 900 }, true,
		    T_ALL_WELL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct msg_watch_system m[2] = { 0 };
		struct site_state t = { .is_known = true,
			.n_services = 1,
			.n_systems = 2,
			.systems = m };
		struct verdict v;

		for (size_t k = 0; k < 2; k++) {
			m[k].flags = WATCH_SITE_CHECKED;
			m[k].status = (uint8_t)starts[i].status[k];
			m[k].at_s = starts[i].at_s[k];
			t.at_s = MAX(t.at_s, m[k].at_s);
		}
		t.services[0].service = STATUS_READ;
		t.services[0].status =
		    starts[i].is_mail_known ? WATCH_UP : WATCH_UNKNOWN;
		v = verdict_from(&t, &(struct said){ 0 });
		CHECK(v.sentence == starts[i].sentence, starts[i].name);
		CHECK(verdict_is_unsure(&v), starts[i].name);
		CHECK(v.is_starting == starts[i].is_starting, starts[i].name);
	}
}

TEST(what_is_stale_is_grey_whatever_it_was)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct msg_watch_system m;
		struct site_state t;
		struct verdict v;

		make(i, &t, &m);
		t.is_stale = true;
		v = verdict_from(&t, &cases[i].said);
		CHECK(v.look == LOOK_UNKNOWN, cases[i].name);
		CHECK(v.sentence == T_NOT_SINCE, cases[i].name);
		if (t.n_systems > 0)
			CHECK(look_by_checks(&t, &m) == LOOK_UNKNOWN,
			    cases[i].name);
	}
}

TEST(before_the_first_answer_nothing_is_said)
{
	struct site_state t = { 0 };
	struct verdict v = verdict_from(&t, &(struct said){ 0 });

	CHECK(v.look == LOOK_UNKNOWN && v.sentence == T_NOT_YET, "at first");
}

TEST(the_worse_of_checks_and_incidents_is_shown)
{
	static const struct {
		enum watch_status checked;
		unsigned flags;
		bool is_stale;
		enum status_impact said;
		enum look look;
		enum word word;
	} shown[] = {
		{ WATCH_UP, 0, false, STATUS_IMPACT_NONE, LOOK_UP, T_S_UP },
		{ WATCH_UP, 0, false, STATUS_IMPACT_DOWN, LOOK_DOWN, T_S_DOWN },
		{ WATCH_UP, 0, false, STATUS_IMPACT_PARTIAL, LOOK_DOWN,
		    T_S_PARTIAL },
		{ WATCH_UP, 0, false, STATUS_IMPACT_DEGRADED, LOOK_DEGRADED,
		    T_S_DEGRADED },
		{ WATCH_UP, 0, false, STATUS_IMPACT_MAINTENANCE, LOOK_PLANNED,
		    T_S_PLANNED },
		{ WATCH_DOWN, 0, false, STATUS_IMPACT_DEGRADED, LOOK_DOWN,
		    T_S_DOWN },
		{ WATCH_DOWN, 0, false, STATUS_IMPACT_PARTIAL, LOOK_DOWN,
		    T_S_DOWN },
		{ WATCH_DEGRADED, 0, false, STATUS_IMPACT_NONE, LOOK_DEGRADED,
		    T_S_DEGRADED },
		{ WATCH_DOWN, PLAN, false, STATUS_IMPACT_DEGRADED,
		    LOOK_DEGRADED, T_S_DEGRADED },
		{ WATCH_UNKNOWN, 0, false, STATUS_IMPACT_MAINTENANCE,
		    LOOK_UNKNOWN, T_S_UNKNOWN },
		{ WATCH_UP, 0, true, STATUS_IMPACT_NONE, LOOK_UNKNOWN,
		    T_S_UNKNOWN },
		{ WATCH_UP, 0, true, STATUS_IMPACT_DOWN, LOOK_DOWN, T_S_DOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		struct site_state t = { .is_stale = shown[i].is_stale };
		struct msg_watch_system m = {
			.status = (uint8_t)shown[i].checked,
			.flags = (uint8_t)(WATCH_SITE_CHECKED | shown[i].flags)
		};
		struct shown is = shown_system(&t, &m, shown[i].said);

		if (is.look != shown[i].look || is.word != shown[i].word)
			fail_msg("line %zu: %d, %d", i, is.look, is.word);
	}
}

TEST_MAIN(UNIT(a_watcher_that_begins_says_so),
    UNIT(what_is_not_seen_is_not_said_to_be_well),
    UNIT(the_worst_unplanned_state_wins),
    UNIT(what_is_stale_is_grey_whatever_it_was),
    UNIT(before_the_first_answer_nothing_is_said),
    UNIT(the_worse_of_checks_and_incidents_is_shown))
