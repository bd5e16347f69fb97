/* SPDX-License-Identifier: ISC */
/*
 * author.c - the people in From and Sender must be who signed in.
 *
 * What the reader of a message sees is its From field; MAIL FROM alone keeps
 * nobody from writing in another's name (RFC 6409 section 6.1). The store is
 * asked about one address after the other, but not about the sender of the
 * envelope, who was checked when MAIL was said.
 */
#include "smtp/author.h"

#include "base/log.h"
#include "proto/mime/mime_author.h"
#include "smtp/deliver.h"

#define ADDRESS_MAX KIB(4) /* a longer one is nobody's here */

static void check_next(struct session *s);

static void
refuse(struct session *s, struct str address)
{
	struct buf text = BUF_INIT(KIB(1));

	log_event(EV_SMTP_FROM_REJECT, LC("sid", s->sid), LC("id", s->trace),
	    LC("ip", conn_peer_ip(s->conn)), LC("login", s->login),
	    LS("address", str_first(address, 400)));
	buf_put_c(&text, "From or Sender has ");
	buf_put_str(&text, str_first(address, 400));
	buf_put_c(&text, ", which does not belong to your account");
	session_reset(s);
	session_reply_text(s, REPLY_FROM_NOT_OWN, buf_c(&text));
	buf_done(&text);
}

static void
on_author_check(struct session *s, struct ipc_msg *m)
{
	enum reply_id id = reply_of_sender(
	    m->outcome, m->outcome == DONE ? REASON_NONE : ipc_reason(m));
	struct wire w = wire_read(buf_str(&s->authors));
	struct msg_text author = { 0 };

	if (!msg_text_read(&w, &author))
		id = REPLY_SENDER_LATER;
	if (id == REPLY_MAIL_OK) {
		buf_drop(&s->authors, s->authors.n - w.in.n);
		check_next(s);
	} else if (id == REPLY_SENDER_NOT_OWN) {
		refuse(s, author.text);
	} else {
		deliver_refuse(s, id);
	}
}

static void
ask(struct session *s, struct str address)
{
	struct msg_sender_check m = { .address = address };
	struct buf body = BUF_INIT(ADDRESS_MAX);
	struct question q = {
		.to = ROLE_STORE,
		.type = MSG_SENDER_CHECK,
		.fd = -1,
		.fn = on_author_check,
	};

	msg_sender_check_put(&body, &m);
	q.body = buf_str(&body);
	if (body.failed)
		refuse(s, address);
	else
		session_ask(s, &q);
	buf_done(&body);
}

static void
check_next(struct session *s)
{
	struct wire w = wire_read(buf_str(&s->authors));
	struct msg_text author;

	while (w.in.n > 0) {
		size_t left = w.in.n;

		if (!msg_text_read(&w, &author)) {
			deliver_refuse(s, REPLY_MESSAGE_LATER);
			return;
		}
		if (!str_eq(author.text, s->env.from_address)) {
			buf_drop(&s->authors, s->authors.n - left);
			ask(s, author.text);
			return;
		}
	}
	s->checked(s);
}

static enum reply_id
reply_of_faults(unsigned faults)
{
	if (faults & MIME_AUTHOR_TWICE)
		return REPLY_FROM_TWICE;
	if (faults & MIME_AUTHOR_UNCLEAR)
		return REPLY_FROM_UNCLEAR;
	if (faults & MIME_AUTHOR_MANY)
		return REPLY_FROM_MANY;
	if (faults & MIME_AUTHOR_NO_SENDER)
		return REPLY_FROM_NO_SENDER;
	return REPLY_NONE;
}

void
author_check(struct session *s, const struct msg_analyse_reply *found,
    void (*done)(struct session *s))
{
	enum reply_id id = reply_of_faults(found->author_faults);

	if (id != REPLY_NONE) {
		deliver_refuse(s, id);
		return;
	}
	s->checked = done;
	s->authors = BUF_INIT(found->authors.n);
	buf_put_str(&s->authors, found->authors);
	check_next(s);
}
