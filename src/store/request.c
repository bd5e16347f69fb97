/* SPDX-License-Identifier: ISC */
/*
 * request.c - from a message to its handler: one table.
 *
 * The connection has checked already who may send what, and its size. Here:
 * is the session granted, may the peer have another answer now, and which
 * function does it. Requests of one peer are begun in the order they came.
 */
#include "store/server.h"

#include "base/log.h"

struct queued {
	struct queued *next;
	struct ipc_msg m; /* body owned */
};

/* --- adapters: decode, call, with the reply as bytes ------------------------------ */

#define BAD_BODY verdict_permfail(REASON_INTERNAL)

#define MAIL_REPLY(fn, type) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		struct msg_##type q; \
\
		if (!msg_##type##_get(r->msg->body, &q)) \
			return BAD_BODY; \
		return fn(r->s->mail, r->session->account, &q, &r->out); \
	}
#define MAIL_NO_REPLY(fn, type) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		struct msg_##type q; \
\
		if (!msg_##type##_get(r->msg->body, &q)) \
			return BAD_BODY; \
		return fn(r->s->mail, r->session->account, &q); \
	}
#define MAIL_ASK(fn) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		return fn(r->s->mail, r->session->account, &r->out); \
	}
#define DIR_REPLY(fn, type) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		struct msg_##type q; \
\
		if (!msg_##type##_get(r->msg->body, &q)) \
			return BAD_BODY; \
		return fn(r->s->dir, &q, &r->out); \
	}
#define QUEUE_REPLY(fn, type) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		struct msg_##type q; \
\
		if (!msg_##type##_get(r->msg->body, &q)) \
			return BAD_BODY; \
		return fn(r->s->queue, &q, &r->out); \
	}
#define DIR_NO_REPLY(fn, type) \
	static struct verdict call_##fn(struct request *r) \
	{ \
		struct msg_##type q; \
\
		if (!msg_##type##_get(r->msg->body, &q)) \
			return BAD_BODY; \
		return fn(r->s->dir, &q); \
	}

MAIL_ASK(mail_quota)
MAIL_REPLY(mail_status, mailbox_status)
MAIL_REPLY(mail_create, mailbox_create)
MAIL_NO_REPLY(mail_delete, mailbox_delete)
MAIL_NO_REPLY(mail_rename, mailbox_rename)
MAIL_NO_REPLY(mail_subscribe, mailbox_subscribe)
MAIL_NO_REPLY(mail_append_room, append_check)
MAIL_REPLY(mail_flags, flags)
MAIL_REPLY(mail_expunge, expunge)
MAIL_REPLY(mail_copy, copy)
QUEUE_REPLY(queue_domains, queue_domains)
QUEUE_REPLY(queue_results, queue_results)
QUEUE_REPLY(queue_list, queue_list)
QUEUE_REPLY(queue_trace, queue_trace)
QUEUE_REPLY(queue_targets, queue_targets)

static struct verdict
call_queue_hosts(struct request *r)
{
	struct msg_list_reply q;

	if (!msg_list_reply_get(r->msg->body, &q))
		return BAD_BODY;
	return queue_hosts(r->s->queue, &q);
}

DIR_REPLY(dir_rcpt_check, rcpt_check)
DIR_REPLY(dir_verifier, verifier_get)
DIR_NO_REPLY(dir_domain_check, name)
DIR_NO_REPLY(dir_domain_add, domain_add)
DIR_NO_REPLY(dir_dkim_add, dkim_add)
DIR_NO_REPLY(dir_dkim_change, dkim_change)
DIR_REPLY(dir_dkim_list, dkim_list)
DIR_REPLY(dir_dkim_keys, dkim_keys_get)
DIR_REPLY(dir_domain_list, list)
DIR_NO_REPLY(dir_domain_remove, name)
DIR_NO_REPLY(dir_user_add, user_add)
DIR_REPLY(dir_user_list, list)
DIR_NO_REPLY(dir_user_quota, user_quota)
DIR_NO_REPLY(dir_user_undelete, name)
DIR_NO_REPLY(dir_alias_add, alias)
DIR_REPLY(dir_alias_list, list)
DIR_NO_REPLY(dir_alias_remove, name)

static struct verdict
call_dir_salt_key(struct request *r)
{
	return dir_salt_key(r->s->dir, &r->out);
}

static struct verdict
call_mail_list(struct request *r)
{
	struct msg_mailbox_list q = { 0 };

	if (r->msg->body.n && !msg_mailbox_list_get(r->msg->body, &q))
		return BAD_BODY;
	return mail_list(r->s->mail, r->session->account, &q, &r->out);
}

static struct verdict
call_sync(UNUSED struct request *r)
{
	/* The answer waits for all that was accepted: that is all it is. */
	return VERDICT_DONE;
}

/* Which position the answer waits for. */
enum wait {
	WAIT_NOTHING, /* nothing of the store's data is in it */
	WAIT_ACCOUNT, /* the session's account */
	WAIT_DIR,
	WAIT_ALL,
};

struct handler {
	struct verdict (*run)(struct request *r);
	void (*run_self)(struct request *r); /* answers by itself */
	enum wait wait;
	bool is_admin; /* a change to be logged; its body begins with a name */
};

/* clang-format off */
#define RUN(fn, wait)   { fn, NULL, wait, false }
#define ADMIN(fn, wait) { fn, NULL, wait, true }
#define SELF(fn)        { NULL, fn, WAIT_NOTHING, false }
static const struct handler handlers[] = {
	[MSG_VERIFIER_GET]      = RUN(call_dir_verifier, WAIT_DIR),
	[MSG_SESSION_GRANT]     = RUN(req_session_grant, WAIT_DIR),
	[MSG_SALT_KEY]          = RUN(call_dir_salt_key, WAIT_DIR),
	[MSG_RCPT_CHECK]        = RUN(call_dir_rcpt_check, WAIT_DIR),
	[MSG_SENDER_CHECK]      = RUN(req_sender_check, WAIT_DIR),
	[MSG_DOMAIN_CHECK]      = RUN(call_dir_domain_check, WAIT_DIR),
	[MSG_DELIVER]           = SELF(req_deliver),
	[MSG_QUEUE_DOMAINS]     = RUN(call_queue_domains, WAIT_ALL),
	[MSG_QUEUE_TAKE]        = RUN(req_queue_take, WAIT_ALL),
	[MSG_QUEUE_LEASE]       = RUN(req_queue_lease, WAIT_ALL),
	[MSG_QUEUE_READ]        = SELF(req_queue_read),
	[MSG_QUEUE_RESULTS]     = RUN(call_queue_results, WAIT_ALL),
	[MSG_SESSION_CLOSE]     = RUN(req_session_close, WAIT_NOTHING),
	[MSG_MAILBOX_LIST]      = RUN(call_mail_list, WAIT_ACCOUNT),
	[MSG_MAILBOX_STATUS]    = RUN(call_mail_status, WAIT_ACCOUNT),
	[MSG_MAILBOX_CREATE]    = RUN(call_mail_create, WAIT_ACCOUNT),
	[MSG_MAILBOX_DELETE]    = RUN(call_mail_delete, WAIT_ACCOUNT),
	[MSG_MAILBOX_RENAME]    = RUN(call_mail_rename, WAIT_ACCOUNT),
	[MSG_MAILBOX_SUBSCRIBE] = RUN(call_mail_subscribe, WAIT_ACCOUNT),
	[MSG_MAILBOX_OPEN]      = RUN(req_open, WAIT_ACCOUNT),
	[MSG_MAILBOX_UNWATCH]   = RUN(req_unwatch, WAIT_NOTHING),
	[MSG_ENTRIES]           = RUN(req_entries, WAIT_ACCOUNT),
	[MSG_FETCH]             = SELF(req_fetch),
	[MSG_FLAGS]             = RUN(call_mail_flags, WAIT_ACCOUNT),
	[MSG_EXPUNGE]           = RUN(call_mail_expunge, WAIT_ACCOUNT),
	[MSG_COPY]              = RUN(call_mail_copy, WAIT_ACCOUNT),
	[MSG_APPEND]            = SELF(req_append),
	[MSG_APPEND_CHECK]      = RUN(call_mail_append_room, WAIT_NOTHING),
	[MSG_QUOTA]             = RUN(call_mail_quota, WAIT_ACCOUNT),
	[MSG_ADMIN_SESSION]     = RUN(req_admin_session, WAIT_DIR),
	[MSG_DOMAIN_ADD]        = ADMIN(call_dir_domain_add, WAIT_DIR),
	[MSG_DOMAIN_LIST]       = RUN(call_dir_domain_list, WAIT_DIR),
	[MSG_DOMAIN_REMOVE]     = ADMIN(call_dir_domain_remove, WAIT_DIR),
	[MSG_DKIM_ADD]          = ADMIN(call_dir_dkim_add, WAIT_DIR),
	[MSG_DKIM_LIST]         = RUN(call_dir_dkim_list, WAIT_DIR),
	[MSG_DKIM_CHANGE]       = ADMIN(call_dir_dkim_change, WAIT_DIR),
	[MSG_DKIM_KEYS_GET]     = RUN(call_dir_dkim_keys, WAIT_DIR),
	[MSG_USER_ADD]          = ADMIN(call_dir_user_add, WAIT_DIR),
	[MSG_USER_LIST]         = RUN(call_dir_user_list, WAIT_ALL),
	[MSG_USER_PASSWD]       = ADMIN(req_user_passwd, WAIT_DIR),
	[MSG_USER_QUOTA]        = ADMIN(call_dir_user_quota, WAIT_DIR),
	[MSG_USER_REMOVE]       = ADMIN(req_user_remove, WAIT_DIR),
	[MSG_USER_UNDELETE]     = ADMIN(call_dir_user_undelete, WAIT_DIR),
	[MSG_MAIL_UNDELETE]     = ADMIN(req_mail_undelete, WAIT_ALL),
	[MSG_ALIAS_ADD]         = ADMIN(call_dir_alias_add, WAIT_DIR),
	[MSG_ALIAS_LIST]        = RUN(call_dir_alias_list, WAIT_DIR),
	[MSG_ALIAS_REMOVE]      = ADMIN(call_dir_alias_remove, WAIT_DIR),
	[MSG_QUEUE_LIST]        = RUN(call_queue_list, WAIT_ALL),
	[MSG_QUEUE_CHANGE]      = RUN(req_queue_change, WAIT_ALL),
	[MSG_QUEUE_TRACE]       = RUN(call_queue_trace, WAIT_ALL),
	[MSG_QUEUE_TARGETS]     = RUN(call_queue_targets, WAIT_ALL),
	[MSG_QUEUE_HOSTS]       = RUN(call_queue_hosts, WAIT_NOTHING),
	[MSG_LEDGER_PUT]        = RUN(req_ledger_put, WAIT_ALL),
	[MSG_LEDGER_LIST]       = RUN(req_ledger_list, WAIT_ALL),
	[MSG_LEDGER_TAG]        = RUN(req_ledger_tag, WAIT_ALL),
	[MSG_TRACE_ACCOUNT]     = RUN(req_trace_account, WAIT_ALL),
	[MSG_LIMIT_LIST]        = RUN(req_limit_list, WAIT_ALL),
	[MSG_LIMIT_CHANGE]      = RUN(req_limit_change, WAIT_ALL),
	[MSG_STORE_STATUS]      = RUN(req_status, WAIT_NOTHING),
	[MSG_STORE_SYNC]        = RUN(call_sync, WAIT_ALL),
	[MSG_STORE_CHECK]       = RUN(req_check, WAIT_NOTHING),
};
/* clang-format on */

static uint64_t
position_of(const struct request *r, enum wait wait)
{
	switch (wait) {
	case WAIT_NOTHING:
		return 0;
	case WAIT_ACCOUNT:
		return mail_position(r->s->mail, r->session->account);
	case WAIT_DIR:
		return dir_position(r->s->dir);
	case WAIT_ALL:
		return engine_position(r->s->engine);
	}
	return 0;
}

static void
log_admin(const struct ipc_msg *m)
{
	struct wire w = wire_read(m->body);

	log_event(EV_STORE_ADMIN, LC("what", msg_rule(m->type)->name),
	    LS("name", wire_get_str(&w)));
}

static void
answer(struct request *r, const struct handler *h)
{
	struct ipc_return ret = ipc_return_new(r->peer->ipc, r->msg);
	/* The session may be gone when the handler returns. */
	struct session session = { 0 };
	struct verdict v;

	if (r->session)
		session = *r->session;
	v = h->run(r);
	r->session = &session;
	if (h->is_admin && verdict_is_done(v))
		log_admin(r->msg);
	if (msg_rule(r->msg->type)->flags & MSG_ASK)
		reply_at(r->s, position_of(r, h->wait), ret, v, &r->out, -1);
	else
		ipc_return_drop(&ret);
	buf_done(&r->out);
}

static void
refuse(struct peer *p, const struct ipc_msg *m, struct verdict v)
{
	if (msg_rule(m->type)->flags & MSG_ASK)
		reply_error(ipc_return_new(p->ipc, m), v);
}

static void
run(struct peer *p, struct ipc_msg *m)
{
	const struct handler *h =
	    m->type < ARRAY_LEN(handlers) ? &handlers[m->type] : NULL;
	struct request r = {
		.s = p->s, .peer = p, .msg = m, .out = BUF_INIT(MAIL_REPLY_MAX)
	};

	if (!h || (!h->run && !h->run_self))
		return;
	if (msg_rule(m->type)->flags & MSG_GRANT) {
		r.session = store_session_find(p->s, p->worker, m->session);
		if (!r.session) {
			refuse(p, m, verdict_permfail(REASON_NOT_GRANTED));
			return;
		}
	}
	if (h->run_self)
		h->run_self(&r);
	else
		answer(&r, h);
}

/* --- back-pressure ------------------------------------------------------------------ */

static bool
may_run(const struct peer *p)
{
	return ipc_peer_backlog(p->ipc) <= IPC_HIGH_WATER &&
	       p->s->reads < SERVER_READS_MAX;
}

static void
queue(struct peer *p, struct ipc_msg *m)
{
	struct queued *q;

	if (p->queued >= SERVER_QUEUE_MAX ||
	    p->queued_bytes + m->body.n > SERVER_QUEUE_BYTES) {
		refuse(p, m, verdict_tempfail(REASON_LIMIT));
		return;
	}
	q = X_NEW(struct queued);
	q->m = *m;
	q->m.body = str_copy(m->body);
	m->fd = -1;
	*p->last = q;
	p->last = &q->next;
	p->queued++;
	p->queued_bytes += q->m.body.n;
}

static void
free_first(struct peer *p)
{
	struct queued *q = p->first;

	p->first = q->next;
	if (!p->first)
		p->last = &p->first;
	p->queued--;
	p->queued_bytes -= q->m.body.n;
	str_free(&q->m.body);
	closep(&q->m.fd);
	free(q);
}

void
request_drop_queue(struct peer *p)
{
	while (p->first)
		free_first(p);
}

void
request_message(struct server *s, struct ipc_peer *ipc, struct ipc_msg *m)
{
	struct peer *p = peer_find(s, ipc_peer_worker(ipc));

	if (!p || p->ipc != ipc)
		return;
	if (p->first || !may_run(p))
		queue(p, m);
	else
		run(p, m);
}

void
request_resume(struct server *s)
{
	for (struct peer *p = s->peers; p; p = p->next)
		while (p->first && may_run(p)) {
			run(p, &p->first->m);
			free_first(p);
		}
}
