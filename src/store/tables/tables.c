/* SPDX-License-Identifier: ISC */
/* tables.c - put and list rows of the ledger. See tables.h. */
#include "store/tables/tables_internal.h"

/* What encoding adds to a value: version, time, length. */
#define RECORD_EXTRA 32

/* --- opening --------------------------------------------------------------------- */

static int
count_row(void *arg, struct str key, UNUSED struct str val)
{
	struct tables *t = arg;
	uint8_t table;
	struct str name;

	if (table_key_read_row(key, &table, &name) && table < TABLES_MAX)
		t->rows[table]++;
	return 0;
}

int
tables_open(const struct tables_config *config, struct tables **ret)
{
	const struct table_key from = table_key_kind('R');
	const struct table_key to = table_key_behind(from);
	const struct engine_range range = { TABLES_SHARD, table_key_str(&from),
		table_key_str(&to), false };
	struct tables *t = X_NEW(struct tables);
	int r;

	t->config = *config;
	t->engine = config->engine;
	r = engine_scan(t->engine, &range, count_row, t);
	if (r == ENGINE_CORRUPT) {
		t->is_damaged = true;
	} else if (r < 0) {
		tables_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void
tables_free(struct tables *t)
{
	free(t);
}

uint64_t
tables_rows(const struct tables *t, enum ledger_table table)
{
	return t->rows[table];
}

/* --- putting ---------------------------------------------------------------------- */

struct putting {
	struct tables *t;
	const struct ledger_rule *rule;
	uint8_t table;
	struct engine_batch *b;
	uint64_t added, removed;
};

static bool
is_row(const struct ledger_rule *rule, const struct msg_ledger_row *row)
{
	return row->key.n > 0 && row->key.n <= LEDGER_KEY_MAX &&
	       row->value.n <= (row->is_gone ? 0 : rule->value_max);
}

/* The rows of a request; their number, or -1 when something is over a limit.
 * *ret_rows is the caller's to free. */
static ssize_t
read_rows(const struct ledger_rule *rule, struct str rows,
    struct msg_ledger_row **ret_rows)
{
	struct msg_ledger_row *all = NULL, row;
	struct wire w = wire_read(rows);
	size_t n = 0, cap = 0;

	while (w.in.n > 0) {
		if (!msg_ledger_row_read(&w, &row) || !is_row(rule, &row) ||
		    n == LEDGER_ROWS_MAX) {
			free(all);
			return -1;
		}
		all = x_grow(all, &cap, n + 1, sizeof(*all));
		all[n++] = row;
	}
	*ret_rows = all;
	return (ssize_t)n;
}

/* By key; of the same key the later one, which lies behind it, comes last. */
static int
compare(const void *a, const void *b)
{
	const struct msg_ledger_row *x = a, *y = b;
	int r = str_cmp(x->key, y->key);

	return r != 0 ? r : x->key.p < y->key.p ? -1 : 1;
}

/* 1: what is there now is in *ret; 0: nothing; or an error. */
static int
get(struct putting *p, struct str key, struct table_record *ret)
{
	struct table_key k = table_key_row(p->table, key);
	struct str val;
	int r = engine_get(p->t->engine, TABLES_SHARD, table_key_str(&k), &val);

	if (r == 1 && !table_record_decode(val, ret))
		return ENGINE_CORRUPT;
	return r;
}

static void
del_end(struct putting *p, uint64_t until, struct str key)
{
	struct table_key k = table_key_end(until, p->table, key);

	batch_del(p->b, TABLES_SHARD, table_key_str(&k));
}

static void
put_row(struct putting *p, const struct msg_ledger_row *row)
{
	const struct table_record rec = { row->until, row->value };
	struct table_key k = table_key_row(p->table, row->key);
	struct table_key end = table_key_end(row->until, p->table, row->key);
	struct buf val = BUF_INIT(row->value.n + RECORD_EXTRA);

	table_record_encode(&val, &rec);
	batch_put(p->b, TABLES_SHARD, table_key_str(&k), buf_str(&val));
	if (row->until > 0)
		batch_put(p->b, TABLES_SHARD, table_key_str(&end), STR_NONE);
	buf_done(&val);
}

/* Into the batch; an error of the engine. A damaged row is simply replaced. */
static int
change(struct putting *p, const struct msg_ledger_row *row)
{
	struct table_key k = table_key_row(p->table, row->key);
	struct table_record was = { 0 };
	int r = get(p, row->key, &was);

	if (r < 0 && r != ENGINE_CORRUPT)
		return r;
	if (was.until > 0 && (row->is_gone || was.until != row->until))
		del_end(p, was.until, row->key);
	if (!row->is_gone) {
		put_row(p, row);
		p->added += r == 0;
	} else if (r != 0) {
		batch_del(p->b, TABLES_SHARD, table_key_str(&k));
		p->removed++;
	}
	return 0;
}

static struct verdict
put_all(struct putting *p, const struct msg_ledger_row *rows, size_t n)
{
	uint64_t *count = &p->t->rows[p->table];
	int r = 0;

	p->b = engine_batch_new(p->t->engine);
	for (size_t i = 0; i < n && r >= 0; i++)
		if (i + 1 == n || !str_eq(rows[i].key, rows[i + 1].key))
			r = change(p, &rows[i]);
	if (r < 0) {
		engine_batch_free(p->b);
		return verdict_engine(r);
	}
	if (p->added > p->removed &&
	    *count + p->added - p->removed > p->rule->rows_max) {
		engine_batch_free(p->b);
		return verdict_tempfail(REASON_LIMIT);
	}
	r = engine_commit(p->t->engine, p->b, NULL, NULL);
	if (r < 0)
		return verdict_engine(r);
	*count += p->added;
	*count -= MIN(*count, p->removed);
	return VERDICT_DONE;
}

struct verdict
tables_put(struct tables *t, enum role role, const struct msg_ledger_put *m)
{
	struct putting p = {
		.t = t, .rule = ledger_rule(m->table), .table = m->table
	};
	struct msg_ledger_row *rows = NULL;
	struct verdict v;
	ssize_t n;

	if (p.rule == NULL || !(p.rule->writers & ROLE_BIT(role)))
		return verdict_permfail(REASON_FORBIDDEN);
	if (t->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	n = read_rows(p.rule, m->rows, &rows);
	if (n < 0)
		return verdict_permfail(REASON_TOO_BIG);
	if (n == 0)
		return VERDICT_DONE;
	qsort(rows, (size_t)n, sizeof(*rows), compare);
	v = put_all(&p, rows, (size_t)n);
	free(rows);
	if (verdict_is_done(v) && t->config.changed != NULL)
		t->config.changed(t->config.arg, m->table, m->rows);
	return v;
}

/* --- listing ----------------------------------------------------------------------- */

struct listing {
	uint64_t now;
	struct buf *items;
	uint32_t n, max;
	bool is_corrupt;
};

static int
list_row(void *arg, struct str key, struct str val)
{
	struct listing *l = arg;
	struct table_record r;
	uint8_t table;
	struct str name;

	if (!table_key_read_row(key, &table, &name) ||
	    !table_record_decode(val, &r)) {
		l->is_corrupt = true;
		return 1;
	}
	if (r.until > 0 && r.until <= l->now)
		return 0;
	if (l->n == l->max ||
	    (l->n > 0 && l->items->n + name.n + r.value.n + RECORD_EXTRA >
			     TABLES_REPLY_MAX))
		return 1;
	l->n++;
	msg_ledger_row_put(
	    l->items, &(struct msg_ledger_row){
			  .key = name, .until = r.until, .value = r.value });
	return 0;
}

/* From the first key with the prefix that is above after, to the last one. */
static struct verdict
list_range(struct tables *t, const struct msg_ledger_list *m, struct listing *l)
{
	struct table_key first = table_key_row(m->table, m->prefix);
	struct table_key from = first, to = table_key_behind(first);
	struct engine_range range = { .shard = TABLES_SHARD };

	if (str_cmp(m->after, m->prefix) >= 0)
		from = table_key_next(table_key_row(m->table, m->after));
	range.from = table_key_str(&from);
	range.to = table_key_str(&to);
	if (str_cmp(range.from, range.to) < 0) {
		int r = engine_scan(t->engine, &range, list_row, l);

		if (r < 0 || l->is_corrupt)
			return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
		l->max = r == 1 ? 0 : l->max;
	}
	return VERDICT_DONE;
}

struct verdict
tables_list(struct tables *t, enum role role, const struct msg_ledger_list *m,
    struct buf *out)
{
	const struct ledger_rule *rule = ledger_rule(m->table);
	struct buf items = BUF_INIT(TABLES_REPLY_MAX + KIB(64));
	struct listing l = { .now = tables_now(t),
		.items = &items,
		.max = m->max > 0 ? m->max : UINT32_MAX };
	struct verdict v;

	if (rule == NULL || !(rule->readers & ROLE_BIT(role)))
		return verdict_permfail(REASON_FORBIDDEN);
	if (m->prefix.n > LEDGER_KEY_MAX || m->after.n > LEDGER_KEY_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	v = list_range(t, m, &l);
	if (verdict_is_done(v))
		msg_list_reply_put(
		    out, &(struct msg_list_reply){ .items = buf_str(&items),
			     .has_more = l.max == 0 });
	buf_done(&items);
	return v;
}
