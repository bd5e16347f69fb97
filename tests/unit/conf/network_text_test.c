/* SPDX-License-Identifier: ISC */
/* network_text_test.c - networks of the configuration. */
#include "../test.h"
#include "conf/network_text.h"

TEST(an_address_is_in_the_networks_that_hold_it)
{
	static const struct {
		const char *list, *address;
		bool want;
	} cases[] = {
		{ "192.0.2.1\n", "192.0.2.1", true },
		{ "192.0.2.1\n", "192.0.2.2", false },
		{ "192.0.2.1\n", "::ffff:192.0.2.1", true },
		{ "192.0.2.0/24\n", "192.0.2.255", true },
		{ "192.0.2.0/24\n", "192.0.3.0", false },
		{ "192.0.2.128/25\n", "192.0.2.127", false },
		{ "192.0.2.128/25\n", "192.0.2.129", true },
		{ "10.0.0.0/8\n2001:db8::/33\n", "2001:db8:7fff::1", true },
		{ "10.0.0.0/8\n2001:db8::/33\n", "2001:db8:8000::1", false },
		{ "0.0.0.0/0\n", "203.0.113.9", true },
		{ "0.0.0.0/0\n", "2001:db8::1", false },
		{ "::/0\n", "2001:db8::1", true },
		{ "", "192.0.2.1", false },
		{ "::/0\n", "", false },
		{ "::/0\n", "local", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(network_list_holds(str_c(cases[i].list),
			  str_c(cases[i].address)) == cases[i].want,
		    cases[i].address);
}

TEST(what_is_no_network_is_refused)
{
	static const char *const cases[] = { "", "/", "192.0.2.1/", "/8",
		"192.0.2.1/33", "192.0.2.1/24", "2001:db8::/129",
		"2001:db8::1/64", "example.org", "192.0.2", "192.0.2.0/-1",
		"192.0.2.0/24/8", "192.0.2.0/ 24", " 192.0.2.1" };
	struct network n;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(!network_parse(str_c(cases[i]), &n), cases[i]);
}

TEST(loopback_is_recognised_in_all_forms)
{
	CHECK(network_is_loopback(STR("127.0.0.1")), "");
	CHECK(network_is_loopback(STR("127.1.2.3")), "");
	CHECK(network_is_loopback(STR("::1")), "");
	CHECK(network_is_loopback(STR("::ffff:127.0.0.1")), "");
	CHECK(!network_is_loopback(STR("128.0.0.1")), "");
	CHECK(!network_is_loopback(STR("::2")), "");
}

TEST_MAIN(UNIT(an_address_is_in_the_networks_that_hold_it),
    UNIT(what_is_no_network_is_refused),
    UNIT(loopback_is_recognised_in_all_forms))
