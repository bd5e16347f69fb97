/* SPDX-License-Identifier: ISC */
/* ledger_rows.c - read and write the ledger. See ledger_rows.h. */
#include "cli/ledger_rows.h"

#include "base/secret.h"
#include "base/wire.h"
#include "proto/status/status_audit.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

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

/* --- changes -------------------------------------------------------------------- */

static bool
is_audited(enum ledger_table table)
{
	static const enum ledger_table tables[] = { LEDGER_SYSTEM, LEDGER_CHECK,
		LEDGER_MAINTENANCE, LEDGER_POST, LEDGER_SUBSCRIBER,
		LEDGER_APIKEY, LEDGER_AGENT, LEDGER_SIGNAL, LEDGER_ALERT,
		LEDGER_ROUTE, LEDGER_SUPPRESS, LEDGER_POLICY };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (tables[i] == table)
			return true;
	return false;
}

/* Who runs the command: the name of the user of this process. */
static void
put_user(struct buf *to)
{
	const struct passwd *pw = getpwuid(getuid());

	if (pw != NULL)
		buf_printf(to, "user %s", pw->pw_name);
	else
		buf_printf(to, "user number %u", (unsigned)getuid());
}

static void
put_audit(const struct ledger_change *c, struct buf *rows)
{
	struct buf who = BUF_INIT(KIB(1)), what = BUF_INIT(KIB(1));
	struct buf key = BUF_INIT(100), value = BUF_INIT(STATUS_AUDIT_ROW_MAX);
	struct timespec now;
	uint32_t random;

	clock_gettime(CLOCK_REALTIME, &now);
	secret_random(&random, sizeof(random));
	put_user(&who);
	if (c->what != NULL)
		buf_put_c(&what, c->what);
	else
		buf_printf(&what, "%s.%s", ledger_rule(c->table)->name,
		    c->rows[0].is_gone ? "remove" : "put");
	status_audit_encode(
	    &(struct status_audit){ .who = buf_str(&who),
		.what = buf_str(&what),
		.object = c->object.n > 0 ? c->object : c->rows[0].key,
		.from = STR("command line"),
		.detail = c->detail },
	    &value);
	status_audit_put_key(&key,
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
	    random);
	msg_ledger_row_put(
	    rows, &(struct msg_ledger_row){ .key = buf_str(&key),
		      .until = (uint64_t)now.tv_sec + STATUS_AUDIT_KEEP_S,
		      .value = buf_str(&value) });
	buf_done(&who);
	buf_done(&what);
	buf_done(&key);
	buf_done(&value);
}

static int
send_change(
    struct admin *a, struct str body, const char *name, enum reason *ret_reason)
{
	struct buf reply = BUF_INIT(KIB(64));
	enum outcome o;
	int r =
	    admin_ask(a, &(struct admin_call){ MSG_LEDGER_PUT, 0, body, -1 },
		&o, &reply, NULL);
	enum reason reason = admin_reason(buf_str(&reply));

	if (r == ADMIN_OK && o == PERMFAIL && ret_reason != NULL &&
	    (reason == REASON_EXISTS || reason == REASON_CONFLICT)) {
		*ret_reason = reason;
		r = ADMIN_REFUSED;
	} else if (r == ADMIN_OK && o != DONE) {
		r = admin_refused(a, o, buf_str(&reply), name);
	}
	buf_done(&reply);
	return r;
}

int
ledger_rows_change(struct admin *a, const struct ledger_change *c,
    const char *name, enum reason *ret_reason)
{
	struct buf rows = BUF_INIT(LEDGER_PUT_MAX), also = BUF_INIT(KIB(4));
	struct buf body = BUF_INIT(MIB(1));
	int r;

	if (ret_reason != NULL)
		*ret_reason = REASON_NONE;
	for (size_t i = 0; i < c->n; i++)
		msg_ledger_row_put(&rows, &c->rows[i]);
	if (is_audited(c->table))
		put_audit(c, &also);
	msg_ledger_put_put(
	    &body, &(struct msg_ledger_put){ .table = (uint8_t)c->table,
		       .rows = buf_str(&rows),
		       .only_if = (uint8_t)c->only_if,
		       .was = c->was,
		       .also = LEDGER_AUDIT,
		       .also_rows = buf_str(&also) });
	if (rows.failed || body.failed)
		r = admin_error(a, ADMIN_REFUSED, "%s: it is too big", name);
	else
		r = send_change(a, buf_str(&body), name, ret_reason);
	buf_done(&rows);
	buf_done(&also);
	buf_done(&body);
	return r;
}

int
ledger_rows_put(struct admin *a, enum ledger_table table,
    const struct msg_ledger_row *row, const char *what)
{
	const struct ledger_change c = { .table = table, .rows = row, .n = 1 };

	return ledger_rows_change(a, &c, what, NULL);
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
