/* SPDX-License-Identifier: ISC */
/* sts_test.c - when a policy is fetched, and what it says of a host. */
#include "../../test.h"

#include "send/tls/sts.h"

#define NOW 1790000000ULL

TEST(when_a_policy_is_fetched)
{
	static const struct {
		const char *name;
		bool has_kept;
		const char *kept_id;
		uint64_t age; /* of 1000 s */
		bool has_record;
		const char *id;
		bool has_failed;
		enum sts_step want;
	} cases[] = {
		{ "nothing", false, "", 0, false, "", false, STS_USE },
		{ "new", false, "", 0, true, "1", false, STS_FETCH },
		{ "new, fails", false, "", 0, true, "1", true, STS_USE },
		{ "kept", true, "1", 400, true, "1", false, STS_USE },
		{ "another id", true, "1", 1, true, "2", false, STS_FETCH },
		{ "and fails", true, "1", 1, true, "2", true, STS_USE },
		{ "half", true, "1", 500, true, "1", false, STS_USE },
		{ "more", true, "1", 501, true, "1", false, STS_USE_REFRESH },
		{ "fails", true, "1", 501, true, "1", true, STS_USE },
		{ "no record", true, "1", 999, false, "", false, STS_USE },
		{ "case", true, "a", 1, true, "A", false, STS_FETCH },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct sts_known k = {
			.has_kept = cases[i].has_kept,
			.kept_id = str_c(cases[i].kept_id),
			.fetched = NOW,
			.until = NOW + 1000,
			.now = NOW + cases[i].age,
			.has_record = cases[i].has_record,
			.id = str_c(cases[i].id),
			.has_failed = cases[i].has_failed,
		};

		CHECK(sts_next(&k) == cases[i].want, cases[i].name);
	}
}

TEST(a_clock_that_went_back_fetches_nothing)
{
	const struct sts_known k = { .has_kept = true,
		.kept_id = STR("1"),
		.fetched = NOW,
		.until = NOW + 1000,
		.now = NOW - 5000,
		.has_record = true,
		.id = STR("1") };

	CHECK(sts_next(&k) == STS_USE, "earlier than it was fetched");
}

TEST(what_a_policy_says_of_a_host)
{
	static const struct {
		const char *mode, *host;
		enum sts_fit want;
	} cases[] = {
		{ "enforce", "mx1.example.com", STS_ENFORCE },
		{ "enforce", "a.example.net", STS_ENFORCE },
		{ "enforce", "a.b.example.net", STS_ENFORCE_MISFIT },
		{ "enforce", "example.net", STS_ENFORCE_MISFIT },
		{ "testing", "mx1.example.com", STS_TESTING },
		{ "testing", "mx2.example.com", STS_TESTING_MISFIT },
		{ "none", "mx2.example.com", STS_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sts_answer a = { .has_policy = true };
		char text[200];

		snprintf(text, sizeof(text),
		    "version: STSv1\nmode: %s\nmx: mx1.example.com\n"
		    "mx: *.example.net\nmax_age: 1000\n",
		    cases[i].mode);
		CHECK(
		    mtasts_policy_parse(str_c(text), &a.policy) == NULL, text);
		CHECK(sts_fit_of(&a, str_c(cases[i].host)) == cases[i].want,
		    cases[i].host);
		CHECK(sts_fit_str(cases[i].want)[0] != '\0', "word");
		a.has_policy = false;
		CHECK(sts_fit_of(&a, str_c(cases[i].host)) == STS_NONE,
		    "without one");
	}
}

TEST_MAIN(UNIT(when_a_policy_is_fetched),
    UNIT(a_clock_that_went_back_fetches_nothing),
    UNIT(what_a_policy_says_of_a_host))
