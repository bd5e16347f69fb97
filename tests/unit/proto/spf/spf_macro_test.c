/* SPDX-License-Identifier: ISC */
/* spf_macro_test.c - macros: grammar, values, transformers, truncation. */
#include "../../test.h"
#include "proto/spf/spf_macro.h"

/* The sender, client and domain of RFC 7208 section 7.4. */
static const struct spf_macro_env env = {
	.sender = STR("strong-bad@email.example.com"),
	.local = STR("strong-bad"),
	.sender_domain = STR("email.example.com"),
	.domain = STR("email.example.com"),
	.helo = STR("mx.[x] y"),
	.receiver = STR("rcv.example.org"),
	.validated = STR("mx.example.org"),
	.client = { .bytes = { 192, 0, 2, 3 } },
	.now = 1789000000,
};

static const struct spf_address client6 = { true,
	{ 0x20, 0x01, 0x0d, 0xb8, [14] = 0xcb, [15] = 0x01 } };

static void
check_text(const struct spf_macro_env *e, const char *in, const char *want)
{
	struct buf b = BUF_INIT(KIB(4));

	CHECK(spf_macro_is_explanation(str_c(in)), in);
	spf_macro_text(e, str_c(in), &b);
	if (!str_eq(buf_str(&b), str_c(want)))
		fail_msg("%s: \"%s\" instead of \"%s\"", in, buf_c(&b), want);
	buf_done(&b);
}

TEST(the_examples_of_the_rfc_expand)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "%{s}", "strong-bad@email.example.com" },
		{ "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" },
		{ "%{l-}", "strong.bad" },
		{ "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" },
		{ "%{l1r-}", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}",
		    "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		    "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net",
		    "example.com.trusted-domains.example.net" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(&env, cases[i].in, cases[i].want);
}

TEST(other_letters_and_signs_expand)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "%%%_%-", "% %20" },
		{ "%{c} %{i}", "192.0.2.3 192.0.2.3" },
		{ "%{r} %{t} %{p}",
		    "rcv.example.org 1789000000 mx.example.org" },
		{ "%{h}", "mx.[x] y" },
		{ "%{H}", "mx.%5Bx%5D%20y" },
		{ "%{S}", "strong-bad%40email.example.com" },
		{ "%{D2R}", "example.email" },
		{ "%{i2}", "2.3" },
		{ "%{o127}", "email.example.com" },
		{ "%{o99999999999999999999}", "email.example.com" },
		{ "%{o02}", "example.com" },
		{ "%{h2.-}", "mx.[x] y" },
		{ "%{d.}", "email.example.com" },
		{ "%{d,}", "email.example.com" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(&env, cases[i].in, cases[i].want);
}

TEST(parts_between_delimiters_can_be_empty)
{
	struct spf_macro_env e = env;

	e.local = STR("a--b+c=d.e/f,g_h-");
	check_text(&e, "%{l-}", "a..b+c=d.e/f,g_h.");
	check_text(&e, "%{lr-}", ".b+c=d.e/f,g_h..a");
	check_text(&e, "%{l2r-}", ".a");
	check_text(&e, "%{l1-}", "");
	check_text(&e, "%{l.-+,/_=}", "a..b.c.d.e.f.g.h.");
	check_text(&e, "%{l3r.-+,/_=}", "b..a");
	e.local = STR("-");
	check_text(&e, "%{lr-}", ".");
}

TEST(ipv6_has_nibbles_and_colons)
{
	struct spf_macro_env e = env;

	e.client = client6;
	check_text(&e, "%{ir}.%{v}._spf.%{d2}",
	    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0."
	    "2.ip6._spf.example.com");
	check_text(&e, "%{c}", "2001:db8::cb01");
	check_text(&e, "%{C}", "2001%3Adb8%3A%3Acb01");
	check_text(&e, "%{i4r}", "1.0.0.2");
}

TEST(grammar_is_kept)
{
	static const struct {
		const char *in;
		bool string;
		bool explanation;
		bool domain;
	} cases[] = {
		{ "", true, true, false },
		{ "a.b", true, true, true },
		{ "a.b.", true, true, true },
		{ "a b.com", false, true, false },
		{ "com", true, true, false },
		{ "com.", true, true, false },
		{ ".com", true, true, true },
		{ "a.com..", true, true, false },
		{ "a.123", true, true, false },
		{ "a.1x3", true, true, true },
		{ "a.1-3", true, true, true },
		{ "a.-com", true, true, false },
		{ "a.com-", true, true, false },
		{ "a.c_m", true, true, false },
		{ "a:b/c.com", true, true, true },
		{ "a.com:80", true, true, false },
		{ "%{d}", true, true, true },
		{ "%{D}", true, true, true },
		{ "%{d}com", true, true, false },
		{ "%{d}.com", true, true, true },
		{ "a.com%{d}", true, true, true },
		{ "a%%", true, true, true },
		{ "a%_", true, true, true },
		{ "a%-", true, true, true },
		{ "%", false, false, false },
		{ "a%", false, false, false },
		{ "%a", false, false, false },
		{ "%{", false, false, false },
		{ "%{d", false, false, false },
		{ "%{}", false, false, false },
		{ "%{x}", false, false, false },
		{ "%{a}", false, false, false },
		{ "%{dd}", false, false, false },
		{ "%{d0}", false, false, false },
		{ "%{d00}", false, false, false },
		{ "%{dr2}", false, false, false },
		{ "%{d2rr}", false, false, false },
		{ "%{d*}", false, false, false },
		{ "%{d2R-}", true, true, true },
		{ "%(d)", false, false, false },
		{ "%{c}", false, true, false },
		{ "%{r}", false, true, false },
		{ "%{T}", false, true, false },
		{ "a\x7F", false, false, false },
		{ "a\tb", false, false, false },
		{ "gr\xC3\xBCn.example", false, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);

		CHECK(spf_macro_is_string(in) == cases[i].string, cases[i].in);
		CHECK(spf_macro_is_explanation(in) == cases[i].explanation,
		    cases[i].in);
		CHECK(spf_macro_is_domain(in) == cases[i].domain, cases[i].in);
	}
	CHECK(!spf_macro_is_string(str_make("a.com\0", 6)), "NUL");
	CHECK(spf_macro_has(STR("a%%{p}.%{P2r}"), 'p'), "upper case counts");
	CHECK(!spf_macro_has(STR("p%%{p}p.%{d}"), 'p'), "no macro");
}

#define L60 "a23456789012345678901234567890123456789012345678901234567890"

/* Section 7.3: labels go at the left until 253 bytes are left. */
TEST(long_names_lose_labels_at_the_left)
{
	static const struct {
		const char *what;
		const char *in;
		const char *want; /* NULL: cannot be asked for */
	} cases[] = {
		{ "fits", "x.com", "x.com" },
		{ "dot at the end", "%{d2}.", "example.com" },
		{ "253", "abcdefghi." L60 "." L60 "." L60 "." L60,
		    "abcdefghi." L60 "." L60 "." L60 "." L60 },
		{ "254", "abcdefghij." L60 "." L60 "." L60 "." L60,
		    L60 "." L60 "." L60 "." L60 },
		{ "254 with a dot",
		    "abcdefghi." L60 "." L60 "." L60 "." L60 ".",
		    "abcdefghi." L60 "." L60 "." L60 "." L60 },
		{ "two labels too many",
		    "b.cccccc." L60 "." L60 "." L60 "." L60 ".com",
		    L60 "." L60 "." L60 "." L60 ".com" },
		{ "empty label that is dropped",
		    "ab..c." L60 "." L60 "." L60 "." L60 ".example",
		    "c." L60 "." L60 "." L60 "." L60 ".example" },
		{ "empty label", "a..com", NULL },
		{ "long label", "x" L60 "abc.com", NULL },
		{ "one label of 300", L60 L60 L60 L60 L60 "%{d1}", NULL },
		{ "HELO with a space", "%{h}.com", "mx.[x] y.com" },
	};
	struct spf_name name;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		bool ok;

		ok = spf_macro_name(&env, in, &name);
		CHECK(ok == (cases[i].want != NULL), cases[i].what);
		if (ok)
			CHECK(str_eq(spf_name_str(&name), str_c(cases[i].want)),
			    cases[i].what);
	}
}

/*
 * Far beyond what is kept: the end must be the same as of a short one,
 * wherever it is cut.
 */
TEST(endless_names_end_the_same)
{
	static const char word[] = "%{s}.%{I}.";
	struct buf spec = BUF_INIT(KIB(64));
	struct spf_name a, b;

	for (size_t n = 40; n < 200; n++) {
		struct str all;

		buf_reset(&spec, KIB(64));
		for (size_t i = 0; i < n; i++)
			buf_put_c(&spec, word);
		buf_put_c(&spec, "%{d2}");
		all = buf_str(&spec);
		CHECK(spf_macro_name(&env, all, &a), "long");
		CHECK(spf_macro_name(
			  &env, str_from(all, (n - 10) * strlen(word)), &b),
		    "short");
		CHECK(str_eq(spf_name_str(&a), spf_name_str(&b)), "same end");
		CHECK(a.n > SPF_NAME_MAX - 20, "as long as it can be");
	}

	buf_reset(&spec, KIB(64));
	for (int i = 0; i < 2000; i++)
		buf_put_c(&spec, "x.");
	buf_put_c(&spec, "com");
	CHECK(spf_macro_name(&env, buf_str(&spec), &a), "no macro in it");
	CHECK(a.n == SPF_NAME_MAX, "x. as often as possible");
	CHECK(str_ends(buf_str(&spec), spf_name_str(&a)), "the end");
	buf_done(&spec);
}

/* RFC 8616 section 4 */
TEST(international_local_parts_make_no_names)
{
	struct spf_macro_env e = env;
	struct spf_name name;

	e.local = STR("gr\xC3\xBCn");
	e.sender = STR("gr\xC3\xBCn@email.example.com");
	CHECK(!spf_macro_name(&e, STR("%{l}.example.com"), &name), "l");
	CHECK(!spf_macro_name(&e, STR("%{L}.example.com"), &name), "L");
	CHECK(!spf_macro_name(&e, STR("%{S}.example.com"), &name), "S");
	CHECK(spf_macro_name(&e, STR("%{o}.example.com"), &name), "o");
	CHECK(spf_macro_is_international(&e, STR("%{s}")), "s");
	CHECK(!spf_macro_is_international(&env, STR("%{s}")), "ASCII");
}

TEST(explanations_are_one_line_and_bounded)
{
	struct spf_macro_env e = env;
	struct buf b = BUF_INIT(20);

	e.local = STR("a\r\nb\x7F");
	check_text(&e, "by %{l}", "by a??b?");
	spf_macro_text(&env, STR("%{d}%{d}"), &b);
	CHECK(b.failed, "does not fit");
	buf_done(&b);
}

TEST_MAIN(UNIT(the_examples_of_the_rfc_expand),
    UNIT(other_letters_and_signs_expand),
    UNIT(parts_between_delimiters_can_be_empty),
    UNIT(ipv6_has_nibbles_and_colons), UNIT(grammar_is_kept),
    UNIT(long_names_lose_labels_at_the_left), UNIT(endless_names_end_the_same),
    UNIT(international_local_parts_make_no_names),
    UNIT(explanations_are_one_line_and_bounded))
