/* SPDX-License-Identifier: ISC */
/* outbox_list.c - whom is written to just now. See outbox_internal.h. */
#include "watch/outbox/dispatch.h"
#include "watch/outbox/outbox_internal.h"

#define ROW_MAX KIB(1) /* a key, a host, and what is around them */

_Static_assert(LEDGER_KEY_MAX + DNS_NAME_MAX + 64 <= ROW_MAX, "a row fits");

static void
put_row(const struct outbox *o, const struct parcel *p, struct buf *to)
{
	uint64_t since_ms;
	struct str by = dispatch_trying(p->trying, &since_ms);

	if (by.n > 0)
		msg_watch_trying_put(
		    to, &(struct msg_watch_trying){ .table = (uint8_t)p->table,
			    .key = p->key,
			    .by = by,
			    .since_ms = server_wall_ms(o->sv, since_ms) });
}

void
outbox_list(struct outbox *o, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(OUTBOX_BUSY_MAX * ROW_MAX);
	struct buf body = BUF_INIT(OUTBOX_BUSY_MAX * ROW_MAX + KIB(1));
	struct ipc_return ret = ipc_return_new(p, m);

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i]->trying != NULL)
			put_row(o, o->v[i], &items);
	msg_list_reply_put(
	    &body, &(struct msg_list_reply){ .items = buf_str(&items) });
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
}
