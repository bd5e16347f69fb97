/* SPDX-License-Identifier: ISC */
/*
 * feedback_bounce.c - what came back of news of the status site: a report (RFC 3464) at
 * the return path of one mail, whose tag role watch made and understands.
 *
 * Kept is what says that it will never arrive. What says that it arrives later, or has
 * arrived, is taken and forgotten.
 */
#include "filter/feedback_internal.h"

#include "proc/ipc_msgs.h"
#include "proto/dsn/dsn_parse.h"
#include "proto/status/status_bounce.h"

#define KEEP_S (7U * 86400)

static bool
is_final(const struct dsn_rcpt *r)
{
	return r->action == DSN_FAILED && r->status.class == 5;
}

/* As a server would have said it. */
static void
put_said(const struct dsn_rcpt *r, struct buf *to)
{
	if (!r->has_smtp_code)
		buf_printf(to, "550 %u.%u.%u ", r->status.class,
		    r->status.subject, r->status.detail);
	buf_put_str(to, str_first(r->diagnostic, STATUS_WHY_MAX));
}

static void
put_row(const struct dsn_rcpt *r, const struct feedback_context *c,
    struct buf *rows)
{
	struct buf key = BUF_INIT(KIB(1)), said = BUF_INIT(KIB(1));
	struct buf value = BUF_INIT(KIB(1));

	put_said(r, &said);
	status_bounce_put_row(&value, buf_str(&said));
	msg_ledger_row_put(
	    rows, &(struct msg_ledger_row){ .key = feedback_lower(&key, c->tag),
		      .value = buf_str(&value),
		      .until = c->now + KEEP_S });
	buf_done(&key);
	buf_done(&said);
	buf_done(&value);
}

enum feedback_found
feedback_read_bounce(
    struct str fields, const struct feedback_context *c, struct feedback *f)
{
	struct dsn_fields dsn;
	struct arena a;
	bool is_report;

	arena_init(&a, DSN_ARENA_MAX);
	is_report = dsn_parse(&a, fields, &dsn);
	/* The mail had one receiver: reports may name it otherwise. */
	for (size_t i = 0; is_report && i < dsn.n_rcpts; i++)
		if (is_final(&dsn.rcpts[i])) {
			put_row(&dsn.rcpts[i], c, &f->rows);
			break;
		}
	arena_done(&a);
	if (!is_report)
		f->fault = "its report names no recipient";
	return is_report ? FEEDBACK_BOUNCE : FEEDBACK_NOTHING;
}
