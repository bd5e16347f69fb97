/* SPDX-License-Identifier: ISC */
/*
 * dkim_key.c - DKIM keys of our domains: add, activate, rotate, remove, list.
 *
 * Keys are made by the command line: making one takes longer than the store's
 * thread may be busy. What happens to them by itself is in dkim_due.c.
 *
 * Private keys leave through dir_dkim_keys() alone.
 */
#include "store/dir/dkim_keyset.h"
#include "store/dir/dkim_seen.h"

#define LIST_BYTES KIB(512) /* of one page, about */

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

static struct verdict
add_key(struct dir *d, struct dkim_record *r, const struct msg_dkim_new *q,
    bool is_rotation)
{
	uint64_t now = dir_now(d);
	struct dkim_entry e = { .selector = q->selector,
		.kind = q->kind,
		.created = now,
		.record = q->record,
		.pem = q->pem };

	if (!dkim_entry_is_valid(&e))
		return verdict_permfail(REASON_NAME);
	if (dkim_record_find(r, e.selector))
		return verdict_permfail(REASON_EXISTS);
	if (r->n == DKIM_KEYS_MAX)
		return verdict_permfail(REASON_LIMIT);
	r->v[r->n++] = e;
	dkim_record_begin(r, r->n - 1, now, &d->config.dkim, is_rotation);
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
		v = keyset_commit(d, buf_str(&domain), &k);
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
		v = keyset_commit(d, buf_str(&domain), &k);
	keyset_done(&k);
	buf_done(&domain);
	return v;
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
			.is_old = dkim_record_is_old(r, i, s->now, s->rotate_s),
			.found = e->found,
			.looked = e->looked,
			.seen = e->seen });
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
