/* SPDX-License-Identifier: ISC */
/*
 * feedback.c - from a report to rows of the ledger. See feedback.h.
 *
 *   read -> TRACE_ACCOUNT (of a complaint) -> LEDGER_PUT
 *
 * The keys of a report are always the same, so that one that is sent again,
 * because our answer was lost, is one.
 */
#include "filter/feedback.h"

#include "base/log.h"
#include "proc/ledger.h"

struct report {
	struct runtime *rt;
	enum feedback_found found;
	struct feedback f;
	feedback_fn fn;
	void *arg;
};

static void
finish(struct report *t, enum outcome outcome)
{
	t->fn(t->arg, outcome);
	feedback_drop(t);
}

static void
log_bad(const struct feedback *f, const char *reason)
{
	log_event(EV_FILTER_FEEDBACK_BAD, LS("domain", f->about),
	    LS("reporter", f->reporter), LC("reason", reason));
}

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct report *t = arg;

	switch (m->outcome) {
	case DONE:
		/* Of a bounce role watch says what it means. */
		if (t->found == FEEDBACK_BOUNCE)
			break;
		log_event(EV_FILTER_FEEDBACK,
		    LC("kind", feedback_kind_str(t->f.kind)),
		    LS("domain", t->f.about), LS("reporter", t->f.reporter));
		break;
	case TEMPFAIL:
		finish(t, TEMPFAIL);
		return;
	case NOT_FOUND:
	case PERMFAIL:
		/* It would not fit the next time, either. */
		log_bad(&t->f, reason_str(ipc_reason(m)));
		finish(t, PERMFAIL);
		return;
	}
	finish(t, DONE);
}

static void
no_rows(void *arg)
{
	finish(arg, DONE);
}

static void
put_rows(struct report *t)
{
	enum ledger_table table =
	    t->found == FEEDBACK_BOUNCE ? LEDGER_BOUNCE : LEDGER_FEEDBACK;

	if (t->f.rows.n == 0) {
		loop_defer(runtime_loop(t->rt), no_rows, t);
		return;
	}
	ledger_put(t->rt, table, buf_str(&t->f.rows), on_put, t);
}

static void
on_account(void *arg, struct ipc_msg *m)
{
	struct report *t = arg;
	struct msg_trace_account_reply reply = { 0 };

	if (m->outcome == TEMPFAIL) {
		finish(t, TEMPFAIL);
		return;
	}
	if (m->outcome == DONE && !msg_trace_account_reply_get(m->body, &reply))
		reply = (struct msg_trace_account_reply){ 0 };
	feedback_finish(&t->f, reply.login, reply.account);
	put_rows(t);
}

static void
ask_account(struct report *t)
{
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_TRACE_ACCOUNT, .fd = -1
	};

	msg_trace_account_put(
	    &body, &(struct msg_trace_account){ t->f.abuse.trace });
	req.body = buf_str(&body);
	runtime_request(t->rt, &req, on_account, t);
	buf_done(&body);
}

void
feedback_drop(struct report *t)
{
	if (!t)
		return;
	feedback_done(&t->f);
	free(t);
}

struct report *
feedback_take(struct str message, const struct feedback_context *context)
{
	struct report *t = X_NEW(struct report);

	t->found = feedback_read(message, context, &t->f);
	if (t->found != FEEDBACK_NOTHING)
		return t;
	if (!t->f.about.n)
		t->f.about = str_copy(context->domain);
	log_bad(&t->f, t->f.fault);
	feedback_drop(t);
	return NULL;
}

void
feedback_put(struct runtime *rt, struct report *t, feedback_fn fn, void *arg)
{
	t->rt = rt;
	t->fn = fn;
	t->arg = arg;
	if (t->found == FEEDBACK_COMPLAINT && t->f.abuse.trace.n) {
		ask_account(t);
		return;
	}
	if (t->found == FEEDBACK_COMPLAINT)
		feedback_finish(&t->f, STR_NONE, 0);
	put_rows(t);
}
