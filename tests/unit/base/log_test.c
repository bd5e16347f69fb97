/* SPDX-License-Identifier: ISC */
/* log_test.c - event lines: times, escaping, limits. */
#include "../test.h"
#include "base/log.h"

#include <unistd.h>

/* The line without what stands in front of its first field. */
static struct str
line_of(struct buf *b, struct str value)
{
	struct log_field f = { .key = "v", .type = LOG_STR, .s = value };
	ptrdiff_t at;

	buf_reset(b, 0);
	log_format(b, 0, EV_PROC_READY, &f, 1);
	at = str_search(buf_str(b), STR(" v="));
	ASSERT(at > 0 && str_ends(buf_str(b), STR("\n")));
	return str_from(str_first(buf_str(b), b->n - 1), (size_t)at + 3);
}

TEST(values_of_outsiders_cannot_forge_a_line)
{
	static const struct {
		struct str in, want;
	} cases[] = {
		{ STR("plain-1.2@x"), STR("plain-1.2@x") },
		{ STR(""), STR("\"\"") },
		{ STR("two words"), STR("\"two words\"") },
		{ STR("a=b"), STR("\"a=b\"") },
		{ STR("a\nevent=auth.ok"), STR("\"a\\x0aevent=auth.ok\"") },
		{ STR("a\r\0b"), STR("\"a\\x0d\\x00b\"") },
		{ STR("say \"hi\"\\"), STR("\"say \\\"hi\\\"\\\\\"") },
		{ STR("\x1b[2J"), STR("\"\\x1b[2J\"") },
		{ STR("gr\xC3\xBC\xC3\x9F"), STR("\"gr\xC3\xBC\xC3\x9F\"") },
		{ STR("\xC2\x9B"
		      "2J"),
		    STR("\"\\xc2\\x9b2J\"") }, /* CSI as a C1 control */
		{ STR("a\xE2\x80\xAE"
		      "b"),
		    STR("\"a\\xe2\\x80\\xaeb\"") },
		{ STR("\xE2\x80\xA8"), STR("\"\\xe2\\x80\\xa8\"") },
		{ STR("\xD8\x9C"
		      "c"),
		    STR("\"\\xd8\\x9cc\"") },
		{ STR("\xFF\xFE"), STR("\"\\xff\\xfe\"") },
		{ STR("\xC3"), STR("\"\\xc3\"") },
	};
	struct buf b = BUF_INIT(KIB(8));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = line_of(&b, cases[i].in);

		CHECK(str_eq(got, cases[i].want), buf_c(&b));
	}
	buf_done(&b);
}

TEST(no_byte_string_makes_a_second_line_or_a_control)
{
	struct buf b = BUF_INIT(KIB(8));

	for (unsigned x = 0; x < 256; x++)
		for (unsigned y = 0; y < 256; y++) {
			char two[2] = { (char)x, (char)y };
			struct str got = line_of(&b, str_make(two, 2));

			for (size_t i = 0; i < got.n; i++)
				CHECK((unsigned char)got.p[i] >= ' ' &&
					  got.p[i] != 0x7F,
				    "control");
			CHECK(str_is_utf8(got), "always UTF-8");
		}
	buf_done(&b);
}

TEST(long_values_and_lines_are_cut)
{
	char big[8000];
	struct buf b = BUF_INIT(KIB(16));
	struct log_field f[20];
	struct str got;

	memset(big, 'x', sizeof(big));
	got = line_of(&b, str_make(big, sizeof(big)));
	CHECK(got.n == 1024 + 3 && str_ends(got, STR("...")), "value");
	/* A two-byte character across the cut stays whole or goes. */
	memset(big, 'x', 1023);
	memcpy(big + 1023, "\xC3\xBC", 2);
	got = line_of(&b, str_make(big, 1025));
	CHECK(str_is_utf8(got) && str_search(got, STR("\\x")) < 0, "character");
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		f[i] = (struct log_field)LS("k", str_make(big, 900));
	buf_reset(&b, 0);
	log_format(&b, 0, EV_PROC_READY, f, ARRAY_LEN(f));
	CHECK(b.n < 4096, "one write, one line");
	CHECK(str_ends(buf_str(&b), STR(" cut=1\n")), "and it says so");
	buf_done(&b);
}

TEST(times_are_utc_dates)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z " },
		{ 951782399999, "2000-02-28T23:59:59.999Z " },
		{ 951782400000, "2000-02-29T00:00:00.000Z " },
		{ 1709251199000, "2024-02-29T23:59:59.000Z " },
		{ 1763921033120, "2025-11-23T18:03:53.120Z " },
		{ 4107542400000, "2100-03-01T00:00:00.000Z " },
	};
	struct buf b = BUF_INIT(KIB(8));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&b, 0);
		log_format(&b, cases[i].ms, EV_PROC_STOP, NULL, 0);
		CHECK(str_starts(buf_str(&b), str_c(cases[i].want)), buf_c(&b));
		CHECK(str_ends(buf_str(&b), STR(" info event=proc.stop\n")),
		    buf_c(&b));
	}
	buf_done(&b);
}

TEST(every_event_has_a_name_of_its_own_and_a_sentence)
{
	for (unsigned i = 0; i < EVENT_COUNT; i++) {
		const char *name = event_name((enum event_id)i);
		const char *help = event_help((enum event_id)i);

		CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") ==
			  strlen(name),
		    name);
		CHECK(help[0] && help[strlen(help) - 1] == '.', name);
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(name, event_name((enum event_id)j)) != 0,
			    name);
	}
}

TEST(levels_have_names)
{
	enum log_level l = LOG_LEVEL_INFO;

	CHECK(
	    log_level_from_name("error", &l) && l == LOG_LEVEL_ERROR, "error");
	CHECK(!log_level_from_name("loud", &l) && l == LOG_LEVEL_ERROR, "loud");
	CHECK(strcmp(log_level_name(LOG_LEVEL_WARN), "warn") == 0, "warn");
}

TEST_MAIN(UNIT(values_of_outsiders_cannot_forge_a_line),
    UNIT(no_byte_string_makes_a_second_line_or_a_control),
    UNIT(long_values_and_lines_are_cut), UNIT(times_are_utc_dates),
    UNIT(every_event_has_a_name_of_its_own_and_a_sentence),
    UNIT(levels_have_names))
