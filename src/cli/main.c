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
	{ "run",     "",                       "Run the server in the foreground", cmd_run, NULL },
	{ "demo",    "[--ports FIRST] DIR",                   "Run a demonstration on loopback, with its data in DIR", cmd_demo, NULL },
	{ "status",  "[--json]",               "Show each process and its sandbox", cmd_status, NULL },
	{ "metrics", "",                       "Print all counters as Prometheus text", cmd_metrics, NULL },
	{ "reload",  "[--json]",               "Take over the configuration and certificates anew", cmd_reload, NULL },
	{ "config",  "check [FILE] [--json]",    "Check a configuration file", cmd_config, NULL },
	{ "check",   "[--rebuild] [--json] | add|change|list|show|run|remove|kinds ...", "Verify every checksum and reference of the store; or what is watched of systems", cmd_check, check_usage },
	{ "domain",  "add|list|remove ...",    "Domains that are served here", admin_domain, domain_usage },
	{ "dkim",    "list|add|activate|rotate|remove ...", "Keys that sign the mail of a domain", admin_dkim, dkim_usage },
	{ "dns",     "DOMAIN [--zone | --check | --update ...] [--json]", "The DNS records that a domain needs", cmd_dns, dns_usage },
	{ "user",    "add|list|passwd|quota|remove|undelete ...", "Accounts", admin_user, user_usage },
	{ "alias",   "add|list|remove ...",    "Addresses that lead to others", admin_alias, alias_usage },
	{ "account", "list|show|release|block|open|limit ...", "What accounts send to other servers, and who sends too much", admin_account, account_usage },
	{ "queue",   "list|show|retry|hold|release|cancel|reroute ...", "What waits to be sent to other servers", admin_queue, queue_usage },
	{ "route",   "add|list|show|change|remove|test|status|avoid|resume|groups|refusals ...", "Which way mail takes to other servers, and who refuses it", admin_route, route_usage },
	{ "tls-rule", "add|list|remove|test ...", "What TLS has to be on the way to other servers", admin_tls_rule, tls_rule_usage },
	{ "tls-rpt", "[DOMAIN] [--json]", "What came of TLS with the servers of domains that want reports", admin_tls_rpt, NULL },
	{ "trace",   "ID|ADDRESS [--json]",    "The life of messages that went to other servers", admin_trace, NULL },
	{ "retry",   "set|list|remove ...", "Other times of retries, by domain, sender or priority", admin_retry, retry_usage },
	{ "suppress", "list|show|add|remove ...", "Addresses that do not exist, and are not tried any more", admin_suppress, suppress_usage },
	{ "feedback", "list|show ...", "What others report about our mail: DMARC, TLS, complaints", admin_feedback, feedback_usage },
	{ "dmarc",   "collected|reports ...",  "What was found of mail from others, and the reports about it", admin_dmarc, dmarc_usage },
	{ "system",  "add|change|list|show|remove ...", "Systems that are watched", admin_system, system_usage },
	{ "maintenance", "add|list|remove ...", "Planned work on systems", admin_maintenance, maintenance_usage },
	{ "watch",   "status ...",             "What the watcher knows of each check", admin_watch, watch_usage },
	{ "mail",    "import|export|undelete ...", "Bring mail in, out, and back", admin_mail, mail_usage },
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
			printf("  %s%s%s\n           %s\n", commands[i].name,
			    commands[i].args[0] ? " " : "", commands[i].args,
			    commands[i].help);
	puts("\n'mailstead COMMAND --help' tells more of a "
	     "command.\n\nOptions:\n"
	     "  -c FILE    the configuration file (" CONFIG_FILE ")\n"
	     "  -d DIR     the data folder of the server to speak with\n"
	     "  --json     print JSON, with every command that prints\n"
	     "  --version  print the version\n"
	     "  --help     print this, or the help of a command\n\n"
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

/* Is it among the verbs of a line like "queue retry|hold ID"? */
static bool
has_verb(const char *line, const char *verb)
{
	struct str words, rest = str_split(str_c(line), ' ', &words), one;

	(void)str_split(rest, ' ', &words);
	while (words.n > 0) {
		words = str_split(words, '|', &one);
		if (str_eq(one, str_c(verb)))
			return true;
	}
	return false;
}

/* The lines of one verb, or all (NULL). False: there are none. */
static bool
print_usage(FILE *f, const struct cli_command *c, const char *verb)
{
	bool is_first = true;

	for (size_t i = 0; c->usage && c->usage[i]; i++)
		if (!verb || has_verb(c->usage[i], verb)) {
			fprintf(f, "%s mailstead %s\n",
			    is_first ? "usage:" : "      ", c->usage[i]);
			is_first = false;
		}
	return !is_first;
}

/* The first word behind the command, which is no option. */
static const char *
verb_of(int argc, char **argv)
{
	return argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
}

static int
print_command_help(const struct cli_command *c, const char *verb)
{
	if (!c->usage)
		printf("usage: mailstead %s%s%s\n", c->name,
		    c->args[0] ? " " : "", c->args);
	else if (!verb || !print_usage(stdout, c, verb))
		print_usage(stdout, c, NULL);
	printf("\n%s; see mailstead(8).\n", c->help);
	return ADMIN_OK;
}

static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static bool
is_verb(const struct cli_command *c, const char *verb)
{
	for (size_t i = 0; c->usage[i]; i++)
		if (has_verb(c->usage[i], verb))
			return true;
	return false;
}

/* "mailstead check" alone looks at the store, and dns has no sub-commands. */
static bool
stands_alone(const struct cli_command *c, const char *verb)
{
	return c->run == cmd_dns || (c->run == cmd_check && !verb);
}

/* Help, or a word that is no sub-command: true, and nothing is left to do. */
static bool
is_answered(struct admin *a, const struct cli_command *c, int argc, char **argv,
    int *ret)
{
	const char *verb = verb_of(argc, argv);

	if (wants_help(argc, argv)) {
		*ret = print_command_help(c, verb);
		return true;
	}
	if (!c->usage || stands_alone(c, verb) ||
	    (argc > 1 && (!verb || is_verb(c, verb))))
		return false;
	*ret = ADMIN_USAGE;
	for (int i = 1; i < argc; i++)
		a->is_json |= strcmp(argv[i], "--json") == 0;
	if (verb) {
		admin_error(a, ADMIN_USAGE,
		    "no such command: %s %s (see mailstead %s --help)", c->name,
		    verb, c->name);
	} else {
		fprintf(stderr, "mailstead: %s needs a command\n", c->name);
		print_usage(stderr, c, NULL);
	}
	return true;
}

/* A list that did not fit onto a full disk is not a list: the exit code. */
static int
end_output(struct admin *a, int r)
{
	bool is_broken = fflush(stdout) != 0 || ferror(stdout);

	if (!is_broken || r != ADMIN_OK)
		return r;
	a->is_json = false; /* it would not arrive, either */
	return admin_error(a, ADMIN_REFUSED,
	    "cannot write to standard output; what it holds is not complete");
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
		if (is_answered(&a, &commands[i], argc, argv, &r))
			return r;
		dir = data_dir ? x_strdup(data_dir) : find_data_dir();
		control = x_asprintf("%s/run/control.sock", dir);
		a.control = control;
		r = commands[i].run(&a, argc - 1, argv + 1);
		if (commands[i].run != cmd_run && commands[i].run != cmd_demo)
			r = end_output(&a, r);
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
			    "mailstead: %s is no option, or needs a "
			    "value "
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
		char help[] = "--help";
		char *words[] = { argv[at + 1], help, NULL };

		/* "help user" is "user --help". */
		if (at + 1 < argc)
			return run_command(NULL, 2, words);
		print_help();
		return ADMIN_OK;
	}
	return run_command(data_dir, argc - at, argv + at);
}
