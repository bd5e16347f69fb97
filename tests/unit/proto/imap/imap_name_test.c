/* SPDX-License-Identifier: ISC */
/* imap_name_test.c - mailbox names: modified UTF-7, rules, wildcards. */
#include "../../test.h"
#include "proto/imap/imap_match.h"
#include "proto/imap/imap_utf7.h"

static const struct {
	const char *wire;
	const char *utf8; /* NULL: refused */
} names[] = {
	{ "", "" },
	{ "INBOX", "INBOX" },
	/* RFC 3501 5.1.3 */
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
	    "~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/"
	    "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E" },
	{ "&Jjo-!", "\xE2\x98\xBA!" },
	{ "&U,BTF2XlZyyKng-",
	    "\xE5\x8F\xB0\xE5\x8C\x97\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E" },
	{ "&Jjo!", NULL },              /* RFC 3501: does not shift back */
	{ "&U,BTFw-&ZeVnLIqe-", NULL }, /* RFC 3501: superfluous shift */
	{ "R&-D", "R&D" },
	{ "Entw&APw-rfe", "Entw\xC3\xBCrfe" },
	{ "&APw-&-&APw-", "\xC3\xBC&\xC3\xBC" },
	{ "&2D3c,Q-", "\xF0\x9F\x93\xBD" },
	{ "R&D", NULL },
	{ "&", NULL },
	{ "&AGE-", NULL },  /* "a" can stand for itself */
	{ "&ACY-", NULL },  /* "&" too, as "&-" */
	{ "&APx-", NULL },  /* padding is not zero */
	{ "&APwA-", NULL }, /* a digit too many */
	{ "&2D0-", NULL },  /* half a pair */
	{ "&3P0-", NULL },  /* the other half */
	{ "&AP/-", NULL },  /* "/" is "," here */
	{ "&APw=-", NULL },
	{ "\xC3\xBC", NULL },
	{ "a\tb", NULL },
};

TEST(names_have_one_spelling)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf out = BUF_INIT(256), back = BUF_INIT(256);
		bool ok = imap_utf7_decode(&out, str_c(names[i].wire));

		CHECK(ok == (names[i].utf8 != NULL), names[i].wire);
		if (!ok) {
			CHECK(out.n == 0, names[i].wire);
			buf_done(&out);
			continue;
		}
		CHECK(
		    str_eq(buf_str(&out), str_c(names[i].utf8)), names[i].wire);
		CHECK(imap_utf7_encode(&back, buf_str(&out)), names[i].wire);
		CHECK(str_eq(buf_str(&back), str_c(names[i].wire)),
		    names[i].wire);
		buf_done(&out);
		buf_done(&back);
	}
}

TEST(names_obey_the_rules)
{
	static const struct {
		const char *name;
		enum imap_name want;
	} cases[] = {
		{ "INBOX", IMAP_NAME_OK },
		{ "a/b c/\xC3\xBC", IMAP_NAME_OK },
		{ "", IMAP_NAME_EMPTY },
		{ "/a", IMAP_NAME_BAD_PATH },
		{ "a/", IMAP_NAME_BAD_PATH },
		{ "a//b", IMAP_NAME_BAD_PATH },
		{ "a/../b", IMAP_NAME_BAD_PATH },
		{ ".", IMAP_NAME_BAD_PATH },
		{ "a%", IMAP_NAME_BAD_CHAR },
		{ "a*", IMAP_NAME_BAD_CHAR },
		{ "a\nb", IMAP_NAME_BAD_CHAR },
		{ "a\x7f", IMAP_NAME_BAD_CHAR },
		{ "a\xC2\x85", IMAP_NAME_BAD_CHAR },
		{ "a\xE2\x80\xA8", IMAP_NAME_BAD_CHAR },
		{ "a\xFF", IMAP_NAME_BAD_CHAR },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/"
		  "0/1/2",
		    IMAP_NAME_OK },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/"
		  "0/1/2/3",
		    IMAP_NAME_TOO_LONG },
	};
	char big[IMAP_MAX_COMPONENT_BYTES + 1];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(imap_name_check(str_c(cases[i].name)) == cases[i].want,
		    cases[i].name);
	memset(big, 'x', sizeof(big));
	CHECK(imap_name_check(str_make(big, sizeof(big) - 1)) == IMAP_NAME_OK,
	    "longest component");
	CHECK(imap_name_check(str_make(big, sizeof(big))) == IMAP_NAME_TOO_LONG,
	    "one byte more");
}

TEST(wildcards_match_as_in_rfc_3501)
{
	static const struct {
		const char *pattern, *name;
		enum imap_match want;
	} cases[] = {
		{ "*", "INBOX", IMAP_MATCH_YES },
		{ "*", "a/b", IMAP_MATCH_YES },
		{ "%", "a", IMAP_MATCH_YES },
		{ "%", "a/b", IMAP_MATCH_NO },
		{ "a/%", "a/b", IMAP_MATCH_YES },
		{ "a/%", "a", IMAP_MATCH_BELOW },
		{ "a/b/%", "a", IMAP_MATCH_BELOW },
		{ "a/b/%", "b", IMAP_MATCH_NO },
		{ "%/%", "a/b", IMAP_MATCH_YES },
		{ "%/%", "a", IMAP_MATCH_BELOW },
		{ "*b", "a", IMAP_MATCH_BELOW },
		{ "*a*b*c", "xaybzzc", IMAP_MATCH_YES },
		{ "%b%/c", "abb/c", IMAP_MATCH_YES },
		{ "inbox", "INBOX", IMAP_MATCH_YES },
		{ "InBox/%", "INBOX/sub", IMAP_MATCH_YES },
		{ "inbox/SUB", "INBOX/sub", IMAP_MATCH_NO },
		{ "inboxes", "INBOXES", IMAP_MATCH_NO },
		{ "", "", IMAP_MATCH_YES },
		{ "", "a", IMAP_MATCH_NO },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(imap_match(str_c(cases[i].pattern),
			  str_c(cases[i].name)) == cases[i].want,
		    cases[i].pattern);
}

TEST(parents_of_a_name_can_match)
{
	struct str parent = { 0 };

	CHECK(imap_match_parent(STR("%"), STR("foo2/bar"), &parent), "%");
	CHECK(str_eq(parent, STR("foo2")), "foo2");
	CHECK(imap_match_parent(STR("*"), STR("a/b/c"), &parent), "*");
	CHECK(str_eq(parent, STR("a/b")), "the longest");
	CHECK(!imap_match_parent(STR("x%"), STR("a/b/c"), &parent), "none");
	CHECK(!imap_match_parent(STR("*"), STR("abc"), &parent), "no parent");
}

/* A pattern that costs a backtracking matcher longer than the universe. */
TEST(matching_does_not_explode)
{
	char pattern[IMAP_MAX_PATTERN_BYTES], name[IMAP_MAX_MAILBOX_BYTES];

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 ? 'a' : i % 4 ? '%' : '*';
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 'b';
	CHECK(imap_match(str_make(pattern, sizeof(pattern)),
		  str_make(name, sizeof(name))) == IMAP_MATCH_BELOW,
	    "below");
}

/* The matcher works on 64 bytes of the pattern at a time. */
TEST(long_patterns_match_as_short_ones_do)
{
	char same[IMAP_MAX_PATTERN_BYTES];
	struct buf pattern = BUF_INIT(KIB(1)), name = BUF_INIT(KIB(1));

	memset(same, 'a', sizeof(same));
	for (size_t n = 60; n < 200; n++) {
		buf_reset(&pattern, KIB(1));
		buf_reset(&name, KIB(1));
		buf_put(&pattern, same, n);
		buf_put(&name, same, n);
		buf_put_c(&pattern, "*b%c");
		CHECK(imap_match(buf_str(&pattern), buf_str(&name)) ==
			  IMAP_MATCH_BELOW,
		    "may go on");
		buf_put_c(&name, "x/yb");
		CHECK(imap_match(buf_str(&pattern), buf_str(&name)) ==
			  IMAP_MATCH_BELOW,
		    "one is missing");
		buf_put_c(&name, "zc");
		CHECK(imap_match(buf_str(&pattern), buf_str(&name)) ==
			  IMAP_MATCH_YES,
		    "all of it");
		name.p[0] = 'b';
		CHECK(imap_match(buf_str(&pattern), buf_str(&name)) ==
			  IMAP_MATCH_NO,
		    "not from its begin");
	}
	buf_done(&pattern);
	buf_done(&name);
}

TEST(patterns_are_joined_with_the_reference)
{
	static const struct {
		const char *reference, *pattern, *want;
	} cases[] = {
		{ "", "%", "%" },
		{ "foo/", "%", "foo/%" },
		{ "foo", "bar", "foobar" },
		{ "foo/", "/bar", "/bar" },
		{ "a*", "%%b**c%", "a*b*c%" },
	};
	struct str got;
	struct arena a;

	arena_init(&a, KIB(64));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(imap_pattern_make(&a, str_c(cases[i].reference),
			  str_c(cases[i].pattern), &got),
		    cases[i].pattern);
		CHECK(str_eq(got, str_c(cases[i].want)), cases[i].pattern);
	}
	arena_done(&a);
}

TEST_MAIN(UNIT(names_have_one_spelling), UNIT(names_obey_the_rules),
    UNIT(wildcards_match_as_in_rfc_3501), UNIT(parents_of_a_name_can_match),
    UNIT(matching_does_not_explode), UNIT(long_patterns_match_as_short_ones_do),
    UNIT(patterns_are_joined_with_the_reference))
