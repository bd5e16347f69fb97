/* SPDX-License-Identifier: ISC */
/*
 * req_tables.c - rows of the ledger for other roles, and telling those that
 * keep a table in memory what has changed in it.
 */
#include "store/server.h"

struct verdict
req_ledger_put(struct request *r)
{
	struct msg_ledger_put q;

	if (!msg_ledger_put_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	return tables_put(r->s->tables, r->peer->role, &q);
}

struct verdict
req_ledger_list(struct request *r)
{
	struct msg_ledger_list q;

	if (!msg_ledger_list_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	return tables_list(r->s->tables, r->peer->role, &q, &r->out);
}

struct verdict
req_ledger_tag(struct request *r)
{
	struct msg_ledger_tag q;

	if (!msg_ledger_tag_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	return tables_tag(r->s->tables, r->peer->role, &q, &r->out);
}

struct notice {
	struct server *s;
	unsigned tell; /* role bits */
	struct buf body;
};

static void
on_durable(void *arg, UNUSED int err)
{
	struct notice *n = arg;

	for (const struct peer *p = n->s->peers; p != NULL; p = p->next)
		if (n->tell & ROLE_BIT(p->role))
			ipc_notify(p->ipc, MSG_LEDGER_CHANGED, 0,
			    buf_str(&n->body), -1);
	buf_done(&n->body);
	free(n);
}

void
tables_changed(void *arg, enum ledger_table table, struct str rows)
{
	const struct msg_ledger_changed changed = { (uint8_t)table, rows };
	unsigned tell = ledger_rule(table)->tell;
	struct server *s = arg;
	struct notice *n;

	if (tell == 0)
		return;
	n = X_NEW(struct notice);
	*n = (struct notice){ s, tell, BUF_INIT(MIB(1)) };
	msg_ledger_changed_put(&n->body, &changed);
	engine_sync(s->engine, engine_position(s->engine), on_durable, n);
}
