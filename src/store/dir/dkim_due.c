/* SPDX-License-Identifier: ISC */
/*
 * dkim_due.c - what happens to DKIM keys by itself: they are looked for in DNS, begin to
 * sign, and go.
 *
 * The store asks nobody in DNS. It says which keys are to be looked for, and is told what
 * there is of them.
 */
#include "store/dir/dkim_keyset.h"
#include "store/dir/dkim_seen.h"

/* Of one key in a list of dkim_sought. */
#define SOUGHT_BYTES (DOMAIN_MAX + DKIM_SELECTOR_MAX + DKIM_KEY_RECORD_MAX + 16)

static void
tell(struct dir *d, struct str domain, const struct dkim_entry *e,
    enum dkim_turn turn)
{
	if (d->config.key_turned)
		d->config.key_turned(
		    d->config.arg, domain, e->selector, turn, e->found);
}

static bool
is_new_signer(struct dkim_record *was, const struct dkim_entry *e)
{
	const struct dkim_entry *before = dkim_record_find(was, e->selector);

	return e->state == DKIM_STATE_ACTIVE &&
	       (!before || before->state != DKIM_STATE_ACTIVE);
}

static bool
has_new_signer(struct dkim_record *was, const struct dkim_record *is)
{
	for (size_t i = 0; i < is->n; i++)
		if (is_new_signer(was, &is->v[i]))
			return true;
	return false;
}

static void
tell_signers(struct dir *d, struct str domain, struct dkim_record *was,
    const struct dkim_record *is)
{
	for (size_t i = 0; i < is->n; i++)
		if (is_new_signer(was, &is->v[i]))
			tell(d, domain, &is->v[i], DKIM_TURN_SIGNS);
}

/* Commit what was made of a keyset by itself. */
static struct verdict
commit(struct dir *d, struct str domain, struct dkim_record *was,
    const struct keyset *k)
{
	struct verdict v = has_new_signer(was, &k->r)
	                       ? keyset_commit(d, domain, k)
	                       : keyset_commit_quietly(d, domain, k);

	if (!verdict_is_done(v))
		return v;
	/* What the walk counts is another number now. */
	d->ages.is_due |= dkim_record_is_unpublished(was, dir_now(d)) !=
	                  dkim_record_is_unpublished(&k->r, dir_now(d));
	return v;
}

/* --- times that have come ------------------------------------------------------------ */

static struct verdict
advance(struct dir *d, const struct dir_key *due)
{
	struct str domain = keyset_due_domain(due);
	const struct dir_dkim_times *t = &d->config.dkim;
	struct dir_change c = dir_change_begin(d);
	struct dkim_record was;
	struct keyset k;
	struct verdict v = keyset_load(d, domain, &k);

	if (!verdict_is_done(v)) {
		dir_change_abort(&c);
	} else {
		was = k.r;
		/* Whatever the keys say: this time has come once. */
		dir_change_del(&c, *due);
		(void)dkim_record_advance(
		    &k.r, dir_now(d), t->keep_s, t->checks);
		keyset_save(&c, domain, &k);
		v = dir_change_commit(&c);
	}
	if (verdict_is_done(v)) {
		dir_dkim_changed(d, domain);
		tell_signers(d, domain, &was, &k.r);
	}
	keyset_done(&k);
	return v;
}

struct verdict
dir_dkim_step(struct dir *d)
{
	struct verdict worst = VERDICT_DONE;
	struct keysets_due due;
	int r = keysets_due(d, 'T', &due);

	if (r < 0)
		return verdict_engine(r);
	/* One that cannot be read does not stop the others. */
	for (size_t i = 0; i < due.n; i++) {
		struct verdict v = advance(d, &due.v[i]);

		if (!verdict_is_done(v))
			worst = v;
	}
	return worst;
}

struct verdict
dkim_settle(struct dir *d, struct str domain)
{
	struct dkim_record was;
	struct keyset k;
	struct verdict v = keyset_load(d, domain, &k);

	was = k.r;
	if (verdict_is_done(v) &&
	    dkim_record_settle(&k.r, dir_now(d), &d->config.dkim))
		v = commit(d, domain, &was, &k);
	if (verdict_is_done(v))
		tell_signers(d, domain, &was, &k.r);
	keyset_done(&k);
	return v;
}

/* --- looking in DNS ------------------------------------------------------------------ */

/* The keys of a domain whose time has come, which is then a later one. */
static size_t
take_sought(struct keyset *k, struct str domain, uint64_t now, struct buf *to)
{
	size_t n = 0;

	for (size_t i = 0; i < k->r.n; i++) {
		const struct dkim_entry *e = &k->r.v[i];

		if (e->look_at == 0 || e->look_at > now)
			continue;
		msg_dkim_sought_put(to, &(struct msg_dkim_sought){
					    domain, e->selector, e->record });
		dkim_record_look(&k->r, i, now);
		n++;
	}
	return n;
}

static struct verdict
look_for(struct dir *d, const struct dir_key *due, struct buf *to, size_t *n)
{
	struct str domain = keyset_due_domain(due);
	struct dir_change c = dir_change_begin(d);
	struct keyset k;
	struct verdict v = keyset_load(d, domain, &k);

	if (!verdict_is_done(v)) {
		dir_change_abort(&c);
	} else {
		dir_change_del(&c, *due);
		*n += take_sought(&k, domain, dir_now(d), to);
		keyset_save(&c, domain, &k);
		v = dir_change_commit(&c);
	}
	keyset_done(&k);
	return v;
}

struct verdict
dir_dkim_look_step(struct dir *d, struct buf *to)
{
	struct verdict worst = VERDICT_DONE;
	struct keysets_due due;
	size_t n = 0, begin = to->n;
	int r;

	/* Those that wait nevertheless are settled by the walk. */
	if (!d->config.dkim.checks)
		return VERDICT_DONE;
	r = keysets_due(d, 'L', &due);
	if (r < 0)
		return verdict_engine(r);
	for (size_t i = 0;
	     i < due.n && n + DKIM_KEYS_MAX <= DKIM_LOOK_MAX &&
	     to->n - begin + DKIM_KEYS_MAX * SOUGHT_BYTES <= DIR_LOOK_BYTES;
	     i++) {
		struct verdict v = look_for(d, &due.v[i], to, &n);

		if (!verdict_is_done(v))
			worst = v;
	}
	return worst;
}

/* The key that was looked for: its name may be another's by now. */
static struct dkim_entry *
find_sought(struct dkim_record *r, const struct msg_dkim_sought *q)
{
	struct dkim_entry *e = dkim_record_find(r, q->selector);

	return e && str_eq(e->record, q->record) ? e : NULL;
}

struct verdict
dir_dkim_saw(struct dir *d, const struct msg_dkim_sought *q, uint8_t found)
{
	struct dkim_record was;
	struct dkim_entry *e;
	struct keyset k;
	unsigned turns = 0;
	struct verdict v = keyset_load(d, q->domain, &k);

	e = verdict_is_done(v) ? find_sought(&k.r, q) : NULL;
	if (e && d->config.dkim.checks) {
		was = k.r;
		turns = dkim_record_saw(&k.r, (size_t)(e - k.r.v), found,
		    dir_now(d), &d->config.dkim);
		v = commit(d, q->domain, &was, &k);
		if (!verdict_is_done(v))
			turns = 0;
		if (turns & DKIM_TURN_SEEN)
			tell(d, q->domain, e, DKIM_TURN_SEEN);
		if (turns & DKIM_TURN_LOST)
			tell(d, q->domain, e, DKIM_TURN_LOST);
		if (verdict_is_done(v))
			tell_signers(d, q->domain, &was, &k.r);
	}
	keyset_done(&k);
	return v;
}
