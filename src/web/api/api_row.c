/* SPDX-License-Identifier: ISC */
/* api_row.c - one row for a request of the API: found, deleted. See api.h. */
#include "base/wire.h"
#include "web/api/api.h"

/* --- finding ------------------------------------------------------------------------ */

static bool
take_row(struct api_call *c, const struct msg_ledger_row *row)
{
	if (!str_eq(row->key, buf_str(&c->slug)))
		return true;
	c->is_found = true;
	buf_put_str(&c->row_now, row->value);
	api_hash_row(c, row->value);
	return false;
}

static void
on_tag(void *arg, struct ipc_msg *m)
{
	struct api_call *c = arg;
	struct msg_ledger_tag_reply reply;
	struct wire w;

	if (c->v == NULL) {
		api_call_free(c);
		return;
	}
	if (m->outcome == NOT_FOUND) {
		c->with_row(c);
		return;
	}
	if (m->outcome != DONE || !msg_ledger_tag_reply_get(m->body, &reply) ||
	    reply.tag.n != LEDGER_TAG_LEN) {
		api_fail(c, 503, "The store cannot be asked now: try again.");
		return;
	}
	c->is_found = true;
	buf_put_str(&c->row_now, reply.tag);
	w = wire_read(reply.tag);
	c->hash = wire_get_u64(&w);
	c->with_row(c);
}

static void
ask_tag(struct api_call *c, enum ledger_table table)
{
	struct buf body = BUF_INIT(KIB(4));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_LEDGER_TAG, .fd = -1
	};

	msg_ledger_tag_put(
	    &body, &(struct msg_ledger_tag){
		       .table = (uint8_t)table, .key = buf_str(&c->slug) });
	req.body = buf_str(&body);
	runtime_request(c->sv->rt, &req, on_tag, c);
	buf_done(&body);
}

void
api_row_find(struct api_call *c, enum ledger_table table,
    void (*then)(struct api_call *c))
{
	c->is_found = false;
	c->hash = 0;
	c->with_row = then;
	buf_reset(&c->row_now, c->row_now.cap);
	if (!(ledger_rule(table)->readers & ROLE_BIT(ROLE_WEB)))
		ask_tag(c, table);
	else
		api_read(c, &(struct api_read){ .table = table,
				.prefix = buf_str(&c->slug),
				.row = take_row,
				.then = then });
}

enum ledger_if
api_row_same(enum ledger_table table)
{
	return ledger_rule(table)->readers & ROLE_BIT(ROLE_WEB) ? LEDGER_IF_SAME
	                                                        : LEDGER_IF_TAG;
}

/* --- deleting ------------------------------------------------------------------------- */

static void
was_deleted(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		api_fail(c, 409, "It was changed at the same time.");
	else
		api_reply_nothing(c);
}

static void
delete_found(struct api_call *c)
{
	const struct msg_ledger_row row = { .key = buf_str(&c->slug),
		.is_gone = 1 };
	const struct api_row *d = c->deleted;

	if (!c->is_found) {
		api_fail(c, 404, d->missing);
		return;
	}
	if (!api_if_match(c))
		return;
	api_put(c, &(struct api_change){ .table = d->table,
		       .rows = &row,
		       .n = 1,
		       .only_if = api_row_same(d->table),
		       .was = buf_str(&c->row_now),
		       .what = d->what,
		       .object = buf_str(&c->slug),
		       .done = was_deleted });
}

void
api_row_delete(struct api_call *c, const struct api_row *row)
{
	c->deleted = row;
	api_row_find(c, row->table, delete_found);
}
