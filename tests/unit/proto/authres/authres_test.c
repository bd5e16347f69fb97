/* SPDX-License-Identifier: ISC */
/* authres_test.c - Authentication-Results: reading, writing, forgeries. */
#include "../../test.h"
#include "proto/authres/authres.h"

/* All that was read, in one line: "id|method=result[reason] t.n=v ...|..." */
static void
show(const struct authres *a, struct buf *to)
{
	buf_put_str(to, a->id);
	for (size_t i = 0; i < a->results_n; i++) {
		const struct authres_result *r = &a->results[i];

		buf_printf(
		    to, "|%.*s=%.*s", STR_ARG(r->method), STR_ARG(r->result));
		if (r->reason.p)
			buf_printf(to, "[%.*s]", STR_ARG(r->reason));
		for (size_t k = 0; k < r->props_n; k++)
			buf_printf(to, " %.*s.%.*s=%.*s",
			    STR_ARG(r->props[k].type),
			    STR_ARG(r->props[k].name),
			    STR_ARG(r->props[k].value));
	}
}

TEST(fields_are_read)
{
	/* clang-format off */
	static const struct {
		const char *in;
		const char *want; /* NULL: malformed */
	} cases[] = {
		/* RFC 8601 appendix B. */
		{ " example.org 1; none", "example.org" },
		{ " example.com;\r\n spf=pass smtp.mailfrom=example.net",
		  "example.com|spf=pass smtp.mailfrom=example.net" },
		{ " example.com;\r\n auth=pass (cram-md5) "
		  "smtp.auth=sender@example.net;\r\n"
		  " spf=pass smtp.mailfrom=example.net",
		  "example.com|auth=pass smtp.auth=sender@example.net"
		  "|spf=pass smtp.mailfrom=example.net" },
		{ " example.com;\r\n dkim=pass reason=\"good signature\"\r\n"
		  "  header.i=@mail-router.example.net;\r\n"
		  " dkim=fail reason=\"bad signature\"\r\n"
		  "  header.i=@newyork.example.com",
		  "example.com|dkim=pass[good signature] "
		  "header.i=@mail-router.example.net"
		  "|dkim=fail[bad signature] header.i=@newyork.example.com" },
		/* Section 2.2, "perverse but legal". */
		{ "foo.example.net (foobar) 1 (baz);\r\n"
		  " dkim (Because I like it) / 1 (One yay) = (wait for it) "
		  "fail\r\n policy (A dot can go here) . (like that) expired\r\n"
		  " (this surprised me) = (as I wasn't expecting it) "
		  "1362471462",
		  "foo.example.net|dkim=fail policy.expired=1362471462" },
		{ "a", "a" },
		{ "a;", "a" },
		{ "a;;spf=none;", "a|spf=none" },
		{ "\"a b\"; spf=pass", "a b|spf=pass" },
		{ "a; x=y z.z=\"q\\\"r\r\n s\"", "a|x=y z.z=q\"r s" },
		{ "a; x=y z.z=\"l p\"@d", "a|x=y z.z=\"l p\"@d" },
		{ "a; x=y h.b=ab/cd+e==", "a|x=y h.b=ab/cd+e==" },
		{ "a; x=y z.z=1 reason=late", "a|x=y[late] z.z=1" },
		{ "a; none=pass", "a|none=pass" },
		{ "", NULL },
		{ ";", NULL },
		{ "a b; none", NULL },
		{ "a; none; spf=pass", NULL },
		{ "a; spf", NULL },
		{ "a; spf=", NULL },
		{ "a; spf=pass smtp", NULL },
		{ "a; spf=pass smtp.=x", NULL },
		{ "a; spf=pass smtp.x", NULL },
		{ "a; spf=pass smtp.x=", NULL },
		{ "a; spf=pass smtp.x=\"", NULL },
		{ "a; spf=pass smtp.x=\"\\", NULL },
		{ "a; spf=pass (open", NULL },
		{ "a; spf=pass (open (x)", NULL },
		{ "a; spf=pass )", NULL },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf got = BUF_INIT(4000);
		struct arena arena;
		struct authres a;
		bool ok;

		arena_init(&arena, AUTHRES_ARENA_MAX);
		ok = authres_parse(str_c(cases[i].in), &arena, &a);
		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		if (ok) {
			show(&a, &got);
			CHECK(str_eq(buf_str(&got), str_c(cases[i].want)),
			    cases[i].in);
		}
		arena_done(&arena);
		buf_done(&got);
	}
}

TEST(limits_of_a_field_hold)
{
	struct buf b = BUF_INIT(KIB(64));
	struct arena arena;
	struct authres a;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	buf_put_c(&b, "a");
	for (int i = 0; i < AUTHRES_RESULTS_MAX; i++)
		buf_put_c(&b, "; x=y");
	CHECK(authres_parse(buf_str(&b), &arena, &a), "results fit");
	buf_put_c(&b, "; x=y");
	CHECK(!authres_parse(buf_str(&b), &arena, &a), "one result more");
	buf_reset(&b, 0);
	buf_put_c(&b, "a; x=y");
	for (int i = 0; i < AUTHRES_PROPS_MAX; i++)
		buf_put_c(&b, " a.b=c");
	CHECK(authres_parse(buf_str(&b), &arena, &a), "properties fit");
	buf_put_c(&b, " a.b=c");
	CHECK(!authres_parse(buf_str(&b), &arena, &a), "one property more");
	buf_reset(&b, 0);
	buf_put_c(&b, "a; x=y z.z=");
	while (b.n <= AUTHRES_FIELD_MAX)
		buf_put_char(&b, 'x');
	CHECK(!authres_parse(buf_str(&b), &arena, &a), "too long");
	arena_done(&arena);
	buf_done(&b);
}

TEST(what_claims_to_be_ours_is_recognised)
{
	/* clang-format off */
	static const struct {
		const char *in;
		bool claims;
	} cases[] = {
		{ " mx.example.org; spf=pass", true },
		{ " MX.example.ORG 1; spf=pass", true },
		{ "\r\n\tmx.example.org; spf=pass", true },
		{ " (hello) mx.example.org(x); spf=pass", true },
		{ " \"mx.example.org\"; spf=pass", true },
		{ " \"mx.ex\\ample.org\"; spf=pass", true },
		{ " mx.example.org", true },
		{ " mx.example.org.; spf=pass", true },
		{ " mx.example.org/1; spf=pass", true },
		{ " mx.example.org; spf=(", true },
		{ " mx.example.org,other; spf=pass", true },
		{ "", true },
		{ " ; spf=pass", true },
		{ " (mx.example.org", true },
		{ " mx.example.org.evil.net; spf=pass", false },
		{ " mx.example.orgx; spf=pass", false },
		{ " mx.example.org-x; spf=pass", false },
		{ " x.mx.example.org; spf=pass", false },
		{ " example.org; spf=pass", false },
		{ " other; x=y (mx.example.org)", false },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(authres_claims(str_c(cases[i].in),
			  STR("mx.example.org")) == cases[i].claims,
		    cases[i].in);
}

TEST(forged_fields_are_stripped_and_no_others)
{
	struct str in =
	    STR("Received: x\r\n"
		"authentication-results : mx.example.org;\r\n spf=pass\r\n"
		"Authentication-Results: other.example; spf=fail\n"
		"AUTHENTICATION-RESULTS:mx.example.org; dmarc=pass\n"
		"ARC-Authentication-Results: i=1; mx.example.org; x=y\r\n"
		"Subject: Authentication-Results: mx.example.org\r\n"
		"\r\n"
		"Authentication-Results: mx.example.org; body\r\n");
	struct str want =
	    STR("Received: x\r\n"
		"Authentication-Results: other.example; spf=fail\n"
		"ARC-Authentication-Results: i=1; mx.example.org; x=y\r\n"
		"Subject: Authentication-Results: mx.example.org\r\n"
		"\r\n"
		"Authentication-Results: mx.example.org; body\r\n");
	struct buf out = BUF_INIT(2000);

	CHECK(authres_strip(in, STR("mx.example.org"), &out) == 2, "count");
	CHECK(str_eq(buf_str(&out), want), "rest");
	buf_done(&out);
}

TEST(fields_are_written_folded_and_quoted)
{
	struct buf out = BUF_INIT(4000);
	struct authres_writer w;

	authres_write_start(
	    &w, "Authentication-Results", STR("mx.example.org"), &out);
	authres_write_result(&w, "spf", "pass", NULL);
	authres_write_prop(&w, "smtp", "mailfrom", STR("a@example.net"));
	authres_write_result(&w, "dkim", "fail", "the body was changed");
	authres_write_comment(&w, STR("1024 bits (rsa)"));
	authres_write_prop(&w, "header", "d", STR("example.net"));
	authres_write_prop(&w, "header", "i", STR("\"; dmarc=pass\r\nX: y\\"));
	authres_write_prop(&w, "header", "b", STR("ab/c="));
	authres_write_prop(&w, "header", "s", STR_NONE);
	authres_write_finish(&w);
	CHECK(!out.failed, "fits");
	CHECK(str_eq(buf_str(&out),
		  STR("Authentication-Results: mx.example.org;\r\n"
		      "\tspf=pass smtp.mailfrom=a@example.net;\r\n"
		      "\tdkim=fail reason=\"the body was changed\" "
		      "(1024 bits \\(rsa\\))\r\n"
		      "\theader.d=example.net "
		      "header.i=\"\\\"; dmarc=pass??X: y\\\\\"\r\n"
		      "\theader.b=\"ab/c=\"\r\n")),
	    "text");
	buf_reset(&out, 0);
	authres_write_start(&w, "Authentication-Results", STR("a b"), &out);
	authres_write_finish(&w);
	CHECK(str_eq(buf_str(&out),
		  STR("Authentication-Results: \"a b\"; none\r\n")),
	    "none");
	buf_done(&out);
}

TEST(long_values_are_cut_between_characters)
{
	struct buf in = BUF_INIT(4000), out = BUF_INIT(4000);
	struct authres_writer w;

	buf_put_char(&in, 'x');
	for (int i = 0; i < 1000; i++)
		buf_put_c(&in, "\xC3\xA9");
	authres_write_start(&w, "A", STR("id"), &out);
	authres_write_result(&w, "x", "y", NULL);
	authres_write_prop(&w, "a", "b", buf_str(&in));
	authres_write_finish(&w);
	CHECK(out.n < AUTHRES_VALUE_MAX + 40, "cut");
	CHECK(str_is_utf8(buf_str(&out)), "not inside of a character");
	buf_done(&in);
	buf_done(&out);
}

TEST(results_are_one_line_for_people)
{
	static const struct {
		struct str in;
		size_t max;
		struct str out;
	} cases[] = {
		{ STR("Authentication-Results: mx.example;\r\n\tdmarc=pass "
		      "(p=none)\r\n\theader.from=a.example;\r\n\tspf=pass"
		      "\r\nX: y\r\n"),
		    100,
		    STR("dmarc=pass (p=none) header.from=a.example; "
			"spf=pass") },
		{ STR("X: spf=fail\r\nAuthentication-Results: a; x=y\r\n"), 9,
		    STR("x=y") },
		{ STR("authentication-results: a;\n x=y;\n z=w"), 8,
		    STR("x=y; z=w") },
		{ STR("Authentication-Results: a; x=y; z=w\r\n"), 7,
		    STR("x=y") },
		{ STR("Authentication-Results: a; x=y\r\n"), 2, STR("") },
		{ STR("Authentication-Results: a\r\n"), 9, STR("") },
		{ STR("Authentication-Results:"), 9, STR("") },
		{ STR("X: y\r\n\tAuthentication-Results: a; b=c\r\n"), 9,
		    STR("") },
		{ STR(""), 9, STR("") },
	};
	struct buf out = BUF_INIT(KIB(1));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out, KIB(1));
		authres_brief(cases[i].in, cases[i].max, &out);
		CHECK(str_eq(buf_str(&out), cases[i].out), "line");
	}
	buf_done(&out);
}

TEST_MAIN(UNIT(results_are_one_line_for_people), UNIT(fields_are_read),
    UNIT(limits_of_a_field_hold), UNIT(what_claims_to_be_ours_is_recognised),
    UNIT(forged_fields_are_stripped_and_no_others),
    UNIT(fields_are_written_folded_and_quoted),
    UNIT(long_values_are_cut_between_characters))
