/* SPDX-License-Identifier: ISC */
/* cmd_mail.c - MAIL: the sender, and whether it may be used here. */
#include "smtp/command.h"

#include "base/log.h"

static void
log_reject(struct session *s, enum reply_id id)
{
	struct smtp_reply r = reply_get(id);

	log_event(EV_SMTP_MAIL_REJECT, LC("sid", s->sid),
	    LS("from", s->env.from), LC("login", s->login),
	    LU("reply", (uint64_t)r.code), LC("reason", r.text));
}

static void
on_sender_check(struct session *s, struct ipc_msg *m)
{
	enum reply_id id = reply_of_sender(
	    m->outcome, m->outcome == DONE ? REASON_NONE : ipc_reason(m));

	if (id == REPLY_MAIL_OK) {
		session_enter(s, STATE_MAIL);
	} else {
		log_reject(s, id);
		session_reset(s);
	}
	session_reply(s, id);
}

/* On submission ports the account must own the address. */
static void
check_sender(struct session *s)
{
	struct msg_sender_check m = { .address = s->env.from_address };
	struct buf body = BUF_INIT(KIB(4));
	struct question q = {
		.to = ROLE_STORE,
		.type = MSG_SENDER_CHECK,
		.fd = -1,
		.fn = on_sender_check,
	};

	msg_sender_check_put(&body, &m);
	q.body = buf_str(&body);
	session_ask(s, &q);
	buf_done(&body);
}

static enum reply_id
refuse(struct session *s, enum reply_id id)
{
	log_reject(s, id);
	session_reset(s);
	return id;
}

enum reply_id
cmd_mail(struct session *s, const struct smtp_command *c)
{
	const struct smtp_mail *mail = &c->u.mail;
	const struct conf *conf = s->sv->conf;

	if (s->messages >= conf->smtp_messages_max) {
		session_log_limit(s, "messages");
		return REPLY_TOO_MANY_MAILS;
	}
	if (!envelope_set_sender(&s->env, mail, loop_time(s->sv->loop)))
		return refuse(s, REPLY_NO_MEMORY);
	if (mail->size > conf->message_size_max)
		return refuse(s, REPLY_TOO_BIG);
	if (s->env.hold_until > loop_time(s->sv->loop) + 1 + ENVELOPE_HOLD_MAX)
		return refuse(s, REPLY_HOLD_TOO_LONG);
	if (!session_is_submission(s)) {
		session_enter(s, STATE_MAIL);
		return REPLY_MAIL_OK;
	}
	/* Whoever signed in answers for the message; bounces are ours. */
	if (mail->from.is_null)
		return refuse(s, REPLY_SENDER_NULL);
	check_sender(s);
	return REPLY_NONE;
}
