/* SPDX-License-Identifier: ISC */
/*
 * pop3_retr.c - RETR and TOP: the bytes of a message.
 *
 * A large message comes in parts, the next one when the client has taken the
 * last: however slowly clients read, each costs the memory of one part. TOP
 * asks for the first bytes only, and for the rest if the lines that it wants
 * are not among them.
 *
 * After "+OK" there is no way to report an error inside the response, so the
 * connection ends without the final dot, and no client takes what it has for
 * the whole message.
 */
#include "imap/pop3_internal.h"

#define TOP_GUESS KIB(32)  /* bytes that hold most headers */
#define PART      KIB(512) /* never in a descriptor (FETCH_FD_BYTES) */

static void ask_part(struct pop3 *p);

void
pop3_reading_done(struct pop3 *p)
{
	p->reading = (struct pop3_reading){ 0 };
}

static void
fail(struct pop3 *p, const char *code, const char *text)
{
	bool is_answering = p->is_answering;

	pop3_reading_done(p);
	if (is_answering)
		pop3_close(p);
	else
		pop3_err(p, code, text);
	pop3_finish(p);
}

static void
complete(struct pop3 *p)
{
	struct pop3_reading *r = &p->reading;

	buf_put_str(&p->client.out, pop3_writer_end(&r->writer));
	if (!r->is_top)
		pop3_saw(p, r->message);
	pop3_reading_done(p);
	pop3_finish(p);
}

/* Write pieces of *in until it is used up or a chunk is full. */
static void
put_pieces(struct pop3 *p, struct str *in)
{
	struct str piece;

	while (p->client.out.n < CLIENT_OUT_CHUNK &&
	       pop3_writer_next(&p->reading.writer, in, &piece)) {
		/* One piece may be all of the message. */
		size_t n = MIN(piece.n, CLIENT_OUT_CHUNK);

		for (; piece.n > n; piece = str_from(piece, n)) {
			buf_put_str(&p->client.out, str_first(piece, n));
			client_flush(&p->client);
		}
		buf_put_str(&p->client.out, piece);
	}
}

static void
body_done(struct pop3 *p)
{
	struct pop3_reading *r = &p->reading;

	if (pop3_writer_is_full(&r->writer) || r->offset >= r->total)
		complete(p);
	else if (!pop3_wait_drained(p, ask_part))
		ask_part(p);
}

/* The first part: the size is known, and nothing can go wrong with it. */
static void
open_response(struct pop3 *p, const struct msg_fetch_item *item)
{
	struct pop3_reading *r = &p->reading;
	struct str prefix = item->prefix;

	r->total = item->size - prefix.n;
	buf_printf(&p->client.out, "+OK %llu octets\r\n",
	    (unsigned long long)(item->size + item->crlf_extra));
	p->is_answering = true;
	while (prefix.n && !pop3_writer_is_full(&r->writer)) {
		put_pieces(p, &prefix);
		client_flush(&p->client);
	}
}

static void
put_item(struct pop3 *p, struct msg_fetch_item *item)
{
	struct pop3_reading *r = &p->reading;
	bool is_first = r->offset == 0;

	r->offset += item->body.n;
	if (is_first)
		open_response(p, item);
	while (item->body.n && !pop3_writer_is_full(&r->writer)) {
		put_pieces(p, &item->body);
		client_flush(&p->client);
	}
	/* An answer without bytes would be asked for again and again. */
	if (r->offset < r->total && r->offset == 0)
		fail(p, NULL, NULL);
	else
		body_done(p);
}

static bool
is_broken(const struct pop3_reading *r, const struct msg_fetch_item *item)
{
	return item->uid != r->message->uid || item->size < item->prefix.n ||
	       (r->offset > 0 && item->body.n == 0);
}

static void
on_part(struct pop3 *p, struct ipc_msg *m)
{
	struct msg_fetch_reply reply;
	struct msg_fetch_item item;
	struct wire w;

	if (m->outcome != DONE && !p->is_answering) {
		pop3_err_store(p, m);
		pop3_reading_done(p);
		pop3_finish(p);
		return;
	}
	if (m->outcome != DONE || !msg_fetch_reply_get(m->body, &reply)) {
		fail(p, "SYS/TEMP", "Internal error, try again later");
		return;
	}
	w = wire_read(reply.items);
	if (reply.items.n == 0 || !msg_fetch_item_read(&w, &item))
		fail(p, NULL, "Another session has removed the message");
	else if (item.is_corrupt)
		fail(p, "SYS/PERM",
		    "Damaged on disk; the operator has been told");
	else if (reply.is_body_in_fd || is_broken(&p->reading, &item))
		fail(p, "SYS/TEMP", "Internal error, try again later");
	else
		put_item(p, &item);
}

static void
ask_part(struct pop3 *p)
{
	struct pop3_reading *r = &p->reading;
	struct buf b = BUF_INIT(KIB(1)), uids = BUF_INIT(KIB(1));
	struct msg_fetch req = { .mailbox = p->drop.mailbox,
		.want = FETCH_SIZE | FETCH_BODY,
		.size = PART,
		.offset = r->offset };

	if (r->offset == 0)
		req.want |= FETCH_PREFIX;
	if (r->offset == 0 && r->is_top)
		req.size = TOP_GUESS;
	uid_set_add(&uids, r->message->uid, r->message->uid);
	req.uids = buf_str(&uids);
	msg_fetch_put(&b, &req);
	pop3_ask(p, MSG_FETCH, &b, on_part);
	buf_done(&uids);
	buf_done(&b);
}

void
pop3_cmd_retr(struct pop3 *p, const struct pop3_command *c)
{
	struct pop3_reading *r = &p->reading;
	struct pop3_message *m = pop3_message_of(p, c);

	if (!m)
		return;
	r->message = m;
	r->is_top = c->verb == POP3_VERB_TOP;
	if (r->is_top)
		pop3_writer_init_top(&r->writer, c->lines);
	else
		pop3_writer_init(&r->writer);
	pop3_hold(p);
	ask_part(p);
}
