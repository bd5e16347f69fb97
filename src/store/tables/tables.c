/* SPDX-License-Identifier: ISC */
/* tables.c - open the ledger, and list its rows. See tables.h. */
#include "store/tables/tables_internal.h"

#include "base/crypt.h"
#include "base/secret.h"

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
	secret_random(t->tag_key, sizeof(t->tag_key));
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

/* --- one row --------------------------------------------------------------------- */

int
tables_get(
    struct tables *t, uint8_t table, struct str key, struct table_record *ret)
{
	struct table_key k = table_key_row(table, key);
	struct str val;
	int r = engine_get(t->engine, TABLES_SHARD, table_key_str(&k), &val);

	if (r == 1 && !table_record_decode(val, ret))
		return ENGINE_CORRUPT;
	if (r == 1 && ret->until > 0 && ret->until <= tables_now(t))
		return 0;
	return r;
}

/* Values may hold passwords that somebody thought of: a digest alone would
 * let who knows the rest of the row try them. */
static struct crypt_sum
tag_of(const struct tables *t, struct str value)
{
	struct crypt_sum sum;

	crypt_hmac(str_make(t->tag_key, sizeof(t->tag_key)), value, &sum);
	return sum;
}

bool
tables_is_tag(const struct tables *t, struct str value, struct str tag)
{
	struct crypt_sum sum = tag_of(t, value);

	return str_eq_constant_time(
	    str_first(crypt_sum_str(&sum), LEDGER_TAG_LEN), tag);
}

struct verdict
tables_tag(struct tables *t, enum role role, const struct msg_ledger_tag *m,
    struct buf *out)
{
	const struct ledger_rule *rule = ledger_rule(m->table);
	struct table_record rec;
	struct crypt_sum sum;
	int r;

	if (rule == NULL || !((rule->readers | rule->writers) & ROLE_BIT(role)))
		return verdict_permfail(REASON_FORBIDDEN);
	if (m->key.n > LEDGER_KEY_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	r = tables_get(t, m->table, m->key, &rec);
	if (r < 0)
		return verdict_engine(r);
	if (r == 0)
		return verdict_not_found(REASON_NONE);
	sum = tag_of(t, rec.value);
	msg_ledger_tag_reply_put(
	    out, &(struct msg_ledger_tag_reply){
		     .tag = str_first(crypt_sum_str(&sum), LEDGER_TAG_LEN) });
	return VERDICT_DONE;
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
	if (l->n == l->max || (l->n > 0 && l->items->n + name.n + r.value.n +
						   TABLES_RECORD_EXTRA >
					       TABLES_REPLY_MAX))
		return 1;
	l->n++;
	msg_ledger_row_put(
	    l->items, &(struct msg_ledger_row){
			  .key = name, .until = r.until, .value = r.value });
	return 0;
}

/* From the first key with the prefix that is above after, to the last one; or
 * from the last one that is below after, to the first. */
static struct verdict
list_range(struct tables *t, const struct msg_ledger_list *m, struct listing *l)
{
	struct table_key first = table_key_row(m->table, m->prefix);
	struct table_key from = first, to = table_key_behind(first);
	struct table_key after = table_key_row(m->table, m->after);
	struct engine_range range = { .shard = TABLES_SHARD,
		.is_reverse = m->is_reverse };

	if (!m->is_reverse && str_cmp(m->after, m->prefix) >= 0)
		from = table_key_next(after);
	if (m->is_reverse && m->after.n > 0 &&
	    str_cmp(table_key_str(&after), table_key_str(&to)) < 0)
		to = after;
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
