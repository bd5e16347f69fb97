/* SPDX-License-Identifier: ISC */
/*
 * session_mail.c - the mail under way: its bytes from the store, its envelope,
 * and piece by piece the message.
 */
#include "net/idn.h"
#include "proto/smtp/smtp_path.h"
#include "send/dns/lookup.h"
#include "send/session/session_internal.h"

#define CHUNK KIB(64)

void
session_drop_data(struct session *s)
{
	letter_done(&s->letter);
	buf_done(&s->texts);
	free(s->rcpts);
	free(s->index);
	s->rcpts = NULL;
	s->index = NULL;
}

/* --- the mail --------------------------------------------------------------------------------------------- */

static struct str
put_text(struct buf *b, size_t *at)
{
	struct str s = str_from(buf_str(b), *at);

	*at = b->n;
	return s;
}

static bool
knows_utf8(const struct session *s)
{
	return smtp_client_caps(s->client)->has & SMTP_CAP_SMTPUTF8;
}

/*
 * The domain as this server can read it: who does not know SMTPUTF8 gets
 * A-labels (RFC 6531 section 3.2). Of local parts there is no other form.
 */
static struct str
domain_for(const struct session *s, struct str domain, char *name, size_t n)
{
	if (str_is_ascii(domain) || knows_utf8(s) ||
	    !idn_to_ascii(domain, name, n))
		return domain;
	return str_c(name);
}

/* local@domain, with quotes where they are needed. */
static void
put_mailbox(struct session *s, struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct smtp_path path = { 0 };
	char name[IDN_NAME_MAX + 1];

	if (at >= 0) {
		path.local = str_first(address, (size_t)at);
		path.domain = domain_for(
		    s, str_from(address, (size_t)at + 1), name, sizeof(name));
		smtp_mailbox_format(&s->texts, &path);
	}
}

/* The sender, which is written with its quotes already. */
static void
put_sender(struct session *s, struct str mailbox)
{
	ptrdiff_t at = str_rfind(mailbox, '@');
	char name[IDN_NAME_MAX + 1];

	if (at < 0)
		return;
	buf_put_str(&s->texts, str_first(mailbox, (size_t)at + 1));
	buf_put_str(&s->texts, domain_for(s, str_from(mailbox, (size_t)at + 1),
				   name, sizeof(name)));
}

static void
put_rcpts(struct session *s)
{
	struct mail *m = s->mail;
	size_t n = 0, at = 0;

	s->rcpts = x_calloc(m->open, sizeof(*s->rcpts));
	s->index = x_calloc(m->open, sizeof(*s->index));
	s->texts = BUF_INIT((m->open + 1) * KIB(4));
	/* Not to be moved while strings point into it. */
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL)
			at += m->entries[i]->item.address.n * 2 + IDN_NAME_MAX +
			      8;
	(void)buf_reserve(
	    &s->texts, at + mail_item(m)->mail_from.n + IDN_NAME_MAX);
	at = 0;
	put_sender(s, mail_item(m)->mail_from);
	s->env.from = put_text(&s->texts, &at);
	for (size_t i = 0; i < m->n; i++) {
		const struct msg_queue_item *item;

		if (m->entries[i] == NULL)
			continue;
		item = &m->entries[i]->item;
		put_mailbox(s, item->address);
		s->rcpts[n] = (struct smtp_client_rcpt){
			.to = put_text(&s->texts, &at),
			.notify = item->notify,
			.orcpt = item->orcpt,
		};
		s->index[n++] = i;
	}
	s->env.rcpts = s->rcpts;
	s->env.n_rcpts = n;
}

/*
 * What is asked of the server is what the message needs, whatever its sender
 * has said of it.
 */
static enum smtp_body
body_of(const struct content *c)
{
	if (c->has_binary)
		return SMTP_BODY_BINARYMIME;
	return c->has_8bit ? SMTP_BODY_8BITMIME : SMTP_BODY_7BIT;
}

static void
begin_mail(struct session *s, const struct content *content)
{
	const struct msg_queue_item *item = mail_item(s->mail);
	uint64_t now = loop_time(s->sv->loop);

	s->env = (struct smtp_client_mail){
		.size = letter_size(&s->letter),
		.body = body_of(content),
		/* Many ask for it whose message does not need it. */
		.is_smtputf8 = item->is_smtputf8 &&
		               (knows_utf8(s) || content->has_utf8_header),
		.has_requiretls = item->has_requiretls,
		.has_priority = item->priority != DELIVER_PRIORITY_NORMAL,
		.priority = item->priority - DELIVER_PRIORITY_NORMAL,
		.ret = (enum smtp_ret)item->ret,
		.envid = item->envid,
	};
	if (item->deliver_by > 0) {
		unsigned mode = item->deliver_by_mode;

		s->env.by_mode =
		    (mode & SMTP_BY_MODE) == SMTP_BY_RETURN ? 'R' : 'N';
		s->env.by_trace = mode & SMTP_BY_TRACE;
		s->env.by_seconds = (int64_t)(item->deliver_by - now);
	}
	put_rcpts(s);
	s->state = SEND;
	s->sent = 0;
	smtp_client_mail(s->client, &s->env);
	session_step(s, STR_NONE);
}

static void
give_up_mail(struct session *s, const struct judgement *j)
{
	struct trip t = session_trip(s);

	settle_all(s->sv, TAKE_PTR(s->mail), j, &t);
	s->state = READY;
	session_next_mail(s);
	if (s->conn != NULL)
		session_step(s, STR_NONE);
}

/* The entry is gone (cancelled), or cannot be read. */
static void
cannot_read(struct session *s, const struct ipc_msg *m)
{
	struct judgement j = { .outcome = TEMPFAIL, .is_untried = true };

	if (m->outcome != NOT_FOUND && ipc_reason(m) == REASON_CORRUPT)
		j = (struct judgement){ .outcome = TEMPFAIL,
			.is_held = true,
			.is_local = true,
			.status = { 4, 3, 0 },
			.text = STR("the message is damaged on disk") };
	give_up_mail(s, &j);
}

/* What is wrong with the message, as far as we are concerned. */
static struct judgement
judge_prepared(enum prepare_result r)
{
	struct judgement j = { .outcome = TEMPFAIL, .is_local = true };

	switch (r) {
	case PREPARE_OK:
	case PREPARE_LATER:
		j.is_untried = true;
		break;
	case PREPARE_KEYS:
		j.status = (struct smtp_status){ 4, 3, 5 };
		j.text = STR("the keys that sign the mail of the sender's "
			     "domain cannot be used");
		break;
	case PREPARE_UNFIT:
		j.outcome = PERMFAIL;
		j.status = (struct smtp_status){ 5, 6, 3 };
		j.text = STR("the server takes 7-bit text only, and the "
			     "message cannot be converted");
		break;
	case PREPARE_UNREADABLE:
		j.status = (struct smtp_status){ 4, 3, 0 };
		j.text = STR("the message could not be read");
		break;
	}
	return j;
}

/* RFC 8689 section 4.2.1. */
static bool
is_unverified(const struct session *s)
{
	return mail_item(s->mail)->has_requiretls && !session_is_verified(s);
}

/* What the server announces is looked at by the dialogue. */
static bool
is_too_unsafe(const struct session *s, struct judgement *ret)
{
	bool is_for_now = s->is_without_tls || s->mail->is_unfit_for_now;

	if (!is_unverified(s))
		return false;
	*ret = (struct judgement){
		.outcome = is_for_now ? TEMPFAIL : PERMFAIL,
		.is_local = true,
		.status = { is_for_now ? 4 : 5, 7, 30 },
		.text = STR("the message asks for verified TLS (REQUIRETLS), "
			    "which this server does not offer"),
	};
	return true;
}

static void
on_prepared(void *arg, enum prepare_result r, struct letter *letter,
    const struct content *content)
{
	struct session *s = arg;
	struct judgement j;

	s->preparing = NULL;
	if (r == PREPARE_OK && is_too_unsafe(s, &j)) {
		give_up_mail(s, &j);
		return;
	}
	if (r == PREPARE_OK) {
		s->letter = letter_take(letter);
		begin_mail(s, content);
		return;
	}
	j = judge_prepared(r);
	give_up_mail(s, &j);
}

static void
prepare(struct session *s, struct letter letter)
{
	unsigned caps = smtp_client_caps(s->client)->has;
	struct prepare_request req = { .letter = letter,
		.item = mail_item(s->mail) };
	struct preparing *p;

	if (caps & SMTP_CAP_8BITMIME)
		req.can |= PREPARE_8BIT;
	if ((caps & SMTP_CAP_BINARYMIME) && (caps & SMTP_CAP_CHUNKING))
		req.can |= PREPARE_BINARY;
	p = prepare_start(s->sv->preparer, &req, on_prepared, s);
	/* Else it is over already, and the next one may have begun. */
	if (p != NULL)
		s->preparing = p;
}

static void
on_read(void *arg, struct ipc_msg *m)
{
	struct session *s = arg;
	struct msg_queue_read_reply reply;
	struct letter letter = LETTER_NONE;

	s->read_id = 0;
	s->read_peer = ipc_peer_unref(s->read_peer);
	if (m->outcome != DONE || !msg_queue_read_reply_get(m->body, &reply)) {
		cannot_read(s, m);
		return;
	}
	letter.size = reply.size;
	letter.prefix = reply.prefix;
	letter.data = BUF_INIT(MAX(reply.data.n, 1));
	buf_put_str(&letter.data, reply.data);
	letter.fd = m->fd;
	m->fd = -1;
	prepare(s, letter);
}

void
session_stop_reading(struct session *s)
{
	if (s->read_id != 0) {
		ipc_cancel(s->read_peer, s->read_id);
		s->read_peer = ipc_peer_unref(s->read_peer);
		s->read_id = 0;
	}
	if (s->preparing != NULL)
		prepare_cancel(TAKE_PTR(s->preparing));
}

static void
ask_bytes(struct session *s, struct ipc_peer *store)
{
	const struct msg_queue_item *item = mail_item(s->mail);
	struct msg_queue_read m = { item->message, item->rcpt };
	struct buf body = BUF_INIT(KIB(1));

	s->state = READ;
	msg_queue_read_put(&body, &m);
	s->read_peer = ipc_peer_ref(store);
	s->read_id = ipc_request(
	    store, MSG_QUEUE_READ, 0, buf_str(&body), -1, on_read, s);
	buf_done(&body);
}

/* It needs what this host lacks, and there are others that may have it: the
 * mail looks for its way again, without this one. */
static bool
passes_on(struct session *s)
{
	bool lacks_it =
	    mail_item(s->mail)->has_requiretls &&
	    !(smtp_client_caps(s->client)->has & SMTP_CAP_REQUIRETLS);

	if (!lacks_it && !is_unverified(s))
		return false;
	if (dest_hosts(s->dest) == 1 ||
	    !mail_note_unfit(s->mail, str_c(session_host(s))))
		return false;
	s->mail->is_unfit_for_now |= s->is_without_tls;
	lookup_mail(s->sv, TAKE_PTR(s->mail));
	return true;
}

/* The connection was made for the first mail; that is a part of the attempt. */
static void
begin_attempt(struct session *s)
{
	uint64_t now = loop_time_ms(s->sv->loop);

	s->mail->attempt_ms =
	    s->mails == 0 ? MIN(MAX(s->born_ms, s->mail->there_ms), now) : now;
}

void
session_next_mail(struct session *s)
{
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);

	do
		s->mail = dest_take(s->dest, s);
	while (s->mail != NULL && passes_on(s));
	if (s->mail != NULL && store != NULL) {
		session_leave_idle(s);
		session_count_mail(s);
		begin_attempt(s);
		session_set_deadline(
		    s, s->mail->until_ms - loop_now_ms(s->sv->loop));
		ask_bytes(s, store);
		return;
	}
	/* Without a store: once more when it is back. */
	if (s->mail != NULL)
		settle_release(s->sv, TAKE_PTR(s->mail));
	session_enter_idle(s);
}

/* --- the message's bytes ------------------------------------------------------------------------------------ */

/* As much as the connection takes now. */
void
session_pump(struct session *s)
{
	char scratch[CHUNK];

	while (s->conn != NULL &&
	       smtp_client_stage(s->client) == SMTP_CLIENT_BODY &&
	       !conn_is_full(s->conn)) {
		struct str piece =
		    letter_piece_out(&s->letter, s->sent, scratch, CHUNK);

		if (piece.n == 0) {
			smtp_client_end(
			    s->client, s->sent == letter_size(&s->letter));
			session_put_output(s);
			return;
		}
		s->sent += piece.n;
		smtp_client_body(s->client, piece);
		session_put_output(s);
	}
}
