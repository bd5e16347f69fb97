/* SPDX-License-Identifier: ISC */
/*
 * req_limit.c - limits of accounts for the operator: requests of the command
 * line, and mail about an account that is held, which role send writes.
 */
#include "store/server.h"

#include "base/log.h"

struct verdict
req_limit_list(struct request *r)
{
	struct msg_limit_list q;

	if (!msg_limit_list_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	return limiter_list(r->s->limiter, &q, &r->out);
}

struct verdict
req_limit_change(struct request *r)
{
	struct msg_limit_change q;

	if (!msg_limit_change_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	return limiter_change(r->s->limiter, &q, &r->out);
}

struct verdict
req_trace_account(struct request *r)
{
	struct msg_trace_account_reply reply = { 0 };
	struct buf login = BUF_INIT(KIB(1));
	struct msg_trace_account q;
	struct verdict v;

	if (!msg_trace_account_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = queue_account_of(r->s->queue, q.trace, &reply.account);
	if (verdict_is_done(v))
		v = dir_login(r->s->dir, reply.account, &login);
	reply.login = buf_str(&login);
	if (verdict_is_done(v))
		msg_trace_account_reply_put(&r->out, &reply);
	buf_done(&login);
	return v;
}

/* --- mail to the operator ---------------------------------------------------------- */

struct telling {
	struct server *s;
	uint64_t account;
};

static void
on_told(void *arg, struct ipc_msg *m)
{
	struct telling *t = arg;
	struct verdict v = VERDICT_DONE;

	t->s->is_telling = false;
	/* Else once more in a second, also after a crash of either of us: the
	 * same mail, which is recognised by its trace id. */
	if (m->outcome == DONE)
		v = limiter_told(t->s->limiter, t->account);
	else
		limiter_not_told(t->s->limiter, t->account);
	if (!verdict_is_done(v))
		log_event(EV_STORE_QUEUE_FAIL, LC("during", "limits"),
		    LC("reason", reason_str(v.reason)));
	free(t);
}

void
limit_tell(struct server *s)
{
	const struct peer *p = store_sender(s);
	struct buf body = BUF_INIT(KIB(4));
	uint64_t account;

	if (p && !s->is_telling &&
	    limiter_to_tell(s->limiter, &body, &account)) {
		struct telling *t = X_NEW(struct telling);

		*t = (struct telling){ s, account };
		s->is_telling = true;
		ipc_request(
		    p->ipc, MSG_LIMIT_TELL, 0, buf_str(&body), -1, on_told, t);
	}
	buf_done(&body);
}
