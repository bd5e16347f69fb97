/* SPDX-License-Identifier: ISC */
/*
 * server.h - the state of role filter, and who of its files does what:
 *
 *   analyse.c  the structure of a message, and what has to be taken out of it
 *   check.c    who a message is from: its look-ups, and their end
 *   spf.c, signatures.c, iprev.c, author.c
 *              the parts of that, each with its questions
 *   policy.c   what becomes of the message, and why
 *   results.c  the Authentication-Results field, the log line
 *   rows.c     what DMARC found, counted for reports
 *   feedback*.c
 *              reports of others about us
 */
#pragma once

#include "conf/conf.h"
#include "net/resolver.h"
#include "proc/runtime.h"

struct checks;
struct rows;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct resolver *resolver; /* NULL: nobody is asked about */
	struct suffixes *suffixes;
	struct checks *checks;
	struct rows *rows;
	bool is_stopping;
};
