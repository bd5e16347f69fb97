/* SPDX-License-Identifier: ISC */
/*
 * dir.c - records of the directory, its changes, and looking up addresses.
 */
#include "store/dir/dir_internal.h"

struct dir *
dir_new(const struct dir_config *config)
{
	struct dir *d = X_NEW(struct dir);

	d->config = *config;
	d->engine = config->engine;
	d->position = engine_position(config->engine);
	return d;
}

void
dir_free(struct dir *d)
{
	free(d);
}

void
dir_set_limits(struct dir *d, struct mail_quota quota, uint32_t undelete_days)
{
	d->config.quota = quota;
	d->config.undelete_days = undelete_days;
}

void
dir_set_dkim(struct dir *d, struct dir_dkim_times times)
{
	d->config.dkim = times;
	d->ages.is_due = true;
}

uint64_t
dir_position(const struct dir *d)
{
	return d->position;
}

/* --- records -------------------------------------------------------------------- */

struct dir_key
dir_key(char kind, struct str name)
{
	struct dir_key k = { .b = { kind }, .n = 1 + name.n };

	ASSERT(k.n <= sizeof(k.b));
	if (name.n)
		memcpy(k.b + 1, name.p, name.n);
	return k;
}

struct dir_key
dir_key_account(char kind, uint64_t account)
{
	struct dir_key k = { .b = { kind }, .n = 9 };

	be64_put(k.b + 1, account);
	return k;
}

static int
get(struct dir *d, char kind, struct str name, struct str *ret)
{
	struct dir_key k;

	if (name.n > ADDRESS_MAX)
		return 0;
	k = dir_key(kind, name);
	return engine_get(d->engine, DIR_SHARD, dir_key_str(&k), ret);
}

int
dir_get_domain(struct dir *d, struct str domain, struct domain_record *ret)
{
	struct str val;
	int r = get(d, 'D', domain, &val);

	return r == 1 && !domain_record_decode(val, ret) ? ENGINE_CORRUPT : r;
}

int
dir_get_user(struct dir *d, struct str login, struct user_record *ret)
{
	struct str val;
	int r = get(d, 'U', login, &val);

	return r == 1 && !user_record_decode(val, ret) ? ENGINE_CORRUPT : r;
}

int
dir_get_alias(struct dir *d, struct str address, struct alias_record *ret)
{
	struct str val;
	int r = get(d, 'A', address, &val);

	return r == 1 && !alias_record_decode(val, ret) ? ENGINE_CORRUPT : r;
}

struct dir_change
dir_change_begin(struct dir *d)
{
	struct dir_change c = { .d = d, .b = engine_batch_new(d->engine) };

	buf_init(&c.val, ENGINE_VALUE_MAX);
	return c;
}

void
dir_change_put(struct dir_change *c, struct dir_key key)
{
	batch_put(c->b, DIR_SHARD, dir_key_str(&key), buf_str(&c->val));
	buf_reset(&c->val, c->val.cap);
}

void
dir_change_del(struct dir_change *c, struct dir_key key)
{
	batch_del(c->b, DIR_SHARD, dir_key_str(&key));
}

struct verdict
dir_change_commit(struct dir_change *c)
{
	int r = engine_commit(c->d->engine, TAKE_PTR(c->b), NULL, NULL);

	buf_done(&c->val);
	if (r < 0)
		return verdict_engine(r);
	c->d->position = engine_position(c->d->engine);
	return VERDICT_DONE;
}

void
dir_change_abort(struct dir_change *c)
{
	engine_batch_free(TAKE_PTR(c->b));
	buf_done(&c->val);
}

struct verdict
dir_is_free(struct dir *d, struct str address)
{
	struct user_record user;
	struct alias_record alias;
	int r = dir_get_user(d, address, &user);

	if (r == 0)
		r = dir_get_alias(d, address, &alias);
	if (r < 0)
		return verdict_engine(r);
	return r ? verdict_permfail(REASON_EXISTS) : VERDICT_DONE;
}

struct verdict
dir_count(struct dir_change *c, struct str domain, int users, int aliases)
{
	struct domain_record r;
	int got = dir_get_domain(c->d, domain, &r);

	if (got < 0)
		return verdict_engine(got);
	if (got == 0)
		return verdict_not_found(REASON_NO_DOMAIN);
	r.users += (uint32_t)users;
	r.aliases += (uint32_t)aliases;
	domain_record_encode(&c->val, &r);
	dir_change_put(c, dir_key('D', domain));
	return VERDICT_DONE;
}

/* --- pages of lists ---------------------------------------------------------------- */

static int
add_item(void *arg, struct str key, struct str val)
{
	struct dir_page *page = arg;
	struct str name = str_from(key, 1);

	if (page->filter.n && str_search_case(name, page->filter) < 0)
		return 0;
	if (page->n == page->max) {
		page->has_more = true;
		return 1;
	}
	page->v = x_grow(page->v, &page->cap, page->n + 1, sizeof(*page->v));
	page->v[page->n++] =
	    (struct dir_item){ str_dup(name), str_dup(val), val.n };
	return 0;
}

struct verdict
dir_page_read(struct dir *d, char kind, struct str after, struct dir_page *page)
{
	struct dir_key from, to = dir_key((char)(kind + 1), STR(""));
	struct engine_range range = { .shard = DIR_SHARD };
	int r;

	from = dir_key(kind, str_first(after, ADDRESS_MAX));
	if (after.n)
		from.b[from.n++] = '\0';
	range.from = dir_key_str(&from);
	range.to = dir_key_str(&to);
	r = engine_scan(d->engine, &range, add_item, page);
	if (r >= 0)
		return VERDICT_DONE;
	dir_page_done(page);
	return verdict_engine(r);
}

void
dir_page_done(struct dir_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		free(page->v[i].name);
		free(page->v[i].val);
	}
	free(page->v);
	*page = (struct dir_page){ 0 };
}
