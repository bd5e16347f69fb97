/* SPDX-License-Identifier: ISC */
/*
 * submit.c - from a text to a message in the queue. See submit.h.
 *
 *   ANALYSE -> DELIVER -> fn
 *      ^          |
 *      +-TEMPFAIL-+ later, some times
 */
#include "proc/submit.h"

#include "proc/sealed.h"
#include "proto/smtp/smtp_command.h"

#define TRIES_MAX 20
#define AGAIN_MS  1000

struct submission {
	struct runtime *rt;
	struct loop *loop;
	submit_fn fn;
	void *arg;
	char *trace, *to;
	struct buf text, structure;
	uint8_t priority;
	struct loop_timer *again;
	unsigned tries;
};

static void ask_filter(struct submission *s);

static void
finish(struct submission *s, enum outcome outcome, const char *why)
{
	submit_fn fn = s->fn;
	void *arg = s->arg;

	loop_timer_free(s->again);
	buf_done(&s->text);
	buf_done(&s->structure);
	free(s->trace);
	free(s->to);
	free(s);
	fn(arg, outcome, why);
}

static void
try_again(struct submission *s, const char *why)
{
	if (++s->tries == TRIES_MAX)
		finish(s, TEMPFAIL, why);
	else
		loop_timer_set(s->again, AGAIN_MS);
}

static void
on_again(void *arg)
{
	ask_filter(arg);
}

/* --- the store ------------------------------------------------------------------ */

static void
on_delivered(void *arg, struct ipc_msg *m)
{
	struct submission *s = arg;
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
		try_again(s, reason_str((enum reason)result.reason));
	else
		finish(s, (enum outcome)result.outcome,
		    result.outcome == DONE
			? ""
			: reason_str((enum reason)result.reason));
}

static void
ask_store(struct submission *s)
{
	struct buf rcpts = BUF_INIT(KIB(4)), body = BUF_INIT(MIB(4));
	struct msg_deliver_rcpt rcpt = {
		.address = str_c(s->to),
		.prefix = STR("Return-Path: <>\r\n"),
		.notify = SMTP_NOTIFY_NEVER,
	};
	struct msg_deliver m = {
		.trace_id = str_c(s->trace),
		.size = s->text.n,
		.is_per_rcpt = 1,
		.received = loop_time(s->loop),
		.structure = buf_str(&s->structure),
		.is_retry = 1, /* an earlier life of ours may have done it */
		.body = SMTP_BODY_7BIT,
		.priority = s->priority,
	};
	struct ipc_peer_request req = { .to = ROLE_STORE, .type = MSG_DELIVER };

	msg_deliver_rcpt_put(&rcpts, &rcpt);
	m.rcpts = buf_str(&rcpts);
	if (sealed_lend(buf_str(&s->text), &m.data, &req.fd)) {
		msg_deliver_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(s->rt, &req, on_delivered, s);
	} else {
		try_again(s, "no descriptor");
	}
	buf_done(&rcpts);
	buf_done(&body);
}

/* --- the filter ------------------------------------------------------------------ */

static void
on_analysed(void *arg, struct ipc_msg *m)
{
	struct submission *s = arg;
	struct msg_analyse_reply reply;

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		try_again(s, "not analysed");
		return;
	}
	buf_done(&s->structure);
	s->structure = BUF_INIT(MIB(2));
	buf_put_str(&s->structure, reply.structure);
	ask_store(s);
}

static void
ask_filter(struct submission *s)
{
	struct buf body = BUF_INIT(KIB(32) + INLINE_MESSAGE_MAX * 2);
	struct msg_analyse m = { .size = s->text.n };
	struct ipc_peer_request req = { .to = ROLE_FILTER,
		.type = MSG_ANALYSE };

	if (sealed_lend(buf_str(&s->text), &m.data, &req.fd)) {
		msg_analyse_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(s->rt, &req, on_analysed, s);
	} else {
		try_again(s, "no descriptor");
	}
	buf_done(&body);
}

void
submit_mail(struct runtime *rt, struct submit *mail, submit_fn fn, void *arg)
{
	struct submission *s = X_NEW(struct submission);

	s->rt = rt;
	s->loop = runtime_loop(rt);
	s->fn = fn;
	s->arg = arg;
	s->trace = str_dup(mail->trace);
	s->to = str_dup(mail->to);
	s->text = mail->text;
	mail->text = BUF_INIT(0);
	s->priority = mail->priority;
	s->again = loop_timer_new(s->loop, on_again, s);
	ask_filter(s);
}
