/* SPDX-License-Identifier: ISC */
/*
 * local.c - from the queue into a mailbox here. See local.h.
 *
 *   READ -> ANALYSE -> DELIVER, for each recipient -> results
 *
 * The trace id of a delivery is made from the entry, so that the store knows
 * one that it has when the result was lost.
 */
#include "send/local.h"

#include "base/log.h"
#include "proc/sealed.h"
#include "send/message/letter.h"

struct locals {
	struct server *sv;
	struct mails line;
	/* the first of them, under way */
	struct mail *mail;
	size_t at; /* of its entries */
	struct buf text, structure;
};

static void next_mail(void *arg);

static const struct trip here = { .route = STR("here") };

/* --- the end ----------------------------------------------------------------- */

static void
end_mail(struct locals *ls)
{
	struct mail *m = TAKE_PTR(ls->mail);

	buf_done(&ls->text);
	buf_done(&ls->structure);
	settle_end(ls->sv, m);
	loop_defer(ls->sv->loop, next_mail, ls);
}

/* All that are left. */
static void
give_up(struct locals *ls, const struct judgement *j)
{
	for (size_t i = 0; i < ls->mail->n; i++)
		if (ls->mail->entries[i] != NULL)
			settle(ls->sv, ls->mail, i, j, &here);
	end_mail(ls);
}

static void
release(struct locals *ls)
{
	give_up(
	    ls, &(struct judgement){ .outcome = TEMPFAIL, .is_untried = true });
}

static void
put_off(struct locals *ls, const char *why)
{
	give_up(ls, &(struct judgement){ .outcome = TEMPFAIL,
			.is_local = true,
			.status = { 4, 3, 0 },
			.text = str_c(why) });
}

/* --- delivering ---------------------------------------------------------------- */

static struct judgement
judge(const struct msg_deliver_result *r)
{
	struct judgement j = { .outcome = (enum outcome)r->outcome,
		.is_local = true,
		/* We are the last: nothing was relayed. */
		.has_dsn = true,
		.text = str_c(reason_str((enum reason)r->reason)) };

	switch (j.outcome) {
	case DONE:
		j.status = (struct smtp_status){ 2, 0, 0 };
		j.text = STR("delivered here");
		break;
	case NOT_FOUND:
		j.outcome = PERMFAIL;
		j.status = (struct smtp_status){ 5, 1, 1 };
		j.text = STR("there is no such user here any more");
		break;
	case PERMFAIL:
		j.status = (struct smtp_status){ 5, 2, 0 };
		break;
	case TEMPFAIL:
		j.status = (struct smtp_status){ 4, 2, 0 };
		break;
	}
	return j;
}

static void deliver(struct locals *ls);

static void
on_delivered(void *arg, struct ipc_msg *m)
{
	struct locals *ls = arg;
	struct msg_deliver_result result;
	struct msg_deliver_reply reply;
	struct judgement j;
	struct wire w;

	if (m->outcome != DONE || !msg_deliver_reply_get(m->body, &reply)) {
		put_off(ls, "the mailbox could not take it");
		return;
	}
	w = wire_read(reply.results);
	if (!msg_deliver_result_read(&w, &result) ||
	    result.outcome > PERMFAIL) {
		put_off(ls, "the mailbox could not take it");
		return;
	}
	j = judge(&result);
	settle(ls->sv, ls->mail, ls->at, &j, &here);
	deliver(ls);
}

static const struct msg_queue_item *
next_item(struct locals *ls)
{
	const struct mail *m = ls->mail;

	for (ls->at = 0; ls->at < m->n; ls->at++)
		if (m->entries[ls->at] != NULL)
			return &m->entries[ls->at]->item;
	return NULL;
}

static void
ask_store(struct locals *ls, const struct msg_queue_item *item)
{
	struct buf rcpts = BUF_INIT(KIB(16)), body = BUF_INIT(MIB(4));
	struct buf prefix = BUF_INIT(KIB(8));
	struct msg_deliver_rcpt rcpt = { .address = item->address,
		.notify = item->notify,
		.orcpt = item->orcpt };
	struct ipc_peer_request req = { .to = ROLE_STORE, .type = MSG_DELIVER };
	char trace[64];
	struct msg_deliver m = {
		.size = ls->text.n,
		.mail_from = item->mail_from,
		.is_per_rcpt = 1,
		.received = loop_time(ls->sv->loop),
		.structure = buf_str(&ls->structure),
		.is_retry = 1, /* an earlier life of ours may have done it */
		.is_due = 1,
		.body = item->body,
		.is_smtputf8 = item->is_smtputf8,
		.priority = item->priority,
	};

	snprintf(trace, sizeof(trace), "%llx.%xh",
	    (unsigned long long)item->message, item->rcpt);
	m.trace_id = str_c(trace);
	/* RFC 5321 section 4.4: of who delivers finally. */
	buf_printf(&prefix, "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n",
	    STR_ARG(item->mail_from), STR_ARG(item->address));
	rcpt.prefix = buf_str(&prefix);
	msg_deliver_rcpt_put(&rcpts, &rcpt);
	m.rcpts = buf_str(&rcpts);
	if (sealed_lend(buf_str(&ls->text), &m.data, &req.fd)) {
		msg_deliver_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(ls->sv->rt, &req, on_delivered, ls);
	} else {
		put_off(ls, "there is no memory to deliver it");
	}
	buf_done(&prefix);
	buf_done(&rcpts);
	buf_done(&body);
}

static void
deliver(struct locals *ls)
{
	const struct msg_queue_item *item = next_item(ls);

	if (item == NULL)
		end_mail(ls);
	else if (ls->sv->is_stopping)
		release(ls);
	else
		ask_store(ls, item);
}

/* --- its bytes ------------------------------------------------------------------- */

static void
on_analysed(void *arg, struct ipc_msg *m)
{
	struct locals *ls = arg;
	struct msg_analyse_reply reply;

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		put_off(ls, "the message could not be read");
		return;
	}
	ls->structure = BUF_INIT(MIB(2));
	buf_put_str(&ls->structure, reply.structure);
	deliver(ls);
}

static void
ask_filter(struct locals *ls)
{
	struct buf body = BUF_INIT(KIB(32) + INLINE_MESSAGE_MAX * 2);
	struct msg_analyse m = { .size = ls->text.n };
	struct ipc_peer_request req = { .to = ROLE_FILTER,
		.type = MSG_ANALYSE };

	if (sealed_lend(buf_str(&ls->text), &m.data, &req.fd)) {
		msg_analyse_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(ls->sv->rt, &req, on_analysed, ls);
	} else {
		put_off(ls, "there is no memory to deliver it");
	}
	buf_done(&body);
}

static void
on_read(void *arg, struct ipc_msg *m)
{
	struct locals *ls = arg;
	struct msg_queue_read_reply reply;
	struct letter letter = LETTER_NONE;

	/* Cancelled meanwhile, or the store went away. */
	if (m->outcome != DONE || !msg_queue_read_reply_get(m->body, &reply)) {
		if (m->outcome == NOT_FOUND || m->outcome == TEMPFAIL)
			release(ls);
		else
			put_off(ls, "the message could not be read");
		return;
	}
	letter.size = reply.size;
	letter.data = BUF_INIT(MAX(reply.data.n, 1));
	buf_put_str(&letter.data, reply.data);
	letter.fd = m->fd;
	m->fd = -1;
	ls->text = BUF_INIT(MAX(reply.size, 1));
	if (letter_read(&letter, &ls->text))
		ask_filter(ls);
	else
		put_off(ls, "the message could not be read");
	letter_done(&letter);
}

static void
next_mail(void *arg)
{
	struct locals *ls = arg;
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_READ, .fd = -1
	};
	const struct msg_queue_item *item;

	if (ls->mail != NULL || TAILQ_EMPTY(&ls->line))
		return;
	ls->mail = TAILQ_FIRST(&ls->line);
	TAILQ_REMOVE(&ls->line, ls->mail, link);
	if (ls->sv->is_stopping) {
		release(ls);
		return;
	}
	item = mail_item(ls->mail);
	msg_queue_read_put(
	    &body, &(struct msg_queue_read){ item->message, item->rcpt });
	req.body = buf_str(&body);
	runtime_request(ls->sv->rt, &req, on_read, ls);
	buf_done(&body);
}

void
local_mail(struct locals *ls, struct mail *m)
{
	domain_set_state(m->domain, true, 0);
	TAILQ_INSERT_TAIL(&ls->line, m, link);
	next_mail(ls);
}

struct locals *
locals_new(struct server *sv)
{
	struct locals *ls = X_NEW(struct locals);

	ls->sv = sv;
	TAILQ_INIT(&ls->line);
	return ls;
}
