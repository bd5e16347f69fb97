/* SPDX-License-Identifier: ISC */
/* dkim_canon_test.c - canonical forms, tag lists, selection of fields. */
#include "../../test.h"
#include "proto/dkim/dkim_bodies.h"
#include "proto/dkim/dkim_header.h"
#include "proto/dkim/dkim_tag.h"

static void
put_buf(void *arg, struct str bytes)
{
	buf_put_str(arg, bytes);
}

/* clang-format off */
static const struct {
	const char *in, *simple, *relaxed;
} bodies[] = {
	{ "",                    "\r\n",              "" },
	{ "\r\n",                "\r\n",              "" },
	{ "\r\n\r\n\r\n",        "\r\n",              "" },
	{ " \r\n\t\r\n",         " \r\n\t\r\n",       "" },
	{ "a",                   "a\r\n",             "a\r\n" },
	{ "a\r\n",               "a\r\n",             "a\r\n" },
	{ "a\r\n\r\n\r\n",       "a\r\n",             "a\r\n" },
	{ "a\r\n\r\nb",          "a\r\n\r\nb\r\n",    "a\r\n\r\nb\r\n" },
	/* RFC 6376 section 3.4.5, the body of example 1. */
	{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" },
	{ "a \t\r\n \r\n",       "a \t\r\n \r\n",     "a\r\n" },
	{ "a\r\n  ",             "a\r\n  \r\n",       "a\r\n" },
	{ "\r\n\r\na",           "\r\n\r\na\r\n",     "\r\n\r\na\r\n" },
	/* A bare CR and a bare LF are data. */
	{ "a\rb\r\n",            "a\rb\r\n",          "a\rb\r\n" },
	{ "a \r b\r\n",          "a \r b\r\n",        "a \r b\r\n" },
	{ "a\n\n",               "a\n\n\r\n",         "a\n\n\r\n" },
	{ "a\r",                 "a\r\r\n",           "a\r\r\n" },
	{ "a\r\r\n",             "a\r\r\n",           "a\r\r\n" },
	{ "\r\r\n\r\n",          "\r\r\n",            "\r\r\n" },
};
/* clang-format on */

static void
canon_body(enum dkim_canon canon, struct str in, size_t step, struct buf *out)
{
	struct dkim_sink to = { put_buf, out };
	struct dkim_body b;

	dkim_body_init(&b, canon, &to);
	for (; in.n; in = str_from(in, step))
		dkim_body_feed(&b, str_first(in, step));
	dkim_body_finish(&b);
}

TEST(bodies_have_their_canonical_forms_however_split)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct str in = str_c(bodies[i].in);

		for (size_t step = 1; step <= MAX(in.n, (size_t)1); step++) {
			struct buf s = BUF_INIT(200), r = BUF_INIT(200);

			canon_body(DKIM_SIMPLE, in, step, &s);
			canon_body(DKIM_RELAXED, in, step, &r);
			CHECK(str_eq(buf_str(&s), str_c(bodies[i].simple)),
			    bodies[i].in);
			CHECK(str_eq(buf_str(&r), str_c(bodies[i].relaxed)),
			    bodies[i].in);
			buf_done(&s);
			buf_done(&r);
		}
	}
}

TEST(many_empty_lines_come_back_when_text_follows)
{
	struct buf in = BUF_INIT(KIB(64)), out = BUF_INIT(KIB(64));

	buf_put_c(&in, "a");
	for (int i = 0; i < 5000; i++)
		buf_put_c(&in, "\r\n");
	buf_put_c(&in, "b\r\n");
	canon_body(DKIM_RELAXED, buf_str(&in), 7, &out);
	CHECK(str_eq(buf_str(&in), buf_str(&out)), "all of them");
	buf_done(&in);
	buf_done(&out);
}

TEST(fields_have_their_canonical_forms)
{
	/* clang-format off */
	static const struct {
		const char *in, *relaxed;
	} cases[] = {
		{ "A: X",                      "a:X" },
		{ "B : Y\t\r\n\tZ  ",          "b:Y Z" },
		{ "Subject:",                  "subject:" },
		{ "Subject: \r\n \r\n ",       "subject:" },
		{ "SUBJect \t:  AbC\r\n\r\n D", "subject:AbC D" },
		{ "X: a\rb",                   "x:a\rb" },
		{ "X:a:b",                     "x:a:b" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf r = BUF_INIT(200), s = BUF_INIT(200);
		struct dkim_sink to_r = { put_buf, &r };
		struct dkim_sink to_s = { put_buf, &s };
		struct str in = str_c(cases[i].in);

		dkim_canon_field(DKIM_RELAXED, in, false, &to_r);
		dkim_canon_field(DKIM_SIMPLE, in, true, &to_s);
		CHECK(
		    str_eq(buf_str(&r), str_c(cases[i].relaxed)), cases[i].in);
		CHECK(str_eq(str_first(buf_str(&s), in.n), in), cases[i].in);
		CHECK(s.n == in.n + 2, cases[i].in);
		buf_done(&r);
		buf_done(&s);
	}
}

TEST(tag_lists_are_read_strictly)
{
	/* clang-format off */
	static const struct {
		const char *in;
		bool ok;
		const char *b; /* value of b */
	} cases[] = {
		{ "b=1",                 true,  "1" },
		{ " a = x y ; b\r\n\t=\r\n 2 ;", true, "2" },
		{ "a=1;b=2;",            true,  "2" },
		{ "a=1;b=2; \r\n ",      true,  "2" },
		{ "b=",                  true,  "" },
		{ "b=x=y=;a=",           true,  "x=y=" },
		{ "B=1;b=2",             true,  "2" },
		{ "b=1;b=1",             false, "" },
		{ "",                    false, "" },
		{ ";",                   false, "" },
		{ "a=1;;b=2",            false, "" },
		{ "a",                   false, "" },
		{ "=1",                  false, "" },
		{ "1a=1",                false, "" },
		{ "a-b=1",               false, "" },
		{ "a b=1",               false, "" },
		{ "a=\x01",              false, "" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dkim_tags t;
		bool ok = dkim_tags_parse(str_c(cases[i].in), &t);

		CHECK(ok == cases[i].ok, cases[i].in);
		if (ok)
			CHECK(str_eq(dkim_tags_get(&t, "b"), str_c(cases[i].b)),
			    cases[i].in);
	}
}

TEST(the_number_of_tags_is_limited)
{
	struct buf b = BUF_INIT(1000);
	struct dkim_tags t;

	for (int i = 0; i < DKIM_TAGS_MAX; i++)
		buf_printf(&b, "a%d=;", i);
	CHECK(dkim_tags_parse(buf_str(&b), &t), "just fits");
	buf_put_c(&b, "b=");
	CHECK(!dkim_tags_parse(buf_str(&b), &t), "one too many");
	buf_done(&b);
}

TEST(fields_are_taken_from_the_bottom_up_and_once)
{
	struct str in = STR("A: 1\r\nB: x\r\n y\r\na : 2\r\nno field\r\n"
			    " A: folded\r\nA:3\r\n\r\nA: body\r\n");
	static const char *const want[] = { "3", " 2", " 1" };
	struct dkim_picker p;
	struct dkim_header h;

	CHECK(dkim_header_parse(in, &h), "parse");
	CHECK(h.n == 5, "five lines");
	CHECK(str_eq(h.v[1].whole, STR("B: x\r\n y")), "fold");
	dkim_picker_init(&p, &h, h.n);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct dkim_field *f = dkim_picker_take(&p, STR("A"));

		CHECK(f && str_eq(f->value, str_c(want[i])), want[i]);
	}
	CHECK(!dkim_picker_take(&p, STR("A")), "no more");
	CHECK(!dkim_picker_take(&p, STR("")), "no name");
	dkim_picker_init(&p, &h, 4);
	CHECK(str_eq(dkim_picker_take(&p, STR("A"))->value, STR(" 2")),
	    "the excepted one is skipped");
	dkim_header_done(&h);
}

TEST(a_header_with_too_many_fields_is_refused)
{
	struct buf b = BUF_INIT(MIB(1));
	struct dkim_header h;

	for (int i = 0; i < DKIM_FIELDS_MAX; i++)
		buf_put_c(&b, "A: 1\r\n");
	CHECK(dkim_header_parse(buf_str(&b), &h), "just fits");
	dkim_header_done(&h);
	buf_put_c(&b, "A: 1\r\n");
	CHECK(!dkim_header_parse(buf_str(&b), &h), "one too many");
	dkim_header_done(&h);
	buf_done(&b);
}

TEST(signatures_that_want_the_same_share_one_hash)
{
	struct dkim_bodies *b = dkim_bodies_new();
	struct dkim_body_want all = { DKIM_RELAXED, CRYPT_SHA256, false, 0 };
	struct dkim_body_want two = { DKIM_RELAXED, CRYPT_SHA256, true, 2 };
	struct dkim_body_want zero = { DKIM_SIMPLE, CRYPT_SHA1, true, 0 };
	unsigned a = dkim_bodies_add(b, &all), t = dkim_bodies_add(b, &two);
	unsigned z = dkim_bodies_add(b, &zero);

	CHECK(dkim_bodies_add(b, &all) == a, "shared");
	CHECK(a != t && t != z, "different");
	dkim_bodies_feed(b, STR("a "));
	dkim_bodies_feed(b, STR(" b"));
	dkim_bodies_finish(b);
	CHECK(dkim_bodies_length(b, t) == 5, "relaxed length");
	CHECK(dkim_bodies_length(b, z) == 6, "simple length");
	/* SHA-256 of "a ", SHA-1 of nothing. */
	CHECK(memcmp(dkim_bodies_sum(b, t)->v, "\x65\x83\xdc\xd6", 4) == 0,
	    "cut");
	CHECK(memcmp(dkim_bodies_sum(b, z)->v, "\xda\x39\xa3\xee", 4) == 0,
	    "nothing");
	dkim_bodies_free(b);
}

TEST_MAIN(UNIT(bodies_have_their_canonical_forms_however_split),
    UNIT(many_empty_lines_come_back_when_text_follows),
    UNIT(fields_have_their_canonical_forms), UNIT(tag_lists_are_read_strictly),
    UNIT(the_number_of_tags_is_limited),
    UNIT(fields_are_taken_from_the_bottom_up_and_once),
    UNIT(a_header_with_too_many_fields_is_refused),
    UNIT(signatures_that_want_the_same_share_one_hash))
