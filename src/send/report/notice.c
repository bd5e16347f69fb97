/* SPDX-License-Identifier: ISC */
/*
 * notice.c - mail of this program's own to a postmaster here.
 *
 *   RCPT_CHECK, address after address -> ANALYSE -> DELIVER
 *
 * The postmaster of our host comes first, then those of the domains above its
 * name, as <Postmaster> without a domain is found (RFC 5321 section 4.5.1); a
 * customer's own postmaster may be the very account that it is about.
 */
#include "send/report/notice.h"

#include "base/log.h"
#include "proto/mime/mime_date.h"
#include "proto/smtp/smtp_command.h"

struct sending {
	struct server *sv;
	notice_fn fn;
	void *arg;
	struct str trace, domain, subject, text; /* owned */
	struct str host;    /* what is left of our name to be tried */
	struct buf address; /* that is tried now */
	bool is_last;
	struct buf message;
};

static void next_address(struct sending *n);

static void
finish(struct sending *n, enum outcome outcome)
{
	n->fn(n->arg, outcome);
	str_free(&n->trace);
	str_free(&n->domain);
	str_free(&n->subject);
	str_free(&n->text);
	buf_done(&n->address);
	buf_done(&n->message);
	free(n);
}

static void
ask(struct sending *n, enum role to, enum msg_type type, struct buf *body,
    ipc_reply_fn fn)
{
	struct ipc_peer_request req = {
		.to = to, .type = type, .body = buf_str(body), .fd = -1
	};

	runtime_request(n->sv->rt, &req, fn, n);
}

/* --- delivering ---------------------------------------------------------------------- */

static void
on_delivered(void *arg, struct ipc_msg *m)
{
	struct msg_deliver_reply reply;
	struct msg_deliver_result result;
	struct wire w;

	if (m->outcome != DONE || !msg_deliver_reply_get(m->body, &reply)) {
		finish(arg, TEMPFAIL);
		return;
	}
	w = wire_read(reply.results);
	if (!msg_deliver_result_read(&w, &result))
		result.outcome = TEMPFAIL;
	finish(arg, (enum outcome)result.outcome);
}

static void
on_analysed(void *arg, struct ipc_msg *m)
{
	struct sending *n = arg;
	struct buf rcpts = BUF_INIT(KIB(4));
	struct buf body = BUF_INIT(MIB(1));
	struct msg_analyse_reply reply;
	struct msg_deliver_rcpt rcpt = {
		.address = buf_str(&n->address),
		.prefix = STR("Return-Path: <>\r\n"),
		.notify = SMTP_NOTIFY_NEVER,
	};
	struct msg_deliver q = {
		.trace_id = n->trace,
		.size = n->message.n,
		.data = buf_str(&n->message),
		.is_per_rcpt = 1,
		.received = loop_time(n->sv->loop),
		.is_retry = 1, /* an earlier life of ours may have done it */
		.body = SMTP_BODY_8BITMIME,
		.priority = DELIVER_PRIORITY_NORMAL,
	};

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		finish(n, TEMPFAIL);
		return;
	}
	msg_deliver_rcpt_put(&rcpts, &rcpt);
	q.rcpts = buf_str(&rcpts);
	q.structure = reply.structure;
	msg_deliver_put(&body, &q);
	ask(n, ROLE_STORE, MSG_DELIVER, &body, on_delivered);
	buf_done(&rcpts);
	buf_done(&body);
}

static void
write_message(struct sending *n)
{
	const char *host = n->sv->conf->hostname;
	struct mime_date date = { .epoch = (int64_t)loop_time(n->sv->loop) };
	struct buf *b = &n->message;

	buf_put_c(b, "Date: ");
	mime_date_format(date, b);
	buf_printf(b,
	    "\r\nFrom: Mailstead <MAILER-DAEMON@%s>\r\nTo: <%.*s>\r\n"
	    "Subject: %.*s\r\nMessage-ID: <%.*s@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    host, STR_ARG(buf_str(&n->address)), STR_ARG(n->subject),
	    STR_ARG(n->trace), host);
	buf_put_str(b, n->text);
}

static void
deliver(struct sending *n)
{
	struct buf body = BUF_INIT(NOTICE_TEXT_MAX * 3);
	struct msg_analyse m;

	write_message(n);
	m = (struct msg_analyse){ .size = n->message.n,
		.data = buf_str(&n->message) };
	msg_analyse_put(&body, &m);
	ask(n, ROLE_FILTER, MSG_ANALYSE, &body, on_analysed);
	buf_done(&body);
}

/* --- whom to ---------------------------------------------------------------------------- */

static void
on_checked(void *arg, struct ipc_msg *m)
{
	struct sending *n = arg;

	if (m->outcome == DONE)
		deliver(n);
	else if (m->outcome == TEMPFAIL)
		finish(n, TEMPFAIL);
	else
		next_address(n);
}

static void
next_address(struct sending *n)
{
	struct buf body = BUF_INIT(KIB(2));
	struct str label, domain = n->host;

	if (n->is_last) {
		finish(n, NOT_FOUND);
		return;
	}
	if (str_find(n->host, '.') < 0) {
		domain = n->domain;
		n->is_last = true;
	} else {
		n->host = str_split(n->host, '.', &label);
	}
	buf_reset(&n->address, KIB(1));
	buf_printf(&n->address, "postmaster@%.*s", STR_ARG(domain));
	msg_rcpt_check_put(
	    &body, &(struct msg_rcpt_check){ .address = buf_str(&n->address) });
	ask(n, ROLE_STORE, MSG_RCPT_CHECK, &body, on_checked);
	buf_done(&body);
}

void
notice_send(
    struct server *sv, const struct notice *notice, notice_fn fn, void *arg)
{
	struct sending *n = X_NEW(struct sending);

	*n = (struct sending){ .sv = sv,
		.fn = fn,
		.arg = arg,
		.trace = str_copy(notice->trace),
		.domain = str_copy(notice->domain),
		.subject = str_copy(notice->subject),
		.text = str_copy(notice->text),
		.host = str_c(sv->conf->hostname),
		.address = BUF_INIT(KIB(1)),
		.message = BUF_INIT(NOTICE_TEXT_MAX + KIB(4)) };
	next_address(n);
}

/* --- an account is held -------------------------------------------------------------- */

struct limit_notice {
	struct ipc_return ret;
	struct str login; /* owned */
};

static void
on_limit_told(void *arg, enum outcome outcome)
{
	struct limit_notice *l = arg;

	if (outcome == NOT_FOUND)
		log_event(EV_SEND_NOTICE_LOST, LS("about", l->login));
	if (outcome == TEMPFAIL)
		ipc_reply_error(&l->ret, TEMPFAIL, REASON_GONE, NULL);
	else
		ipc_reply(&l->ret, STR_NONE, -1);
	str_free(&l->login);
	free(l);
}

static void
put_limit_text(struct buf *b, const struct msg_limit_tell *q)
{
	buf_printf(b, "What %.*s sends to other servers is held since ",
	    STR_ARG(q->login));
	mime_date_format((struct mime_date){ .epoch = (int64_t)q->since }, b);
	buf_printf(b,
	    ":\r\n\r\n    %.*s\r\n\r\n"
	    "It sent to %llu recipient%s today. Nothing is lost, and the "
	    "sender was not told.\r\n\r\n"
	    "To look at it:\r\n"
	    "    mailstead account show %.*s\r\n"
	    "    mailstead queue list --account %.*s\r\n\r\n"
	    "If the owner of the account meant it, this lets it go:\r\n"
	    "    mailstead account release %.*s\r\n\r\n"
	    "If somebody else has its password:\r\n"
	    "    mailstead user passwd %.*s\r\n"
	    "    mailstead account open %.*s --cancel\r\n"
	    "takes what is held out of the queue and lets the owner send "
	    "again; until then\r\n"
	    "    mailstead account block %.*s\r\n"
	    "refuses everything that it sends.\r\n",
	    STR_ARG(q->why), (unsigned long long)q->recipients,
	    str_s(q->recipients), STR_ARG(q->login), STR_ARG(q->login),
	    STR_ARG(q->login), STR_ARG(q->login), STR_ARG(q->login),
	    STR_ARG(q->login));
}

bool
notice_limit(struct server *sv, struct ipc_peer *p, const struct ipc_msg *m)
{
	struct buf text = BUF_INIT(NOTICE_TEXT_MAX);
	struct buf subject = BUF_INIT(KIB(1));
	char trace[48];
	struct msg_limit_tell q;
	struct limit_notice *l;
	ptrdiff_t at;

	if (!msg_limit_tell_get(m->body, &q))
		return false;
	l = X_NEW(struct limit_notice);
	l->ret = ipc_return_new(p, m);
	l->login = str_copy(q.login);
	at = str_rfind(q.login, '@');
	snprintf(trace, sizeof(trace), "limit.%llx.%llx",
	    (unsigned long long)q.account, (unsigned long long)q.since);
	buf_printf(&subject, "Held: mail of %.*s", STR_ARG(q.login));
	put_limit_text(&text, &q);
	notice_send(sv,
	    &(struct notice){ str_c(trace), str_from(q.login, (size_t)(at + 1)),
		buf_str(&subject), buf_str(&text) },
	    on_limit_told, l);
	buf_done(&text);
	buf_done(&subject);
	return true;
}
