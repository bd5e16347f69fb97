/* SPDX-License-Identifier: ISC */
/* cmd_rcpt.c - RCPT: does this recipient exist, and does its mailbox take
 * the message? Other servers are reached by who has signed in only. */
#include "smtp/command.h"

#include "base/log.h"

static void
log_reject(struct session *s, struct str rcpt, enum reply_id id)
{
	struct smtp_reply r = reply_get(id);

	log_event(EV_SMTP_RCPT_REJECT, LC("sid", s->sid),
	    LC("ip", conn_peer_ip(s->conn)), LS("from", s->env.from),
	    LS("rcpt", rcpt), LU("reply", (uint64_t)r.code),
	    LC("reason", r.text));
}

static enum reply_id
judge(struct session *s, struct ipc_msg *m)
{
	enum reply_id id = reply_of_rcpt(m->outcome,
	    m->outcome == DONE ? REASON_NONE : ipc_reason(m),
	    session_is_submission(s));
	struct msg_rcpt_check_reply reply;

	if (id != REPLY_RCPT_OK || m->outcome != DONE)
		return id;
	if (!msg_rcpt_check_reply_get(m->body, &reply))
		return REPLY_RCPT_LATER;
	/* RFC 4865: what is held waits in the queue, and a report is read now. */
	if (s->env.hold_until > loop_time(s->sv->loop) && reply.is_reports)
		return REPLY_HOLD_REPORT;
	s->rcpt->max_size = reply.max_size;
	s->rcpt->is_reports = reply.is_reports;
	s->rcpt->is_report_only = reply.is_report_only;
	if (reply.max_size > 0 && s->env.size > reply.max_size)
		return REPLY_RCPT_FULL;
	return id;
}

static void check_rcpt(struct session *s);

static void
on_rcpt_check(struct session *s, struct ipc_msg *m)
{
	enum reply_id id = judge(s, m);

	/* RFC 5321 section 4.5.1: <Postmaster> works without a domain; it is
	 * ours, and not the postmaster of another server. */
	if (m->outcome != DONE && ipc_reason(m) == REASON_NOT_LOCAL &&
	    s->rcpt->is_postmaster) {
		if (envelope_raise_postmaster(&s->env, s->rcpt)) {
			check_rcpt(s);
			return;
		}
		id = REPLY_RELAY;
	}
	if (id == REPLY_RCPT_OK) {
		envelope_add_rcpt(&s->env, s->rcpt);
		session_enter(s, STATE_RCPT);
	} else {
		log_reject(s, s->rcpt->address, id);
	}
	s->rcpt = NULL;
	session_reply(s, id);
}

static void
check_rcpt(struct session *s)
{
	struct msg_rcpt_check m = { .address = s->rcpt->address,
		.mail_from = s->env.from };
	struct buf body = BUF_INIT(KIB(4));
	struct question q = {
		.to = ROLE_STORE,
		.type = MSG_RCPT_CHECK,
		.fd = -1,
		.fn = on_rcpt_check,
	};

	msg_rcpt_check_put(&body, &m);
	q.body = buf_str(&body);
	session_ask(s, &q);
	buf_done(&body);
}

enum reply_id
cmd_rcpt(struct session *s, const struct smtp_command *c)
{
	if (s->env.count >= server_rcpts_max(s->sv)) {
		session_log_limit(s, "recipients");
		return REPLY_TOO_MANY_RCPT;
	}
	s->rcpt =
	    envelope_make_rcpt(&s->env, &c->u.rcpt, s->sv->conf->hostname);
	if (s->rcpt == NULL)
		return REPLY_NO_MEMORY;
	check_rcpt(s);
	return REPLY_NONE;
}
