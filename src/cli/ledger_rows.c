/* SPDX-License-Identifier: ISC */
/* ledger_rows.c - read and write the ledger. See ledger_rows.h. */
#include "cli/ledger_rows.h"

#include "base/wire.h"

static int
show(struct str items, struct buf *after, ledger_rows_fn fn, void *arg)
{
	struct msg_ledger_row row;

	for (struct wire w = wire_read(items); msg_ledger_row_read(&w, &row);) {
		fn(arg, &row);
		buf_reset(after, LEDGER_KEY_MAX);
		buf_put_str(after, row.key);
	}
	return ADMIN_OK;
}

int
ledger_rows_each(struct admin *a, const struct ledger_rows *rows,
    ledger_rows_fn fn, void *arg)
{
	struct buf reply = BUF_INIT(MIB(16)), after = BUF_INIT(LEDGER_KEY_MAX);
	struct buf body = BUF_INIT(KIB(4));
	struct msg_list_reply l = { .has_more = 1 };
	int r = ADMIN_OK;

	while (r == ADMIN_OK && l.has_more) {
		const struct msg_ledger_list q = { .table =
						       (uint8_t)rows->table,
			.prefix = rows->prefix,
			.after = buf_str(&after) };

		buf_reset(&body, KIB(4));
		msg_ledger_list_put(&body, &q);
		r = admin_do(
		    a, MSG_LEDGER_LIST, buf_str(&body), rows->what, &reply);
		if (r == ADMIN_OK && !msg_list_reply_get(buf_str(&reply), &l))
			r = admin_error(a, ADMIN_TEMPFAIL,
			    "the store's answer cannot be understood");
		if (r == ADMIN_OK)
			r = show(l.items, &after, fn, arg);
	}
	buf_done(&reply);
	buf_done(&after);
	buf_done(&body);
	return r;
}

int
ledger_rows_put(struct admin *a, enum ledger_table table,
    const struct msg_ledger_row *row, const char *what)
{
	struct buf rows = BUF_INIT(KIB(70)), body = BUF_INIT(KIB(80));
	int r;

	msg_ledger_row_put(&rows, row);
	msg_ledger_put_put(
	    &body, &(struct msg_ledger_put){ (uint8_t)table, buf_str(&rows) });
	r = admin_do(a, MSG_LEDGER_PUT, buf_str(&body), what, NULL);
	buf_done(&rows);
	buf_done(&body);
	return r;
}

/* --- one row -------------------------------------------------------------------- */

struct wanted {
	struct str key;
	struct buf *ret;
	bool is_there;
};

static void
take_wanted(void *arg, const struct msg_ledger_row *row)
{
	struct wanted *w = arg;

	if (!str_eq(row->key, w->key))
		return;
	w->is_there = true;
	buf_put_str(w->ret, row->value);
}

int
ledger_rows_find(struct admin *a, enum ledger_table table, struct str key,
    bool *ret_is_there, struct buf *ret)
{
	const struct ledger_rows rows = { table, key, "ledger" };
	struct wanted w = { .key = key, .ret = ret };
	int r = ledger_rows_each(a, &rows, take_wanted, &w);

	*ret_is_there = w.is_there;
	return r;
}

int
ledger_rows_get(struct admin *a, enum ledger_table table, struct str key,
    const char *what, struct buf *ret)
{
	bool is_there;
	int r = ledger_rows_find(a, table, key, &is_there, ret);

	if (r == ADMIN_OK && !is_there)
		r = admin_error(
		    a, ADMIN_REFUSED, "%s: it does not exist", what);
	return r;
}
