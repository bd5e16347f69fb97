/* SPDX-License-Identifier: ISC */
/*
 * dkim_age.c - how many domains sign with keys that are old, so that nobody forgets to
 * replace them, or have some that are not in DNS.
 *
 * A walk through all keys, some hundred domains a step: the store has other work. It begins
 * with the start, when an hour is over, and when keys or the settings that count have
 * changed. What another setting, or an older version, has left as it should not be, is mended
 * by the way.
 */
#include "store/dir/dkim_keyset.h"
#include "store/dir/dkim_seen.h"

#define STEP_DOMAINS 256
#define WALK_EVERY_S 3600

struct step {
	struct dir *d;
	uint64_t now;
	size_t n;
	struct buf unsettled; /* domains, one vstr each */
};

static bool
is_old(const struct step *s, const struct dkim_record *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (dkim_record_is_old(
			r, i, s->now, s->d->config.dkim.rotate_s))
			return true;
	return false;
}

/* What cannot be read, the check tells of, and who signs with it. */
static int
count_one(void *arg, struct str key, struct str val)
{
	struct step *s = arg;
	struct dkim_ages *a = &s->d->ages;
	struct dkim_record r;
	bool is_read = dkim_record_decode(val, &r);

	key = str_first(str_from(key, 1), sizeof(a->after));
	if (is_read) {
		a->counted += is_old(s, &r);
		a->counted_unpublished +=
		    dkim_record_is_unpublished(&r, s->now);
		if (dkim_record_settle(&r, s->now, &s->d->config.dkim))
			wire_put_vstr(&s->unsettled, key);
	}
	memcpy(a->after, key.p, key.n);
	a->n_after = key.n;
	return ++s->n == STEP_DOMAINS;
}

static bool
begin(struct dkim_ages *a, uint64_t now)
{
	if (a->is_walking)
		return true;
	if (!a->is_due && now < a->next_at)
		return false;
	a->is_walking = true;
	a->is_due = false;
	a->n_after = 0;
	a->counted = a->counted_unpublished = 0;
	a->next_at = now + WALK_EVERY_S;
	return true;
}

/* Behind the scan: it does not bear changes. */
static struct verdict
settle(struct step *s)
{
	struct wire w = wire_read(buf_str(&s->unsettled));
	struct verdict worst = VERDICT_DONE;

	while (w.in.n > 0) {
		struct verdict v = dkim_settle(s->d, wire_get_vstr(&w));

		if (!verdict_is_done(v))
			worst = v;
	}
	buf_done(&s->unsettled);
	return worst;
}

struct verdict
dir_dkim_age_step(struct dir *d)
{
	struct dkim_ages *a = &d->ages;
	struct step s = { .d = d,
		.now = dir_now(d),
		.unsettled = BUF_INIT(STEP_DOMAINS * (DOMAIN_MAX + 8)) };
	struct verdict v;
	struct dir_key from, to = dir_key('T', STR(""));
	struct engine_range range = { .shard = DIR_SHARD };
	int r;

	if (!begin(a, s.now))
		return VERDICT_DONE;
	from = dir_key('S', str_make(a->after, a->n_after));
	if (a->n_after > 0)
		from.b[from.n++] = '\0';
	range.from = dir_key_str(&from);
	range.to = dir_key_str(&to);
	r = engine_scan(d->engine, &range, count_one, &s);
	v = settle(&s);
	if (r == 1)
		return v;
	a->is_walking = false;
	if (r < 0)
		return verdict_engine(r);
	a->old = a->counted;
	a->unpublished = a->counted_unpublished;
	return v;
}

uint64_t
dir_dkim_old(const struct dir *d)
{
	return d->ages.old;
}

uint64_t
dir_dkim_unpublished(const struct dir *d)
{
	return d->ages.unpublished;
}
