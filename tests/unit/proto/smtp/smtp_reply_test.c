/* SPDX-License-Identifier: ISC */
/* smtp_reply_test.c - writing replies and reading them. */
#include "../../test.h"
#include "proto/smtp/smtp_reply.h"

TEST(replies_become_lines_that_nothing_can_break_out_of)
{
	static const struct {
		struct smtp_reply reply;
		const char *want;
	} cases[] = {
		{ { 250, "2.1.0", "Ok", false }, "250 2.1.0 Ok\r\n" },
		{ { 354, NULL, "Go on", false }, "354 Go on\r\n" },
		{ { 250, NULL, "", false }, "250 \r\n" },
		{ { 550, "5.1.1", "No\nReally not", false },
		    "550-5.1.1 No\r\n550 5.1.1 Really not\r\n" },
		{ { 550, NULL, "a\r\n250 Ok", false },
		    "550-a?\r\n550 250 Ok\r\n" },
		{ { 550, NULL, "\x7F\t\x1B[1m", false }, "550 ???[1m\r\n" },
		{ { 550, NULL, "\xC3\xBC", false }, "550 ??\r\n" },
		{ { 550, NULL, "\xC3\xBC", true }, "550 \xC3\xBC\r\n" },
		{ { 550, NULL, "\xC3\xBC\xC3", true }, "550 ???\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(1000);

		smtp_reply_format(&b, &cases[i].reply);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].want);
		buf_done(&b);
	}
}

/* Lines of a reply whose text is n times word; checks their lengths. */
static size_t
count_lines(const char *word, size_t n, const char *esc)
{
	struct buf text = BUF_INIT(KIB(8)), out = BUF_INIT(KIB(16));
	struct smtp_reply reply = { .code = 550, .esc = esc, .is_utf8 = true };
	size_t lines = 0;
	struct str rest;

	for (size_t i = 0; i < n; i++)
		buf_put_c(&text, word);
	reply.text = buf_c(&text);
	smtp_reply_format(&out, &reply);
	for (rest = buf_str(&out); rest.n > 0; lines++) {
		struct str line;

		rest = str_split(rest, '\n', &line);
		CHECK(line.n + 1 <= SMTP_REPLY_LINE_MAX, word);
		CHECK(str_is_utf8(line), word);
		CHECK(line.p[3] == (rest.n ? '-' : ' '), word);
		CHECK(!esc || str_starts(str_from(line, 4), str_c(esc)), word);
	}
	buf_done(&text);
	buf_done(&out);
	return lines;
}

TEST(long_text_is_split_within_the_limit)
{
	CHECK(count_lines("x", 506, NULL) == 1, "just fits");
	CHECK(count_lines("x", 507, NULL) == 2, "one too long");
	CHECK(count_lines("x", 500, "5.7.1") == 1, "fits with its status");
	CHECK(count_lines("x", 501, "5.7.1") == 2, "does not");
	CHECK(count_lines("word ", 300, "5.7.1") == 3, "at spaces");
	CHECK(count_lines("\xC3\xBC", 600, NULL) == 3, "between characters");
	CHECK(
	    count_lines("\xF0\x9F\x93\xAC", 300, "4.7.1") == 3, "of any size");
}

TEST(ehlo_lists_its_keywords)
{
	static const char *const keywords[] = { "PIPELINING", "SIZE 1000" };
	struct buf b = BUF_INIT(1000);

	smtp_reply_format_ehlo(&b, "mx.example", keywords, 2);
	CHECK(str_eq(buf_str(&b), STR("250-mx.example\r\n250-PIPELINING\r\n"
				      "250 SIZE 1000\r\n")),
	    "list");
	buf_reset(&b, 0);
	smtp_reply_format_ehlo(&b, "mx.example", NULL, 0);
	CHECK(str_eq(buf_str(&b), STR("250 mx.example\r\n")), "alone");
	buf_done(&b);
}

TEST(enhanced_codes_are_read_when_they_match)
{
	static const struct {
		const char *text;
		int code;
		bool ok;
		struct smtp_status want;
		const char *rest;
	} cases[] = {
		{ "5.7.1 No", 550, true, { 5, 7, 1 }, "No" },
		{ "4.999.999", 451, true, { 4, 999, 999 }, "" },
		{ "2.0.0 ", 250, true, { 2, 0, 0 }, "" },
		{ "5.7.1 No", 450, false, { 0 }, NULL },
		{ "5.7 No", 550, false, { 0 }, NULL },
		{ "5.7.1.1 No", 550, false, { 0 }, NULL },
		{ "5.7.01 No", 550, false, { 0 }, NULL },
		{ "5.1000.1 No", 550, false, { 0 }, NULL },
		{ "5.7.1: No", 550, false, { 0 }, NULL },
		{ "", 550, false, { 0 }, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smtp_status got = { 0 };
		struct str rest = STR_NONE;

		CHECK(smtp_status_parse(str_c(cases[i].text), cases[i].code,
			  &got, &rest) == cases[i].ok,
		    cases[i].text);
		CHECK(got.class == cases[i].want.class, cases[i].text);
		CHECK(got.subject == cases[i].want.subject, cases[i].text);
		CHECK(got.detail == cases[i].want.detail, cases[i].text);
		CHECK(str_eq(rest, str_c(cases[i].rest)), cases[i].text);
	}
}

/* Feed the lines of text, which '|' separates; the last answer. */
static enum smtp_reply_step
feed(struct smtp_reply_reader *r, const char *text)
{
	enum smtp_reply_step step = SMTP_REPLY_MORE;
	struct str rest = str_c(text), line;

	smtp_reply_reader_reset(r);
	while (rest.p && step == SMTP_REPLY_MORE) {
		rest = str_split(rest, '|', &line);
		step = smtp_reply_reader_line(r, line);
	}
	return step;
}

TEST(replies_of_servers_are_gathered)
{
	static const struct {
		const char *lines;
		enum smtp_reply_step want;
		int code;
		const char *text;
	} cases[] = {
		{ "220 hello", SMTP_REPLY_DONE, 220, "hello" },
		{ "250", SMTP_REPLY_DONE, 250, "" },
		{ "250 ", SMTP_REPLY_DONE, 250, "" },
		{ "250-a|250-b c|250 d", SMTP_REPLY_DONE, 250, "a\nb c\nd" },
		{ "250-a|250", SMTP_REPLY_DONE, 250, "a\n" },
		{ "571 odd but real", SMTP_REPLY_DONE, 571, "odd but real" },
		{ "250-a", SMTP_REPLY_MORE, 250, "a" },
		{ "250-a|251 b", SMTP_REPLY_BAD, 250, "a" },
		{ "250:a", SMTP_REPLY_BAD, 0, "" },
		{ "2500 a", SMTP_REPLY_BAD, 0, "" },
		{ "199 a", SMTP_REPLY_BAD, 0, "" },
		{ "600 a", SMTP_REPLY_BAD, 0, "" },
		{ "25", SMTP_REPLY_BAD, 0, "" },
		{ "HTTP/1.1 400", SMTP_REPLY_BAD, 0, "" },
		{ "", SMTP_REPLY_BAD, 0, "" },
	};
	struct smtp_reply_reader r;

	smtp_reply_reader_init(&r);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(
		    feed(&r, cases[i].lines) == cases[i].want, cases[i].lines);
		CHECK(r.code == cases[i].code, cases[i].lines);
		CHECK(str_eq(buf_str(&r.text), str_c(cases[i].text)),
		    cases[i].lines);
	}
	smtp_reply_reader_done(&r);
}

TEST(an_endless_reply_is_cut_off)
{
	enum smtp_reply_step step = SMTP_REPLY_MORE;
	char line[SMTP_REPLY_LINE_MAX];
	struct smtp_reply_reader r;
	size_t n = 0;

	smtp_reply_reader_init(&r);
	for (; step == SMTP_REPLY_MORE; n++)
		step = smtp_reply_reader_line(&r, STR("250-x"));
	CHECK(step == SMTP_REPLY_LONG, "lines");
	CHECK(n == SMTP_REPLY_LINES_MAX + 1, "lines");
	smtp_reply_reader_reset(&r);
	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	step = SMTP_REPLY_MORE;
	for (n = 0; step == SMTP_REPLY_MORE; n++)
		step = smtp_reply_reader_line(&r, str_make(line, sizeof(line)));
	CHECK(step == SMTP_REPLY_LONG && n < 40, "bytes");
	CHECK(r.text.n <= SMTP_REPLY_TEXT_MAX, "bytes");
	smtp_reply_reader_done(&r);
}

TEST_MAIN(UNIT(replies_become_lines_that_nothing_can_break_out_of),
    UNIT(long_text_is_split_within_the_limit), UNIT(ehlo_lists_its_keywords),
    UNIT(enhanced_codes_are_read_when_they_match),
    UNIT(replies_of_servers_are_gathered), UNIT(an_endless_reply_is_cut_off))
