/* SPDX-License-Identifier: ISC */
/*
 * tables_check.c - every row of the ledger against its end, and the other way
 * round, some thousand keys at a time. It reads; it repairs nothing.
 */
#include "store/tables/tables_internal.h"

#define STEP_KEYS 2000

/* Keys of this step, copied: no engine call is allowed while they are
 * scanned. */
struct seen {
	struct table_key key;
	uint64_t until; /* of a row */
	bool is_valid;
};

struct step {
	struct seen *v;
	size_t n, cap;
};

static int
see(void *arg, struct str key, struct str val)
{
	struct step *s = arg;
	struct seen one = { .key.n = (uint8_t)MIN(key.n, sizeof(one.key.p)) };
	struct table_record r;
	uint8_t table;
	struct str name;

	memcpy(one.key.p, key.p, one.key.n);
	if (table_key_read_row(key, &table, &name)) {
		one.is_valid = table_record_decode(val, &r);
		one.until = one.is_valid ? r.until : 0;
	} else {
		one.is_valid =
		    table_key_read_end(key, &one.until, &table, &name);
	}
	s->v = x_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = one;
	return s->n == STEP_KEYS;
}

static void
problem(struct tables_check *check, const char *what, const struct seen *one)
{
	struct buf b = BUF_INIT(KIB(1));

	buf_put_c(&b, "ledger: ");
	buf_put_c(&b, what);
	buf_put_c(&b, ": ");
	for (size_t i = 0; i < one->key.n; i++)
		buf_printf(&b, "%02x", (uint8_t)one->key.p[i]);
	check->problems++;
	if (check->problem != NULL)
		check->problem(check->arg, buf_c(&b));
	buf_done(&b);
}

/* 1 when it is there with that end, 0 when not. */
static bool
has_row(struct tables *t, uint8_t table, struct str name, uint64_t until)
{
	struct table_key k = table_key_row(table, name);
	struct table_record r;
	struct str val;

	return engine_get(t->engine, TABLES_SHARD, table_key_str(&k), &val) ==
	           1 &&
	       table_record_decode(val, &r) && r.until == until;
}

static bool
has_end(struct tables *t, uint8_t table, struct str name, uint64_t until)
{
	struct table_key k = table_key_end(until, table, name);
	struct str val;

	return engine_get(t->engine, TABLES_SHARD, table_key_str(&k), &val) ==
	       1;
}

static void
check_one(struct tables *t, struct tables_check *check, const struct seen *one)
{
	struct str key = table_key_str(&one->key), name;
	uint64_t until;
	uint8_t table;

	if (!one->is_valid) {
		problem(check, "a record that cannot be read", one);
	} else if (table_key_read_row(key, &table, &name)) {
		check->rows++;
		if (one->until > 0 && !has_end(t, table, name, one->until))
			problem(check, "a row will not end", one);
	} else if (table_key_read_end(key, &until, &table, &name) &&
		   !has_row(t, table, name, until)) {
		problem(check, "an end without its row", one);
	}
}

struct verdict
tables_check_step(struct tables *t, struct str from, struct tables_check *check,
    struct buf *next)
{
	const struct engine_range range = { .shard = TABLES_SHARD,
		.from = from };
	struct step s = { 0 };
	int r = engine_scan(t->engine, &range, see, &s);

	buf_reset(next, ENGINE_KEY_MAX);
	for (size_t i = 0; i < s.n && r >= 0; i++)
		check_one(t, check, &s.v[i]);
	if (r == 1 && s.n > 0) {
		struct table_key after = table_key_next(s.v[s.n - 1].key);

		buf_put_str(next, table_key_str(&after));
	}
	free(s.v);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}
