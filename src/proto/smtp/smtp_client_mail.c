/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_mail.c - one transaction: from MAIL to the reply to the end.
 *
 *   commands  --go_on(): one at a time, or as many as the window allows
 *      |            after MAIL was refused: no more, hear the rest
 *      |            no recipient accepted: no DATA
 *   354 to DATA, or BDAT sent
 *      |--------> nobody accepted, but DATA was on its way: "." (RFC 2920)
 *   BODY      --smtp_client_body(); a reply here is the server's last word
 *      |
 *   END       --one reply; with LMTP one for each accepted recipient
 *      |
 *   MAIL_DONE
 *
 * Invariants: a recipient's result is told once; nothing is told as delivered
 * but in END; MAIL_DONE comes when every command was answered.
 */
#include "proto/smtp/smtp_client_internal.h"

/* The numbers of commands in the sequence. */
static size_t
mail_at(const struct smtp_transaction *t)
{
	return t->has_rset ? 1 : 0;
}

static size_t
data_at(const struct smtp_transaction *t)
{
	return mail_at(t) + 1 + t->n_order;
}

static enum smtp_client_stage
stage_at(const struct smtp_transaction *t, size_t i)
{
	if (i < mail_at(t))
		return SMTP_CLIENT_RSET;
	if (i == mail_at(t))
		return SMTP_CLIENT_MAIL;
	return i < data_at(t) ? SMTP_CLIENT_RCPT : SMTP_CLIENT_DATA;
}

/* Recipients that wait for a result although the server was asked. */
static bool
has_waiting(struct smtp_client *c)
{
	struct smtp_transaction *t = &c->t;

	for (size_t i = 0; i < t->n_order; i++)
		if (t->states[t->order[i]] == RCPT_ACCEPTED)
			return true;
	return false;
}

static void
tell_all(struct smtp_client *c, struct smtp_verdict verdict)
{
	c->verdict = verdict;
	c->is_telling = true;
	c->t.told_up_to = 0;
}

static void
tell_one(struct smtp_client *c, size_t rcpt, struct smtp_verdict verdict)
{
	c->verdict = verdict;
	c->is_telling_one = true;
	c->one = rcpt;
}

static void
finish(struct smtp_client *c)
{
	c->stage = SMTP_CLIENT_READY;
	if (c->t.sent > 0)
		c->needs_rset = !c->t.is_ended;
	c->is_open = false;
	c->event = SMTP_CLIENT_EVENT_MAIL_DONE;
}

/* --- beginning ---------------------------------------------------------------- */

/*
 * Choose the recipients that are sent: those with a valid address, and no
 * more than the server takes in one transaction (RFC 9422). The others hear
 * so before anything is sent. True when one has to be told.
 */
static bool
choose_recipients(struct smtp_client *c)
{
	const struct smtp_status too_many = { 4, 5, 3 };
	const struct smtp_client_mail *mail = c->t.mail;
	size_t max = c->caps.rcpt_max ? c->caps.rcpt_max : SIZE_MAX;
	struct smtp_verdict verdict;

	while (c->t.looked_at < mail->n_rcpts) {
		size_t rcpt = c->t.looked_at++;
		bool is_fit =
		    smtp_client_can_rcpt(c, &mail->rcpts[rcpt], &verdict);

		if (is_fit && c->t.n_order < max) {
			c->t.order[c->t.n_order++] = rcpt;
			continue;
		}
		if (is_fit) {
			verdict = smtp_client_local(c, TEMPFAIL, too_many,
			    "more recipients than the server takes at once");
			verdict.flags |= SMTP_CLIENT_IS_TOO_MANY;
		}
		tell_one(c, rcpt, verdict);
		return true;
	}
	return false;
}

void
smtp_client_mail(struct smtp_client *c, const struct smtp_client_mail *mail)
{
	struct smtp_verdict verdict;

	ASSERT(mail->n_rcpts > 0);
	ASSERT(c->stage == SMTP_CLIENT_READY && !c->is_open && !c->event);
	smtp_client_mail_done(c);
	c->t = (struct smtp_transaction){
		.mail = mail,
		.states = x_calloc(mail->n_rcpts, sizeof(uint8_t)),
		.order = x_calloc(mail->n_rcpts, sizeof(size_t)),
		.has_rset = c->needs_rset,
		.body_left = mail->size,
		.use_bdat = c->caps.has & SMTP_CAP_CHUNKING,
	};
	c->is_open = true;
	c->stage = SMTP_CLIENT_MAIL;
	if (!smtp_client_can_mail(c, mail, &verdict)) {
		c->t.looked_at = mail->n_rcpts;
		tell_all(c, verdict);
	}
}

void
smtp_client_mail_done(struct smtp_client *c)
{
	free(c->t.states);
	free(c->t.order);
	c->t = (struct smtp_transaction){ 0 };
}

/* --- sending ------------------------------------------------------------------ */

static void
begin_body(struct smtp_client *c)
{
	c->stage = SMTP_CLIENT_BODY;
	c->event = SMTP_CLIENT_EVENT_BODY;
}

static void
send_data(struct smtp_client *c)
{
	if (!c->t.use_bdat) {
		buf_put_c(&c->out, "DATA\r\n");
		return;
	}
	/* One chunk: the size is known, and then one reply says it all. */
	buf_printf(
	    &c->out, "BDAT %llu LAST\r\n", (unsigned long long)c->t.mail->size);
	begin_body(c);
}

static void
send_next(struct smtp_client *c)
{
	struct smtp_transaction *t = &c->t;
	size_t i = t->sent++;

	switch ((int)stage_at(t, i)) {
	case SMTP_CLIENT_RSET:
		buf_put_c(&c->out, "RSET\r\n");
		break;
	case SMTP_CLIENT_MAIL:
		smtp_client_put_mail(c);
		break;
	case SMTP_CLIENT_RCPT:
		smtp_client_put_rcpt(c, t->order[i - mail_at(t) - 1]);
		break;
	default:
		send_data(c);
	}
}

/*
 * DATA may follow the recipients without waiting (RFC 2920). The chunk that
 * would follow BDAT is not sent before it is known that someone wants it.
 */
static bool
may_send(const struct smtp_client *c)
{
	const struct smtp_transaction *t = &c->t;
	bool is_pipelined = c->caps.has & SMTP_CAP_PIPELINING;

	if (t->is_stopped || t->sent > data_at(t))
		return false;
	if (t->sent == t->answered)
		return t->sent < data_at(t) || t->n_accepted > 0;
	if (!is_pipelined || t->sent - t->answered >= SMTP_CLIENT_WINDOW)
		return false;
	return t->sent < data_at(t) || !t->use_bdat;
}

void
smtp_client_mail_go_on(struct smtp_client *c)
{
	struct smtp_transaction *t = &c->t;

	if (c->stage == SMTP_CLIENT_BODY || c->stage == SMTP_CLIENT_END)
		return;
	if (choose_recipients(c))
		return;
	/* Nobody to send it to: not even MAIL. */
	if (t->n_order == 0)
		t->is_stopped = true;
	while (c->stage != SMTP_CLIENT_BODY && may_send(c))
		send_next(c);
	if (c->stage == SMTP_CLIENT_BODY)
		return;
	c->stage = stage_at(t, t->answered);
	/* All answered, and nothing to send: nobody accepted. */
	if (t->sent == t->answered)
		finish(c);
}

void
smtp_client_body(struct smtp_client *c, struct str chunk)
{
	ASSERT(chunk.n <= SMTP_CLIENT_CHUNK_MAX);
	if (c->stage != SMTP_CLIENT_BODY)
		return;
	c->t.is_overrun |= chunk.n > c->t.body_left;
	if (c->t.is_overrun)
		return;
	c->t.body_left -= chunk.n;
	if (c->t.use_bdat)
		buf_put_str(&c->out, chunk);
	else
		smtp_client_body_put(&c->t.body, chunk, &c->out);
	ASSERT(!c->out.failed);
}

void
smtp_client_end(struct smtp_client *c, bool is_complete)
{
	const struct smtp_status status = { 4, 3, 0 };

	if (c->stage != SMTP_CLIENT_BODY)
		return;
	if (!is_complete || c->t.body_left > 0 || c->t.is_overrun) {
		smtp_client_give_up(
		    c, smtp_client_local(c, TEMPFAIL, status,
			   "the message could not be read from the store"));
		return;
	}
	if (!c->t.use_bdat)
		smtp_client_body_end(&c->t.body, &c->out);
	c->stage = SMTP_CLIENT_END;
}

/* --- replies ------------------------------------------------------------------ */

static void
mail_reply(struct smtp_client *c, struct smtp_verdict verdict)
{
	if (verdict.outcome == DONE)
		return;
	c->t.is_stopped = true;
	tell_all(c, verdict);
}

/*
 * 452 is also said to the recipient after the last one that fits, and so is
 * 552 by old servers (RFC 5321 section 4.5.3.1.10).
 */
static bool
is_too_many(const struct smtp_client *c, const struct smtp_verdict *v)
{
	bool says_so = v->status.subject == 5 && v->status.detail == 3;
	bool says_nothing = v->status.subject == 0 && v->status.detail == 0;

	return c->t.n_accepted > 0 && (v->code == 452 || v->code == 552) &&
	       (says_so || says_nothing);
}

static void
rcpt_reply(struct smtp_client *c, size_t rcpt, struct smtp_verdict verdict)
{
	if (verdict.outcome == DONE) {
		c->t.n_accepted++;
		if (c->t.states[rcpt] == RCPT_OPEN)
			c->t.states[rcpt] = RCPT_ACCEPTED;
		return;
	}
	if (c->t.states[rcpt] == RCPT_TOLD)
		return;
	if (is_too_many(c, &verdict)) {
		verdict.outcome = TEMPFAIL;
		verdict.status.class = 4;
		verdict.flags |= SMTP_CLIENT_IS_TOO_MANY;
	}
	tell_one(c, rcpt, verdict);
}

/*
 * The server wants a message that nobody here waits for. An empty one ends
 * the matter, unless it took a recipient although it refused the sender: it
 * could deliver that.
 */
static void
end_empty(struct smtp_client *c)
{
	if (c->t.n_accepted > 0 || c->config.is_lmtp) {
		smtp_client_protocol(c, "DATA accepted after MAIL was refused");
		return;
	}
	buf_put_c(&c->out, ".\r\n");
	c->stage = SMTP_CLIENT_END;
}

static void
data_reply(struct smtp_client *c)
{
	if (c->reader.code / 100 == 3) {
		if (has_waiting(c))
			begin_body(c);
		else
			end_empty(c);
		return;
	}
	if (c->reader.code / 100 == 2)
		smtp_client_protocol(c, "DATA answered with success");
	else
		tell_all(c, smtp_client_judge(c));
}

/* The message is in the server's hands, or refused, for all of them. */
static void
end_reply(struct smtp_client *c)
{
	struct smtp_transaction *t = &c->t;

	if (c->config.is_lmtp) {
		while (t->states[t->order[t->lmtp_next]] != RCPT_ACCEPTED)
			t->lmtp_next++;
		tell_one(c, t->order[t->lmtp_next], smtp_client_judge(c));
		if (--t->n_accepted > 0)
			return;
	} else if (has_waiting(c)) {
		tell_all(c, smtp_client_judge(c));
	}
	c->mails++;
	c->stage = SMTP_CLIENT_DATA;
	t->is_ended = true;
	t->is_stopped = true;
	t->sent = t->answered;
}

/* Never the fault of those who come next. */
static void
rset_refused(struct smtp_client *c)
{
	struct smtp_verdict verdict = smtp_client_judge(c);

	verdict.outcome = TEMPFAIL;
	smtp_client_give_up(c, verdict);
}

/* A reply to a command of the sequence. */
static void
command_reply(struct smtp_client *c)
{
	struct smtp_transaction *t = &c->t;
	size_t i = t->answered++;

	c->stage = stage_at(t, i);
	if (c->stage == SMTP_CLIENT_DATA) {
		data_reply(c);
		return;
	}
	if (c->reader.code / 100 == 3) {
		smtp_client_protocol(c, "a reply that asks for more");
		return;
	}
	if (c->stage == SMTP_CLIENT_MAIL)
		mail_reply(c, smtp_client_judge(c));
	else if (c->stage == SMTP_CLIENT_RCPT)
		rcpt_reply(
		    c, t->order[i - mail_at(t) - 1], smtp_client_judge(c));
	else if (c->reader.code / 100 != 2)
		rset_refused(c);
}

void
smtp_client_mail_reply(struct smtp_client *c)
{
	int class = c->reader.code / 100;

	if (c->stage == SMTP_CLIENT_BODY) {
		/* Nothing can follow: we are in the middle of a message. */
		if (class == 2 || class == 3)
			smtp_client_protocol(c, "success before the end");
		else
			smtp_client_give_up(c, smtp_client_judge(c));
		return;
	}
	if (c->stage != SMTP_CLIENT_END) {
		command_reply(c);
		return;
	}
	if (class == 3)
		smtp_client_protocol(c, "the end answered with 3xx");
	else
		end_reply(c);
}
