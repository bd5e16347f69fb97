/* SPDX-License-Identifier: ISC */
/* http_places_test.c - nobody has all the places for requests. */
#include "../test.h"
#include "net/http_places.h"

static uint64_t
owner(const char *name)
{
	return http_places_owner(str_c(name), 4711);
}

TEST(an_organisation_has_a_few_places)
{
	struct http_places p = { 0 };

	for (size_t i = 0; i < HTTP_PLACES_OWNER_MAX; i++)
		CHECK(http_places_take(&p, owner("slow.example")), "has some");
	CHECK(!http_places_take(&p, owner("slow.example")), "not more");
	CHECK(!http_places_take(&p, owner("Slow.EXAMPLE")), "in any case");
	CHECK(http_places_take(&p, owner("quick.example")), "others do");
	http_places_give(&p, owner("quick.example"));
	CHECK(!http_places_take(&p, owner("slow.example")), "not by that");
	http_places_give(&p, owner("slow.example"));
	CHECK(http_places_take(&p, owner("slow.example")), "one ended");
}

TEST(all_of_them_have_a_bound)
{
	struct http_places p = { 0 };
	char name[20];

	for (size_t i = 0; i < HTTP_PLACES_MAX; i++) {
		CHECK(!http_places_are_full(&p), "not yet");
		snprintf(name, sizeof(name), "%zu.example", i);
		CHECK(http_places_take(&p, owner(name)), name);
	}
	CHECK(http_places_are_full(&p), "now");
	CHECK(!http_places_take(&p, owner("")), "no more");
	http_places_give(&p, owner("0.example"));
	CHECK(http_places_take(&p, owner("")), "in its place");
}

TEST_MAIN(
    UNIT(an_organisation_has_a_few_places), UNIT(all_of_them_have_a_bound))
