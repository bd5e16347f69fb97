/* SPDX-License-Identifier: ISC */
/* names_test.c - host names, organisational domains, lists of fields. */
#include "../test.h"
#include "base/hostname.h"
#include "base/suffixes.h"
#include "base/taglist.h"

TEST(host_names_have_labels_and_lengths)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
		{ "a", true },
		{ "mx1.example.com", true },
		{ "_x.a-b.C", true },
		{ "xn--bcher-kva.example", true },
		{ "192.0.2.1", true }, /* not for this to say */
		{ "", false },
		{ ".", false },
		{ "a.", false },
		{ ".a", false },
		{ "a..b", false },
		{ "-a.b", false },
		{ "a-.b", false },
		{ "a b", false },
		{ "a\nb", false },
		{ "*.a", false },
		{ "b\xc3\xbc.de", false },
	};
	char label[HOSTNAME_LABEL_MAX + 1], name[HOSTNAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(hostname_is_valid(str_c(cases[i].in)) == cases[i].want,
		    cases[i].in);
	memset(label, 'a', sizeof(label));
	CHECK(hostname_is_valid(str_make(label, HOSTNAME_LABEL_MAX)), "label");
	CHECK(!hostname_is_valid(str_make(label, sizeof(label))), "long");
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	CHECK(hostname_is_valid(str_make(name, HOSTNAME_MAX)), "name");
	CHECK(!hostname_is_valid(str_make(name, sizeof(name))), "long name");
}

TEST(a_name_is_under_itself_and_its_parents)
{
	CHECK(hostname_is_under(STR("A.b"), STR("a.B")), "same");
	CHECK(hostname_is_under(STR("x.a.b"), STR("A.b")), "below");
	CHECK(!hostname_is_under(STR("xa.b"), STR("a.b")), "looks like it");
	CHECK(!hostname_is_under(STR("b"), STR("a.b")), "above");
	CHECK(hostname_is_under(STR("a"), hostname_trim(STR("a."))), "trim");
	CHECK(hostname_trim(STR_NONE).n == 0, "nothing");
}

TEST(organisations_are_one_label_below_a_suffix)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "example.com", "example.com" },
		{ "a.b.Example.COM", "Example.COM" },
		{ "com", "com" },
		{ "a.example.co.uk", "example.co.uk" },
		{ "co.uk", "co.uk" },
		{ "a.b.c.kawasaki.jp", "b.c.kawasaki.jp" },
		{ "x.city.kawasaki.jp", "city.kawasaki.jp" },
		{ "a.b.unknown", "b.unknown" },
		{ "unknown", "unknown" },
		{ "a..b.com", "a..b.com" },
		{ "", "" },
	};
	struct suffixes *s = suffixes_parse(
	    STR("// ===BEGIN ICANN DOMAINS===\ncom\nuk\nco.uk\njp\n"
		"*.kawasaki.jp\n!city.kawasaki.jp\n// ===END ICANN "
		"DOMAINS===\n"));

	CHECK(s, "a list");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(str_eq(suffixes_organisation(s, str_c(cases[i].in)),
			  str_c(cases[i].want)),
		    cases[i].in);
	CHECK(!suffixes_free(s) && !suffixes_free(NULL), "free");
	CHECK(!suffixes_parse(STR_NONE), "no list");
}

TEST(this_machine_has_a_list)
{
	struct suffixes *s = suffixes_load();

	CHECK(s, "load");
	CHECK(str_eq(suffixes_organisation(s, STR("a.b.example.co.uk")),
		  STR("example.co.uk")),
	    "co.uk");
	suffixes_free(s);
}

TEST(lists_are_cut_into_fields)
{
	struct str rest = STR(" a = b = c ;; d ;e=; \t"), name, value;

	CHECK(taglist_next(&rest, &name, &value), "1");
	CHECK(str_eq(name, STR("a")) && str_eq(value, STR("b = c")), "1");
	CHECK(taglist_next(&rest, &name, &value), "2");
	CHECK(name.n == 0 && !value.p, "nothing");
	CHECK(taglist_next(&rest, &name, &value), "3");
	CHECK(str_eq(name, STR("d")) && !value.p, "no value");
	CHECK(taglist_next(&rest, &name, &value), "4");
	CHECK(str_eq(name, STR("e")) && value.p && value.n == 0, "empty");
	CHECK(!taglist_next(&rest, &name, &value), "end");
	CHECK(!taglist_next(&rest, &name, &value), "still");
}

TEST_MAIN(UNIT(host_names_have_labels_and_lengths),
    UNIT(a_name_is_under_itself_and_its_parents),
    UNIT(organisations_are_one_label_below_a_suffix),
    UNIT(this_machine_has_a_list), UNIT(lists_are_cut_into_fields))
