/* SPDX-License-Identifier: ISC */
/*
 * mirror.c - rows of the ledger, kept in memory: systems, checks, windows.
 *
 * Read as a whole when the store comes; changed by what it tells afterwards.
 * While the store is away, everything goes on as it was.
 */
#include "base/log.h"
#include "watch/server.h"

struct row {
	struct str key, value;
};

struct table {
	enum ledger_table id;
	struct row *rows; /* in the order of their keys */
	size_t n, cap;
	/* While the table is read: what came so far. */
	struct row *fresh;
	size_t n_fresh, fresh_cap;
	bool is_reading;
};

#define TABLES   3
#define AGAIN_MS 1000 /* after an attempt to read that failed */

struct mirror {
	struct server *sv;
	struct table tables[TABLES];
	unsigned reading; /* tables that are being read */
	bool has_failed;  /* one of them could not be */
	struct loop_timer *again;
	bool is_queued;
};

static struct table *
table_of(struct mirror *m, unsigned id)
{
	for (size_t i = 0; i < TABLES; i++)
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
	struct mirror *m = arg;

	m->is_queued = false;
	watched_update(m->sv);
}

static void
queue_update(struct mirror *m)
{
	if (m->is_queued || m->reading > 0)
		return;
	m->is_queued = true;
	loop_defer(m->sv->loop, update, m);
}

/* --- reading ------------------------------------------------------------------- */

struct reading {
	struct mirror *m;
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
	struct mirror *m = arg;

	if (runtime_peer(m->sv->rt, ROLE_STORE) != NULL)
		mirror_load(m);
}

/* A store that dies in between comes back, and all is read anew. */
static void
on_read(void *arg, enum outcome outcome)
{
	struct reading *rd = arg;
	struct table *t = rd->t;
	struct mirror *m = rd->m;

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
	if (!m->has_failed)
		queue_update(m);
	else if (!m->sv->is_stopping)
		loop_timer_set(m->again, AGAIN_MS);
}

void
mirror_load(struct mirror *m)
{
	/* What is under way ends with the connection that it began on, and
	 * then begins again. */
	if (m->reading > 0)
		return;
	m->has_failed = false;
	for (size_t i = 0; i < TABLES; i++) {
		struct reading *rd = X_NEW(struct reading);

		rd->m = m;
		rd->t = &m->tables[i];
		rd->t->is_reading = true;
		m->reading++;
		ledger_read(
		    m->sv->rt, &(struct ledger_read){ .table = rd->t->id,
				   .row = on_row,
				   .done = on_read,
				   .arg = rd });
	}
}

bool
mirror_changed(struct mirror *m, struct str body)
{
	struct msg_ledger_changed changed;
	struct msg_ledger_row row;
	struct table *t;
	struct wire w;

	if (!msg_ledger_changed_get(body, &changed))
		return false;
	t = table_of(m, changed.table);
	if (t == NULL)
		return false;
	w = wire_read(changed.rows);
	while (msg_ledger_row_read(&w, &row))
		if (!t->is_reading)
			take_row(t, &row);
	/* It may be of a part that was read already: read once more. */
	m->has_failed |= t->is_reading;
	queue_update(m);
	return !w.failed;
}

/* --- looking ---------------------------------------------------------------------- */

struct mirror *
mirror_new(struct server *sv)
{
	static const enum ledger_table ids[TABLES] = { LEDGER_SYSTEM,
		LEDGER_CHECK, LEDGER_MAINTENANCE };
	struct mirror *m = X_NEW(struct mirror);

	m->sv = sv;
	m->again = loop_timer_new(sv->loop, read_again, m);
	for (size_t i = 0; i < TABLES; i++)
		m->tables[i].id = ids[i];
	return m;
}

static const struct table *
look(const struct mirror *m, enum ledger_table id)
{
	for (size_t i = 0; i < TABLES; i++)
		if (m->tables[i].id == id)
			return &m->tables[i];
	ASSERT(false);
	return NULL;
}

size_t
mirror_count(const struct mirror *m, enum ledger_table table)
{
	return look(m, table)->n;
}

struct mirror_row
mirror_row(const struct mirror *m, enum ledger_table table, size_t i)
{
	const struct row *r = &look(m, table)->rows[i];

	return (struct mirror_row){ r->key, r->value };
}

bool
mirror_find(const struct mirror *m, enum ledger_table table, struct str key,
    struct str *ret_value)
{
	const struct table *t = look(m, table);
	bool is_there;
	size_t at = place(t, key, &is_there);

	if (is_there)
		*ret_value = t->rows[at].value;
	return is_there;
}
