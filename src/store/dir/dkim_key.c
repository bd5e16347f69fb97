/* SPDX-License-Identifier: ISC */
/*
 * dkim_key.c - DKIM keys of our domains: add, activate, rotate, remove.
 *
 * Keys are made by the command line: making one takes longer than the store's
 * thread may be busy. What changes by itself at some time is found by keys
 * "T time domain", so that the step that looks for it costs nothing while
 * nothing is due, with any number of domains.
 *
 * Private keys leave through dir_dkim_keys() alone.
 */
#include "store/dir/dir_internal.h"
#include "store/dir/dkim_record.h"

#define LIST_BYTES KIB(512) /* of one page, about */
#define STEP_MAX   64       /* domains of one step */

/* The keys of a domain, and when they were to change as they are on disk. */
struct keyset {
	struct buf bytes; /* which the record points into */
	struct dkim_record r;
	uint64_t was_due;
};

static void
keyset_done(struct keyset *k)
{
	buf_done_secret(&k->bytes);
}

static struct dir_key
due_key(uint64_t due, struct str domain)
{
	struct dir_key k = dir_key_account('T', due);

	ASSERT(k.n + domain.n <= sizeof(k.b));
	memcpy(k.b + k.n, domain.p, domain.n);
	k.n += domain.n;
	return k;
}

/* None at all is fine, too: domains are older than their keys. */
static struct verdict
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
	return VERDICT_DONE;
}

static void
keyset_save(struct dir_change *c, struct str domain, const struct keyset *k)
{
	uint64_t due = dkim_record_due(&k->r);

	if (k->was_due && due != k->was_due)
		dir_change_del(c, due_key(k->was_due, domain));
	if (due && due != k->was_due)
		dir_change_put(c, due_key(due, domain));
	if (k->r.n == 0) {
		dir_change_del(c, dir_key('S', domain));
		return;
	}
	dkim_record_encode(&c->val, &k->r);
	dir_change_put(c, dir_key('S', domain));
}

/* The domain in its one form and its keys; the caller ends both in any case. */
static struct verdict
open_domain(struct dir *d, struct str name, struct buf *clean, struct keyset *k)
{
	struct domain_record r;
	int got = 0;

	*clean = BUF_INIT(DOMAIN_MAX);
	*k = (struct keyset){ 0 };
	if (domain_clean(name, clean))
		got = dir_get_domain(d, buf_str(clean), &r);
	if (got < 0)
		return verdict_engine(got);
	if (got == 0)
		return verdict_not_found(REASON_NO_DOMAIN);
	return keyset_load(d, buf_str(clean), k);
}

/* --- changes ---------------------------------------------------------------------- */

/*
 * One more key. The first one of a kind signs at once: a signature whose key
 * is not in DNS yet is worth as much as none (RFC 6376 section 6.1).
 */
static struct verdict
add_key(struct dir *d, struct dkim_record *r, const struct msg_dkim_new *q,
    bool is_rotation)
{
	uint64_t now = dir_now(d);
	struct dkim_entry e = { .selector = q->selector,
		.kind = q->kind,
		.state = DKIM_STATE_PUBLISHED,
		.created = now,
		.record = q->record,
		.pem = q->pem };

	if (!dkim_entry_is_valid(&e))
		return verdict_permfail(REASON_NAME);
	if (dkim_record_find(r, e.selector))
		return verdict_permfail(REASON_EXISTS);
	if (r->n == DKIM_KEYS_MAX)
		return verdict_permfail(REASON_LIMIT);
	if (is_rotation)
		e.changes_at = now + d->config.dkim.wait_s;
	r->v[r->n++] = e;
	if (!dkim_record_signs(r, e.kind))
		dkim_record_activate(r, r->n - 1, now, d->config.dkim.keep_s);
	return VERDICT_DONE;
}

static struct verdict
add_keys(struct dir *d, struct dkim_record *r, struct str list, bool rotation)
{
	struct wire w = wire_read(list);
	struct verdict v = VERDICT_DONE;
	struct msg_dkim_new q;

	while (w.in.n && verdict_is_done(v)) {
		if (!msg_dkim_new_read(&w, &q))
			return verdict_permfail(REASON_INTERNAL);
		v = add_key(d, r, &q, rotation);
	}
	return v;
}

struct verdict
dir_dkim_first(struct dir_change *c, struct str domain, struct str list)
{
	struct keyset k;
	struct verdict v = keyset_load(c->d, domain, &k);

	if (verdict_is_done(v))
		v = add_keys(c->d, &k.r, list, false);
	if (verdict_is_done(v) && k.r.n)
		keyset_save(c, domain, &k);
	keyset_done(&k);
	return v;
}

struct verdict
dir_dkim_drop(struct dir_change *c, struct str domain)
{
	struct keyset k;
	struct verdict v = keyset_load(c->d, domain, &k);

	if (verdict_is_done(v) && k.r.n) {
		k.r.n = 0;
		keyset_save(c, domain, &k);
	}
	keyset_done(&k);
	return v;
}

void
dir_dkim_changed(struct dir *d, struct str domain)
{
	d->ages.is_due = true;
	if (d->config.keys_changed)
		d->config.keys_changed(d->config.arg, domain);
}

static struct verdict
commit(struct dir *d, struct str domain, const struct keyset *k)
{
	struct dir_change c = dir_change_begin(d);
	struct verdict v;

	keyset_save(&c, domain, k);
	v = dir_change_commit(&c);
	if (verdict_is_done(v))
		dir_dkim_changed(d, domain);
	return v;
}

struct verdict
dir_dkim_add(struct dir *d, const struct msg_dkim_add *q)
{
	struct buf domain;
	struct keyset k;
	struct verdict v = open_domain(d, q->domain, &domain, &k);

	if (verdict_is_done(v) && q->keys.n == 0)
		v = verdict_permfail(REASON_INTERNAL);
	if (verdict_is_done(v))
		v = add_keys(d, &k.r, q->keys, q->is_rotation);
	if (verdict_is_done(v))
		v = commit(d, buf_str(&domain), &k);
	keyset_done(&k);
	buf_done(&domain);
	return v;
}

struct verdict
dir_dkim_change(struct dir *d, const struct msg_dkim_change *q)
{
	struct buf domain;
	struct keyset k;
	struct verdict v = open_domain(d, q->domain, &domain, &k);
	struct dkim_entry *e =
	    verdict_is_done(v) ? dkim_record_find(&k.r, q->selector) : NULL;

	if (verdict_is_done(v) && !e)
		v = verdict_not_found(REASON_NONE);
	else if (e && q->action == DKIM_REMOVE && !q->is_forced &&
		 e->state == DKIM_STATE_ACTIVE)
		v = verdict_permfail(REASON_FORBIDDEN);
	else if (e && q->action == DKIM_REMOVE)
		dkim_record_remove(&k.r, (size_t)(e - k.r.v));
	else if (e && e->state != DKIM_STATE_ACTIVE)
		dkim_record_activate(&k.r, (size_t)(e - k.r.v), dir_now(d),
		    d->config.dkim.keep_s);
	if (verdict_is_done(v))
		v = commit(d, buf_str(&domain), &k);
	keyset_done(&k);
	buf_done(&domain);
	return v;
}

/* --- what happens by itself --------------------------------------------------------- */

struct due_scan {
	uint64_t now;
	struct dir_key v[STEP_MAX];
	size_t n;
};

static int
find_due(void *arg, struct str key, UNUSED struct str val)
{
	struct due_scan *s = arg;
	struct dir_key *k = &s->v[s->n];

	if (key.n <= 9 || key.n > sizeof(k->b) || be64_get(key.p + 1) > s->now)
		return 1;
	memcpy(k->b, key.p, key.n);
	k->n = key.n;
	return ++s->n == STEP_MAX;
}

static struct verdict
advance(struct dir *d, const struct dir_key *due)
{
	struct str domain = str_from(dir_key_str(due), 9);
	struct dir_change c = dir_change_begin(d);
	struct keyset k;
	struct verdict v = keyset_load(d, domain, &k);

	if (!verdict_is_done(v)) {
		dir_change_abort(&c);
	} else {
		/* Whatever the keys say: this time has come once. */
		dir_change_del(&c, *due);
		(void)dkim_record_advance(
		    &k.r, dir_now(d), d->config.dkim.keep_s);
		keyset_save(&c, domain, &k);
		v = dir_change_commit(&c);
	}
	if (verdict_is_done(v))
		dir_dkim_changed(d, domain);
	keyset_done(&k);
	return v;
}

struct verdict
dir_dkim_step(struct dir *d)
{
	struct due_scan s = { .now = dir_now(d) };
	struct dir_key from = dir_key('T', STR("")), to = dir_key('U', STR(""));
	struct engine_range range = {
		.shard = DIR_SHARD,
		.from = dir_key_str(&from),
		.to = dir_key_str(&to),
	};
	struct verdict worst = VERDICT_DONE;
	int r = engine_scan(d->engine, &range, find_due, &s);

	if (r < 0)
		return verdict_engine(r);
	/* One that cannot be read does not stop the others. */
	for (size_t i = 0; i < s.n; i++) {
		struct verdict v = advance(d, &s.v[i]);

		if (!verdict_is_done(v))
			worst = v;
	}
	return worst;
}

/* --- looking ------------------------------------------------------------------------ */

struct list_scan {
	struct buf items;
	bool is_damaged;
	uint64_t now;
	uint32_t rotate_s;
};

static void
put_rows(struct list_scan *s, struct str domain, const struct dkim_record *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct dkim_entry *e = &r->v[i];

		msg_dkim_row_put(&s->items,
		    &(struct msg_dkim_row){ .domain = domain,
			.selector = e->selector,
			.kind = e->kind,
			.state = e->state,
			.created = e->created,
			.changes_at = e->changes_at,
			.activated = e->activated,
			.retired = e->retired,
			.record = e->record,
			.is_old =
			    dkim_record_is_old(r, i, s->now, s->rotate_s) });
	}
}

static int
list_one(void *arg, struct str key, struct str val)
{
	struct list_scan *s = arg;
	struct dkim_record r;

	if (!dkim_record_decode(val, &r)) {
		s->is_damaged = true;
		return 1;
	}
	put_rows(s, str_from(key, 1), &r);
	return s->items.n > LIST_BYTES;
}

static struct verdict
list_all(struct dir *d, struct str after, struct list_scan *s, bool *ret_more)
{
	struct dir_key from = dir_key('S', str_first(after, DOMAIN_MAX));
	struct dir_key to = dir_key('T', STR(""));
	struct engine_range range = { .shard = DIR_SHARD };
	int r;

	if (after.n)
		from.b[from.n++] = '\0';
	range.from = dir_key_str(&from);
	range.to = dir_key_str(&to);
	r = engine_scan(d->engine, &range, list_one, s);
	*ret_more = r == 1;
	if (r < 0 || s->is_damaged)
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	return VERDICT_DONE;
}

static struct verdict
list_domain(struct dir *d, struct str name, struct list_scan *s)
{
	struct buf domain;
	struct keyset k;
	struct verdict v = open_domain(d, name, &domain, &k);

	if (verdict_is_done(v))
		put_rows(s, buf_str(&domain), &k.r);
	keyset_done(&k);
	buf_done(&domain);
	return v;
}

struct verdict
dir_dkim_list(struct dir *d, const struct msg_dkim_list *q, struct buf *out)
{
	struct list_scan s = { .items = BUF_INIT(MAIL_REPLY_MAX),
		.now = dir_now(d),
		.rotate_s = d->config.dkim.rotate_s };
	bool has_more = false;
	struct verdict v = q->domain.n ? list_domain(d, q->domain, &s)
	                               : list_all(d, q->after, &s, &has_more);

	if (verdict_is_done(v))
		msg_list_reply_put(
		    out, &(struct msg_list_reply){ .items = buf_str(&s.items),
			     .has_more = has_more });
	buf_done(&s.items);
	return v;
}

struct verdict
dir_dkim_keys(struct dir *d, const struct msg_dkim_keys_get *q, struct buf *out)
{
	struct buf domain, items = BUF_INIT(MAIL_REPLY_MAX);
	struct keyset k;
	struct verdict v = open_domain(d, q->domain, &domain, &k);

	for (size_t i = 0; i < k.r.n && verdict_is_done(v); i++)
		if (k.r.v[i].state == DKIM_STATE_ACTIVE)
			msg_dkim_key_put(
			    &items, &(struct msg_dkim_key){ k.r.v[i].selector,
					k.r.v[i].kind, k.r.v[i].pem });
	if (verdict_is_done(v))
		msg_list_reply_put(
		    out, &(struct msg_list_reply){ .items = buf_str(&items) });
	buf_done_secret(&items);
	keyset_done(&k);
	buf_done(&domain);
	return v;
}
