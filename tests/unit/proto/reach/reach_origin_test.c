/* SPDX-License-Identifier: ISC */
/* reach_origin_test.c - what the DNS is asked, and what it may answer. */
#include "../../test.h"
#include "proto/reach/reach_origin.h"

static const struct {
	const char *net, *name; /* NULL: is not asked */
} questions[] = {
	{ "216.90.108.31", "0.0.90.216.origin.as.example" },
	{ "10.1.2.3", "0.0.1.10.origin.as.example" },
	{ "2001:db8:77::1", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			    "8.b.d.0.1.0.0.2.origin6.as.example" },
	{ "AS1", NULL },
	{ "local", NULL },
	{ "others", NULL },
};

/* A client's address is 192.0.2.77, and no more than 192.0 goes out. */
TEST(only_a_prefix_is_asked_for)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		struct buf b = BUF_INIT(KIB(1));
		struct reach_net net;
		bool ok;

		CHECK(reach_net_parse(str_c(questions[i].net), &net), "net");
		ok = reach_origin_question(&b, &net, "as.example");
		CHECK(ok == (questions[i].name != NULL), questions[i].net);
		if (ok)
			CHECK(strcmp(buf_c(&b), questions[i].name) == 0,
			    questions[i].net);
		buf_done(&b);
	}
}

static const struct {
	const char *text;
	uint32_t as; /* 0: no answer */
} answers[] = {
	{ "23028 | 216.90.108.0/24 | US | arin | 1998-09-25", 23028 },
	{ "701 1239 7018 | 192.0.2.0/24 | US", 701 },
	{ "23028", 23028 },
	{ "  23028  |", 23028 },
	{ "0 | x", 0 },
	{ "AS1 | x", 0 },
	{ "4294967296 | x", 0 },
	{ "", 0 },
	{ "| 1", 0 },
	{ "-5 | x", 0 },
};

TEST(origins_are_read)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		uint32_t as = 0;
		bool ok = reach_origin_answer(str_c(answers[i].text), &as);

		CHECK(ok == (answers[i].as != 0), answers[i].text);
		CHECK(!ok || as == answers[i].as, answers[i].text);
	}
}

TEST(names_are_tame)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "23028 | US | arin | 2002-01-04 | TEAMCYMRU - Team, US",
		    "TEAMCYMRU - Team, US" },
		{ "1 | a | b | c |   ", NULL },
		{ "1 | a | b | c", NULL },
		{ "1 | a | b | c | x\ny\x1b[2J", "x?y?[2J" },
		{ "1 | a | b | c | R\xc3\xa9union", "R\xc3\xa9union" },
		{ "1 | a | b | c | \xc3(\xff\xe2\x82", "?(???" },
		{ "1 | a | b | c | \xc2\x9b.", "??." },
		{ "1|2|3|4|5|6|7|8|9", "8" },
	};
	char name[REACH_AS_NAME_MAX + 1], longer[200];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool ok = reach_as_answer(str_c(cases[i].text), name);

		CHECK(ok == (cases[i].name != NULL), cases[i].text);
		CHECK(!ok || strcmp(name, cases[i].name) == 0, cases[i].text);
	}
	memset(longer, 'x', sizeof(longer));
	reach_as_name(str_make(longer, sizeof(longer)), name);
	CHECK(strlen(name) == REACH_AS_NAME_MAX, "cut");
	/* Not within a character. */
	memcpy(longer + REACH_AS_NAME_MAX - 1, "\xc3\xa9", 2);
	reach_as_name(str_make(longer, sizeof(longer)), name);
	CHECK(strlen(name) == REACH_AS_NAME_MAX - 1, "cut in front of it");
}

TEST_MAIN(UNIT(only_a_prefix_is_asked_for), UNIT(origins_are_read),
    UNIT(names_are_tame))
