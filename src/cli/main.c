/* SPDX-License-Identifier: ISC */
/*
 * main.c - global options, help, and the table of commands. See cli.h.
 */
#include "cli/cli.h"
#include "cli/output/help.h"
#include "cli/output/wrap.h"
#include "cli/usage.h"
#include "conf/conf.h"

#include <sys/stat.h>
#include <unistd.h>

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define CONFIG_FILE SYSCONFDIR "/mailstead/mailstead.conf"
#define DATA_DIR    "/var/lib/mailstead"
#define HELP_INDENT 11

/* clang-format off */
static const struct cli_command commands[] = {
	{ "run",     "",                       "Run the server in the foreground", cmd_run, NULL },
	{ "demo",    "[--ports FIRST] [--posts FILE] DIR",    "Run a demonstration on loopback, with its data in DIR", cmd_demo, NULL },
	{ "status",  "[--json] | export|push ...", "Show each process and its sandbox; or copy the status site", cmd_status, status_usage },
	{ "metrics", "",                       "Print all counters as Prometheus text", cmd_metrics, NULL },
	{ "reload",  "[--json]",               "Take over the configuration and certificates anew", cmd_reload, NULL },
	{ "config",  "check [FILE] [--json]",    "Check a configuration file", cmd_config, NULL },
	{ "check",   "[--rebuild] [--json] | add|change|list|show|run|remove|kinds ...", "Verify every checksum and reference of the store; or what is watched of systems", cmd_check, check_usage },
	{ "certificate", "list|renew ...",           "The certificates that TLS shows, by host name", admin_certificate, certificate_usage },
	{ "domain",  "add|list|remove ...",    "Domains that are served here", admin_domain, domain_usage },
	{ "dkim",    "list|add|activate|rotate|remove ...", "Keys that sign the mail of a domain", admin_dkim, dkim_usage },
	{ "dns",     "DOMAIN [--zone | --check | --update ...] [--json]", "The DNS records that a domain needs", cmd_dns, dns_usage },
	{ "user",    "add|list|passwd|quota|remove|undelete ...", "Accounts", admin_user, user_usage },
	{ "alert",   "add|list|remove|test|log ...", "Who is told when something that is watched fails", admin_alert, alert_usage },
	{ "alias",   "add|list|remove ...",    "Addresses that lead to others", admin_alias, alias_usage },
	{ "account", "list|show|release|block|open|limit ...", "What accounts send to other servers, and who sends too much", admin_account, account_usage },
	{ "queue",   "list|show|destinations|latency|retry|hold|release|cancel|reroute ...", "What waits to be sent to other servers", admin_queue, queue_usage },
	{ "route",   "add|list|show|change|remove|test|status|avoid|resume|groups|refusals ...", "Which way mail takes to other servers, and who refuses it", admin_route, route_usage },
	{ "tls-rule", "add|list|remove|test ...", "What TLS has to be on the way to other servers", admin_tls_rule, tls_rule_usage },
	{ "tls-rpt", "[DOMAIN] [--json]", "What came of TLS with the servers of domains that want reports", admin_tls_rpt, NULL },
	{ "trace",   "ID|ADDRESS [--json]",    "How messages came, where they went, and what became of them", admin_trace, NULL },
	{ "retry",   "set|list|remove ...", "Other times of retries, by domain, sender or priority", admin_retry, retry_usage },
	{ "suppress", "list|show|add|remove ...", "Addresses that do not exist, and are not tried any more", admin_suppress, suppress_usage },
	{ "feedback", "list|show ...", "What others report about our mail: DMARC, TLS, complaints", admin_feedback, feedback_usage },
	{ "dmarc",   "collected|reports ...",  "What was found of mail from others, and the reports about it", admin_dmarc, dmarc_usage },
	{ "system",  "add|change|list|show|remove ...", "Systems that are watched", admin_system, system_usage },
	{ "maintenance", "add|list|remove ...", "Planned work on systems", admin_maintenance, maintenance_usage },
	{ "watch",   "status|outbox|agent ...", "What the watcher knows of each check, what it sends to people, its vantage points", admin_watch, watch_usage },
	{ "agent",   "enrol|run ...",          "Be a vantage point of a server elsewhere", cmd_agent, agent_usage },
	{ "post",    "new|update|resolve|edit|delete|list|show|import ...", "What the status site tells", admin_post, post_usage },
	{ "subscriber", "list|add|remove|confirm ...", "Who is told of posts", admin_subscriber, subscriber_usage },
	{ "key",     "add|list|revoke ...",    "Keys of the HTTP API", admin_key, key_usage },
	{ "audit",   "list ...",               "Who changed what of systems, posts, routes and rules", admin_audit, audit_usage },
	{ "reach",   "[--network N] [--service S] [--since TIME] [--json] | signals|check|letter|approve|dismiss ...", "Who gets through to this server, by network", admin_reach, reach_usage },
	{ "mail",    "import|export|undelete ...", "Bring mail in, out, and back", admin_mail, mail_usage },
};
/* clang-format on */

static const char *config_path = CONFIG_FILE;
static bool wants_json; /* --json in front of the command */

const char *
cli_config_path(void)
{
	return config_path;
}

/* A folder's own configuration, as the demo has it; NULL: there is none. It is the
 * work of whom runs this command or of root, or it would not be followed. */
static char *
config_of_folder(const char *dir)
{
	char *path = x_asprintf("%s/mailstead.conf", dir);
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static void
print_command(const struct cli_command *c)
{
	struct buf text = BUF_INIT(KIB(4));

	buf_printf(&text, "  %s%s", c->name, c->args[0] ? " " : "");
	wrap_words(&text, str_c(c->args), text.n, HELP_INDENT);
	buf_printf(&text, "\n%*s", HELP_INDENT, "");
	wrap_words(&text, str_c(c->help), HELP_INDENT, HELP_INDENT);
	puts(buf_c(&text));
	buf_done(&text);
}

static void
print_help(void)
{
	puts("usage: mailstead [-c FILE | -d DIR] COMMAND ...\n\nCommands:");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].run != NULL)
			print_command(&commands[i]);
	puts("\n'mailstead COMMAND --help' tells more of a "
	     "command.\n\nOptions:\n"
	     "  -c FILE    the configuration file (" CONFIG_FILE ")\n"
	     "  -d DIR     the data folder of the server to speak with; its "
	     "mailstead.conf\n"
	     "             is the configuration file when it has one\n"
	     "  --json     print JSON; here, or behind a command whose usage "
	     "has it\n"
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

/* The first word behind the command, which is no option. */
static const char *
verb_of(int argc, char **argv)
{
	return argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
}

/* Of "watch agent add" what is said of that alone. */
static bool
put_verb_text(
    const struct cli_command *c, int argc, char **argv, struct buf *to)
{
	CLEANUP(freep) char *two = NULL;

	if (argc > 2)
		two = x_asprintf("%s %s", argv[1], argv[2]);
	return (two && help_put_item(help_page(), c->name, two, to)) ||
	       help_put_item(help_page(), c->name, argv[1], to);
}

/* What the manual page says of a command as a whole. */
static bool
put_command_text(const struct cli_command *c, struct buf *to)
{
	struct str page = help_page(), first;
	bool is_found;

	if (c->usage && c->run != cmd_dns && c->run != cmd_check) {
		wrap_words(to, str_c(c->help), 0, 0);
		buf_put_c(to, ".\n\n");
		return help_put_section(page, c->name, to);
	}
	is_found = help_put_item(page, c->name, NULL, to);
	/* "config check" is all that there is. */
	(void)str_split(str_c(c->args), ' ', &first);
	if (!is_found && first.n > 0) {
		CLEANUP(freep) char *word = str_dup(first);

		is_found = help_put_item(page, c->name, word, to);
	}
	return is_found;
}

/* The usage of what words mean, words[0] being the command. */
static void
put_usage(const struct cli_command *c, char **words, int n, struct buf *to)
{
	if (c->usage)
		usage_put(c->usage, words, (size_t)n, to);
	else
		buf_printf(
		    to, "%s%s%s", c->name, c->args[0] ? " " : "", c->args);
}

static bool
is_verb(const struct cli_command *c, const char *verb)
{
	for (size_t i = 0; c->usage && c->usage[i]; i++)
		if (usage_has_word(c->usage[i], 1, verb))
			return true;
	return false;
}

/* lines: as of usage_put(). */
static void
print_usage_lines(FILE *f, const struct buf *lines)
{
	struct buf text = BUF_INIT(KIB(32));

	wrap_usage(&text, buf_str(lines));
	fprintf(f, "usage: mailstead %s\n", buf_c(&text));
	buf_done(&text);
}

static void
print_usage(FILE *f, const struct cli_command *c, char **words, int n)
{
	struct buf lines = BUF_INIT(KIB(16));

	put_usage(c, words, n, &lines);
	print_usage_lines(f, &lines);
	buf_done(&lines);
}

static void
print_all_usage(const struct cli_command *c)
{
	struct buf lines = BUF_INIT(KIB(16));

	for (size_t i = 0; c->usage[i]; i++)
		buf_printf(&lines, "%s%s", i ? "\n       mailstead " : "",
		    c->usage[i]);
	print_usage_lines(stdout, &lines);
	buf_done(&lines);
}

static int
print_command_help(const struct cli_command *c, int argc, char **argv)
{
	const char *verb = verb_of(argc, argv);
	struct buf text = BUF_INIT(KIB(64));
	bool is_one = verb && is_verb(c, verb); /* of several */

	if (is_one) {
		print_usage(stdout, c, argv, argc);
	} else if (c->usage) {
		print_all_usage(c);
	} else {
		print_usage(stdout, c, argv, argc);
	}
	if (!(is_one ? put_verb_text(c, argc, argv, &text)
		     : put_command_text(c, &text))) {
		buf_reset(&text, text.cap);
		buf_printf(&text, "%s.\n", c->help);
	}
	printf("\n%s\n", buf_c(&text));
	if (c->usage && !is_one && c->run != cmd_dns)
		printf("'mailstead %s COMMAND --help' tells more of one. ",
		    c->name);
	puts("See mailstead(8).");
	buf_done(&text);
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

/* "mailstead check" alone looks at the store, "status" and "reach" show, and dns has
 * no sub-commands. */
static bool
stands_alone(const struct cli_command *c, const char *verb)
{
	return c->run == cmd_dns ||
	       ((c->run == cmd_check || c->run == cmd_status ||
		    c->run == admin_reach) &&
		   !verb);
}

/* Help, or a word that is no sub-command: true, and nothing is left to do. */
static bool
is_answered(struct admin *a, const struct cli_command *c, int argc, char **argv,
    int *ret)
{
	const char *verb = verb_of(argc, argv);

	if (wants_help(argc, argv)) {
		*ret = print_command_help(c, argc, argv);
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
		print_usage(stderr, c, argv, 0);
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
	struct buf usage = BUF_INIT(KIB(16));
	struct admin a = { .is_json = wants_json };
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
		put_usage(&commands[i], argv, argc, &usage);
		a.usage = buf_c(&usage);
		if (wants_json && strstr(a.usage, "--json") == NULL)
			r = admin_usage(&a, "--json: this prints no JSON");
		else
			r = commands[i].run(&a, argc - 1, argv + 1);
		if (commands[i].run != cmd_run && commands[i].run != cmd_demo)
			r = end_output(&a, r);
		admin_done(&a);
		buf_done(&usage);
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
	CLEANUP(freep) char *own_config = NULL;
	bool has_config = false;
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
		} else if (strcmp(argv[at], "--json") == 0) {
			wants_json = true;
		} else if (strcmp(argv[at], "-c") == 0 && has_value) {
			config_path = argv[++at];
			has_config = true;
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
	if (data_dir != NULL && !has_config)
		own_config = config_of_folder(data_dir);
	if (own_config != NULL)
		config_path = own_config;
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
