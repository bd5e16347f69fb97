/* SPDX-License-Identifier: ISC */
/* limits_test.c - connections and rates by address. */
#include "../test.h"
#include "net/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct sockaddr_storage
ip(const char *text)
{
	struct sockaddr_storage s = { 0 };
	struct sockaddr_in *in4 = (void *)&s;
	struct sockaddr_in6 *in6 = (void *)&s;

	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1)
		s.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		s.ss_family = AF_INET6;
	else
		s.ss_family = AF_UNIX;
	return s;
}

TEST(connections_are_counted_for_each_address)
{
	struct limits_config config = { .connections = 2 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage a = ip("192.0.2.1"), b = ip("192.0.2.2");

	CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "first");
	CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "second");
	CHECK(limits_enter(l, &a, 0) == LIMITS_TOO_MANY, "third");
	CHECK(limits_enter(l, &b, 0) == LIMITS_OK, "another address");
	limits_leave(l, &a);
	CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "after one left");
	limits_leave(l, &a);
	limits_leave(l, &a);
	limits_leave(l, &b);
	CHECK(limits_count(l) == 0, "nothing is kept");
	limits_free(l);
}

TEST(a_rate_is_a_bucket_that_refills)
{
	struct limits_config config = { .rate_per_minute = 6 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage a = ip("192.0.2.1");

	for (int i = 0; i < 6; i++) {
		CHECK(limits_enter(l, &a, 1000) == LIMITS_OK, "burst");
		limits_leave(l, &a);
	}
	CHECK(limits_enter(l, &a, 1000) == LIMITS_TOO_FAST, "empty");
	CHECK(limits_enter(l, &a, 10999) == LIMITS_TOO_FAST, "not yet");
	CHECK(limits_enter(l, &a, 11000) == LIMITS_OK, "one after 10 s");
	CHECK(limits_enter(l, &a, 11000) == LIMITS_TOO_FAST, "only one");
	limits_leave(l, &a);
	limits_free(l);
}

TEST(a_look_counts_nothing)
{
	struct limits_config config = { .rate_per_minute = 6 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage a = ip("192.0.2.1"), local = ip("unix");
	uint64_t wait_ms = 0;

	for (int i = 0; i < 20; i++)
		CHECK(limits_look(l, &a, 1000, &wait_ms) == LIMITS_OK, "look");
	CHECK(limits_count(l) == 0, "nothing is kept");
	for (int i = 0; i < 6; i++) {
		CHECK(
		    limits_look(l, &a, 1000, &wait_ms) == LIMITS_OK, "not yet");
		CHECK(limits_enter(l, &a, 1000) == LIMITS_OK, "burst");
		limits_leave(l, &a);
	}
	CHECK(limits_look(l, &a, 3000, &wait_ms) == LIMITS_TOO_FAST, "empty");
	CHECK(wait_ms == 8000, "for eight more seconds");
	CHECK(limits_look(l, &a, 11000, &wait_ms) == LIMITS_OK, "again");
	CHECK(limits_look(l, &local, 0, &wait_ms) == LIMITS_OK, "never");
	limits_free(l);
}

TEST(an_ipv6_network_is_one_address)
{
	struct limits_config config = { .connections = 1 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage a = ip("2001:db8:0:1::1");
	struct sockaddr_storage b = ip("2001:db8:0:1:ffff::2");
	struct sockaddr_storage c = ip("2001:db8:0:2::1");

	CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "first");
	CHECK(limits_enter(l, &b, 0) == LIMITS_TOO_MANY, "same /64");
	CHECK(limits_enter(l, &c, 0) == LIMITS_OK, "other /64");
	limits_free(l);
}

TEST(unix_sockets_are_not_counted)
{
	struct limits_config config = { .connections = 1,
		.rate_per_minute = 1 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage a = ip("unix");

	for (int i = 0; i < 10; i++)
		CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "always");
	limits_leave(l, &a);
	CHECK(limits_count(l) == 0, "not kept");
	limits_free(l);
}

static struct sockaddr_storage
numbered(uint32_t n)
{
	struct sockaddr_storage s = { .ss_family = AF_INET };
	struct sockaddr_in *in4 = (void *)&s;

	in4->sin_addr.s_addr = htonl(0x0a000000U + n);
	return s;
}

TEST(memory_is_bounded_and_idle_addresses_are_forgotten)
{
	struct limits_config config = { .rate_per_minute = 60 };
	struct limits *l = limits_new(&config);
	struct sockaddr_storage extra = ip("192.0.2.1");

	for (uint32_t i = 0; i < LIMITS_ADDRESSES_MAX; i++) {
		struct sockaddr_storage a = numbered(i);

		CHECK(limits_enter(l, &a, 0) == LIMITS_OK, "fits");
		limits_leave(l, &a);
	}
	CHECK(limits_count(l) == LIMITS_ADDRESSES_MAX, "full");
	CHECK(limits_enter(l, &extra, 0) == LIMITS_TOO_MANY, "no room");
	CHECK(limits_enter(l, &extra, 2000) == LIMITS_OK, "others are idle");
	CHECK(limits_count(l) <= LIMITS_ADDRESSES_MAX, "bounded");
	limits_free(l);
}

TEST_MAIN(UNIT(connections_are_counted_for_each_address),
    UNIT(a_rate_is_a_bucket_that_refills), UNIT(a_look_counts_nothing),
    UNIT(an_ipv6_network_is_one_address), UNIT(unix_sockets_are_not_counted),
    UNIT(memory_is_bounded_and_idle_addresses_are_forgotten))
