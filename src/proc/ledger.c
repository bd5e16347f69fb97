/* SPDX-License-Identifier: ISC */
/* ledger.c - rows that a role keeps in the store. See ledger.h. */
#include "proc/ledger.h"

static void
ignore(UNUSED void *arg, UNUSED struct ipc_msg *m)
{
}

void
ledger_put(struct runtime *rt, enum ledger_table table, struct str rows,
    ipc_reply_fn fn, void *arg)
{
	ledger_put_if(rt,
	    &(struct msg_ledger_put){ .table = (uint8_t)table, .rows = rows },
	    fn, arg);
}

void
ledger_put_if(struct runtime *rt, const struct msg_ledger_put *put,
    ipc_reply_fn fn, void *arg)
{
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_LEDGER_PUT, .fd = -1
	};
	struct buf body = BUF_INIT(MIB(1));

	msg_ledger_put_put(&body, put);
	req.body = buf_str(&body);
	runtime_request(rt, &req, fn != NULL ? fn : ignore, arg);
	buf_done(&body);
}

/* --- reading in portions ------------------------------------------------------- */

struct reading {
	struct runtime *rt;
	enum ledger_table table;
	bool is_reverse;
	ledger_row_fn row;
	ledger_done_fn done;
	void *arg;
	struct buf prefix, after;
};

static void
finish(struct reading *rd, enum outcome outcome)
{
	if (rd->done != NULL)
		rd->done(rd->arg, outcome);
	buf_done(&rd->prefix);
	buf_done(&rd->after);
	free(rd);
}

/* False: the caller has seen enough. */
static bool
show(struct reading *rd, struct str items, bool *ret_is_valid)
{
	struct wire w = wire_read(items);
	struct msg_ledger_row row;

	*ret_is_valid = true;
	while (w.in.n > 0) {
		if (!msg_ledger_row_read(&w, &row)) {
			*ret_is_valid = false;
			return true;
		}
		buf_reset(&rd->after, LEDGER_KEY_MAX);
		buf_put_str(&rd->after, row.key);
		if (!rd->row(rd->arg, &row))
			return false;
	}
	return true;
}

static void ask(struct reading *rd);

static void
on_portion(void *arg, struct ipc_msg *m)
{
	struct reading *rd = arg;
	struct msg_list_reply reply;
	bool is_valid;

	if (m->outcome != DONE) {
		finish(rd, m->outcome);
		return;
	}
	if (!msg_list_reply_get(m->body, &reply)) {
		finish(rd, TEMPFAIL);
		return;
	}
	if (!show(rd, reply.items, &is_valid)) {
		rd->done = NULL;
		finish(rd, DONE);
	} else if (!is_valid) {
		finish(rd, TEMPFAIL);
	} else if (reply.has_more && reply.items.n > 0) {
		ask(rd);
	} else {
		finish(rd, DONE);
	}
}

static void
ask(struct reading *rd)
{
	const struct msg_ledger_list list = { .table = (uint8_t)rd->table,
		.prefix = buf_str(&rd->prefix),
		.after = buf_str(&rd->after),
		.is_reverse = rd->is_reverse };
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_LEDGER_LIST, .fd = -1
	};
	struct buf body = BUF_INIT(KIB(4));

	msg_ledger_list_put(&body, &list);
	req.body = buf_str(&body);
	runtime_request(rd->rt, &req, on_portion, rd);
	buf_done(&body);
}

void
ledger_read(struct runtime *rt, const struct ledger_read *read)
{
	struct reading *rd = X_NEW(struct reading);

	ASSERT(read->prefix.n <= LEDGER_KEY_MAX &&
	       read->after.n <= LEDGER_KEY_MAX);
	*rd = (struct reading){ .rt = rt,
		.table = read->table,
		.is_reverse = read->is_reverse,
		.row = read->row,
		.done = read->done,
		.arg = read->arg,
		.prefix = BUF_INIT(LEDGER_KEY_MAX),
		.after = BUF_INIT(LEDGER_KEY_MAX) };
	buf_put_str(&rd->prefix, read->prefix);
	buf_put_str(&rd->after, read->after);
	ask(rd);
}
