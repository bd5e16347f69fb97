/* SPDX-License-Identifier: ISC */
/* way_test.c - which way a message goes, and over which relays. */
#include "../../test.h"
#include "watch/outbox/relays.h"
#include "watch/outbox/way.h"

#include <arpa/inet.h>

#define MINUTE_MS 60000ULL

static const char *
ways_of(const struct way_wish *wish)
{
	static char text[WAYS_MAX * 8];
	struct way ways[WAYS_MAX];
	size_t n = way_order(wish, ways), at = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = ways[i].kind == WAY_DIRECT  ? "direct"
		                   : ways[i].kind == WAY_QUEUE ? "queue"
		                                               : ways[i].host.p;

		at +=
		    (size_t)snprintf(text + at, sizeof(text) - at, "%s ", name);
	}
	return text;
}

TEST(a_relay_that_is_down_is_tried_last)
{
	struct way relays[] = { { .host = STR("a") }, { .host = STR("b") },
		{ .host = STR("c") } };
	struct way_wish w = { relays, 3, true, false, 0 };

	assert_string_equal(ways_of(&w), "a b c direct ");
	relays[0].is_down = relays[1].is_down = true;
	assert_string_equal(ways_of(&w), "c direct a b ");
	w.is_direct = false;
	assert_string_equal(ways_of(&w), "c a b ");
}

TEST(who_needs_names_comes_last_while_none_is_answered)
{
	struct way relays[] = { { .host = STR("a") },
		{ .host = STR("b"), .is_down = true } };
	struct way_wish w = { relays, 2, true, true, WAY_QUEUE_ROUND };

	assert_string_equal(ways_of(&w), "a b direct queue ");
	w.is_direct = false;
	assert_string_equal(ways_of(&w), "a b queue ");
}

TEST(the_own_queue_is_the_last_resort)
{
	struct way relay = { .host = STR("a"), .is_down = true };
	struct way_wish w = { &relay, 1, true, false, WAY_QUEUE_ROUND - 1 };

	assert_string_equal(ways_of(&w), "direct a ");
	w.round = WAY_QUEUE_ROUND;
	assert_string_equal(ways_of(&w), "direct a queue ");
	/* And the only one, where there is no other. */
	w = (struct way_wish){ 0 };
	assert_string_equal(ways_of(&w), "queue ");
}

TEST(no_way_holds_up_the_next_one_for_long)
{
	struct way_limits l = way_limits(0);
	uint32_t last = 0;

	CHECK(l.lookup_ms == 3000 && l.whole_ms == 10000, "seconds");
	/* Who is the only one, and slow, gets it in the end. */
	for (uint32_t round = 0; round < 100; round++) {
		l = way_limits(round);
		CHECK(l.whole_ms >= last && l.lookup_ms < l.whole_ms, "grows");
		last = l.whole_ms;
	}
	CHECK(last == 180000 && l.lookup_ms == 30000, "and has an end");
	CHECK(way_share_ms(10000, 3) == 5000, "others are left");
	CHECK(way_share_ms(10000, 1) == 10000, "none is");
	CHECK(way_share_ms(1, 2) == 1 && way_share_ms(0, 1) == 1, "some");
}

TEST(pauses_grow_and_have_an_end)
{
	uint64_t last = 0;

	for (uint32_t round = 1; round < 100; round++) {
		uint64_t least = way_pause_ms(round, 15000, 0);
		uint64_t usual = least / 4 * 5;

		CHECK(least >= last, "they grow");
		CHECK(usual <= 15 * MINUTE_MS, "they end");
		for (uint32_t r = 0; r < 2000; r += 7) {
			uint64_t p = way_pause_ms(round, 15000, r * 7919);

			CHECK(p >= least && p <= usual / 5 * 6 + 1, "jitter");
		}
		last = least;
	}
	CHECK(way_pause_ms(1, 15000, 3000) == 15000, "the base, in the middle");
	CHECK(last == 12 * MINUTE_MS, "a quarter of an hour, less a fifth");
	CHECK(way_pause_ms(0, 0, 5) == 0, "none is none");
}

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a;

	in->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return a;
}

TEST(a_relay_is_where_it_was)
{
	struct sockaddr_storage a = address("192.0.2.1"),
				got[CONNECT_ADDRS_MAX];
	struct relays *r = relays_new("");
	char host[40];

	CHECK(relays_recall(r, "mx.example.net", 25, got) == 0, "never seen");
	relays_remember(r, "mx.example.net", 25, &a, 1);
	CHECK(relays_recall(r, "MX.example.net", 25, got) == 1, "seen");
	CHECK(memcmp(got, &a, sizeof(a)) == 0, "there");
	CHECK(relays_recall(r, "mx.example.net", 587, got) == 0, "a port");
	a = address("192.0.2.2");
	relays_remember(r, "mx.example.net", 25, &a, 1);
	CHECK(relays_recall(r, "mx.example.net", 25, got) == 1 &&
		  memcmp(got, &a, sizeof(a)) == 0,
	    "it moved");
	/* Of other configurations, in the course of time. */
	for (size_t i = 0; i < 3 * WAY_RELAYS_MAX; i++) {
		snprintf(host, sizeof(host), "%zu.example.net", i);
		relays_remember(r, host, 25, &a, 1);
	}
	CHECK(relays_recall(r, "mx.example.net", 25, got) == 0, "forgotten");
	CHECK(relays_recall(r, host, 25, got) == 1, "the last one is not");
	free(r);
}

TEST(a_relay_is_down_when_its_own_port_is)
{
	static const struct {
		enum status_kind kind;
		const char *target;
		enum watch_status status;
		bool is_masked;
		enum relay_sign want;
	} cases[] = {
		{ STATUS_SMTP, "mx.example.net", WATCH_DOWN, false,
		    RELAY_DOWN },
		{ STATUS_TCP, "MX.example.net:25", WATCH_DOWN, false,
		    RELAY_DOWN },
		{ STATUS_SMTP, "mx.example.net", WATCH_UP, true, RELAY_WORKS },
		{ STATUS_SMTP, "mx.example.net", WATCH_DEGRADED, false,
		    RELAY_WORKS },
		{ STATUS_SMTP, "mx.example.net", WATCH_UNKNOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.net", WATCH_UNKNOWN, true,
		    RELAY_HOST_DOWN },
		{ STATUS_PING, "mx.example.net", WATCH_DOWN, false,
		    RELAY_HOST_DOWN },
		/* It says nothing of the port. */
		{ STATUS_PING, "mx.example.net", WATCH_UP, false,
		    RELAY_UNSEEN },
		/* Another port, another host, a question about its name. */
		{ STATUS_TCP, "mx.example.net:8080", WATCH_DOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_HTTP, "https://mx.example.net/", WATCH_DOWN, true,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.net:587", WATCH_UP, false,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.org", WATCH_DOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_DNS, "mx.example.net", WATCH_DOWN, false,
		    RELAY_UNSEEN },
	};
	const struct way relay = { .host = STR("mx.example.net"), .port = 25 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_check c = { .kind = cases[i].kind,
			.target = str_c(cases[i].target) };

		CHECK(relays_sign(&relay, &c, cases[i].status,
			  cases[i].is_masked) == cases[i].want,
		    cases[i].target);
	}
}

TEST(logins_are_lines)
{
	static const struct {
		const char *line, *host, *login, *password;
		uint16_t port;
	} cases[] = {
		{ "mx.example.net user pass", "mx.example.net", "user", "pass",
		    0 },
		{ "  192.0.2.1:587   u@x.example  a b c ", "192.0.2.1",
		    "u@x.example", "a b c", 587 },
		{ "mx.example.net user", NULL, NULL, NULL, 0 },
		{ "mx.example.net", NULL, NULL, NULL, 0 },
		{ "host! user pass", NULL, NULL, NULL, 0 },
		{ "", NULL, NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct relay_login l;
		bool ok = relays_parse_line(str_c(cases[i].line), &l);

		CHECK(ok == (cases[i].host != NULL), cases[i].line);
		if (!ok)
			continue;
		CHECK(str_eq(l.host, str_c(cases[i].host)) &&
			  str_eq(l.login, str_c(cases[i].login)) &&
			  str_eq(l.password, str_c(cases[i].password)) &&
			  l.port == cases[i].port,
		    cases[i].line);
	}
}

TEST_MAIN(UNIT(a_relay_that_is_down_is_tried_last),
    UNIT(who_needs_names_comes_last_while_none_is_answered),
    UNIT(the_own_queue_is_the_last_resort),
    UNIT(no_way_holds_up_the_next_one_for_long),
    UNIT(pauses_grow_and_have_an_end), UNIT(a_relay_is_where_it_was),
    UNIT(a_relay_is_down_when_its_own_port_is), UNIT(logins_are_lines))
