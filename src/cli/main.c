/* SPDX-License-Identifier: ISC */
/*
 * main.c - global options, help, and the table of commands. See cli.h.
 */
#include "cli/cli.h"
#include "conf/conf.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define CONFIG_FILE SYSCONFDIR "/mailstead/mailstead.conf"
#define DATA_DIR    "/var/lib/mailstead"

/* clang-format off */
static const struct cli_command commands[] = {
	{ "run",     "",                       "Run the server in the foreground", cmd_run },
	{ "demo",    "[--ports FIRST] DIR",                   "Run a demonstration on loopback, with its data in DIR", cmd_demo },
	{ "status",  "[--json]",               "Show each process and its sandbox", cmd_status },
	{ "metrics", "",                       "Print all counters as Prometheus text", cmd_metrics },
	{ "reload",  "",                       "Take over the configuration and certificates anew", cmd_reload },
	{ "config",  "check [FILE]",           "Check a configuration file", cmd_config },
	{ "check",   "[--rebuild]",            "Verify every checksum and reference of the store", cmd_check },
	{ "domain",  "add|list|remove ...",    "Domains that are served here", admin_domain },
	{ "dkim",    "list|add|activate|rotate|remove ...", "Keys that sign the mail of a domain", admin_dkim },
	{ "dns",     "[--zone | --check] DOMAIN", "The DNS records that a domain needs", cmd_dns },
	{ "user",    "add|list|passwd|quota|remove|undelete ...", "Accounts", admin_user },
	{ "alias",   "add|list|remove ...",    "Addresses that lead to others", admin_alias },
	{ "queue",   "list|show|retry|hold|release|cancel|reroute ...", "What waits to be sent to other servers", admin_queue },
	{ "trace",   "ID|ADDRESS",             "The life of messages that went to other servers", admin_trace },
	{ "mail",    "import|export ...",      "Bring mail in from Maildir or mbox, and out", admin_mail },
};
/* clang-format on */

static const char *config_path = CONFIG_FILE;

const char *
cli_config_path(void)
{
	return config_path;
}

static void
print_help(void)
{
	puts("usage: mailstead [-c FILE | -d DIR] COMMAND ...\n\nCommands:");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].run != NULL)
			printf("  %-8s %s\n           %s\n", commands[i].name,
			    commands[i].args, commands[i].help);
	puts("\nOptions:\n"
	     "  -c FILE    the configuration file (" CONFIG_FILE ")\n"
	     "  -d DIR     the data folder of the server to speak with\n"
	     "  --json     print JSON, with every command that prints\n"
	     "  --version  print the version\n"
	     "  --help     print this\n\n"
	     "See mailstead(8), mailstead.conf(5) and mailstead-events(7).");
}

/* The value of a line "data = ..." of a file that has an error elsewhere:
 * status and reload are wanted most when it has. */
static char *
guess_data_dir(void)
{
	FILE *f = fopen(config_path, "re");
	char line[2048], *dir = NULL;

	while (f != NULL && dir == NULL && fgets(line, sizeof(line), f)) {
		struct str key, value = str_split(str_c(line), '=', &key);

		if (!str_eq(str_trim(key), STR("data")))
			continue;
		value = str_trim(str_first(value, strcspn(value.p, "\n#")));
		if (value.n >= 2 && value.p[0] == '"')
			value = str_sub(value, 1, value.n - 2);
		dir = str_dup(value);
	}
	if (f != NULL)
		fclose(f);
	return dir ? dir : x_strdup(DATA_DIR);
}

/* The data folder that the configuration names; on the heap. */
static char *
find_data_dir(void)
{
	struct conf *c;
	char *error, *dir;

	if (conf_load(config_path, &c, &error) < 0) {
		free(error);
		return guess_data_dir();
	}
	dir = x_strdup(c->data_dir);
	conf_free(c);
	return dir;
}

static int
run_command(const char *data_dir, int argc, char **argv)
{
	CLEANUP(freep) char *dir = NULL, *control = NULL;
	struct admin a = { 0 };
	int r = ADMIN_USAGE;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (commands[i].run == NULL ||
		    strcmp(commands[i].name, argv[0]) != 0)
			continue;
		dir = data_dir ? x_strdup(data_dir) : find_data_dir();
		control = x_asprintf("%s/run/control.sock", dir);
		a.control = control;
		r = commands[i].run(&a, argc - 1, argv + 1);
		admin_done(&a);
		return r;
	}
	fprintf(stderr,
	    "mailstead: no such command: %s (see mailstead --help)\n", argv[0]);
	return r;
}

int
cli_main(int argc, char **argv)
{
	const char *data_dir = NULL;
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		bool has_value = at + 1 < argc;

		if (strcmp(argv[at], "--help") == 0 ||
		    strcmp(argv[at], "-h") == 0) {
			print_help();
			return ADMIN_OK;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts("mailstead " VERSION);
			return ADMIN_OK;
		} else if (strcmp(argv[at], "-c") == 0 && has_value) {
			config_path = argv[++at];
		} else if (strcmp(argv[at], "-d") == 0 && has_value) {
			data_dir = argv[++at];
		} else {
			fprintf(stderr,
			    "mailstead: %s is no option, or needs a value "
			    "(see mailstead --help)\n",
			    argv[at]);
			return ADMIN_USAGE;
		}
	}
	if (at == argc) {
		print_help();
		return ADMIN_USAGE;
	}
	if (strcmp(argv[at], "help") == 0) {
		print_help();
		return ADMIN_OK;
	}
	return run_command(data_dir, argc - at, argv + at);
}
