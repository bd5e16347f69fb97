/* SPDX-License-Identifier: ISC */
/*
 * watch.h - the watch role's entry points: as a role of a server, and as an agent,
 * which has the same probes and no server.
 */
#pragma once

#include "base/str.h"

int watch_main(void);

struct watch_agent_options {
	const char *url;   /* https://HOST[:PORT] of the master */
	const char *token; /* of 'mailstead watch agent add' */
	const char *dir;   /* its folder */
	const char *ca;    /* PEM file; NULL: the authorities of the system */
	const char *user;  /* become this one when started as root; or NULL */
	const char *uplink, *dns; /* lists with commas; or NULL */
};
/*
 * Make a key and have it enrolled; the folder is made, too. 0, with the name of
 * the agent in *ret (heap), or -1 with what is wrong in it.
 */
int watch_agent_enrol(const struct watch_agent_options *o, char **ret);
/* Runs until SIGTERM or SIGINT; the answer is the exit status. */
int watch_agent_run(const struct watch_agent_options *o);
