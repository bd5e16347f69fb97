/* SPDX-License-Identifier: ISC */
/*
 * pop3_list.c - the commands that the maildrop alone answers: STAT, LIST,
 * UIDL, DELE, RSET, NOOP (RFC 1939 sections 5 and 7).
 */
#include "imap/pop3_internal.h"

struct pop3_message *
pop3_message_of(struct pop3 *p, const struct pop3_command *c)
{
	struct pop3_message *m = pop3_drop_get(&p->drop, c->message);

	if (!m)
		pop3_err(p, NULL, "No such message");
	else if (m->is_deleted)
		pop3_err(p, NULL, "The message is marked as deleted");
	else
		return m;
	return NULL;
}

void
pop3_cmd_stat(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	buf_printf(&p->client.out, "+OK %u %llu\r\n", p->drop.left,
	    (unsigned long long)p->drop.bytes);
}

static void
put_line(struct pop3 *p, size_t i, bool is_id)
{
	const struct pop3_message *m = &p->drop.v[i];

	buf_put_u64(&p->client.out, i + 1);
	buf_put_char(&p->client.out, ' ');
	if (is_id)
		pop3_drop_put_uidl(&p->drop, m, &p->client.out);
	else
		buf_put_u64(&p->client.out, m->size);
	buf_put_c(&p->client.out, "\r\n");
}

/* In pieces: a maildrop may have many messages, and a client be slow. */
static void
list_step(struct pop3 *p)
{
	for (; p->at < p->drop.n; p->at++) {
		if (!p->drop.v[p->at].is_deleted)
			put_line(p, p->at, p->is_listing_ids);
		if (p->client.out.n < CLIENT_OUT_CHUNK)
			continue;
		client_flush(&p->client);
		if (pop3_wait_drained(p, list_step)) {
			p->at++;
			return;
		}
	}
	buf_put_c(&p->client.out, ".\r\n");
	pop3_finish(p);
}

/* LIST and UIDL. */
void
pop3_cmd_list(struct pop3 *p, const struct pop3_command *c)
{
	bool is_id = c->verb == POP3_VERB_UIDL;

	if (c->has_message) {
		if (!pop3_message_of(p, c))
			return;
		buf_put_c(&p->client.out, "+OK ");
		put_line(p, c->message - 1, is_id);
		return;
	}
	buf_printf(&p->client.out, "+OK %u message%s (%llu octets)\r\n",
	    p->drop.left, str_s(p->drop.left),
	    (unsigned long long)p->drop.bytes);
	p->at = 0;
	p->is_listing_ids = is_id;
	p->is_answering = true;
	pop3_hold(p);
	list_step(p);
}

void
pop3_cmd_dele(struct pop3 *p, const struct pop3_command *c)
{
	struct pop3_message *m = pop3_message_of(p, c);

	if (!m)
		return;
	pop3_drop_delete(&p->drop, m);
	pop3_ok(p, "Marked; it goes at QUIT");
}

void
pop3_cmd_rset(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	pop3_drop_reset(&p->drop);
	pop3_ok(p, "No message is marked");
}

void
pop3_cmd_noop(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	pop3_ok(p, NULL);
}
