/* SPDX-License-Identifier: ISC */
/* ledger_mirror.c - tables of the ledger in memory. See ledger_mirror.h. */
#include "proc/ledger_mirror.h"

struct row {
	struct str key, value;
};

struct table {
	enum ledger_table id;
	struct str prefix; /* of the keys that are wanted */
	struct row *rows;  /* in the order of their keys */
	size_t n, cap;
	/* While the table is read: what came so far. */
	struct row *fresh;
	size_t n_fresh, fresh_cap;
	bool is_reading;
};

#define AGAIN_MS 1000 /* after an attempt to read that failed */

struct ledger_mirror {
	struct runtime *rt;
	struct loop *loop;
	loop_fn changed;
	void *arg;
	struct table tables[LEDGER_MIRROR_TABLES];
	size_t n_tables;
	unsigned reading; /* tables that are being read */
	bool has_failed;  /* one of them could not be */
	struct loop_timer *again;
	bool is_queued, is_ready, is_stopping;
};

static struct table *
table_of(struct ledger_mirror *m, unsigned id)
{
	for (size_t i = 0; i < m->n_tables; i++)
		if (m->tables[i].id == id)
			return &m->tables[i];
	return NULL;
}

static void
free_row(struct row *r)
{
	/* It may hold a password. */
	if (r->value.n > 0)
		explicit_bzero((void *)(uintptr_t)r->value.p, r->value.n);
	str_free(&r->key);
	str_free(&r->value);
}

/* Where key is, or would be. */
static size_t
place(const struct table *t, struct str key, bool *ret_is_there)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(t->rows[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_is_there = low < t->n && str_eq(t->rows[low].key, key);
	return low;
}

static void
take_row(struct table *t, const struct msg_ledger_row *row)
{
	bool is_there;
	size_t at = place(t, row->key, &is_there);

	if (is_there) {
		free_row(&t->rows[at]);
		memmove(&t->rows[at], &t->rows[at + 1],
		    (--t->n - at) * sizeof(struct row));
	}
	if (row->is_gone)
		return;
	t->rows = x_grow(t->rows, &t->cap, t->n + 1, sizeof(struct row));
	memmove(
	    &t->rows[at + 1], &t->rows[at], (t->n++ - at) * sizeof(struct row));
	t->rows[at] = (struct row){ str_copy(row->key), str_copy(row->value) };
}

/* --- taking over -------------------------------------------------------------- */

static void
update(void *arg)
{
	struct ledger_mirror *m = arg;

	m->is_queued = false;
	m->changed(m->arg);
}

static void
queue_update(struct ledger_mirror *m)
{
	if (m->is_queued || m->reading > 0)
		return;
	m->is_queued = true;
	loop_defer(m->loop, update, m);
}

/* --- reading ------------------------------------------------------------------- */

struct reading {
	struct ledger_mirror *m;
	struct table *t;
};

static void
clear(struct row *rows, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free_row(&rows[i]);
	*n = 0;
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	const struct reading *rd = arg;
	struct table *t = rd->t;

	t->fresh =
	    x_grow(t->fresh, &t->fresh_cap, t->n_fresh + 1, sizeof(struct row));
	t->fresh[t->n_fresh++] =
	    (struct row){ str_copy(row->key), str_copy(row->value) };
	return true;
}

static void
read_again(void *arg)
{
	struct ledger_mirror *m = arg;

	if (runtime_peer(m->rt, ROLE_STORE) != NULL)
		ledger_mirror_load(m);
}

/* A store that dies in between comes back, and all is read anew. */
static void
on_read(void *arg, enum outcome outcome)
{
	struct reading *rd = arg;
	struct table *t = rd->t;
	struct ledger_mirror *m = rd->m;

	free(rd);
	t->is_reading = false;
	m->reading--;
	if (outcome == DONE) {
		clear(t->rows, &t->n);
		free(t->rows);
		t->rows = t->fresh;
		t->n = t->n_fresh;
		t->cap = t->fresh_cap;
		t->fresh = NULL;
		t->n_fresh = t->fresh_cap = 0;
	} else {
		clear(t->fresh, &t->n_fresh);
		m->has_failed = true;
	}
	if (m->reading > 0)
		return;
	if (!m->has_failed) {
		m->is_ready = true;
		queue_update(m);
	} else if (!m->is_stopping) {
		loop_timer_set(m->again, AGAIN_MS);
	}
}

void
ledger_mirror_load(struct ledger_mirror *m)
{
	/* What is under way ends with the connection that it began on, and
	 * then begins again. */
	if (m->reading > 0)
		return;
	m->has_failed = false;
	for (size_t i = 0; i < m->n_tables; i++) {
		struct reading *rd = X_NEW(struct reading);

		rd->m = m;
		rd->t = &m->tables[i];
		rd->t->is_reading = true;
		m->reading++;
		ledger_read(m->rt, &(struct ledger_read){ .table = rd->t->id,
				       .prefix = rd->t->prefix,
				       .row = on_row,
				       .done = on_read,
				       .arg = rd });
	}
}

bool
ledger_mirror_changed(struct ledger_mirror *m, struct str body)
{
	struct msg_ledger_changed changed;
	struct msg_ledger_row row;
	struct table *t;
	struct wire w;

	if (!msg_ledger_changed_get(body, &changed))
		return false;
	t = table_of(m, changed.table);
	/* The store tells a role of more tables than one mirror may have. */
	if (t == NULL)
		return ledger_rule(changed.table) != NULL;
	w = wire_read(changed.rows);
	while (msg_ledger_row_read(&w, &row))
		if (!t->is_reading && str_starts(row.key, t->prefix))
			take_row(t, &row);
	/* It may be of a part that was read already: read once more. */
	m->has_failed |= t->is_reading;
	queue_update(m);
	return !w.failed;
}

void
ledger_mirror_note(struct ledger_mirror *m, enum ledger_table table,
    const struct msg_ledger_row *row)
{
	take_row(table_of(m, table), row);
}

void
ledger_mirror_below(
    struct ledger_mirror *m, enum ledger_table table, struct str prefix)
{
	table_of(m, table)->prefix = prefix;
}

/* --- looking ---------------------------------------------------------------------- */

struct ledger_mirror *
ledger_mirror_new_alone(struct loop *loop, const enum ledger_table *tables,
    size_t n, loop_fn changed, void *arg)
{
	struct ledger_mirror *m = X_NEW(struct ledger_mirror);

	ASSERT(n <= LEDGER_MIRROR_TABLES);
	m->loop = loop;
	m->changed = changed;
	m->arg = arg;
	m->again = loop_timer_new(m->loop, read_again, m);
	m->n_tables = n;
	for (size_t i = 0; i < n; i++)
		m->tables[i].id = tables[i];
	return m;
}

void
ledger_mirror_free_alone(struct ledger_mirror *m)
{
	ASSERT(m->rt == NULL && m->reading == 0);
	for (size_t i = 0; i < m->n_tables; i++) {
		clear(m->tables[i].rows, &m->tables[i].n);
		free(m->tables[i].rows);
		free(m->tables[i].fresh);
	}
	loop_timer_free(m->again);
	free(m);
}

struct ledger_mirror *
ledger_mirror_new(struct runtime *rt, const enum ledger_table *tables, size_t n,
    loop_fn changed, void *arg)
{
	struct ledger_mirror *m =
	    ledger_mirror_new_alone(runtime_loop(rt), tables, n, changed, arg);

	m->rt = rt;
	return m;
}

void
ledger_mirror_set(struct ledger_mirror *m, enum ledger_table table,
    const struct ledger_mirror_row *rows, size_t n)
{
	struct table *t = table_of(m, table);

	clear(t->rows, &t->n);
	t->rows = x_grow(t->rows, &t->cap, n, sizeof(struct row));
	for (; t->n < n; t->n++)
		t->rows[t->n] = (struct row){ str_copy(rows[t->n].key),
			str_copy(rows[t->n].value) };
	queue_update(m);
}

void
ledger_mirror_stop(struct ledger_mirror *m)
{
	m->is_stopping = true;
}

bool
ledger_mirror_is_ready(const struct ledger_mirror *m)
{
	return m->is_ready;
}

static const struct table *
look(const struct ledger_mirror *m, enum ledger_table id)
{
	for (size_t i = 0; i < m->n_tables; i++)
		if (m->tables[i].id == id)
			return &m->tables[i];
	ASSERT(false);
	return NULL;
}

size_t
ledger_mirror_count(const struct ledger_mirror *m, enum ledger_table table)
{
	return look(m, table)->n;
}

struct ledger_mirror_row
ledger_mirror_row(
    const struct ledger_mirror *m, enum ledger_table table, size_t i)
{
	const struct row *r = &look(m, table)->rows[i];

	return (struct ledger_mirror_row){ r->key, r->value };
}

bool
ledger_mirror_find(const struct ledger_mirror *m, enum ledger_table table,
    struct str key, struct str *ret_value)
{
	const struct table *t = look(m, table);
	bool is_there;
	size_t at = place(t, key, &is_there);

	if (is_there)
		*ret_value = t->rows[at].value;
	return is_there;
}
