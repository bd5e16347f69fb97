/* SPDX-License-Identifier: ISC */
/*
 * gen_man.c - the parts of the manual that come from tables.
 *
 *   gen_man conf    the options of mailstead.conf(5)
 *   gen_man events  the events and metrics of mailstead-events(7)
 *
 * tools/gen-man puts them between the marks of the pages in man/.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "conf/schema.h"

/* A line of mdoc must not begin with a control character, and a backslash
 * begins an escape. */
static void
put_text(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
		/* New sentence, new line. */
		if (*s == '.' && s[1] == ' ' && s[2] >= 'A' && s[2] <= 'Z') {
			putchar('\n');
			s++;
		}
	}
	putchar('\n');
}

static void
put_option(const struct conf_option *o)
{
	struct buf expected = BUF_INIT(KIB(1));

	conf_expected(o, &expected);
	if (conf_is_list(o))
		printf(".It Ic %s No = { Ar address No , ... }\n", o->key);
	else
		printf(".It Ic %s No = Ar value\n", o->key);
	put_text(o->help);
	if (!conf_is_list(o) && o->fallback[0] != '\0')
		printf("Expected: %s.\nDefault:\n.Ql %s .\n", buf_c(&expected),
		    o->fallback);
	else
		printf("Expected: %s.\n", buf_c(&expected));
	buf_done(&expected);
}

static void
put_options(void)
{
	const char *section = NULL;

	for (size_t i = 0; i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];

		if (section == NULL || strcmp(section, o->section) != 0) {
			if (section != NULL)
				puts(".El");
			section = o->section;
			if (section[0] == '\0')
				puts(".Ss Outside of sections");
			else
				printf(".Ss Section %s\n", section);
			puts(".Bl -tag -width Ds");
		}
		put_option(o);
	}
	puts(".El");
}

static void
put_events(void)
{
	puts(".Sh EVENTS\n.Bl -tag -width Ds");
	for (unsigned i = 0; i < EVENT_COUNT; i++) {
		printf(".It Ic %s Pq %s\n", event_name((enum event_id)i),
		    log_level_name(event_level((enum event_id)i)));
		put_text(event_help((enum event_id)i));
	}
	puts(".El\n.Sh METRICS\n.Bl -tag -width Ds");
#define METRIC(id, name, type, help) \
	puts(".It Ic mailstead_" name " Pq " #type); \
	put_text(help);
#include "base/metrics.def"
#undef METRIC
	puts(".It Ic mailstead_events_total Pq counter\n"
	     "How often each event happened; the labels\n"
	     ".Ic event\nand\n.Ic level\nname it.\n.El");
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "conf") == 0)
		put_options();
	else if (argc == 2 && strcmp(argv[1], "events") == 0)
		put_events();
	else
		return 2;
	return 0;
}
