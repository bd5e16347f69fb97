/* SPDX-License-Identifier: ISC */
/*
 * tables_put.c - put rows of the ledger. See tables.h.
 *
 * A request is one batch of the engine, with the rows of one table or of two.
 * Everything is looked at before it is committed: limits, rights, and the
 * condition of the request. Only the store's main thread changes the ledger, so
 * that what was looked at is still so when the batch is committed.
 */
#include "store/tables/tables_internal.h"

/* The rows of one table. */
struct putting {
	struct tables *t;
	const struct ledger_rule *rule;
	uint8_t table;
	struct str in;               /* as they came */
	struct msg_ledger_row *rows; /* owned; sorted by key */
	size_t n;
	struct engine_batch *b; /* borrowed */
	uint64_t added, removed;
};

/* --- reading the request ------------------------------------------------------ */

static bool
is_row(const struct ledger_rule *rule, const struct msg_ledger_row *row)
{
	return row->key.n > 0 && row->key.n <= LEDGER_KEY_MAX &&
	       row->value.n <= (row->is_gone ? 0 : rule->value_max);
}

/* False: something is over a limit. */
static bool
read_rows(struct putting *p)
{
	struct msg_ledger_row row;
	struct wire w = wire_read(p->in);
	size_t cap = 0;

	while (w.in.n > 0) {
		if (!msg_ledger_row_read(&w, &row) || !is_row(p->rule, &row) ||
		    p->n == LEDGER_ROWS_MAX)
			return false;
		p->rows = x_grow(p->rows, &cap, p->n + 1, sizeof(*p->rows));
		p->rows[p->n++] = row;
	}
	return true;
}

static struct verdict
begin(struct putting *p, enum role role)
{
	p->rule = ledger_rule(p->table);
	if (p->rule == NULL || !(p->rule->writers & ROLE_BIT(role)))
		return verdict_permfail(REASON_FORBIDDEN);
	if (p->t->is_damaged)
		return verdict_engine(ENGINE_CORRUPT);
	return read_rows(p) ? VERDICT_DONE : verdict_permfail(REASON_TOO_BIG);
}

/* By key; of the same key the later one, which lies behind it, comes last. */
static int
compare(const void *a, const void *b)
{
	const struct msg_ledger_row *x = a, *y = b;
	int r = str_cmp(x->key, y->key);

	return r != 0 ? r : x->key.p < y->key.p ? -1 : 1;
}

/* --- what is there now ----------------------------------------------------------- */

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

static struct verdict
must_be_new(struct putting *p)
{
	struct table_record was;

	for (size_t i = 0; i < p->n; i++) {
		int r = p->rows[i].is_gone
		            ? 0
		            : tables_get(p->t, p->table, p->rows[i].key, &was);

		if (r < 0)
			return verdict_engine(r);
		if (r > 0)
			return verdict_permfail(REASON_EXISTS);
	}
	return VERDICT_DONE;
}

static bool
is_was(
    const struct putting *p, const struct msg_ledger_put *m, struct str value)
{
	return m->only_if == LEDGER_IF_TAG ? tables_is_tag(p->t, value, m->was)
	                                   : str_eq(value, m->was);
}

/* Before the rows are sorted: the first one is meant. */
static struct verdict
must_be_same(struct putting *p, const struct msg_ledger_put *m)
{
	struct table_record was;
	int r = p->n > 0 ? tables_get(p->t, p->table, p->rows[0].key, &was) : 0;

	if (r < 0)
		return verdict_engine(r);
	if (r == 0 || !is_was(p, m, was.value))
		return verdict_permfail(REASON_CONFLICT);
	return VERDICT_DONE;
}

/* A front that is taken over must not be able to cover its tracks. */
static struct verdict
must_be_added(struct putting *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].is_gone)
			return verdict_permfail(REASON_FORBIDDEN);
	return must_be_new(p);
}

static struct verdict
meet(struct putting *p, const struct msg_ledger_put *m)
{
	switch (m->only_if) {
	case LEDGER_ANYHOW:
		return VERDICT_DONE;
	case LEDGER_IF_NEW:
		return must_be_new(p);
	case LEDGER_IF_SAME:
	case LEDGER_IF_TAG:
		return must_be_same(p, m);
	default:
		return verdict_permfail(REASON_INTERNAL);
	}
}

/* --- the batch ------------------------------------------------------------------- */

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
	struct buf val = BUF_INIT(row->value.n + TABLES_RECORD_EXTRA);

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
change_all(struct putting *p, struct engine_batch *b)
{
	const struct msg_ledger_row *rows = p->rows;
	int r = 0;

	p->b = b;
	if (p->n > 1)
		qsort(p->rows, p->n, sizeof(*p->rows), compare);
	for (size_t i = 0; i < p->n && r >= 0; i++)
		if (i + 1 == p->n || !str_eq(rows[i].key, rows[i + 1].key))
			r = change(p, &rows[i]);
	if (r < 0)
		return verdict_engine(r);
	if (p->added > p->removed &&
	    p->t->rows[p->table] + p->added - p->removed > p->rule->rows_max)
		return verdict_tempfail(REASON_LIMIT);
	return VERDICT_DONE;
}

static void
count(struct putting *p)
{
	uint64_t *rows = &p->t->rows[p->table];

	*rows += p->added;
	*rows -= MIN(*rows, p->removed);
	if (p->n > 0 && p->t->config.changed != NULL)
		p->t->config.changed(p->t->config.arg, p->table, p->in);
}

static struct verdict
commit(struct tables *t, struct putting *first, struct putting *also)
{
	struct engine_batch *b = engine_batch_new(t->engine);
	struct verdict v = change_all(first, b);
	int r;

	if (verdict_is_done(v))
		v = change_all(also, b);
	if (!verdict_is_done(v)) {
		engine_batch_free(b);
		return v;
	}
	r = engine_commit(t->engine, b, NULL, NULL);
	if (r < 0)
		return verdict_engine(r);
	count(first);
	count(also);
	return VERDICT_DONE;
}

struct verdict
tables_put(struct tables *t, enum role role, const struct msg_ledger_put *m)
{
	struct putting first = { .t = t, .table = m->table, .in = m->rows };
	struct putting also = { .t = t, .table = m->also, .in = m->also_rows };
	struct verdict v = begin(&first, role);

	/* Two parts of one table would not see each other's changes. */
	if (verdict_is_done(v) && also.in.n > 0)
		v = also.table == first.table
		        ? verdict_permfail(REASON_INTERNAL)
		        : begin(&also, role);
	if (verdict_is_done(v) && ledger_wants_log(first.table, role) &&
	    (also.n == 0 || !ledger_is_log(also.table)))
		v = verdict_permfail(REASON_FORBIDDEN);
	if (verdict_is_done(v) && ledger_is_log(first.table))
		v = must_be_added(&first);
	if (verdict_is_done(v) && also.n > 0 && ledger_is_log(also.table))
		v = must_be_added(&also);
	if (verdict_is_done(v))
		v = meet(&first, m);
	if (verdict_is_done(v) && first.n + also.n > 0)
		v = commit(t, &first, &also);
	free(first.rows);
	free(also.rows);
	return v;
}
