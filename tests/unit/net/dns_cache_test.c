/* SPDX-License-Identifier: ISC */
/* dns_cache_test.c - what is kept, for how long, and how much of it. */
#include "../test.h"
#include "net/dns_cache.h"

#define NOW 5000000ULL

static struct dns_answer
answer(enum dns_status status, uint32_t ttl)
{
	static const struct str data[] = { { "\x7f\0\0\1", 4 }, { "", 0 },
		{ "abc", 3 } };

	return (struct dns_answer){ .status = status,
		.is_secure = true,
		.is_alias = true,
		.data = data,
		.n = status == DNS_FOUND ? ARRAY_LEN(data) : 0,
		.ttl = ttl,
		.name = "end.example",
		.why = "gone after the call" };
}

/* The seconds that are left, or -1. */
static long
left(struct dns_cache *c, const char *name, enum dns_type type, uint64_t now)
{
	struct dns_cached *e = dns_cache_get(c, name, type, now);
	long ttl;

	if (e == NULL)
		return -1;
	ttl = dns_cached_answer(e).ttl;
	dns_cached_unref(e);
	return ttl;
}

TEST(an_answer_is_kept_as_it_was)
{
	static const enum dns_status kept[] = { DNS_FOUND, DNS_NO_NAME,
		DNS_NO_DATA };
	struct dns_cache *c = dns_cache_new();

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		struct dns_answer a = answer(kept[i], 30), b;
		struct dns_cached *e;

		a.is_secure = i % 2;
		dns_cache_put(c, "a.example", DNS_TXT, &a, NOW);
		e = dns_cache_get(c, "A.Example.", DNS_TXT, NOW);
		CHECK(e != NULL, "in any case, with a dot");
		b = dns_cached_answer(e);
		CHECK(b.status == a.status && b.is_secure == a.is_secure &&
			  b.is_alias && b.ttl == 30 && b.n == a.n,
		    "all of it");
		for (size_t k = 0; k < b.n; k++)
			CHECK(str_eq(a.data[k], b.data[k]) &&
				  a.data[k].p != b.data[k].p,
			    "copies");
		CHECK(strcmp(b.name, a.name) == 0 && b.name != a.name &&
			  b.why == NULL,
		    "nothing of the caller's");
		dns_cached_unref(e);
	}
	CHECK(dns_cache_entries(c) == 1, "one in place of the other");
	CHECK(left(c, "a.example", DNS_A, NOW) == -1, "another type");
	CHECK(left(c, "b.example", DNS_TXT, NOW) == -1, "another name");
	dns_cache_free(c);
}

TEST(for_its_ttl_and_a_minute_at_most)
{
	struct dns_cache *c = dns_cache_new();
	struct dns_answer a = answer(DNS_FOUND, 5);

	dns_cache_put(c, "short", DNS_A, &a, NOW);
	a.ttl = 3600;
	dns_cache_put(c, "long", DNS_A, &a, NOW);
	CHECK(left(c, "short", DNS_A, NOW + 3999) == 2, "what is left");
	CHECK(left(c, "short", DNS_A, NOW + 4999) == 1, "what is left");
	CHECK(left(c, "short", DNS_A, NOW + 5000) == -1, "over");
	CHECK(left(c, "long", DNS_A, NOW + 10000) == 3590, "counts down");
	CHECK(left(c, "long", DNS_A, NOW + 59999) == 3541, "nearly");
	CHECK(left(c, "long", DNS_A, NOW + 60000) == -1, "asked for anew");
	CHECK(dns_cache_entries(c) == 0 && dns_cache_bytes(c) == 0, "empty");
	dns_cache_free(c);
}

TEST(what_could_not_be_told_is_not_kept)
{
	struct dns_cache *c = dns_cache_new();
	struct dns_answer a = answer(DNS_FOUND, 60);

	dns_cache_put(c, "x", DNS_A, &a, NOW);
	a = answer(DNS_TEMPFAIL, 60);
	dns_cache_put(c, "x", DNS_A, &a, NOW);
	CHECK(left(c, "x", DNS_A, NOW) == -1, "nor what was there before");
	a = answer(DNS_BOGUS, 60);
	dns_cache_put(c, "x", DNS_A, &a, NOW);
	CHECK(left(c, "x", DNS_A, NOW) == -1, "forged");
	a = answer(DNS_FOUND, 0);
	dns_cache_put(c, "x", DNS_A, &a, NOW);
	CHECK(left(c, "x", DNS_A, NOW) == -1, "for this once");
	dns_cache_free(c);
}

TEST(who_was_not_asked_for_longest_goes_first)
{
	struct dns_cache *c = dns_cache_new();
	struct dns_answer a = answer(DNS_FOUND, 60);
	char name[30];

	for (size_t i = 0; i < DNS_CACHE_ENTRIES_MAX * 2; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_cache_put(c, name, DNS_A, &a, NOW);
		CHECK(left(c, "n0.example", DNS_A, NOW) == 60, "asked often");
	}
	CHECK(dns_cache_entries(c) == DNS_CACHE_ENTRIES_MAX, "a bound");
	CHECK(left(c, "n1.example", DNS_A, NOW) == -1, "gone");
	CHECK(left(c, name, DNS_A, NOW) == 60, "the last one");
	dns_cache_free(c);
}

TEST(bytes_have_a_bound_too)
{
	static char large[DNS_CACHE_ANSWER_MAX];
	struct dns_cache *c = dns_cache_new();
	struct str data[1] = { { large, sizeof(large) } };
	struct dns_answer a = {
		.status = DNS_FOUND, .ttl = 60, .data = data, .n = 1
	};
	char name[30];

	dns_cache_put(c, "x", DNS_TXT, &a, NOW);
	CHECK(dns_cache_entries(c) == 0, "too large to be kept");
	data[0].n -= 1000;
	for (size_t i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_cache_put(c, name, DNS_TXT, &a, NOW);
		CHECK(dns_cache_bytes(c) <= DNS_CACHE_BYTES_MAX, "bound");
	}
	CHECK(left(c, name, DNS_TXT, NOW) == 60, "the last one");
	dns_cache_free(c);
}

TEST(an_answer_in_use_outlives_the_cache)
{
	struct dns_cache *c = dns_cache_new();
	struct dns_answer a = answer(DNS_FOUND, 60);
	struct dns_cached *e;

	dns_cache_put(c, "x", DNS_A, &a, NOW);
	e = dns_cache_get(c, "x", DNS_A, NOW);
	dns_cache_free(c);
	a = dns_cached_answer(e);
	CHECK(str_eq(a.data[2], STR("abc")), "still there");
	dns_cached_unref(e);
}

TEST_MAIN(UNIT(an_answer_is_kept_as_it_was),
    UNIT(for_its_ttl_and_a_minute_at_most),
    UNIT(what_could_not_be_told_is_not_kept),
    UNIT(who_was_not_asked_for_longest_goes_first),
    UNIT(bytes_have_a_bound_too), UNIT(an_answer_in_use_outlives_the_cache))
