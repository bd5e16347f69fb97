/* SPDX-License-Identifier: ISC */
/*
 * demo.h - the parts of `mailstead demo` (cmd_demo.c): its files, and what
 * happens once the processes are up.
 */
#pragma once

#include "cli/cli.h"
#include "conf/conf.h"

#define DEMO_DOMAIN    "demo.example"
#define DEMO_PASSWORD  "mailstead-demo"
#define DEMO_PORTS_MAX 64000 /* the first of them */
#define DEMO_USERS     100   /* user1 .. user100, beside alice and bob */

struct demo {
	char *dir;         /* absolute, without links */
	char *conf_path;   /* DIR/mailstead.conf */
	char *control;     /* DIR/run/control.sock */
	char *marker_path; /* DIR/demo-accounts: they were made */
	char *ports_path;  /* DIR/demo-ports: the first of them */
	uint32_t ports;    /* the first of the ports; 25 and so on are added */
	const char *archive; /* text of a page whose posts are imported */
	bool has_ports;      /* ports were asked for: write them anew */
};

/*
 * demo_files.c: make the folder, the certificate and the configuration file,
 * each unless it is there already. 0, or an exit code after a message.
 */
int demo_make_files(struct admin *a, struct demo *d, const char *dir);
void demo_done(struct demo *d);

/* demo_accounts.c: the domain and its accounts, through the control socket.
 * 0, or an exit code after a message. */
int demo_make_accounts(struct admin *a, const struct demo *d);

/* demo_systems.c: systems to watch, and their checks; likewise. */
int demo_make_systems(struct admin *a, const struct demo *d);

/* demo_posts.c: what the status site tells; likewise. */
int demo_make_posts(struct admin *a, const struct demo *d);

/* demo_tell.c */
/* Wait until every listener of the configuration answers; false after a
 * message when one does not. */
bool demo_ports_answer(const struct conf *c);
/* What to try. */
void demo_tell(const struct demo *d, const struct conf *c);
