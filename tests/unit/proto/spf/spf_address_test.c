/* SPDX-License-Identifier: ISC */
/* spf_address_test.c - addresses, networks, and names for the DNS. */
#include "../../test.h"
#include "base/hostname.h"
#include "proto/spf/spf_address.h"
#include "proto/spf/spf_name.h"

static struct spf_address
address(const char *text)
{
	struct spf_address a;

	CHECK(spf_address_parse(str_c(text), &a), text);
	return a;
}

TEST(addresses_are_read_strictly)
{
	static const struct {
		const char *in;
		bool v4;
		bool v6;
	} cases[] = {
		{ "192.0.2.1", true, false },
		{ "255.255.255.255", true, false },
		{ "0.0.0.0", true, false },
		{ "192.0.2", false, false },
		{ "192.0.2.256", false, false },
		{ "192.0.2.01", false, false },
		{ "192.0.2.1.", false, false },
		{ " 192.0.2.1", false, false },
		{ "192.0.2.1 ", false, false },
		{ "0x7f.0.0.1", false, false },
		{ "", false, false },
		{ "::", false, true },
		{ "2001:DB8::1", false, true },
		{ "::ffff:192.0.2.1", false, true },
		{ "1:2:3:4:5:6:7:8", false, true },
		{ "1:2:3:4:5:6:7", false, false },
		{ "1::2::3", false, false },
		{ "12345::", false, false },
		{ "::1%eth0", false, false },
		{ "[::1]", false, false },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
		    false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		struct spf_address a = { .bytes = { 7 } };

		CHECK(spf_address_parse_v4(in, &a) == cases[i].v4, cases[i].in);
		CHECK(spf_address_parse_v6(in, &a) == cases[i].v6, cases[i].in);
		CHECK(spf_address_parse(in, &a) == (cases[i].v4 || cases[i].v6),
		    cases[i].in);
		if (!cases[i].v4 && !cases[i].v6)
			CHECK(a.bytes[0] == 7 && !a.is_v6, "untouched");
	}
	CHECK(!spf_address_parse(
		  str_make("::1\0", 4), &(struct spf_address){ 0 }),
	    "NUL");
}

TEST(networks_hold_what_shares_their_prefix)
{
	static const struct {
		const char *a;
		const char *network;
		unsigned prefix;
		bool want;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 32, true },
		{ "192.0.2.1", "192.0.2.0", 32, false },
		{ "192.0.2.1", "192.0.2.0", 31, true },
		{ "192.0.2.2", "192.0.2.0", 31, false },
		{ "192.0.2.255", "192.0.2.128", 25, true },
		{ "192.0.2.127", "192.0.2.128", 25, false },
		{ "10.1.2.3", "10.255.255.255", 8, true },
		{ "11.1.2.3", "10.1.2.3", 8, false },
		{ "11.1.2.3", "10.1.2.3", 7, true },
		{ "1.2.3.4", "5.6.7.8", 0, true },
		{ "128.0.0.0", "0.0.0.0", 1, false },
		{ "2001:db8::1", "2001:db8::2", 0, true },
		{ "2001:db8::1", "2001:db8::2", 126, true },
		{ "2001:db8::1", "2001:db8::2", 127, false },
		{ "2001:db8::1", "2001:db8::1", 128, true },
		{ "cafe:babe:8000::", "cafe:babe::", 32, true },
		{ "cafe:babe:8000::", "cafe:babe::", 33, false },
		/* Families never meet. */
		{ "0.0.0.0", "::", 0, false },
		{ "::", "0.0.0.0", 0, false },
		{ "::ffff:1.2.3.4", "1.2.3.4", 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_address a = address(cases[i].a);
		struct spf_address net = address(cases[i].network);

		CHECK(spf_address_is_in(&a, &net, cases[i].prefix) ==
			  cases[i].want,
		    cases[i].a);
	}
}

TEST(mapped_addresses_are_ipv4)
{
	struct spf_address a = address("::FFFF:192.0.2.7");
	struct spf_address v4 = address("192.0.2.7");
	struct spf_address six = address("::FFFE:192.0.2.7");

	a = spf_address_unmap(a);
	CHECK(memcmp(&a, &v4, sizeof(a)) == 0, "mapped");
	a = spf_address_unmap(v4);
	CHECK(memcmp(&a, &v4, sizeof(a)) == 0, "was IPv4");
	a = spf_address_unmap(six);
	CHECK(memcmp(&a, &six, sizeof(a)) == 0, "is IPv6");
}

TEST(addresses_are_written_in_both_forms)
{
	static const struct {
		const char *in;
		const char *text;
		const char *dotted;
	} cases[] = {
		{ "192.0.2.3", "192.0.2.3", "192.0.2.3" },
		{ "2001:DB8::CB01", "2001:db8::cb01",
		    "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0."
		    "0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_address a = address(cases[i].in);
		struct buf b = BUF_INIT(200);

		spf_address_put(&a, &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].text)), cases[i].in);
		buf_reset(&b, 200);
		spf_address_put_dotted(&a, &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].dotted)), cases[i].in);
		buf_done(&b);
	}
}

#define L60 "a23456789012345678901234567890123456789012345678901234567890"
#define L63 L60 "123"

TEST(names_obey_the_lengths_of_the_dns)
{
	static const struct {
		const char *what;
		const char *in;
		bool want;
	} cases[] = {
		{ "usual", "example.com", true },
		{ "one label", "com", true },
		{ "dot at the end", "example.com.", true },
		{ "two dots at the end", "example.com..", false },
		{ "only a dot", ".", false },
		{ "nothing", "", false },
		{ "dot at the start", ".example.com", false },
		{ "empty label", "a..example.com", false },
		{ "colon, slash, space", "a:b/c d.example.com", true },
		{ "control", "a\tb.example.com", false },
		{ "UTF-8", "gr\xC3\xBCn.example", false },
		{ "DEL", "a\x7F.example", false },
		{ "long label", L63 ".example.com", true },
		{ "label too long", L63 "4.example.com", false },
		{ "253", L60 "1." L63 "." L63 "." L63, true },
		{ "254", L60 "12." L63 "." L63 "." L63, false },
		{ "253 and a dot", L60 "1." L63 "." L63 "." L63 ".", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spf_name name = { .n = 99 };
		struct str in = str_c(cases[i].in);
		bool ok = spf_name_set(in, &name);

		CHECK(ok == cases[i].want, cases[i].what);
		if (!ok)
			CHECK(name.n == 99, "untouched");
		else
			CHECK(str_starts(in, spf_name_str(&name)) &&
				  !str_ends(spf_name_str(&name), STR(".")),
			    cases[i].what);
	}
}

TEST(names_are_under_their_parents)
{
	static const struct {
		const char *name;
		const char *parent;
		bool want;
	} cases[] = {
		{ "example.com", "example.com", true },
		{ "mx.example.com", "example.com", true },
		{ "a.b.EXAMPLE.com", "example.COM", true },
		{ "badexample.com", "example.com", false },
		{ "example.com", "mx.example.com", false },
		{ "example.org", "example.com", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(hostname_is_under(str_c(cases[i].name),
			  str_c(cases[i].parent)) == cases[i].want,
		    cases[i].name);
}

TEST_MAIN(UNIT(addresses_are_read_strictly),
    UNIT(networks_hold_what_shares_their_prefix),
    UNIT(mapped_addresses_are_ipv4), UNIT(addresses_are_written_in_both_forms),
    UNIT(names_obey_the_lengths_of_the_dns),
    UNIT(names_are_under_their_parents))
