/* SPDX-License-Identifier: ISC */
/*
 * session_judge.c - what a reply means for the entry that it is about.
 *
 * Some servers refuse for good what is only a matter of our address or of our
 * speed. That is not the message's fault: it stays in the queue.
 */
#include "send/session/session_internal.h"

static enum reply_stage
stage_of(enum smtp_client_stage stage)
{
	static const enum reply_stage stages[] = {
		[SMTP_CLIENT_GREETING] = REPLY_AT_GREETING,
		[SMTP_CLIENT_EHLO] = REPLY_AT_EHLO,
		[SMTP_CLIENT_HELO] = REPLY_AT_EHLO,
		[SMTP_CLIENT_STARTTLS] = REPLY_AT_STARTTLS,
		[SMTP_CLIENT_HANDSHAKE] = REPLY_AT_STARTTLS,
		[SMTP_CLIENT_AUTH] = REPLY_AT_AUTH,
		[SMTP_CLIENT_READY] = REPLY_AT_MAIL,
		[SMTP_CLIENT_RSET] = REPLY_AT_MAIL,
		[SMTP_CLIENT_MAIL] = REPLY_AT_MAIL,
		[SMTP_CLIENT_RCPT] = REPLY_AT_RCPT,
		[SMTP_CLIENT_DATA] = REPLY_AT_DATA,
		[SMTP_CLIENT_BODY] = REPLY_AT_END,
		[SMTP_CLIENT_END] = REPLY_AT_END,
		[SMTP_CLIENT_QUIT] = REPLY_AT_END,
		[SMTP_CLIENT_CLOSED] = REPLY_AT_END,
	};

	return stages[stage];
}

static void
log_blocked(const struct session *s, const struct smtp_client_event *ev,
    const struct reply_verdict *v)
{
	log_event(EV_SEND_BLOCKED, LC("mx", session_host(s)), LC("ip", s->ip),
	    LC("source", s->source), LS("rule", v->rule), LS("link", v->link),
	    LU("code", (uint64_t)ev->code), LS("reply", ev->text));
}

/* Not the message's fault, but our address's, our speed's or, with a relay,
 * that of the route. */
static bool
is_about_us(const struct session *s, enum reply_class class)
{
	return class == REPLY_BLOCKED || class == REPLY_RATE ||
	       (dest_is_relay(s->dest) &&
		   (class == REPLY_AUTH || class == REPLY_RELAY_DENIED));
}

/* The message or its sender are not to its liking, or our address or speed. */
static bool is_by_policy(enum reply_class class)
{
	return class == REPLY_BLOCKED || class == REPLY_CONTENT ||
	       class == REPLY_RATE || class == REPLY_POLICY ||
	       class == REPLY_BAD_SENDER;
}

/* What it says is held against more than this mail. */
static bool concerns_others(enum reply_class class)
{
	return class == REPLY_BLOCKED || class == REPLY_UNKNOWN_USER ||
	       class == REPLY_DISABLED;
}

static struct reply_verdict
classify(const struct session *s, const struct smtp_client_event *ev,
    struct str text)
{
	struct reply_input in = {
		.group = provider_of(s->sv->providers, str_c(session_host(s))),
		.stage = stage_of(ev->stage),
		.code = ev->code,
		.text = text,
	};

	return reply_classify(s->sv->replies, &in);
}

/*
 * Once more without the addresses of the mail under way. Servers quote them in
 * their replies, and neither a recipient that a user invents nor the sender of
 * what is forwarded may say in a server's name that it refuses our address, or that somebody is gone.
 */
static struct reply_verdict
classify_unquoted(const struct session *s, const struct smtp_client_event *ev)
{
	struct buf text = BUF_INIT(REPLY_TEXT_MAX);
	struct reply_verdict v;

	buf_put_str(&text, str_first(ev->text, REPLY_TEXT_MAX));
	reply_forget(&text, s->env.from);
	for (size_t i = 0; i < s->env.n_rcpts; i++)
		reply_forget(&text, s->env.rcpts[i].to);
	v = classify(s, ev, buf_str(&text));
	buf_done(&text);
	return v;
}

struct judgement
session_judge(struct session *s, const struct smtp_client_event *ev)
{
	struct judgement j = {
		.outcome = ev->outcome,
		.is_local = ev->flags & SMTP_CLIENT_IS_LOCAL,
		.may_duplicate = ev->flags & SMTP_CLIENT_MAY_DUPLICATE,
		.has_dsn = smtp_client_caps(s->client)->has & SMTP_CAP_DSN,
		.code = ev->code,
		.status = ev->status,
		.text = ev->text,
	};

	s->said = (struct reply_verdict){ .class = REPLY_CONNECTION };
	s->is_said_of_host = stage_of(ev->stage) < REPLY_AT_RCPT;
	if (ev->outcome == DONE || ev->code < 400)
		return j;
	s->said = classify(s, ev, ev->text);
	if (s->rcpts != NULL && concerns_others(s->said.class))
		s->said = classify_unquoted(s, ev);
	if (s->said.class == REPLY_BLOCKED)
		log_blocked(s, ev, &s->said);
	j.is_no_user = s->said.class == REPLY_UNKNOWN_USER ||
	               s->said.class == REPLY_DISABLED;
	if (is_about_us(s, s->said.class))
		j.outcome = TEMPFAIL;
	j.has_class = true;
	j.class = (uint8_t)s->said.class;
	j.is_policy = is_by_policy(s->said.class);
	j.is_blocked = s->said.class == REPLY_BLOCKED;
	return j;
}
