/* SPDX-License-Identifier: ISC */
/* conclusion_test.c - is it you, or is it me? */
#include "../../test.h"
#include "proc/ipc_msgs.h"
#include "proto/reach/reach_public.h"
#include "web/page/parts.h"

#define FREE   true, true, AUTH_CLIENT_FREE, 0
#define BANNED true, true, AUTH_CLIENT_BANNED, 99

static const struct {
	const char *name;
	enum look look;
	enum word sentence;
	struct facts facts;
	enum word want;
	enum look want_look;
} cases[] = {
	{ "nothing is wrong", LOOK_UP, T_ALL_WELL, { FREE, REACH_NOT_ENOUGH },
	    T_C_SO_WELL, LOOK_UP },
	{ "others get through", LOOK_UP, T_ALL_WELL, { FREE, REACH_OTHERS_YES },
	    T_C_SO_DEVICE, LOOK_UP },
	{ "others do not", LOOK_UP, T_ALL_WELL, { FREE, REACH_OTHERS_NO },
	    T_C_SO_NETWORK, LOOK_DEGRADED },
	{ "mail is down", LOOK_DOWN, T_PARTLY_DOWN, { FREE, REACH_OTHERS_NO },
	    T_C_SO_US, LOOK_DOWN },
	{ "all systems, where none is mail's", LOOK_DOWN, T_SYSTEMS_DOWN,
	    { FREE, REACH_OTHERS_YES }, T_C_SO_US, LOOK_DOWN },
	{ "a ban is surer than all else", LOOK_DOWN, T_ALL_DOWN,
	    { BANNED, REACH_OTHERS_YES }, T_C_SO_BANNED, LOOK_DOWN },
	/* Something is wrong here, and it is not mail. */
	{ "another system is down", LOOK_DOWN, T_OTHERS_ILL,
	    { FREE, REACH_NOT_ENOUGH }, T_C_SO_MAIL_WELL, LOOK_DOWN },
	{ "another system is slow, others get through", LOOK_DEGRADED,
	    T_OTHERS_ILL, { FREE, REACH_OTHERS_YES }, T_C_SO_MAIL_DEVICE,
	    LOOK_DEGRADED },
	{ "another system is down, others do not get through", LOOK_DOWN,
	    T_OTHERS_ILL, { FREE, REACH_OTHERS_NO }, T_C_SO_NETWORK,
	    LOOK_DEGRADED },
	/* What is not known is never "nothing wrong". */
	{ "mail is not seen", LOOK_UNKNOWN, T_NOT_SEEN,
	    { FREE, REACH_OTHERS_YES }, T_C_SO_UNKNOWN, LOOK_UNKNOWN },
	{ "mail is not seen, and another system is down", LOOK_DOWN, T_NOT_SEEN,
	    { FREE, REACH_OTHERS_YES }, T_C_SO_UNKNOWN, LOOK_UNKNOWN },
	{ "the watcher is silent", LOOK_UNKNOWN, T_NOT_SINCE,
	    { FREE, REACH_OTHERS_YES }, T_C_SO_UNKNOWN, LOOK_UNKNOWN },
	{ "nothing is watched", LOOK_PLAIN, T_NOTHING_YET,
	    { FREE, REACH_OTHERS_YES }, T_C_SO_UNKNOWN, LOOK_UNKNOWN },
	{ "auth is silent", LOOK_UP, T_ALL_WELL,
	    { false, true, 0, 0, REACH_OTHERS_YES }, T_C_SO_UNKNOWN,
	    LOOK_UNKNOWN },
	{ "nobody can tell of others", LOOK_UP, T_ALL_WELL,
	    { true, false, AUTH_CLIENT_FREE, 0, REACH_OTHERS_YES },
	    T_C_SO_UNKNOWN, LOOK_UNKNOWN },
};

TEST(what_follows_is_said)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct verdict v = { .look = cases[i].look,
			.sentence = cases[i].sentence };
		enum look look;

		CHECK(conclude(&cases[i].facts, &v, &look) == cases[i].want,
		    cases[i].name);
		CHECK(look == cases[i].want_look, cases[i].name);
	}
}

TEST_MAIN(UNIT(what_follows_is_said))
