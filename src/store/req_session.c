/* SPDX-License-Identifier: ISC */
/*
 * req_session.c - requests that change what a session is or watches.
 */
#include "store/server.h"

#include <sys/stat.h>

bool
req_fd_holds(int fd, uint64_t size)
{
	struct stat st;

	/* Not a pipe or the like, which could make a helper thread wait. */
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size >= 0 && (uint64_t)st.st_size >= size;
}

struct verdict
req_session_grant(struct request *r)
{
	struct msg_session_grant q;
	struct peer *p;
	struct verdict v;

	if (!msg_session_grant_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	p = peer_find(r->s, q.worker);
	if (!p || (p->role != ROLE_SMTP && p->role != ROLE_IMAP))
		return verdict_permfail(REASON_GONE);
	v = dir_has_account(r->s->dir, q.account);
	if (!verdict_is_done(v))
		return v;
	return store_session_grant(r->s, p, q.session, q.account)
	           ? VERDICT_DONE
	           : verdict_tempfail(REASON_LIMIT);
}

struct verdict
req_admin_session(struct request *r)
{
	struct msg_admin_session q;
	struct msg_admin_session_reply reply;
	struct verdict v;

	if (!msg_admin_session_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = dir_account(r->s->dir, q.login, &reply.account);
	if (!verdict_is_done(v))
		return v;
	if (!store_session_grant(r->s, r->peer, r->msg->session, reply.account))
		return verdict_tempfail(REASON_LIMIT);
	msg_admin_session_reply_put(&r->out, &reply);
	return VERDICT_DONE;
}

struct verdict
req_session_close(struct request *r)
{
	struct session *ss =
	    store_session_find(r->s, r->peer->worker, r->msg->session);

	if (ss)
		store_session_close(r->s, ss);
	return VERDICT_DONE;
}

struct verdict
req_sender_check(struct request *r)
{
	struct msg_sender_check q;
	struct limit_message *m;
	struct verdict v;

	if (!msg_sender_check_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = dir_owns(r->s->dir, r->session->account, q.address);
	if (verdict_is_done(v))
		v = limiter_judge(
		    r->s->limiter, r->session->account, NULL, 0, &m);
	if (verdict_is_done(v))
		limiter_added(m, false);
	return v;
}

struct verdict
req_open(struct request *r)
{
	struct msg_mailbox_open q;
	uint64_t account = r->session->account;
	uint32_t mailbox = 0;
	struct verdict v;

	if (!msg_mailbox_open_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = mail_open(r->s->mail, account, &q, &mailbox, &r->out);
	if (verdict_is_done(v) && q.is_watching)
		store_session_watch(r->s, r->session, mailbox,
		    mail_mailbox_modseq(r->s->mail, account, mailbox));
	return v;
}

struct verdict
req_unwatch(struct request *r)
{
	store_session_watch(r->s, r->session, 0, 0);
	return VERDICT_DONE;
}

struct verdict
req_entries(struct request *r)
{
	struct session *ss = r->session;
	struct msg_entries_reply reply;
	struct msg_entries q;
	struct verdict v;

	if (!msg_entries_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = mail_entries(r->s->mail, ss->account, &q, &r->out);
	if (!verdict_is_done(v) || ss->mailbox != q.mailbox ||
	    !msg_entries_reply_get(buf_str(&r->out), &reply))
		return v;
	/* Of an answer in portions, the first one says from when it is. */
	if (q.since_modseq || q.from_uid <= 1)
		ss->seen = reply.modseq;
	ss->is_armed = true;
	return v;
}
