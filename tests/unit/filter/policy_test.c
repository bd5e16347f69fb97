/* SPDX-License-Identifier: ISC */
/* policy_test.c - what becomes of a message about which nothing was asked. */
#include "../test.h"
#include "filter/check_internal.h"

static enum analyse_verdict
decide(bool rejects, bool is_unasked, bool has_too_many_authors)
{
	struct conf conf = { .incoming_reject = rejects };
	struct server sv = { .conf = &conf };
	const struct check c = { .sv = &sv,
		.is_expired = is_unasked,
		.is_unasked = is_unasked,
		.has_too_many_authors = has_too_many_authors };
	struct check_result r = { .verdict = ANALYSE_ACCEPT };
	struct buf text = BUF_INIT(KIB(1));

	check_decide(&c, &r, &text);
	CHECK((r.verdict == ANALYSE_ACCEPT) == (r.reply.n == 0), "says why");
	buf_done(&text);
	return r.verdict;
}

TEST(what_could_not_be_asked_about_comes_again)
{
	CHECK(decide(true, true, false) == ANALYSE_LATER, "no way past");
	CHECK(decide(false, true, false) == ANALYSE_ACCEPT, "rejects nothing");
	CHECK(decide(true, false, false) == ANALYSE_ACCEPT, "asked");
	CHECK(decide(true, true, true) == ANALYSE_REJECT, "refused anyway");
}

TEST_MAIN(UNIT(what_could_not_be_asked_about_comes_again))
