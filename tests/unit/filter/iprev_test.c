/* SPDX-License-Identifier: ISC */
/* iprev_test.c - names of clients, forth and back. */
#include "../test.h"
#include "filter/iprev.h"

struct step {
	const char *question; /* "TYPE name" */
	enum dns_status status;
	const char *records[IPREV_NAMES_MAX + 2]; /* names, or addresses */
};

static size_t
read_records(
    const struct step *s, struct spf_address *addresses, struct str *to)
{
	size_t n = 0;

	for (; n < ARRAY_LEN(s->records) && s->records[n] != NULL; n++) {
		to[n] = str_c(s->records[n]);
		if (spf_address_parse(to[n], &addresses[n]))
			to[n] = str_make(
			    addresses[n].bytes, addresses[n].is_v6 ? 16 : 4);
	}
	return n;
}

static void
play(struct iprev *p, const char *client, const struct step *steps, size_t n)
{
	struct spf_address address, addresses[IPREV_NAMES_MAX + 2];
	struct str records[IPREV_NAMES_MAX + 2];
	char name[DNS_NAME_MAX + 1], asked[DNS_NAME_MAX + 8];
	enum dns_type type;

	CHECK(spf_address_parse(str_c(client), &address), client);
	iprev_start(p, &address);
	for (size_t i = 0; i < n; i++) {
		CHECK(iprev_question(p, &type, name), "asks");
		snprintf(asked, sizeof(asked), "%s %s",
		    type == DNS_PTR ? "PTR"
		    : type == DNS_A ? "A"
				    : "AAAA",
		    name);
		assert_string_equal(asked, steps[i].question);
		iprev_answer(p, steps[i].status, records,
		    read_records(&steps[i], addresses, records));
	}
	CHECK(!iprev_question(p, &type, name), "done");
}

#define PTR4 "PTR 1.2.0.192.in-addr.arpa"

TEST(results_are_those_of_rfc_8601)
{
	static const struct {
		const char *name;
		struct step steps[4];
		size_t n;
		enum iprev_result want;
	} cases[] = {
		{ "there and back",
		    { { PTR4, DNS_FOUND, { "a.example" } },
			{ "A a.example", DNS_FOUND, { "192.0.2.1" } } },
		    2, IPREV_PASS },
		{ "by the second name, third address",
		    { { PTR4, DNS_FOUND, { "a.example", "b.example" } },
			{ "A a.example", DNS_NO_NAME, { NULL } },
			{ "A b.example", DNS_FOUND,
			    { "192.0.2.7", "192.0.2.8", "192.0.2.1" } } },
		    3, IPREV_PASS },
		{ "to elsewhere",
		    { { PTR4, DNS_FOUND, { "a.example" } },
			{ "A a.example", DNS_FOUND, { "192.0.2.2" } } },
		    2, IPREV_FAIL },
		{ "a name without addresses",
		    { { PTR4, DNS_FOUND, { "a.example" } },
			{ "A a.example", DNS_NO_DATA, { NULL } } },
		    2, IPREV_FAIL },
		{ "no name", { { PTR4, DNS_NO_NAME, { NULL } } }, 1,
		    IPREV_PERMERROR },
		{ "names that are none", { { PTR4, DNS_FOUND, { "" } } }, 1,
		    IPREV_PERMERROR },
		{ "silence", { { PTR4, DNS_TEMPFAIL, { NULL } } }, 1,
		    IPREV_TEMPERROR },
		{ "forged", { { PTR4, DNS_BOGUS, { NULL } } }, 1,
		    IPREV_TEMPERROR },
		{ "silence on the way back",
		    { { PTR4, DNS_FOUND, { "a.example", "b.example" } },
			{ "A a.example", DNS_TEMPFAIL, { NULL } },
			{ "A b.example", DNS_FOUND, { "192.0.2.2" } } },
		    3, IPREV_TEMPERROR },
		{ "silence, but another name leads back",
		    { { PTR4, DNS_FOUND, { "a.example", "b.example" } },
			{ "A a.example", DNS_TEMPFAIL, { NULL } },
			{ "A b.example", DNS_FOUND, { "192.0.2.1" } } },
		    3, IPREV_PASS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct iprev p;

		play(&p, "192.0.2.1", cases[i].steps, cases[i].n);
		CHECK(p.result == cases[i].want, cases[i].name);
		iprev_done(&p);
	}
}

TEST(ipv6_has_a_zone_of_its_own)
{
	static const struct step steps[] = {
		{ "PTR "
		  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0."
		  "1.0.0.2.ip6.arpa",
		    DNS_FOUND, { "a.example" } },
		{ "AAAA a.example", DNS_FOUND, { "2001:db8::1" } },
	};
	struct iprev p;

	play(&p, "2001:db8::1", steps, ARRAY_LEN(steps));
	CHECK(p.result == IPREV_PASS, "");
	CHECK(strcmp(p.names[p.at], "a.example") == 0, "the name");
	iprev_done(&p);
}

TEST(only_the_first_names_are_looked_up)
{
	struct str names[IPREV_NAMES_MAX + 5];
	struct spf_address address;
	char name[DNS_NAME_MAX + 1];
	enum dns_type type;
	struct iprev p;
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = STR("a.example");
	CHECK(spf_address_parse(STR("192.0.2.1"), &address), "");
	iprev_start(&p, &address);
	iprev_answer(&p, DNS_FOUND, names, ARRAY_LEN(names));
	for (; iprev_question(&p, &type, name); asked++)
		iprev_answer(&p, DNS_NO_DATA, NULL, 0);
	CHECK(asked == IPREV_NAMES_MAX, "bounded");
	iprev_done(&p);
}

TEST_MAIN(UNIT(results_are_those_of_rfc_8601), UNIT(ipv6_has_a_zone_of_its_own),
    UNIT(only_the_first_names_are_looked_up))
