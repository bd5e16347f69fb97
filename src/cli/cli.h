/* SPDX-License-Identifier: ISC */
/*
 * cli.h - the command line: one table of commands, one line each.
 *
 * A command gets what stands behind its name. It prints to standard output
 * what was asked for, to standard error what went wrong, and answers with an
 * exit code of admin.h.
 */
#pragma once

#include "cli/admin.h"

struct cli_command {
	const char *name;
	const char *args; /* for the usage line */
	const char *help; /* one sentence without its full stop */
	int (*run)(struct admin *a, int argc, char **argv);
	const char *const *usage; /* of sub-commands, where it has some */
};

int cli_main(int argc, char **argv);
/* The configuration file: -c, else that of the folder of -d when it has one, else
 * the usual place. */
const char *cli_config_path(void);

extern const char *const status_usage[];
int cmd_run(struct admin *a, int argc, char **argv);
int cmd_status(struct admin *a, int argc, char **argv);
int cmd_metrics(struct admin *a, int argc, char **argv);
int cmd_reload(struct admin *a, int argc, char **argv);
int cmd_config(struct admin *a, int argc, char **argv);
int cmd_demo(struct admin *a, int argc, char **argv);
int cmd_dns(struct admin *a, int argc, char **argv);
int cmd_agent(struct admin *a, int argc, char **argv);
extern const char *const agent_usage[];
int cmd_check(struct admin *a, int argc, char **argv) __attribute__((weak));
