/* SPDX-License-Identifier: ISC */
/* tables_purge.c - rows whose time is over go. See tables.h. */
#include "store/tables/tables_internal.h"

#define STEP_ROWS 2000

struct over {
	struct table_key *keys; /* of ends */
	size_t n, cap;
};

static int
take_over(void *arg, struct str key, UNUSED struct str val)
{
	struct over *o = arg;
	struct table_key k = { .n = (uint8_t)MIN(key.n, sizeof(k.p)) };

	memcpy(k.p, key.p, k.n);
	o->keys = x_grow(o->keys, &o->cap, o->n + 1, sizeof(*o->keys));
	o->keys[o->n++] = k;
	return o->n == STEP_ROWS;
}

/* The row goes with its end, unless it has another end by now. */
static int
remove_row(struct tables *t, struct engine_batch *b,
    const struct table_key *end, uint64_t removed[TABLES_MAX])
{
	struct table_record rec;
	struct table_key k;
	struct str name, val;
	uint64_t until;
	uint8_t table;
	int r;

	batch_del(b, TABLES_SHARD, table_key_str(end));
	if (!table_key_read_end(table_key_str(end), &until, &table, &name))
		return 0;
	k = table_key_row(table, name);
	r = engine_get(t->engine, TABLES_SHARD, table_key_str(&k), &val);
	if (r == 1 && table_record_decode(val, &rec) && rec.until == until) {
		batch_del(b, TABLES_SHARD, table_key_str(&k));
		if (table < TABLES_MAX)
			removed[table]++;
	}
	return r == ENGINE_CORRUPT ? 0 : r;
}

static struct verdict
remove_all(struct tables *t, const struct over *o)
{
	struct engine_batch *b = engine_batch_new(t->engine);
	uint64_t removed[TABLES_MAX] = { 0 };
	int r = 0;

	for (size_t i = 0; i < o->n && r >= 0; i++)
		r = remove_row(t, b, &o->keys[i], removed);
	if (r < 0) {
		engine_batch_free(b);
		return verdict_engine(r);
	}
	r = engine_commit(t->engine, b, NULL, NULL);
	for (size_t i = 0; r >= 0 && i < TABLES_MAX; i++)
		t->rows[i] -= MIN(t->rows[i], removed[i]);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

struct verdict
tables_purge_step(struct tables *t)
{
	const struct table_key from = table_key_kind('T');
	const struct table_key to =
	    table_key_end(tables_now(t), UINT8_MAX, STR("\xff"));
	const struct engine_range range = { TABLES_SHARD, table_key_str(&from),
		table_key_str(&to), false };
	struct over o = { 0 };
	struct verdict v = VERDICT_DONE;
	int r = engine_scan(t->engine, &range, take_over, &o);

	if (r < 0)
		v = verdict_engine(r);
	else if (o.n > 0)
		v = remove_all(t, &o);
	free(o.keys);
	return v;
}
