/* SPDX-License-Identifier: ISC */
/* reach_report_test.c - how connections end, and which were broken off. */
#include "../test.h"
#include "proc/reach_report.h"

#define GONE \
	{ \
		.is_unanswered = true \
	}
#define RESET \
	{ \
		.is_reset = true \
	}
#define SIGNED_IN .account = 7

static const struct {
	const char *name;
	struct reach_attempt a;
	struct conn_path path;
	enum conn_end how;
	enum reach_end end;
	bool is_cut;
} cases[] = {
	{ "LOGOUT", { SIGNED_IN, .is_well = true }, { 0 }, CONN_END_LOCAL,
	    REACH_END_WELL, false },
	{ "LOGOUT, then a reset", { SIGNED_IN, .is_well = true }, RESET,
	    CONN_END_RESET, REACH_END_WELL, false },
	{ "LOGOUT, and the answer was lost", { SIGNED_IN, .is_well = true },
	    GONE, CONN_END_TIMEOUT, REACH_END_WELL, false },
	{ "it left", { SIGNED_IN }, { 0 }, CONN_END_EOF, REACH_END_WELL,
	    false },
	{ "nothing to say for half an hour", { SIGNED_IN, .is_expired = true },
	    { 0 }, CONN_END_LOCAL, REACH_END_TIMEOUT, false },
	{ "the same", { SIGNED_IN }, { 0 }, CONN_END_TIMEOUT, REACH_END_TIMEOUT,
	    false },
	{ "reset", { SIGNED_IN }, RESET, CONN_END_RESET, REACH_END_RESET,
	    true },
	{ "reset while we waited to close", { SIGNED_IN }, RESET,
	    CONN_END_LOCAL, REACH_END_RESET, true },
	{ "what we sent does not arrive", { SIGNED_IN, .is_expired = true },
	    GONE, CONN_END_LOCAL, REACH_END_TIMEOUT, true },
	{ "and the client gives up first", { SIGNED_IN }, GONE, CONN_END_EOF,
	    REACH_END_LEFT, true },
	{ "the kernel gives up", { SIGNED_IN }, GONE, CONN_END_RESET,
	    REACH_END_RESET, true },
	{ "it falls silent in a message",
	    { SIGNED_IN, .is_expired = true, .is_underway = true }, { 0 },
	    CONN_END_LOCAL, REACH_END_TIMEOUT, true },
	{ "it leaves in a message", { SIGNED_IN, .is_underway = true }, { 0 },
	    CONN_END_EOF, REACH_END_LEFT, true },
	{ "we stop", { SIGNED_IN, .is_underway = true }, { 0 }, CONN_END_LOCAL,
	    REACH_END_SERVER, false },
	{ "a wrong password", { .has_failed = true }, RESET, CONN_END_RESET,
	    REACH_END_AUTH, false },
	{ "a handshake", { .account = 0 }, { 0 }, CONN_END_TLS, REACH_END_TLS,
	    false },
	{ "it looked in", { .account = 0 }, { 0 }, CONN_END_EOF, REACH_END_LEFT,
	    false },
};

TEST(what_ends_is_told_from_what_breaks_off)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_cut = !cases[i].is_cut;
		enum reach_end end = reach_report_how(
		    &cases[i].a, &cases[i].path, cases[i].how, &is_cut);

		CHECK(end == cases[i].end, cases[i].name);
		CHECK(is_cut == cases[i].is_cut, cases[i].name);
	}
}

TEST_MAIN(UNIT(what_ends_is_told_from_what_breaks_off))
