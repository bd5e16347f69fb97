/* SPDX-License-Identifier: ISC */
/* smtp_path_test.c - envelope addresses and their canonical form. */
#include "../../test.h"
#include "proto/smtp/smtp_path.h"

#define ALL_FLAGS \
	((unsigned)SMTP_PATH_ALLOW_NULL | SMTP_PATH_ALLOW_POSTMASTER | \
	    SMTP_PATH_ALLOW_UTF8)

struct path_case {
	const char *in;
	const char *want; /* the canonical form; NULL: refused */
	enum smtp_path_error error;
};

static void
check_path(const struct path_case *pc, unsigned flags)
{
	struct buf text = BUF_INIT(KIB(4));
	struct smtp_path path = { 0 };
	struct str rest = STR("untouched");
	enum smtp_path_error e;
	struct arena a;

	arena_init(&a, KIB(8));
	e = smtp_path_parse(&a, str_c(pc->in), flags, &path, &rest);
	CHECK(e == pc->error, pc->in);
	if (e == SMTP_PATH_OK) {
		smtp_path_format(&text, &path);
		CHECK(str_eq(buf_str(&text), str_c(pc->want)), pc->in);
		CHECK(rest.n == 0, pc->in);
	} else {
		CHECK(str_eq(rest, STR("untouched")), pc->in);
		CHECK(path.local.n == 0, pc->in);
	}
	buf_done(&text);
	arena_done(&a);
}

#define GOOD(in, want) \
	{ \
		in, want, SMTP_PATH_OK \
	}
#define SAME(in) \
	{ \
		in, in, SMTP_PATH_OK \
	}
#define BAD(in) \
	{ \
		in, NULL, SMTP_PATH_SYNTAX \
	}

TEST(paths_have_one_canonical_form)
{
	static const struct path_case cases[] = {
		SAME("<>"),
		SAME("<user@example.net>"),
		GOOD("<User@EXAMPLE.Net>", "<User@example.net>"),
		SAME("<a.b.c+d_e=f@x>"),
		SAME("<!#$%&'*+-/=?^_`{|}~@x.y>"),
		GOOD("<Postmaster>", "<postmaster>"),
		GOOD("<@a.example,@b.example:u@x>", "<u@x>"),
		GOOD("<\"plain\"@x>", "<plain@x>"),
		GOOD("<\"p\\l\\a\\in\"@x>", "<plain@x>"),
		SAME("<\"with space\"@x>"),
		SAME("<\"\"@x>"),
		SAME("<\".a\"@x>"),
		SAME("<\"a..b\"@x>"),
		SAME("<\"a@b\"@x>"),
		SAME("<\"q\\\"q\\\\\"@x>"),
		SAME("<\"<>\"@x>"),
		SAME("<u@[192.0.2.1]>"),
		GOOD("<u@[ipv6:2001:DB8:0:0::1]>", "<u@[IPv6:2001:db8::1]>"),
		SAME("<u@[IPv6:::1]>"),
		SAME("<u@xn--bcher-kva.example>"),
		SAME("<u@1.2.3.4>"),
		SAME("<gr\xC3\xBC\xC3\x9F@b\xC3\xBC"
		     "cher.example>"),
		GOOD("<\"\xC3\xBC\"@x>", "<\xC3\xBC@x>"),
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_path(&cases[i], ALL_FLAGS);
}

TEST(what_the_grammar_does_not_know_is_refused)
{
	static const struct path_case cases[] = {
		BAD(""),
		BAD("<"),
		BAD("user@example.net"),
		BAD("<user@example.net"),
		BAD("< user@example.net>"),
		BAD("<user@example.net >"),
		BAD("<user @example.net>"),
		BAD("<@example.net>"),
		BAD("<user@>"),
		BAD("<.user@x>"),
		BAD("<user.@x>"),
		BAD("<us..er@x>"),
		BAD("<user@x.>"),
		BAD("<user@.x>"),
		BAD("<user@x..y>"),
		BAD("<user@-x>"),
		BAD("<user@x->"),
		BAD("<user@x_y>"),
		BAD("<user@x y>"),
		BAD("<a@b@c>"),
		BAD("<user(comment)@x>"),
		BAD("<\"a\"b@x>"),
		BAD("<\"a\".b@x>"),
		BAD("<\"a@x>"),
		BAD("<\"a\\\"@x>"),
		BAD("<\"a\tb\"@x>"),
		BAD("<\"a\\\tb\"@x>"),
		BAD("<user@[192.0.2]>"),
		BAD("<user@[192.0.2.256]>"),
		BAD("<user@[192.0.2.01]>"),
		BAD("<user@[192.0.2.1>"),
		BAD("<user@[]>"),
		BAD("<user@[192.0.2.1]x>"),
		BAD("<user@[2001:db8::1]>"),
		BAD("<user@[IPv6:192.0.2.1]>"),
		BAD("<user@[IPv6:1::2::3]>"),
		BAD("<user@[x400:something]>"),
		BAD("<@a:@b:u@x>"),
		BAD("<@a,b:u@x>"),
		BAD("<@a,@b u@x>"),
		BAD("<u\x7F@x>"),
		BAD("<u\xC3@x>"),
		BAD("<u\xC2\x85@x>"),
		{ "<user>", NULL, SMTP_PATH_NO_DOMAIN },
		{ "<\"Postmaster\">", NULL, SMTP_PATH_NO_DOMAIN },
		{ "<Postmasters>", NULL, SMTP_PATH_NO_DOMAIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_path(&cases[i], ALL_FLAGS);
}

TEST(what_was_not_allowed_is_refused)
{
	static const struct {
		struct path_case pc;
		unsigned flags;
	} cases[] = {
		{ BAD("<>"), SMTP_PATH_ALLOW_POSTMASTER },
		{ { "<Postmaster>", NULL, SMTP_PATH_NO_DOMAIN },
		    SMTP_PATH_ALLOW_NULL },
		{ { "<\xC3\xBC@x>", NULL, SMTP_PATH_NEEDS_UTF8 }, 0 },
		{ { "<u@\xC3\xBC>", NULL, SMTP_PATH_NEEDS_UTF8 }, 0 },
		{ { "<\"\xC3\xBC\"@x>", NULL, SMTP_PATH_NEEDS_UTF8 }, 0 },
		{ SAME("<u@x_y>"), SMTP_PATH_ALLOW_UNDERSCORE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_path(&cases[i].pc, cases[i].flags);
}

/* "<" + local of n + "@" + domain of labels + ">", parsed. */
static enum smtp_path_error
parse_sized(const char *ch, size_t local, size_t label, size_t labels)
{
	struct buf text = BUF_INIT(KIB(4));
	struct smtp_path path;
	enum smtp_path_error e;
	struct arena a;
	struct str rest;

	arena_init(&a, KIB(8));
	buf_put_char(&text, '<');
	for (size_t i = 0; i < local; i++)
		buf_put_c(&text, ch);
	for (size_t i = 0; i < labels; i++) {
		buf_put_char(&text, i ? '.' : '@');
		for (size_t n = 0; n < label; n++)
			buf_put_c(&text, ch);
	}
	buf_put_char(&text, '>');
	e = smtp_path_parse(
	    &a, buf_str(&text), SMTP_PATH_ALLOW_UTF8, &path, &rest);
	buf_done(&text);
	arena_done(&a);
	return e;
}

TEST(limits_are_exact_and_count_characters)
{
	static const char *const letters[] = { "a", "\xC3\xBC",
		"\xF0\x9F\x93\xAC" };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const char *ch = letters[i];

		CHECK(parse_sized(ch, 64, 63, 1) == SMTP_PATH_OK, ch);
		CHECK(
		    parse_sized(ch, 65, 1, 1) == SMTP_PATH_LOCAL_TOO_LONG, ch);
		CHECK(
		    parse_sized(ch, 1, 64, 1) == SMTP_PATH_DOMAIN_TOO_LONG, ch);
		/* "<", "@", ">" and 2 + 4 * 62 + 3 are 256. */
		CHECK(parse_sized(ch, 2, 62, 4) == SMTP_PATH_OK, ch);
		CHECK(parse_sized(ch, 3, 62, 4) == SMTP_PATH_TOO_LONG, ch);
		CHECK(parse_sized(ch, 1, 63, 4) == SMTP_PATH_TOO_LONG, ch);
		CHECK(
		    parse_sized(ch, 1, 51, 5) == SMTP_PATH_DOMAIN_TOO_LONG, ch);
	}
}

TEST(the_kinds_of_path_are_told_apart)
{
	struct smtp_path path;
	struct arena a;
	struct str rest;

	arena_init(&a, KIB(8));
	CHECK(smtp_path_parse(&a, STR("<> SIZE=1"), ALL_FLAGS, &path, &rest) ==
		  SMTP_PATH_OK,
	    "null");
	CHECK(path.is_null && str_eq(rest, STR(" SIZE=1")), "null");
	CHECK(smtp_path_parse(&a, STR("<poSTmaster>x"), ALL_FLAGS, &path,
		  &rest) == SMTP_PATH_OK,
	    "postmaster");
	CHECK(path.is_postmaster && !path.is_null, "postmaster");
	CHECK(str_eq(path.local, STR("postmaster")), "postmaster");
	CHECK(str_eq(rest, STR("x")), "postmaster");
	CHECK(smtp_path_parse(&a, STR("<@\xC3\xBC:u@[192.0.2.1]>"), ALL_FLAGS,
		  &path, &rest) == SMTP_PATH_OK,
	    "route");
	CHECK(path.has_route && path.is_literal && !path.is_utf8, "route");
	CHECK(str_eq(path.domain, STR("[192.0.2.1]")), "route");
	arena_done(&a);
}

TEST(mailboxes_go_without_brackets)
{
	struct smtp_path path, other;
	struct buf text = BUF_INIT(100);
	struct arena a;

	arena_init(&a, KIB(8));
	CHECK(smtp_mailbox_parse(&a, STR("\"x\".y@z"), 0, &path) ==
		  SMTP_PATH_SYNTAX,
	    "quoted");
	CHECK(smtp_mailbox_parse(&a, STR("a@b>"), 0, &path) == SMTP_PATH_SYNTAX,
	    "more");
	CHECK(
	    smtp_mailbox_parse(&a, STR("\"a b\"@C"), 0, &path) == SMTP_PATH_OK,
	    "ok");
	CHECK(str_eq(path.local, STR("a b")), "local");
	smtp_mailbox_format(&text, &path);
	CHECK(str_eq(buf_str(&text), STR("\"a b\"@c")), "format");
	CHECK(smtp_mailbox_parse(&a, STR("\"a\\ b\"@c"), 0, &other) ==
		  SMTP_PATH_OK,
	    "other");
	CHECK(smtp_path_eq(&path, &other), "equal");
	CHECK(
	    smtp_mailbox_parse(&a, STR("\"A b\"@c"), 0, &other) == SMTP_PATH_OK,
	    "case");
	CHECK(!smtp_path_eq(&path, &other), "local parts have case");
	buf_done(&text);
	arena_done(&a);
}

TEST(a_full_arena_is_an_error_of_its_own)
{
	struct smtp_path path;
	struct arena a;

	arena_init(&a, 4);
	CHECK(smtp_mailbox_parse(&a, STR("user@example.net"), 0, &path) ==
		  SMTP_PATH_NO_MEMORY,
	    "arena");
	arena_done(&a);
}

TEST_MAIN(UNIT(paths_have_one_canonical_form),
    UNIT(what_the_grammar_does_not_know_is_refused),
    UNIT(what_was_not_allowed_is_refused),
    UNIT(limits_are_exact_and_count_characters),
    UNIT(the_kinds_of_path_are_told_apart), UNIT(mailboxes_go_without_brackets),
    UNIT(a_full_arena_is_an_error_of_its_own))
