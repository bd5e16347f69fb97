/* SPDX-License-Identifier: ISC */
/*
 * mirror.c - rows of a table of the ledger in memory. See mirror.h.
 *
 * While all are read, changes go into the old rows and into the new ones. The
 * store tells changes and answers in the order in which they became true: what
 * a portion has is not older than the changes before it.
 *
 * Strangers choose some of the keys: the hash is seeded.
 */
#include "send/mirror.h"

#include "base/hash.h"
#include "base/secret.h"

#define AGAIN_MS  1000
#define FIRST_CAP 64

struct row {
	uint64_t until;
	uint32_t key_n, value_n;
	char bytes[]; /* key, value */
};

struct rows {
	struct row **slots; /* open addressing */
	size_t n, cap;
};

struct mirror {
	struct runtime *rt;
	enum ledger_table table;
	struct str prefix;
	uint64_t seed;
	struct rows rows;
	struct rows fresh; /* while all are read */
	bool is_loaded, is_reading;
	bool is_stale; /* read again behind that */
	struct loop_timer *again;
};

static void read_all(void *arg);

/* --- a table of rows --------------------------------------------------------------- */

static struct str
key_of(const struct row *r)
{
	return str_make(r->bytes, r->key_n);
}

static size_t
slot_of(const struct mirror *m, const struct rows *t, struct str key)
{
	size_t i = (size_t)hash64_seed(key.p, key.n, m->seed);

	for (;; i++) {
		i &= t->cap - 1;
		if (!t->slots[i] || str_eq(key_of(t->slots[i]), key))
			return i;
	}
}

static void
grow(const struct mirror *m, struct rows *t)
{
	struct rows old = *t;

	t->cap = old.cap ? old.cap * 2 : FIRST_CAP;
	t->slots = x_calloc(t->cap, sizeof(struct row *));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i])
			t->slots[slot_of(m, t, key_of(old.slots[i]))] =
			    old.slots[i];
	free(old.slots);
}

static void
rows_done(struct rows *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->slots[i]);
	free(t->slots);
	*t = (struct rows){ 0 };
}

static void
put(const struct mirror *m, struct rows *t, const struct msg_ledger_row *row)
{
	struct row *r = x_malloc(sizeof(*r) + row->key.n + row->value.n);
	size_t i;

	r->until = row->until;
	r->key_n = (uint32_t)row->key.n;
	r->value_n = (uint32_t)row->value.n;
	memcpy(r->bytes, row->key.p, row->key.n);
	if (row->value.n)
		memcpy(r->bytes + row->key.n, row->value.p, row->value.n);
	if ((t->n + 1) * 3 > t->cap * 2)
		grow(m, t);
	i = slot_of(m, t, row->key);
	t->n += t->slots[i] == NULL;
	free(t->slots[i]);
	t->slots[i] = r;
}

/* Move up what had to go past the slot that is free now. */
static void
take_out(const struct mirror *m, struct rows *t, struct str key)
{
	size_t mask = t->cap - 1, i;

	if (t->cap == 0)
		return;
	i = slot_of(m, t, key);
	if (!t->slots[i])
		return;
	free(t->slots[i]);
	t->slots[i] = NULL;
	t->n--;
	for (i = (i + 1) & mask; t->slots[i]; i = (i + 1) & mask) {
		struct row *move = t->slots[i];

		t->slots[i] = NULL;
		t->slots[slot_of(m, t, key_of(move))] = move;
	}
}

static void
change(const struct mirror *m, struct rows *t, const struct msg_ledger_row *row)
{
	if (row->is_gone)
		take_out(m, t, row->key);
	else
		put(m, t, row);
}

/* --- reading ------------------------------------------------------------------------ */

struct mirror *
mirror_new(struct runtime *rt, enum ledger_table table, struct str prefix)
{
	struct mirror *m = X_NEW(struct mirror);

	m->rt = rt;
	m->table = table;
	m->prefix = prefix;
	secret_random(&m->seed, sizeof(m->seed));
	m->again = loop_timer_new(runtime_loop(rt), read_all, m);
	return m;
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct mirror *m = arg;

	put(m, &m->fresh, row);
	return true;
}

static void
on_done(void *arg, enum outcome outcome)
{
	struct mirror *m = arg;

	m->is_reading = false;
	if (outcome == DONE) {
		rows_done(&m->rows);
		m->rows = m->fresh;
		m->fresh = (struct rows){ 0 };
		m->is_loaded = true;
	} else {
		rows_done(&m->fresh);
		loop_timer_set(m->again, AGAIN_MS);
	}
	if (m->is_stale)
		read_all(m);
}

static void
read_all(void *arg)
{
	struct mirror *m = arg;
	const struct ledger_read read = {
		.table = m->table,
		.prefix = m->prefix,
		.row = on_row,
		.done = on_done,
		.arg = m,
	};

	m->is_stale = m->is_reading;
	if (m->is_reading)
		return;
	m->is_reading = true;
	ledger_read(m->rt, &read);
}

void
mirror_load(struct mirror *m)
{
	read_all(m);
}

void
mirror_set(struct mirror *m, const struct msg_ledger_row *row)
{
	change(m, &m->rows, row);
	if (m->is_reading)
		change(m, &m->fresh, row);
}

void
mirror_changed(struct mirror *m, struct str rows)
{
	struct wire w = wire_read(rows);
	struct msg_ledger_row row;

	while (w.in.n > 0 && msg_ledger_row_read(&w, &row))
		if (str_starts(row.key, m->prefix))
			mirror_set(m, &row);
}

bool
mirror_is_loaded(const struct mirror *m)
{
	return m->is_loaded;
}

size_t
mirror_count(const struct mirror *m)
{
	return m->rows.n;
}

bool
mirror_find(const struct mirror *m, struct str key, struct str *ret)
{
	const struct row *r =
	    m->rows.cap ? m->rows.slots[slot_of(m, &m->rows, key)] : NULL;

	if (!r || (r->until && r->until <= loop_time(runtime_loop(m->rt))))
		return false;
	*ret = str_make(r->bytes + r->key_n, r->value_n);
	return true;
}
