/* SPDX-License-Identifier: ISC */
/* output_test.c - what others say, on a terminal. */
#include "../../test.h"
#include "cli/output/output.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

TEST(nothing_steers_a_terminal)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "550 5.1.1 no", "550 5.1.1 no" },
		{ "a\nb\tc\x1b[2J\x7f", "a?b?c?[2J?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		/* CSI of C1 in UTF-8, and its neighbours. */
		{ "\xc2\x9b"
		  "2J\xc2\x80\xc2\x9f",
		    "??2J????" },
		{ "\xc2\xa0\xc2", "\xc2\xa0\xc2" },
		/* What turns around the rest of a line, and its neighbours. */
		{ "a\xe2\x80\xaetxt.\xe2\x81\xa6z", "a???txt.???z" },
		{ "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "????????" },
		{ "\xe2\x80\xaf\xe2\x81\xaa\xe2\x80",
		    "\xe2\x80\xaf\xe2\x81\xaa\xe2\x80" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = x_strdup(cases[i].in);

		output_tame(text, strlen(text));
		CHECK(strcmp(text, cases[i].want) == 0, cases[i].in);
		free(text);
	}
}

TEST(ends_of_lines_stay)
{
	char text[] = "a\nb\r\n\x1b";

	output_tame_lines(text, strlen(text));
	CHECK(strcmp(text, "a\nb?\n?") == 0, text);
}

TEST(json_says_what_it_said)
{
	struct buf b = BUF_INIT(KIB(1));

	output_escape_json(
	    &b, STR("{\n \"a\": \"gr\xc3\xbc\xc2\x9b\x7f\xe2\x80\xae\\n\"\n}"));
	CHECK(str_eq(buf_str(&b),
		  STR("{\n \"a\": "
		      "\"gr\xc3\xbc\\u009b\\u007f\\u202e\\n\"\n}")),
	    buf_c(&b));
	buf_done(&b);
}

/* Prints o, and frees it. */
static void
capture(struct output *o, bool is_json, char *to, size_t max)
{
	FILE *was = stdout, *f = fmemopen(to, max, "w");

	assert_non_null(f);
	stdout = f;
	output_print(o, is_json);
	fclose(f);
	stdout = was;
	output_free(o);
}

TEST(times_have_units_for_people)
{
	static const struct output_field fields[] = {
		{ "every_s", "EVERY", OUTPUT_S },
		{ "ahead_ms", "AHEAD", OUTPUT_MS },
	};

	for (int is_json = 0; is_json <= 1; is_json++) {
		struct output *o = output_new("x", fields, ARRAY_LEN(fields));
		char text[200] = "";

		output_put_number(o, 90);
		output_put_signed(o, -14);
		capture(o, is_json, text, sizeof(text));
		CHECK(strstr(text, is_json ? ": 90" : "90s ") != NULL, text);
		CHECK((strstr(text, "-14ms") != NULL) == !is_json, text);
	}
}

static void
print_into(char *to, size_t max, bool is_json)
{
	static const struct output_field fields[] = {
		{ "state", "STATE", OUTPUT_TEXT },
		{ "flags", NULL, OUTPUT_LIST },
		{ "places", "PLACES", OUTPUT_COUNT },
	};
	struct output *o = output_new("rows", fields, ARRAY_LEN(fields));

	output_put_text(o, STR("down"));
	output_show(o, STR("down, planned\x1bwork"));
	output_put_text(o, STR("planned\nmasked"));
	output_put_number(o, 3);
	output_show(o, STR("2 of 3"));
	capture(o, is_json, to, max);
}

TEST(people_read_what_is_shown_and_programs_words)
{
	char text[1000] = "";

	print_into(text, sizeof(text), false);
	CHECK(strcmp(text, "STATE               PLACES\n"
			   "down, planned?work  2 of 3\n") == 0,
	    text);
	print_into(text, sizeof(text), true);
	CHECK(strstr(text, "\"state\": \"down\"") != NULL, text);
	CHECK(strstr(text, "\"planned\",") != NULL, text);
	CHECK(strstr(text, "\"places\": 3") != NULL, text);
	CHECK(strstr(text, "2 of 3") == NULL, text);
}

/* What a terminal of so many columns shows; o is freed. */
static void
print_on(struct output *o, int columns, char *to, size_t max)
{
	struct winsize size = { .ws_row = 24, .ws_col = (uint16_t)columns };
	int master = posix_openpt(O_RDWR | O_NOCTTY), was = dup(STDOUT_FILENO);
	int slave;
	ssize_t n;

	assert_true(
	    master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && ioctl(slave, TIOCSWINSZ, &size) == 0);
	(void)fflush(stdout);
	assert_true(dup2(slave, STDOUT_FILENO) >= 0);
	output_print(o, false);
	(void)fflush(stdout);
	assert_true(dup2(was, STDOUT_FILENO) >= 0);
	n = read(master, to, max - 1);
	assert_true(n > 0);
	to[n] = '\0';
	output_free(o);
	(void)close(was);
	(void)close(slave);
	(void)close(master);
}

/* The head of a table. */
static void
show_on(int columns, char *to, size_t max)
{
	static const struct output_field fields[] = {
		{ "name", "NAME", OUTPUT_TEXT },
		{ "fault", "FAULT", OUTPUT_TEXT },
		{ "place", "PLACE", OUTPUT_TEXT },
		{ "checks", "CHECKS", OUTPUT_COUNT },
		{ "found", "FOUND", OUTPUT_TEXT },
	};
	struct output *o = output_new("rows", fields, ARRAY_LEN(fields));

	output_spare(o, "checks place");
	output_put_text(o, STR("NC036"));
	output_put_text(o, STR_NONE);
	output_put_text(o, STR("Amsterdam"));
	output_put_number(o, 12);
	output_put_text(o, STR("ready for mail, offers STARTTLS"));
	print_on(o, columns, to, max);
	to[strcspn(to, "\r\n")] = '\0';
}

TEST(a_narrow_terminal_shows_less)
{
	static const struct {
		int columns;
		const char *head;
	} cases[] = {
		{ 0, "NAME   FAULT  PLACE      CHECKS  FOUND" }, /* not known */
		{ 80, "NAME   FAULT  PLACE      CHECKS  FOUND" },
		{ 53, "NAME   FAULT  PLACE      CHECKS  FOUND" },
		{ 52, "NAME   PLACE      CHECKS  FOUND" },
		{ 46, "NAME   PLACE      CHECKS  FOUND" },
		{ 45, "NAME   PLACE      FOUND" },
		{ 37, "NAME   FOUND" },
		{ 10, "NAME   FOUND" },
	};
	char text[1000];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		show_on(cases[i].columns, text, sizeof(text));
		if (strcmp(text, cases[i].head) != 0)
			fail_msg("%d: %s", cases[i].columns, text);
	}
}

/* The lines of a table on a terminal, without their ends. */
static void
check_rows(int columns, const char *const *want, size_t n)
{
	static const struct output_field fields[] = {
		{ "name", "NAME", OUTPUT_TEXT },
		{ "target", "TARGET", OUTPUT_TEXT },
		{ "every_s", "EVERY", OUTPUT_S },
		{ "options", "OPTIONS", OUTPUT_LIST },
	};
	struct output *o = output_new("rows", fields, ARRAY_LEN(fields));
	char text[2000];
	char *rest = text;

	output_put_text(o, STR("a-name-that-is-long/smtp"));
	output_put_text(o, STR("gr\xC3\xBC\xC3\x9F"
			       "e.mail.example.org:25"));
	output_put_number(o, 30);
	output_put_text(o, STR("timeout=5s\nslow=2s\ntls=starttls"));
	print_on(o, columns, text, sizeof(text));
	for (size_t i = 0; i < n; i++) {
		char *end = rest + strcspn(rest, "\r\n");
		char *next = end + strspn(end, "\r\n");

		*end = '\0';
		if (strcmp(rest, want[i]) != 0)
			fail_msg(
			    "%d: \"%s\", not \"%s\"", columns, rest, want[i]);
		rest = next;
	}
}

TEST(the_widest_texts_are_cut_to_the_terminal)
{
	static const char *const whole[] = {
		"NAME                      TARGET                     EVERY  "
		"OPTIONS",
		"a-name-that-is-long/smtp  gr\xC3\xBC\xC3\x9F"
		"e.mail.example.org:25    30s  timeout=5s slow=2s tls=starttls",
	};
	static const char *const cut[] = {
		"NAME                      TARGET              EVERY  OPTIONS",
		"a-name-that-is-long/smtp  gr\xC3\xBC\xC3\x9F"
		"e.mail.exampl\xE2\x80\xA6    30s  timeout=5s "
		"slow=2\xE2\x80\xA6",
	};
	static const char *const least[] = {
		"NAME                      TARGET      EVERY  OPTIONS",
		"a-name-that-is-long/smtp  gr\xC3\xBC\xC3\x9F"
		"e.mai\xE2\x80\xA6    30s  timeout=5\xE2\x80\xA6",
	};

	check_rows(0, whole, 2); /* not known */
	check_rows(91, whole, 2);
	check_rows(71, cut, 2);
	check_rows(20, least, 2);
}

TEST(nothing_is_cut_for_programs)
{
	static const struct output_field fields[] = {
		{ "a", "A", OUTPUT_TEXT },
		{ "b", "B", OUTPUT_TEXT },
	};
	struct output *o = output_new("rows", fields, ARRAY_LEN(fields));
	char text[1000] = "", wide[301];
	int was = dup(STDOUT_FILENO), fd = open("/dev/null", O_WRONLY);

	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	output_put_text(o, str_c(wide));
	output_put_text(o, str_c(wide));
	/* Wherever the test runs. */
	assert_true(was >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
	capture(o, false, text, sizeof(text));
	assert_true(dup2(was, STDOUT_FILENO) >= 0);
	(void)close(was);
	(void)close(fd);
	CHECK(strlen(strrchr(text, ' ')) == 1 + 300 + 1, text);
}

TEST(an_empty_list_is_an_empty_cell)
{
	static const struct output_field fields[] = {
		{ "contact", "CONTACT", OUTPUT_TEXT },
		{ "systems", "SYSTEMS", OUTPUT_LIST },
	};
	struct output *o = output_new("rows", fields, ARRAY_LEN(fields));
	char text[1000] = "";

	output_put_text(o, STR("ops"));
	output_put_text(o, STR_NONE);
	capture(o, false, text, sizeof(text));
	CHECK(strcmp(text, "CONTACT  SYSTEMS\n"
			   "ops      \n") == 0,
	    text);
}

/* A row, and a number beside the list. */
static void
print_beside(bool is_in_parts, char *to, size_t max)
{
	static const struct output_field fields[] = { { "a", "A",
	    OUTPUT_TEXT } };
	struct output *o = output_new("rows", fields, 1);
	FILE *was = stdout, *f = fmemopen(to, max, "w");

	assert_non_null(f);
	stdout = f;
	output_put_text(o, STR("x"));
	if (is_in_parts)
		output_flush(o, true);
	output_beside(o, "unknown", 3);
	output_print(o, true);
	fclose(f);
	stdout = was;
	output_free(o);
}

TEST(a_number_stands_beside_a_list)
{
	for (int parts = 0; parts < 2; parts++) {
		char text[1000] = "", *end;

		print_beside(parts == 1, text, sizeof(text));
		end = strstr(text, "]");
		CHECK(strstr(text, "\"a\": \"x\"") != NULL, text);
		CHECK(end != NULL &&
			  strcmp(end, "],\n  \"unknown\": 3\n}\n") == 0,
		    text);
	}
}

TEST_MAIN(UNIT(a_narrow_terminal_shows_less),
    UNIT(the_widest_texts_are_cut_to_the_terminal),
    UNIT(nothing_is_cut_for_programs),
    UNIT(people_read_what_is_shown_and_programs_words),
    UNIT(nothing_steers_a_terminal), UNIT(ends_of_lines_stay),
    UNIT(times_have_units_for_people), UNIT(json_says_what_it_said),
    UNIT(an_empty_list_is_an_empty_cell), UNIT(a_number_stands_beside_a_list))
