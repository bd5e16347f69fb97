/* SPDX-License-Identifier: ISC */
/* maildir_name_test.c - names of messages, folders and keywords. */
#include "../../test.h"
#include "proto/mailfile/maildir_name.h"

static const struct {
	const char *in;
	bool ok;
	const char *unique;
	unsigned flags;
	uint32_t keywords;
	uint64_t time;
} cases[] = {
	{ "1700000000.M1P2.host,S=12:2,S", true, "1700000000.M1P2.host,S=12",
	    MAILFILE_SEEN, 0, 1700000000 },
	{ "1700000000.x:2,DFRSTac", true, "1700000000.x", 0x1f, 5, 1700000000 },
	{ "1700000000.x", true, "1700000000.x", 0, 0, 1700000000 },
	{ "1700000000.x:2,", true, "1700000000.x", 0, 0, 1700000000 },
	{ "msg.eml:2,PZ", true, "msg.eml", 0, 0, 0 },
	{ "1:2,S", true, "1", MAILFILE_SEEN, 0, 0 },
	{ "99999999999999999999.x", true, "99999999999999999999.x", 0, 0, 0 },
	{ ".hidden", false, "", 0, 0, 0 },
	{ "", false, "", 0, 0, 0 },
	{ ":2,S", false, "", 0, 0, 0 },
};

TEST(names_of_messages)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct maildir_name n = { 0 };

		CHECK(maildir_name_parse(str_c(cases[i].in), &n) == cases[i].ok,
		    cases[i].in);
		CHECK(str_eq(n.unique, str_c(cases[i].unique)), cases[i].in);
		CHECK(n.flags == cases[i].flags, cases[i].in);
		CHECK(n.keywords == cases[i].keywords, cases[i].in);
		CHECK(n.time == cases[i].time, cases[i].in);
	}
}

TEST(letters_are_written_in_order)
{
	struct maildir_name n = { .unique = STR("1.x"),
		.flags = MAILFILE_SEEN | MAILFILE_DRAFT | MAILFILE_DELETED,
		.keywords = 0x2000001 };
	struct buf b = BUF_INIT(KIB(1));

	maildir_name_format(&n, &b);
	assert_string_equal(buf_c(&b), "1.x:2,DSTaz");
	buf_done(&b);
}

TEST(keyword_files_and_folders)
{
	struct buf b = BUF_INIT(KIB(1));
	struct str name;
	unsigned n;

	CHECK(maildir_keyword_parse(STR("0 $Junk"), &n, &name) && n == 0 &&
		  str_eq(name, STR("$Junk")),
	    "first");
	CHECK(maildir_keyword_parse(STR("25 x"), &n, &name) && n == 25, "last");
	CHECK(!maildir_keyword_parse(STR("26 x"), &n, &name), "too high");
	CHECK(!maildir_keyword_parse(STR("1"), &n, &name), "no name");
	CHECK(!maildir_keyword_parse(STR("x y"), &n, &name), "no number");
	CHECK(maildir_folder_parse(STR(".A.B&APw-"), &b), "folder");
	assert_string_equal(buf_c(&b), "A/B&APw-");
	CHECK(!maildir_folder_parse(STR("."), &b), "dot");
	CHECK(!maildir_folder_parse(STR(".."), &b), "dots");
	CHECK(!maildir_folder_parse(STR("cur"), &b), "cur");
	buf_reset(&b, 0);
	maildir_folder_format(STR("A/B.C"), &b);
	assert_string_equal(buf_c(&b), ".A.B_C");
	buf_done(&b);
}

TEST(line_ends_however_cut)
{
	struct str in = STR("a\nb\r\n\n\r\nc\rd\r"), want;
	struct buf lf = BUF_INIT(KIB(1));

	want = STR("a\r\nb\r\n\r\n\r\nc\rd\r");
	for (size_t cut = 0; cut <= in.n; cut++) {
		struct buf b = BUF_INIT(KIB(1));
		bool after_cr = false;

		mailfile_put_crlf(&b, str_first(in, cut), &after_cr);
		mailfile_put_crlf(&b, str_from(in, cut), &after_cr);
		CHECK(str_eq(buf_str(&b), want), "crlf");
		buf_done(&b);
	}
	mailfile_put_lf(&lf, want);
	CHECK(str_eq(buf_str(&lf), STR("a\nb\n\n\nc\rd\r")), "lf");
	buf_reset(&lf, 0);
	mailfile_put_lf(&lf, STR("a\r\r\nb"));
	CHECK(str_eq(buf_str(&lf), STR("a\r\r\nb")), "a CR of its own stays");
	buf_done(&lf);
}

TEST_MAIN(UNIT(names_of_messages), UNIT(letters_are_written_in_order),
    UNIT(keyword_files_and_folders), UNIT(line_ends_however_cut))
