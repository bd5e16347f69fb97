/* SPDX-License-Identifier: ISC */
/* dkim_keyset.c - keys of a domain, and their times. See dkim_keyset.h. */
#include "store/dir/dkim_keyset.h"

void
keyset_done(struct keyset *k)
{
	buf_done_secret(&k->bytes);
}

static struct dir_key
due_key(char kind, uint64_t due, struct str domain)
{
	struct dir_key k = dir_key_account(kind, due);

	ASSERT(k.n + domain.n <= sizeof(k.b));
	memcpy(k.b + k.n, domain.p, domain.n);
	k.n += domain.n;
	return k;
}

struct verdict
keyset_load(struct dir *d, struct str domain, struct keyset *k)
{
	struct dir_key key = dir_key('S', domain);
	struct str val;
	int r = engine_get(d->engine, DIR_SHARD, dir_key_str(&key), &val);

	*k = (struct keyset){ .bytes = BUF_INIT(DKIM_RECORD_BYTES_MAX) };
	if (r < 0)
		return verdict_engine(r);
	if (r == 0)
		return VERDICT_DONE;
	buf_put_str(&k->bytes, val);
	if (!dkim_record_decode(buf_str(&k->bytes), &k->r))
		return verdict_engine(ENGINE_CORRUPT);
	k->was_due = dkim_record_due(&k->r);
	k->was_to_look = dkim_record_look_at(&k->r);
	return VERDICT_DONE;
}

static void
move(struct dir_change *c, struct str domain, char kind, uint64_t was,
    uint64_t due)
{
	if (was && due != was)
		dir_change_del(c, due_key(kind, was, domain));
	if (due && due != was)
		dir_change_put(c, due_key(kind, due, domain));
}

void
keyset_save(struct dir_change *c, struct str domain, const struct keyset *k)
{
	move(c, domain, 'T', k->was_due, dkim_record_due(&k->r));
	move(c, domain, 'L', k->was_to_look, dkim_record_look_at(&k->r));
	if (k->r.n == 0) {
		dir_change_del(c, dir_key('S', domain));
		return;
	}
	dkim_record_encode(&c->val, &k->r);
	dir_change_put(c, dir_key('S', domain));
}

struct verdict
keyset_commit_quietly(struct dir *d, struct str domain, const struct keyset *k)
{
	struct dir_change c = dir_change_begin(d);

	keyset_save(&c, domain, k);
	return dir_change_commit(&c);
}

struct verdict
keyset_commit(struct dir *d, struct str domain, const struct keyset *k)
{
	struct verdict v = keyset_commit_quietly(d, domain, k);

	if (verdict_is_done(v))
		dir_dkim_changed(d, domain);
	return v;
}

/* --- what is due --------------------------------------------------------------------- */

static int
find_due(void *arg, struct str key, UNUSED struct str val)
{
	struct keysets_due *s = arg;
	struct dir_key *k = &s->v[s->n];

	if (key.n <= 9 || key.n > sizeof(k->b) || be64_get(key.p + 1) > s->now)
		return 1;
	memcpy(k->b, key.p, key.n);
	k->n = key.n;
	return ++s->n == KEYSETS_DUE_MAX;
}

int
keysets_due(struct dir *d, char kind, struct keysets_due *ret)
{
	struct dir_key from = dir_key(kind, STR(""));
	struct dir_key to = dir_key((char)(kind + 1), STR(""));
	struct engine_range range = {
		.shard = DIR_SHARD,
		.from = dir_key_str(&from),
		.to = dir_key_str(&to),
	};
	int r;

	ret->now = dir_now(d);
	ret->n = 0;
	r = engine_scan(d->engine, &range, find_due, ret);
	return MIN(r, 0);
}

struct str
keyset_due_domain(const struct dir_key *key)
{
	return str_from(dir_key_str(key), 9);
}
