/* SPDX-License-Identifier: ISC */
/*
 * session_mail.c - the mail under way: its bytes from the store, its envelope,
 * and piece by piece the message.
 */
#include "proto/smtp/smtp_path.h"
#include "send/session_internal.h"

#include <unistd.h>

#define CHUNK KIB(64)

void
session_drop_data(struct session *s)
{
	buf_done(&s->data);
	buf_done(&s->texts);
	closep(&s->fd);
	s->fd = -1;
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

/* local@domain, with quotes where they are needed. */
static void
put_mailbox(struct buf *b, struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct smtp_path path = { 0 };

	if (at >= 0) {
		path.local = str_first(address, (size_t)at);
		path.domain = str_from(address, (size_t)at + 1);
		smtp_mailbox_format(b, &path);
	}
}

static void
put_rcpts(struct session *s)
{
	struct mail *m = s->mail;
	size_t n = 0, at = 0;

	s->rcpts = x_calloc(m->open, sizeof(*s->rcpts));
	s->index = x_calloc(m->open, sizeof(*s->index));
	s->texts = BUF_INIT(m->open * KIB(4));
	/* Not to be moved while strings point into it. */
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL)
			at += m->entries[i]->item.address.n * 2 + 8;
	(void)buf_reserve(&s->texts, at);
	at = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct msg_queue_item *item;

		if (m->entries[i] == NULL)
			continue;
		item = &m->entries[i]->item;
		put_mailbox(&s->texts, item->address);
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

static void
begin_mail(struct session *s)
{
	const struct msg_queue_item *item = mail_item(s->mail);
	uint64_t now = loop_time(s->sv->loop);

	s->env = (struct smtp_client_mail){
		.from = item->mail_from,
		.size = s->size,
		.body = (enum smtp_body)item->body,
		.is_smtputf8 = item->is_smtputf8,
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

/* The entry is gone (cancelled), or cannot be read. */
static void
cannot_read(struct session *s, const struct ipc_msg *m)
{
	struct judgement j = { .outcome = TEMPFAIL, .is_untried = true };
	struct trip none = { 0 };

	if (m->outcome != NOT_FOUND && ipc_reason(m) == REASON_CORRUPT)
		j = (struct judgement){ .outcome = TEMPFAIL,
			.is_held = true,
			.is_local = true,
			.status = { 4, 3, 0 },
			.text = STR("the message is damaged on disk") };
	settle_all(s->sv, TAKE_PTR(s->mail), &j, &none);
	s->state = READY;
	session_next_mail(s);
	if (s->conn != NULL)
		session_step(s, STR_NONE);
}

static void
on_read(void *arg, struct ipc_msg *m)
{
	struct session *s = arg;
	struct msg_queue_read_reply reply;

	s->read_id = 0;
	s->read_peer = ipc_peer_unref(s->read_peer);
	if (m->outcome != DONE || !msg_queue_read_reply_get(m->body, &reply)) {
		cannot_read(s, m);
		return;
	}
	s->size = reply.size;
	s->data = BUF_INIT(MAX(reply.data.n, 1));
	buf_put_str(&s->data, reply.data);
	s->fd = m->fd;
	m->fd = -1;
	begin_mail(s);
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

void
session_next_mail(struct session *s)
{
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);

	s->mail = dest_take(s->dest, s);
	if (s->mail != NULL && store != NULL) {
		session_leave_idle(s);
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

/* The next piece; empty: it cannot be read. */
static struct str
next_piece(struct session *s, char *scratch)
{
	ssize_t n;

	if (s->sent < s->data.n)
		return str_sub(buf_str(&s->data), (size_t)s->sent, CHUNK);
	if (s->fd < 0)
		return STR_NONE;
	do
		n = pread(s->fd, scratch, CHUNK, (off_t)(s->sent - s->data.n));
	while (n < 0 && errno == EINTR);
	return str_make(scratch, n > 0 ? (size_t)n : 0);
}

/* As much as the connection takes now. */
void
session_pump(struct session *s)
{
	char scratch[CHUNK];

	while (s->conn != NULL &&
	       smtp_client_stage(s->client) == SMTP_CLIENT_BODY &&
	       !conn_is_full(s->conn)) {
		struct str piece = STR_NONE;

		if (s->sent < s->size)
			piece = next_piece(s, scratch);
		if (piece.n == 0) {
			smtp_client_end(s->client, s->sent == s->size);
			session_put_output(s);
			return;
		}
		s->sent += piece.n;
		smtp_client_body(s->client, piece);
		session_put_output(s);
	}
}
