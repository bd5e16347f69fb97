/* SPDX-License-Identifier: ISC */
/* idn_test.c - all spellings of a domain name are one name. */
#include "../test.h"

#include "net/idn.h"

static const char *
canonical(const char *name)
{
	static struct buf b = { .max = 300 };

	buf_reset(&b, 300);
	if (!idn_canonical(str_c(name), &b)) {
		CHECK(b.n == 0, "nothing is left of what is no name");
		return "-";
	}
	return buf_c(&b);
}

#define U_UMLAUT "\xC3\xBC"
#define BUECHER  "b" U_UMLAUT "cher.example"

TEST(spellings_become_one)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "Example.ORG", "example.org" },
		{ "a-b.example", "a-b.example" },
		{ BUECHER, BUECHER },
		{ "B\xC3\x9C"
		  "CHER.Example",
		    BUECHER },
		{ "bu\xCC\x88"
		  "cher.example",
		    BUECHER },
		{ "xn--bcher-kva.example", BUECHER },
		{ "XN--Bcher-KVA.EXAMPLE", BUECHER },
		{ "b" U_UMLAUT "cher\xE3\x80\x82"
		  "example",
		    BUECHER },
		{ "\xEF\xBD\x82" U_UMLAUT "cher.example", BUECHER },
		/* not transitional: sharp s is no ss */
		{ "fa\xC3\x9F.example", "fa\xC3\x9F.example" },
		{ "xn--fa-hia.example", "fa\xC3\x9F.example" },
		{ "fass.example", "fass.example" },
		{ "\xE6\x97\xA5\xE6\x9C\xAC.xn--bcher-kva",
		    "\xE6\x97\xA5\xE6\x9C\xAC.b" U_UMLAUT "cher" },
		{ "", "-" },
		{ "xn--.example", "-" },
		{ "xn--a.example", "-" },
		{ "xn--n3h.example", "-" }, /* a snowman */
		{ "-" U_UMLAUT ".example", "-" },
		{ U_UMLAUT "\xE2\x80\x8D"
			   "a.example",
		    "-" },
		{ "b" U_UMLAUT "\xFF.example", "-" },
		{ U_UMLAUT "/x", "-" },
		{ U_UMLAUT " x", "-" },
		/* an underscore does not vanish */
		{ "a_b." U_UMLAUT, "a_b." U_UMLAUT },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(canonical(cases[i].name), cases[i].want);
}

TEST(names_have_an_end)
{
	struct buf name = BUF_INIT(1000), to = BUF_INIT(1000);

	for (int i = 0; i < 90; i++)
		buf_put_c(&name, U_UMLAUT ".x");
	CHECK(!idn_canonical(buf_str(&name), &to), "longer than a name can be");
	buf_reset(&name, 100);
	CHECK(!idn_canonical(str_make("a\0.\xC3\xBC", 5), &to), "NUL");
	to.max = 3;
	CHECK(!idn_canonical(STR("example.org"), &to), "no room");
	buf_done(&name);
	buf_done(&to);
}

TEST(for_dns_a_name_is_ascii)
{
	char to[64];

	CHECK(idn_to_ascii(STR(BUECHER), to, sizeof(to)), "name");
	assert_string_equal(to, "xn--bcher-kva.example");
	CHECK(idn_to_ascii(STR("_dmarc." BUECHER), to, sizeof(to)), "name");
	assert_string_equal(to, "_dmarc.xn--bcher-kva.example");
	CHECK(!idn_to_ascii(STR(U_UMLAUT "/x"), to, sizeof(to)), "no name");
	CHECK(!idn_to_ascii(STR(BUECHER), to, 21), "one byte too long");
}

TEST_MAIN(UNIT(spellings_become_one), UNIT(names_have_an_end),
    UNIT(for_dns_a_name_is_ascii))
