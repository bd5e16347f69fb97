/* SPDX-License-Identifier: ISC */
/*
 * admin.h - what the administration commands share: the way to the store of
 * the running server, answers, and exit codes.
 */
#pragma once

#include "base/buf.h"
#include "cli/args.h"
#include "proc/ipc.h"

struct status_systems;

enum {
	ADMIN_OK = 0,
	ADMIN_REFUSED = 1,   /* looked at, and refused */
	ADMIN_USAGE = 2,     /* not a command */
	ADMIN_TEMPFAIL = 75, /* EX_TEMPFAIL: try again later */
};

struct admin {
	const char *control; /* path of the control socket */
	bool is_json;
	struct ipc_client *store; /* NULL until admin_connect() */
	bool says_changes;        /* an error that stands is printed once */
	uint64_t said;            /* hash of the last one; 0: none */
	bool is_warned;           /* that the server is of another build */
	const char *usage; /* of the sub-command at hand, by usage_put() */
	struct status_systems *systems; /* all, once they were read */
	unsigned patience_ms; /* with a process; 0: as long as usual */
	enum msg_type asked;  /* what an error of the connection is about */
	const char *no_user;  /* what REASON_NO_USER means for this command */
};

/* A connection to the supervisor, the caller's to free. As admin_connect. */
int admin_control(struct admin *a, struct ipc_client **ret) WARN_UNUSED;
/* Connect once; prints what is wrong. An exit code. */
int admin_connect(struct admin *a) WARN_UNUSED;
void admin_done(struct admin *a);
/* A connection to a process, the caller's to free. Likewise. */
int admin_role(
    struct admin *a, enum role role, struct ipc_client **ret) WARN_UNUSED;

/*
 * Ask the store. 0 with *ret_outcome and the reply in *reply, or an exit code
 * after the connection broke (and that was printed).
 */
struct admin_call {
	enum msg_type type;
	uint32_t session;
	struct str body;
	int fd;
};
int admin_ask(struct admin *a, const struct admin_call *call,
    enum outcome *ret_outcome, struct buf *reply, int *ret_fd) WARN_UNUSED;
/*
 * Ask, and print why when the answer is not DONE; what names the thing ("user
 * alice@demo.example"). The exit code.
 */
int admin_do(struct admin *a, enum msg_type type, struct str body,
    const char *what, struct buf *reply) WARN_UNUSED;
/* The same of another process than the store; a connection for this once. */
int admin_do_role(struct admin *a, enum role role,
    const struct admin_call *call, const char *what, struct buf *reply);
/* The same of a process that may not be there, or hang: false, and nothing is
 * printed, when it is not, or says nothing for so long. */
#define ADMIN_AT_ONCE_MS 2000
bool admin_try_role(struct admin *a, enum role role,
    const struct admin_call *call, unsigned patience_ms,
    struct buf *reply) WARN_UNUSED;
/* The same of the supervisor, with its own words where it has some. */
int admin_ask_supervisor(struct admin *a, enum msg_type type, struct str body,
    const char *what, struct buf *reply) WARN_UNUSED;
/* Print why an answer is not DONE; the exit code that belongs to it. */
int admin_refused(
    struct admin *a, enum outcome o, struct str reply, const char *what);
/* Print why a call over c failed, by the error of ipc_client_call(): which process
 * does not answer. The exit code. */
int admin_broken(struct admin *a, const struct ipc_client *c, int error);
/* Print an error of the command line's own; gives code back. */
int admin_error(struct admin *a, int code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
enum reason admin_reason(struct str reply);

/* Print what was done, {"<key>": "<value>"} with --json. */
int admin_say(
    struct admin *a, const char *key, struct str value, const char *text);

/* The same with a number. */
int admin_say_number(
    struct admin *a, const char *key, uint64_t n, const char *text);

/* An address (or a domain) in its one form, into *ret. Prints an error. */
bool admin_address(struct admin *a, const char *s, struct buf *ret);
bool admin_domain_name(struct admin *a, const char *s, struct buf *ret);
/* For lists of a domain that are empty: prints an error, and answers with its
 * exit code, when the domain is none of ours (served.c). */
int admin_served(struct admin *a, const char *word);

/* Options that all commands have, and parsing: false after an error was
 * printed with the usage line. */
#define ADMIN_OPTIONS(a) \
	{ \
		"--json", NULL, &(a)->is_json \
	}
bool admin_args(struct admin *a, struct args *args, int argc, char **argv);
/* The usage, behind an error when there is one. ADMIN_USAGE. */
int admin_usage(struct admin *a, const char *error);

/* A new password: from standard input, or twice from the terminal without
 * echo. Into ret (wipe it). False after an error was printed. */
bool admin_password(struct admin *a, bool from_stdin, struct buf *ret);
/* One line of standard input without its end. */
bool admin_read_line(struct buf *ret);

/* What each sub-command takes: lines for --help, up to NULL. */
extern const char *const domain_usage[],
    *const dkim_usage[], *const user_usage[],
			     *const alias_usage[],
				 *const mail_usage[],
				     *const queue_usage[],
					 *const account_usage[],
					     *const feedback_usage[],
						 *const retry_usage[],
						     *const suppress_usage[];
extern const char *const tls_rule_usage[];
extern const char *const route_usage[];
extern const char *const dmarc_usage[], *const dns_usage[];
extern const char *const system_usage[], *const check_usage[];
extern const char *const certificate_usage[];
extern const char *const maintenance_usage[], *const watch_usage[];
extern const char *const post_usage[], *const subscriber_usage[];
extern const char *const key_usage[], *const audit_usage[];
extern const char *const reach_usage[];
extern const char *const alert_usage[];

/* The commands: argv[0] is the sub-command. Exit codes. */
int admin_domain(struct admin *a, int argc, char **argv);
int admin_dkim(struct admin *a, int argc, char **argv);
int admin_user(struct admin *a, int argc, char **argv);
int admin_alias(struct admin *a, int argc, char **argv);
int admin_mail(struct admin *a, int argc, char **argv);
int admin_queue(struct admin *a, int argc, char **argv);
int admin_account(struct admin *a, int argc, char **argv);
int admin_feedback(struct admin *a, int argc, char **argv);
int admin_route(struct admin *a, int argc, char **argv);
int admin_retry(struct admin *a, int argc, char **argv);
int admin_suppress(struct admin *a, int argc, char **argv);
int admin_trace(struct admin *a, int argc, char **argv);
int admin_tls_rule(struct admin *a, int argc, char **argv);
int admin_tls_rpt(struct admin *a, int argc, char **argv);
int admin_dmarc(struct admin *a, int argc, char **argv);
int admin_system(struct admin *a, int argc, char **argv);
int admin_maintenance(struct admin *a, int argc, char **argv);
int admin_certificate(struct admin *a, int argc, char **argv);
int admin_alert(struct admin *a, int argc, char **argv);
int admin_watch(struct admin *a, int argc, char **argv);
int admin_post(struct admin *a, int argc, char **argv);
int admin_subscriber(struct admin *a, int argc, char **argv);
int admin_key(struct admin *a, int argc, char **argv);
int admin_audit(struct admin *a, int argc, char **argv);
int admin_reach(struct admin *a, int argc, char **argv);
int admin_watch_agent(struct admin *a, int argc, char **argv);
/* The sub-commands of check that are about what is watched. */
int admin_check(struct admin *a, int argc, char **argv);
