/* SPDX-License-Identifier: ISC */
/* throttle_test.c - delays, bans and trust, in simulated time. */
#include "../test.h"
#include "auth/password.h"
#include "auth/throttle.h"

static const struct throttle_limits limits = { 5, 60, 600 };

static struct throttle_who
who(const char *ip, const char *login, const char *password)
{
	return (
	    struct throttle_who){ str_c(ip), str_c(login), str_c(password) };
}

static struct throttle_verdict
fail_as(
    struct throttle *t, const char *ip, const char *login, int n, uint64_t now)
{
	char password[32];
	struct throttle_who w;

	snprintf(password, sizeof(password), "guess %d", n);
	w = who(ip, login, password);
	return throttle_fail(t, &w, now);
}

static bool
is_banned(struct throttle *t, const char *ip, const char *login, uint64_t now)
{
	struct throttle_who w = who(ip, login, "");

	return throttle_is_banned(t, &w, now);
}

TEST(delays_grow_and_then_the_address_must_wait)
{
	struct throttle *t = throttle_new(&limits);
	uint64_t now = 1000000, before = 0;

	for (int i = 1; i <= 5; i++) {
		struct throttle_verdict v;

		CHECK(!is_banned(t, "192.0.2.1", "a", now), "not yet");
		v = fail_as(t, "192.0.2.1", "a", i, now++);
		CHECK(v.delay_ms > before, "longer each time");
		CHECK(v.delay_ms <= THROTTLE_DELAY_MAX_MS, "bounded");
		CHECK(v.is_new_ban == (i == 5), "ban at the limit");
		before = v.delay_ms;
	}
	CHECK(is_banned(t, "192.0.2.1", "b", now), "whatever the login");
	CHECK(!is_banned(t, "192.0.2.2", "a", now), "others are not");
	CHECK(is_banned(t, "192.0.2.1", "a", now + 599000), "stays");
	CHECK(!is_banned(t, "192.0.2.1", "a", now + 600001), "ends");
	throttle_free(t);
}

TEST(an_address_is_told_what_it_has_to_bear)
{
	struct throttle *t = throttle_new(&limits);
	struct str ip = STR("192.0.2.1");
	uint64_t until = 7;

	CHECK(
	    throttle_client(t, ip, 1000, &until) == THROTTLE_FREE && until == 0,
	    "nothing is known");
	fail_as(t, "192.0.2.1", "a", 1, 1000);
	CHECK(throttle_client(t, ip, 2000, &until) == THROTTLE_SLOWED,
	    "one failure");
	CHECK(until == 1000 + 60 * 1000, "in the window");
	for (int i = 2; i <= 5; i++)
		fail_as(t, "192.0.2.1", "a", i, 3000);
	CHECK(throttle_client(t, ip, 4000, &until) == THROTTLE_BANNED,
	    "too many");
	CHECK(until == 3000 + 600 * 1000, "the ban's end");
	CHECK(
	    throttle_client(t, STR("192.0.2.2"), 4000, &until) == THROTTLE_FREE,
	    "others");
	CHECK(throttle_client(t, ip, until + 700000, &until) == THROTTLE_FREE,
	    "it is over");
	throttle_free(t);
}

TEST(a_device_is_known_for_a_week)
{
	struct throttle *t = throttle_new(&limits);
	struct throttle_who w = who("192.0.2.1", "a", ""), other = w;

	CHECK(!throttle_is_known(t, &w, 1000), "not yet");
	throttle_succeed(t, &w, 1000);
	CHECK(throttle_is_known(t, &w, 2000), "now");
	other.login = STR("b");
	CHECK(!throttle_is_known(t, &other, 2000), "another login");
	other = who("192.0.2.2", "a", "");
	CHECK(!throttle_is_known(t, &other, 2000), "another address");
	CHECK(!throttle_is_known(t, &w, 1001 + THROTTLE_TRUST_MS), "forgotten");
	throttle_free(t);
}

TEST(failures_outside_of_the_window_do_not_count)
{
	struct throttle *t = throttle_new(&limits);
	uint64_t now = 1000000;

	for (int i = 0; i < 40; i++) {
		CHECK(!fail_as(t, "192.0.2.1", "a", i, now).is_new_ban,
		    "four in each window");
		if (i % 4 == 3)
			now += 61000;
	}
	throttle_free(t);
}

TEST(the_same_wrong_password_counts_once)
{
	struct throttle *t = throttle_new(&limits);
	uint64_t now = 1000000;

	for (int i = 0; i < 50; i++)
		CHECK(!fail_as(t, "192.0.2.1", "a", 1, now).is_new_ban,
		    "an old password in a telephone");
	for (int i = 2; i < 5; i++)
		CHECK(!fail_as(t, "192.0.2.1", "a", i, now).is_new_ban,
		    "others count");
	CHECK(fail_as(t, "192.0.2.1", "a", 5, now).is_new_ban, "five");
	throttle_free(t);
}

TEST(an_ipv6_client_is_its_64)
{
	struct throttle *t = throttle_new(&limits);
	uint64_t now = 1000000;
	char ip[64];

	for (int i = 1; i <= 5; i++) {
		snprintf(ip, sizeof(ip), "2001:db8:1:2::%x", i);
		fail_as(t, ip, "a", i, now);
	}
	CHECK(is_banned(t, "2001:db8:1:2:ffff::1", "b", now), "same /64");
	CHECK(!is_banned(t, "2001:db8:1:3::1", "b", now), "another /64");
	for (int i = 1; i <= 5; i++)
		fail_as(t, "::ffff:192.0.2.9", "c", i, now);
	CHECK(is_banned(t, "192.0.2.9", "c", now), "mapped is IPv4");
	throttle_free(t);
}

TEST(a_login_attacked_from_everywhere_stays_open_for_its_own)
{
	struct throttle *t = throttle_new(&limits);
	struct throttle_who home = who("198.51.100.7", "victim", "right");
	uint64_t now = 1000000;
	char ip[64];

	throttle_succeed(t, &home, now);
	for (int i = 0; i < 5 * THROTTLE_LOGIN_FACTOR; i++) {
		snprintf(ip, sizeof(ip), "203.0.113.%d", i);
		fail_as(t, ip, "victim", i, now);
	}
	CHECK(is_banned(t, "203.0.113.200", "victim", now), "strangers");
	CHECK(!is_banned(t, "203.0.113.200", "other", now), "other logins");
	CHECK(!is_banned(t, "198.51.100.7", "victim", now), "its own");
	throttle_free(t);
}

TEST(no_limit_means_no_delay)
{
	static const struct throttle_limits none = { 0, 60, 600 };
	struct throttle *t = throttle_new(&none);

	for (int i = 0; i < 100; i++)
		CHECK(
		    fail_as(t, "192.0.2.1", "a", i, 1000).delay_ms == 0, "off");
	CHECK(!is_banned(t, "192.0.2.1", "a", 1000), "off");
	throttle_free(t);
}

/* A flood of addresses must not wash a ban out. */
TEST(bans_outlive_a_flood)
{
	struct throttle *t = throttle_new(&limits);
	uint64_t now = 1000000;
	char ip[64];

	for (int i = 1; i <= 5; i++)
		fail_as(t, "192.0.2.1", "a", i, now);
	for (int i = 0; i < 40000; i++) {
		snprintf(ip, sizeof(ip), "10.%d.%d.%d", i >> 16, i >> 8 & 255,
		    i & 255);
		fail_as(t, ip, "", 0, now);
	}
	CHECK(is_banned(t, "192.0.2.1", "a", now), "still");
	throttle_free(t);
}

static int
setup(UNUSED void **state)
{
	password_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(delays_grow_and_then_the_address_must_wait),
		UNIT(an_address_is_told_what_it_has_to_bear),
		UNIT(a_device_is_known_for_a_week),
		UNIT(failures_outside_of_the_window_do_not_count),
		UNIT(the_same_wrong_password_counts_once),
		UNIT(an_ipv6_client_is_its_64),
		UNIT(a_login_attacked_from_everywhere_stays_open_for_its_own),
		UNIT(no_limit_means_no_delay),
		UNIT(bans_outlive_a_flood),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
