/* SPDX-License-Identifier: ISC */
/*
 * smtp_client.c - the session around the transactions. See smtp_client.h.
 *
 *   GREETING ... READY (smtp_client_open.c)
 *   READY ... END ... READY (smtp_client_mail.c)
 *   READY --> QUIT --> CLOSED
 *   any --421, nonsense, loss--> CLOSED
 *
 * smtp_client_next() takes one reply at a time and hands out all events that
 * it caused before the next one is read: so a text may point into the reader.
 */
#include "proto/smtp/smtp_client_internal.h"

/* A window of commands, or a chunk and its commands. */
#define OUT_MAX (SMTP_CLIENT_BODY_GROWTH(SMTP_CLIENT_CHUNK_MAX) + MIB(1))

struct smtp_client *
smtp_client_new(const struct smtp_client_config *config)
{
	struct smtp_client *c = X_NEW(struct smtp_client);

	c->config = *config;
	c->has_tls = config->has_tls;
	c->out = BUF_INIT(OUT_MAX);
	smtp_client_reader_init(&c->reader);
	arena_init(&c->arena, SMTP_COMMAND_ARENA);
	return c;
}

struct smtp_client *
smtp_client_free(struct smtp_client *c)
{
	if (!c)
		return NULL;
	smtp_client_mail_done(c);
	smtp_client_reader_done(&c->reader);
	buf_done_secret(&c->out);
	arena_done(&c->arena);
	free(c);
	return NULL;
}

/* --- verdicts ------------------------------------------------------------------ */

struct smtp_verdict
smtp_client_judge(const struct smtp_client *c)
{
	int code = c->reader.code, class = code / 100;
	struct smtp_verdict v = {
		.outcome = class == 2   ? DONE
		           : class == 5 ? PERMFAIL
		                        : TEMPFAIL,
		.stage = c->stage,
		.code = code,
		.status = { (uint8_t) class, 0, 0 },
		.text = buf_str(&c->reader.text),
	};
	struct str first, rest;
	struct smtp_status status;

	str_split(v.text, '\n', &first);
	if (smtp_status_parse(first, code, &status, &rest))
		v.status = status;
	return v;
}

struct smtp_verdict
smtp_client_local(const struct smtp_client *c, enum outcome outcome,
    struct smtp_status status, const char *text)
{
	return (struct smtp_verdict){
		.outcome = outcome,
		.flags = SMTP_CLIENT_IS_LOCAL,
		.stage = c->stage,
		.status = status,
		.text = str_c(text),
	};
}

void
smtp_client_give_up(struct smtp_client *c, struct smtp_verdict verdict)
{
	c->verdict = verdict;
	c->event = SMTP_CLIENT_EVENT_NONE;
	c->is_telling_one = false;
	c->is_telling = c->is_open;
	c->t.told_up_to = 0;
	c->is_ending = true;
	c->stage = SMTP_CLIENT_CLOSED;
}

void
smtp_client_protocol(struct smtp_client *c, const char *text)
{
	const struct smtp_status status = { 4, 5, 0 };
	struct smtp_verdict v = smtp_client_local(c, TEMPFAIL, status, text);

	v.flags |= SMTP_CLIENT_IS_PROTOCOL;
	/* What the server did with the message is anybody's guess. */
	if (c->stage == SMTP_CLIENT_END)
		v.flags |= SMTP_CLIENT_MAY_DUPLICATE;
	smtp_client_give_up(c, v);
}

/* --- replies --------------------------------------------------------------------- */

static void
quit_done(struct smtp_client *c)
{
	smtp_client_give_up(c, (struct smtp_verdict){
				   .outcome = DONE,
				   .stage = SMTP_CLIENT_QUIT,
				   .flags = SMTP_CLIENT_IS_LOCAL,
			       });
}

/* Nothing was asked. 421 is what a server says before it closes. */
static void
unasked_reply(struct smtp_client *c)
{
	if (c->reader.code / 100 == 4 || c->reader.code / 100 == 5)
		smtp_client_give_up(c, smtp_client_judge(c));
	else
		smtp_client_protocol(c, "a reply to nothing");
}

/*
 * 421 may come at any time and means that the connection ends (RFC 5321
 * section 3.8), whatever was asked. Recipients that wait can try again.
 */
static void
on_reply(struct smtp_client *c)
{
	if (c->stage == SMTP_CLIENT_QUIT)
		quit_done(c);
	else if (c->reader.code == 421)
		smtp_client_give_up(c, smtp_client_judge(c));
	else if (c->is_open)
		smtp_client_mail_reply(c);
	else if (c->stage == SMTP_CLIENT_READY)
		unasked_reply(c);
	else
		smtp_client_open_reply(c);
}

/* --- loss ------------------------------------------------------------------------ */

static const char *
loss_text(enum smtp_client_loss loss)
{
	switch (loss) {
	case SMTP_CLIENT_LOSS_CLOSED:
		return "the server closed the connection";
	case SMTP_CLIENT_LOSS_TIMEOUT:
		return "the server did not answer in time";
	case SMTP_CLIENT_LOSS_TLS:
		return "TLS failed";
	case SMTP_CLIENT_LOSS_LOCAL:
		return "the attempt was broken off";
	}
	return "";
}

static struct smtp_status
loss_status(enum smtp_client_loss loss)
{
	if (loss == SMTP_CLIENT_LOSS_TLS)
		return (struct smtp_status){ 4, 7, 5 };
	if (loss == SMTP_CLIENT_LOSS_LOCAL)
		return (struct smtp_status){ 4, 3, 2 };
	return (struct smtp_status){ 4, 4, 2 };
}

/* When everything that came has been read and told. */
static void
act_on_loss(struct smtp_client *c)
{
	struct smtp_verdict v = smtp_client_local(
	    c, TEMPFAIL, loss_status(c->loss), loss_text(c->loss));

	c->is_lost = false;
	if (c->stage == SMTP_CLIENT_CLOSED)
		return;
	if (c->stage == SMTP_CLIENT_QUIT) {
		quit_done(c);
		return;
	}
	v.flags |= SMTP_CLIENT_IS_LOST;
	if (c->stage == SMTP_CLIENT_END && c->unsent == 0 && c->out.n == 0)
		v.flags |= SMTP_CLIENT_MAY_DUPLICATE;
	smtp_client_give_up(c, v);
}

/* --- events ---------------------------------------------------------------------- */

static void
put_verdict(const struct smtp_verdict *v, struct smtp_client_event *ret)
{
	ret->outcome = v->outcome;
	ret->flags = v->flags;
	ret->stage = v->stage;
	ret->code = v->code;
	ret->status = v->status;
	ret->text = v->text;
}

static enum smtp_client_event_type
result(struct smtp_client *c, size_t rcpt, struct smtp_client_event *ret)
{
	c->t.states[rcpt] = RCPT_TOLD;
	ret->type = SMTP_CLIENT_EVENT_RESULT;
	ret->rcpt = rcpt;
	put_verdict(&c->verdict, ret);
	return ret->type;
}

static bool
next_result(struct smtp_client *c, struct smtp_client_event *ret)
{
	if (c->is_telling_one) {
		c->is_telling_one = false;
		result(c, c->one, ret);
		return true;
	}
	while (c->is_telling && c->t.told_up_to < c->t.mail->n_rcpts) {
		size_t rcpt = c->t.told_up_to++;

		if (c->t.states[rcpt] != RCPT_TOLD) {
			result(c, rcpt, ret);
			return true;
		}
	}
	c->is_telling = false;
	return false;
}

static bool
next_event(struct smtp_client *c, struct smtp_client_event *ret)
{
	if (next_result(c, ret))
		return true;
	if (c->is_ending) {
		c->is_ending = false;
		c->is_open = false;
		ret->type = SMTP_CLIENT_EVENT_CLOSED;
		put_verdict(&c->verdict, ret);
		return true;
	}
	if (c->event == SMTP_CLIENT_EVENT_NONE)
		return false;
	ret->type = c->event;
	ret->stage = c->stage;
	ret->is_reusable = c->event == SMTP_CLIENT_EVENT_MAIL_DONE &&
	                   (!c->caps.mail_max || c->mails < c->caps.mail_max);
	c->event = SMTP_CLIENT_EVENT_NONE;
	return true;
}

/* Take one reply, if it is there. False when all input is used. */
static bool
read_reply(struct smtp_client *c, struct str *in)
{
	/* In front of TLS nothing may wait for us (RFC 3207 section 4.2). */
	if (c->stage == SMTP_CLIENT_HANDSHAKE ||
	    c->stage == SMTP_CLIENT_CLOSED) {
		*in = STR_NONE;
		return false;
	}
	switch (smtp_client_reader_feed(&c->reader, in)) {
	case SMTP_REPLY_MORE:
		return false;
	case SMTP_REPLY_DONE:
		c->replies++;
		on_reply(c);
		return true;
	case SMTP_REPLY_BAD:
		smtp_client_protocol(c, "");
		/* The line itself says more than we could. */
		c->verdict.text = buf_str(&c->reader.text);
		return true;
	case SMTP_REPLY_LONG:
		smtp_client_protocol(c, "a reply of unreasonable length");
		return true;
	}
	return false;
}

enum smtp_client_event_type
smtp_client_next(
    struct smtp_client *c, struct str *in, struct smtp_client_event *ret)
{
	*ret = (struct smtp_client_event){ .type = SMTP_CLIENT_EVENT_NONE };
	for (;;) {
		if (next_event(c, ret))
			return ret->type;
		if (c->is_open) {
			smtp_client_mail_go_on(c);
			if (next_event(c, ret))
				return ret->type;
		}
		if (read_reply(c, in))
			continue;
		if (!c->is_lost)
			return SMTP_CLIENT_EVENT_NONE;
		act_on_loss(c);
	}
}

/* --- the caller's other verbs ------------------------------------------------------ */

void
smtp_client_quit(struct smtp_client *c)
{
	ASSERT(!c->is_open && !c->event && !c->is_telling);
	if (c->stage == SMTP_CLIENT_CLOSED)
		return;
	ASSERT(c->stage == SMTP_CLIENT_READY);
	c->stage = SMTP_CLIENT_QUIT;
	buf_put_c(&c->out, "QUIT\r\n");
}

/*
 * A reply that was read but not told yet must not be forgotten: so the loss
 * waits until smtp_client_next() has nothing else to say.
 */
void
smtp_client_lost(
    struct smtp_client *c, enum smtp_client_loss loss, size_t unsent)
{
	c->is_lost = true;
	c->loss = loss;
	c->unsent = unsent;
}

struct buf *
smtp_client_out(struct smtp_client *c)
{
	return &c->out;
}

enum smtp_client_stage
smtp_client_stage(const struct smtp_client *c)
{
	return c->stage;
}

const struct smtp_caps *
smtp_client_caps(const struct smtp_client *c)
{
	return &c->caps;
}

uint32_t
smtp_client_mails(const struct smtp_client *c)
{
	return c->mails;
}

uint32_t
smtp_client_replies(const struct smtp_client *c)
{
	return c->replies;
}

/* clang-format off */
static const struct {
	const char *name;
	unsigned seconds;
} stages[] = {
	[SMTP_CLIENT_GREETING]  = { "greeting",        300 },
	[SMTP_CLIENT_EHLO]      = { "EHLO",            300 },
	[SMTP_CLIENT_HELO]      = { "HELO",            300 },
	[SMTP_CLIENT_STARTTLS]  = { "STARTTLS",        120 },
	[SMTP_CLIENT_HANDSHAKE] = { "TLS handshake",   120 },
	[SMTP_CLIENT_AUTH]      = { "AUTH",            300 },
	[SMTP_CLIENT_READY]     = { "idle",            300 },
	[SMTP_CLIENT_RSET]      = { "RSET",            120 },
	[SMTP_CLIENT_MAIL]      = { "MAIL FROM",       300 },
	[SMTP_CLIENT_RCPT]      = { "RCPT TO",         300 },
	[SMTP_CLIENT_DATA]      = { "DATA",            120 },
	[SMTP_CLIENT_BODY]      = { "message",         180 },
	[SMTP_CLIENT_END]       = { "end of message",  600 },
	[SMTP_CLIENT_QUIT]      = { "QUIT",            10 },
	[SMTP_CLIENT_CLOSED]    = { "closed",          10 },
};
/* clang-format on */

unsigned
smtp_client_timeout(enum smtp_client_stage stage)
{
	return stages[stage].seconds;
}

const char *
smtp_client_stage_str(enum smtp_client_stage stage)
{
	return stages[stage].name;
}
