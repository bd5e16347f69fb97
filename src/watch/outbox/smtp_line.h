/* SPDX-License-Identifier: ISC */
/*
 * smtp_line.h - a connection to a mail host that carries one mail after the other.
 *
 * Who has a mail for a host gets a line that is idle there, or a new one. Afterwards
 * it is idle for a moment, for the next mail to the same host, port and login; what
 * became of one mail is nothing to the next. There are as many lines as mails are
 * under way at the same time, and SMTP_LINES_IDLE_MAX besides.
 */
#pragma once

#include "watch/outbox/smtp_try.h"

/* Idle for so long; then it says good-bye. */
#define SMTP_LINE_IDLE_MS   2000
#define SMTP_LINES_IDLE_MAX 20
/* Over one connection; servers have such limits (Postfix: 100 at most, by default). */
#define SMTP_LINE_MAILS_MAX 100

struct smtp_line;
struct smtp_lines; /* all of a process */

struct smtp_line_result {
	struct smtp_try_result r;
	/* The line had carried others, and ended before this mail could arrive: it can
	 * go at once over another. */
	bool is_stale;
};

/* Texts are valid during the call. */
typedef void (*smtp_line_fn)(void *arg, const struct smtp_line_result *r);

struct smtp_lines *smtp_lines_new(struct loop *loop);
/* Those that are idle end: what they were made with may have changed. */
void smtp_lines_rest(struct smtp_lines *all);

/* What the wish points to lives until fn ran, its login as long as the process. fn
 * runs once, from the loop. */
struct smtp_line *smtp_line_send(struct smtp_lines *all,
    const struct smtp_try_wish *wish, smtp_line_fn fn, void *arg);
/* Before fn ran: it ends now, as a temporary failure, and fn runs. */
void smtp_line_fail(struct smtp_line *l, const char *why);
