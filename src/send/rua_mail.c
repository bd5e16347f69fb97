/* SPDX-License-Identifier: ISC */
/*
 * rua_mail.c - from a report to a message in the queue. See rua_mail.h.
 *
 *   compose -> ANALYSE -> DELIVER -> fn
 *                ^           |
 *                +- TEMPFAIL-+ later, some times
 */
#include "send/rua_mail.h"

#include "base/crypt.h"
#include "base/log.h"
#include "proto/smtp/smtp_command.h"
#include "send/sealed.h"

#define TRIES_MAX 20
#define AGAIN_MS  1000
/* Behind the mail of people (RFC 6710): nobody waits for a report. */
#define PRIORITY (DELIVER_PRIORITY_NORMAL - 4)

struct job {
	struct server *sv;
	rua_mail_fn fn;
	void *arg;
	struct buf text;
	struct buf structure;
	struct loop_timer *again;
	unsigned tries;
	char *to;
	char trace[RUA_MAIL_TRACE_LEN + 1];
};

static void ask_filter(struct job *j);

static void
finish(struct job *j, enum outcome outcome, const char *why)
{
	rua_mail_fn fn = j->fn;
	void *arg = j->arg;

	log_event(outcome == DONE       ? EV_SEND_RUA
		  : outcome == TEMPFAIL ? EV_SEND_RUA_LATER
					: EV_SEND_RUA_LOST,
	    LC("id", j->trace), LC("to", j->to), LU("size", j->text.n),
	    LC("reason", why));
	loop_timer_free(j->again);
	buf_done(&j->text);
	buf_done(&j->structure);
	free(j->to);
	free(j);
	fn(arg, outcome);
}

static void
try_again(struct job *j, const char *why)
{
	if (++j->tries == TRIES_MAX || j->sv->is_stopping)
		finish(j, TEMPFAIL, why);
	else
		loop_timer_set(j->again, AGAIN_MS);
}

static void
on_again(void *arg)
{
	ask_filter(arg);
}

/* --- the store ---------------------------------------------------------------------- */

static void
on_delivered(void *arg, struct ipc_msg *m)
{
	struct job *j = arg;
	struct msg_deliver_reply reply;
	struct msg_deliver_result result = { TEMPFAIL, REASON_INTERNAL };
	struct wire w;

	if (m->outcome != DONE) {
		result.outcome = (uint8_t)m->outcome;
		result.reason = (uint16_t)ipc_reason(m);
	} else if (msg_deliver_reply_get(m->body, &reply)) {
		w = wire_read(reply.results);
		if (!msg_deliver_result_read(&w, &result))
			result.outcome = TEMPFAIL;
	}
	if (result.outcome == TEMPFAIL)
		try_again(j, reason_str((enum reason)result.reason));
	else
		finish(j, (enum outcome)result.outcome,
		    result.outcome == DONE
			? ""
			: reason_str((enum reason)result.reason));
}

static void
ask_store(struct job *j)
{
	struct buf rcpts = BUF_INIT(KIB(4)), body = BUF_INIT(MIB(4));
	struct msg_deliver_rcpt rcpt = {
		.address = str_c(j->to),
		.prefix = STR("Return-Path: <>\r\n"),
		.notify = SMTP_NOTIFY_NEVER,
	};
	struct msg_deliver m = {
		.trace_id = str_c(j->trace),
		.size = j->text.n,
		.is_per_rcpt = 1,
		.received = loop_time(j->sv->loop),
		.structure = buf_str(&j->structure),
		.is_retry = 1, /* an earlier life of ours may have done it */
		.body = SMTP_BODY_7BIT,
		.priority = PRIORITY,
	};
	struct ipc_peer_request req = { .to = ROLE_STORE, .type = MSG_DELIVER };

	msg_deliver_rcpt_put(&rcpts, &rcpt);
	m.rcpts = buf_str(&rcpts);
	if (sealed_lend(buf_str(&j->text), &m.data, &req.fd)) {
		msg_deliver_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(j->sv->rt, &req, on_delivered, j);
	} else {
		try_again(j, "no descriptor");
	}
	buf_done(&rcpts);
	buf_done(&body);
}

/* --- the filter --------------------------------------------------------------------- */

static void
on_analysed(void *arg, struct ipc_msg *m)
{
	struct job *j = arg;
	struct msg_analyse_reply reply;

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		try_again(j, "not analysed");
		return;
	}
	buf_done(&j->structure);
	j->structure = BUF_INIT(MIB(2));
	buf_put_str(&j->structure, reply.structure);
	ask_store(j);
}

static void
ask_filter(struct job *j)
{
	struct buf body = BUF_INIT(KIB(32) + INLINE_MESSAGE_MAX * 2);
	struct msg_analyse m = { .size = j->text.n };
	struct ipc_peer_request req = { .to = ROLE_FILTER,
		.type = MSG_ANALYSE };

	if (sealed_lend(buf_str(&j->text), &m.data, &req.fd)) {
		msg_analyse_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(j->sv->rt, &req, on_analysed, j);
	} else {
		try_again(j, "no descriptor");
	}
	buf_done(&body);
}

/* --- the beginning ------------------------------------------------------------------- */

void
rua_mail_trace(struct str id, char ret[RUA_MAIL_TRACE_LEN + 1])
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	/* Whoever chooses a part of the name must not find another's. */
	crypt_digest_put(d, id);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	memcpy(ret, "rua.", 4);
	for (size_t i = 0; i < (RUA_MAIL_TRACE_LEN - 4) / 2; i++)
		snprintf(ret + 4 + 2 * i, 3, "%02x", sum.v[i]);
}

static void
on_too_large(void *arg)
{
	struct job *j = arg;

	finish(j, PERMFAIL, "it is too large");
}

void
rua_mail_send(
    struct server *sv, const struct rua_mail *mail, rua_mail_fn fn, void *arg)
{
	const struct conf *c = sv->conf;
	struct job *j = X_NEW(struct job);
	CLEANUP(freep)
	char *from = c->report_from[0]
	                 ? x_strdup(c->report_from)
	                 : x_asprintf("postmaster@%s", c->hostname);
	CLEANUP(freep) char *id = NULL;
	struct rua_mail_stamp stamp = { .from = str_c(from),
		.now = loop_time(sv->loop) };

	j->sv = sv;
	j->fn = fn;
	j->arg = arg;
	j->to = str_dup(mail->to);
	j->again = loop_timer_new(sv->loop, on_again, j);
	j->text = BUF_INIT(RUA_MAIL_MAX);
	rua_mail_trace(mail->id, j->trace);
	id = x_asprintf("%s@%s", j->trace, c->hostname);
	stamp.message_id = str_c(id);
	rua_mail_compose(mail, &stamp, &j->text);
	if (j->text.failed || mail->data.n > RUA_MAIL_DATA_MAX)
		loop_defer(sv->loop, on_too_large, j);
	else
		ask_filter(j);
}
