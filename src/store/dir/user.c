/* SPDX-License-Identifier: ISC */
/*
 * user.c - users: add, list, change, remove and bring back.
 *
 * A removed user's login is free at once; the account and its mail stay for
 * the undelete window, under the account's number.
 */
#include "store/dir/dir_internal.h"

#define DAY_S (24 * 3600)

/* --- adding ------------------------------------------------------------------- */

static struct verdict
next_account(struct dir_change *c, uint64_t *ret)
{
	struct dir_key key = dir_key('G', STR(""));
	uint64_t next = 1;
	struct str val;
	int r = engine_get(c->d->engine, DIR_SHARD, dir_key_str(&key), &val);

	if (r < 0)
		return verdict_engine(r);
	if (r == 1 && !counter_record_decode(val, &next))
		return verdict_engine(ENGINE_CORRUPT);
	counter_record_encode(&c->val, next + 1);
	dir_change_put(c, key);
	*ret = next;
	return VERDICT_DONE;
}

static void
put_user(struct dir_change *c, struct str login, const struct user_record *r)
{
	user_record_encode(&c->val, r);
	dir_change_put(c, dir_key('U', login));
}

static void
put_verifier(
    struct dir_change *c, uint64_t account, const struct verifier_record *r)
{
	verifier_record_encode(&c->val, r);
	dir_change_put(c, dir_key_account('V', account));
}

/* 0: as configured; all ones: no limit. */
static uint64_t
limit(uint64_t asked, uint64_t configured)
{
	if (asked == 0)
		return configured;
	return asked == UINT64_MAX ? 0 : asked;
}

static struct verdict
add_user(struct dir_change *c, struct str login, const struct msg_user_add *q)
{
	struct dir *d = c->d;
	struct user_record user = { .created = dir_now(d) };
	struct verifier_record verifier = {
		.login = login,
		.argon2 = q->argon2,
		.scram_sha256 = q->scram_sha256,
	};
	struct mail_quota quota = {
		limit(q->bytes_limit, d->config.quota.bytes_limit),
		limit(q->messages_limit, d->config.quota.messages_limit),
	};
	struct verdict v = dir_is_free(d, login);

	if (verdict_is_done(v))
		v = dir_count(c, address_domain(login), 1, 0);
	if (verdict_is_done(v))
		v = next_account(c, &user.account);
	if (!verdict_is_done(v))
		return v;
	put_user(c, login, &user);
	put_verifier(c, user.account, &verifier);
	mail_account_create(d->config.mail, c->b, user.account, quota);
	return VERDICT_DONE;
}

/* Commit what v agreed to. */
static struct verdict
finish(struct dir_change *c, struct verdict v)
{
	if (verdict_is_done(v))
		return dir_change_commit(c);
	dir_change_abort(c);
	return v;
}

struct verdict
dir_user_add(struct dir *d, const struct msg_user_add *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct dir_change c;
	struct verdict v;

	if (!address_clean(q->login, &clean) ||
	    !address_is_plain(buf_str(&clean)) ||
	    q->argon2.n > DIR_VERIFIER_MAX ||
	    q->scram_sha256.n > DIR_VERIFIER_MAX) {
		buf_done(&clean);
		return verdict_permfail(REASON_NAME);
	}
	c = dir_change_begin(d);
	v = finish(&c, add_user(&c, buf_str(&clean), q));
	buf_done(&clean);
	return v;
}

/* --- changing ----------------------------------------------------------------- */

struct verdict
dir_user_passwd(struct dir *d, const struct msg_user_passwd *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct verifier_record r = {
		.argon2 = q->argon2,
		.scram_sha256 = q->scram_sha256,
		.crypt = q->crypt,
	};
	struct dir_change c;
	uint64_t account;
	struct verdict v = dir_account(d, q->login, &account);

	if (verdict_is_done(v) &&
	    (q->argon2.n > DIR_VERIFIER_MAX || q->crypt.n > DIR_VERIFIER_MAX ||
		q->scram_sha256.n > DIR_VERIFIER_MAX))
		v = verdict_permfail(REASON_TOO_BIG);
	if (verdict_is_done(v) && address_clean(q->login, &clean)) {
		r.login = buf_str(&clean);
		c = dir_change_begin(d);
		put_verifier(&c, account, &r);
		v = dir_change_commit(&c);
	}
	buf_done(&clean);
	return v;
}

static struct verdict
get_quota(struct dir *d, uint64_t account, struct mail_quota *ret)
{
	struct buf b = BUF_INIT(KIB(1));
	struct msg_quota_reply now;
	struct verdict v = mail_quota(d->config.mail, account, &b);

	if (verdict_is_done(v) && !msg_quota_reply_get(buf_str(&b), &now))
		v = verdict_permfail(REASON_INTERNAL);
	if (verdict_is_done(v))
		*ret =
		    (struct mail_quota){ now.bytes_limit, now.messages_limit };
	buf_done(&b);
	return v;
}

struct verdict
dir_user_quota(struct dir *d, const struct msg_user_quota *q)
{
	struct mail_quota quota = { 0 };
	uint64_t account;
	struct verdict v = dir_account(d, q->login, &account);

	if (verdict_is_done(v))
		v = get_quota(d, account, &quota);
	if (q->sets_bytes)
		quota.bytes_limit = q->bytes_limit;
	if (q->sets_messages)
		quota.messages_limit = q->messages_limit;
	if (verdict_is_done(v))
		v = mail_account_quota(d->config.mail, account, quota);
	d->position = engine_position(d->engine);
	return v;
}

/* --- removing and bringing back --------------------------------------------------- */

struct verdict
dir_user_remove(struct dir *d, const struct msg_name *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct removed_record removed = { .removed = dir_now(d) };
	struct user_record user;
	struct dir_change c;
	struct verdict v;
	int r = address_clean(q->name, &clean)
	            ? dir_get_user(d, buf_str(&clean), &user)
	            : 0;

	if (r <= 0) {
		buf_done(&clean);
		return r < 0 ? verdict_engine(r)
		             : verdict_not_found(REASON_NO_USER);
	}
	c = dir_change_begin(d);
	v = dir_count(&c, address_domain(buf_str(&clean)), -1, 0);
	removed.login = buf_str(&clean);
	removed.created = user.created;
	removed_record_encode(&c.val, &removed);
	dir_change_put(&c, dir_key_account('X', user.account));
	dir_change_del(&c, dir_key('U', buf_str(&clean)));
	v = finish(&c, v);
	buf_done(&clean);
	return v;
}

struct removed_scan {
	struct str login; /* empty: every one */
	uint64_t account, created, removed;
	uint64_t before; /* removed before that */
	bool is_found;
	struct buf *items; /* for the list */
	size_t n;
	struct str filter;
};

static int
scan_removed(struct dir *d, engine_scan_fn fn, struct removed_scan *s)
{
	struct dir_key from = dir_key('X', STR("")), to = dir_key('Y', STR(""));
	struct engine_range range = {
		.shard = DIR_SHARD,
		.from = dir_key_str(&from),
		.to = dir_key_str(&to),
	};

	return engine_scan(d->engine, &range, fn, s);
}

static bool
read_removed(struct str key, struct str val, uint64_t *ret_account,
    struct removed_record *ret)
{
	if (key.n != 9 || !removed_record_decode(val, ret))
		return false;
	*ret_account = be64_get(key.p + 1);
	return true;
}

/* The last one of that login: account numbers grow. */
static int
find_login(void *arg, struct str key, struct str val)
{
	struct removed_scan *s = arg;
	struct removed_record r;
	uint64_t account;

	if (read_removed(key, val, &account, &r) && str_eq(r.login, s->login)) {
		s->is_found = true;
		s->account = account;
		s->created = r.created;
	}
	return 0;
}

static struct verdict
restore(struct dir *d, const struct removed_scan *s)
{
	struct user_record user = { s->account, s->created };
	struct dir_change c = dir_change_begin(d);
	struct verdict v = dir_is_free(d, s->login);

	if (verdict_is_done(v))
		v = dir_count(&c, address_domain(s->login), 1, 0);
	put_user(&c, s->login, &user);
	dir_change_del(&c, dir_key_account('X', s->account));
	return finish(&c, v);
}

struct verdict
dir_user_undelete(struct dir *d, const struct msg_name *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct removed_scan s = { 0 };
	struct verdict v;
	int r = 0;

	if (address_clean(q->name, &clean)) {
		s.login = buf_str(&clean);
		r = scan_removed(d, find_login, &s);
	}
	if (r < 0)
		v = verdict_engine(r);
	else if (!s.is_found)
		v = verdict_not_found(REASON_NO_USER);
	else
		v = restore(d, &s);
	buf_done(&clean);
	return v;
}

static int
find_old(void *arg, struct str key, struct str val)
{
	struct removed_scan *s = arg;
	struct removed_record r;

	s->is_found =
	    read_removed(key, val, &s->account, &r) && r.removed < s->before;
	return s->is_found;
}

struct verdict
dir_purge_step(struct dir *d)
{
	uint64_t window = (uint64_t)d->config.undelete_days * DAY_S;
	uint64_t now = dir_now(d);
	struct removed_scan s = { .before = now > window ? now - window : 0 };
	bool is_gone = false;
	struct dir_change c;
	struct verdict v;
	int r = scan_removed(d, find_old, &s);

	if (r < 0)
		return verdict_engine(r);
	if (!s.is_found)
		return VERDICT_DONE;
	v = mail_account_purge(d->config.mail, s.account, &is_gone);
	if (!verdict_is_done(v) || !is_gone)
		return v;
	c = dir_change_begin(d);
	dir_change_del(&c, dir_key_account('X', s.account));
	dir_change_del(&c, dir_key_account('V', s.account));
	return dir_change_commit(&c);
}

bool
dir_is_checked(struct dir *d, uint64_t account)
{
	uint64_t window = (uint64_t)d->config.undelete_days * DAY_S;
	struct dir_key key = dir_key_account('X', account);
	struct removed_record removed;
	struct str val;
	int r = engine_get(d->engine, DIR_SHARD, dir_key_str(&key), &val);

	/* One that is being purged is not whole any more. */
	return r != 1 || !removed_record_decode(val, &removed) ||
	       removed.removed + window >= dir_now(d);
}

/* --- listing ------------------------------------------------------------------------- */

static struct verdict
put_item(struct dir *d, struct buf *items, struct msg_user *item)
{
	struct msg_quota_reply quota;
	struct verdict v = mail_account_info(
	    d->config.mail, item->account, &quota, &item->mailboxes);

	if (v.outcome == NOT_FOUND)
		return verdict_engine(ENGINE_CORRUPT);
	if (!verdict_is_done(v))
		return v;
	item->bytes = quota.bytes;
	item->bytes_limit = quota.bytes_limit;
	item->messages = quota.messages;
	item->messages_limit = quota.messages_limit;
	msg_user_put(items, item);
	return VERDICT_DONE;
}

static int
list_removed_one(void *arg, struct str key, struct str val)
{
	struct removed_scan *s = arg;
	struct msg_user item = { 0 };
	struct removed_record r;

	if (!read_removed(key, val, &item.account, &r) ||
	    (s->filter.n && str_search_case(r.login, s->filter) < 0))
		return 0;
	item.login = r.login;
	item.created = r.created;
	item.removed = r.removed;
	msg_user_put(s->items, &item);
	return ++s->n == DIR_REMOVED_MAX;
}

static struct verdict
list_users(struct dir *d, const struct msg_list *q, struct buf *items,
    uint8_t *ret_more)
{
	struct dir_page page = { .max = DIR_PAGE, .filter = q->filter };
	struct verdict v = dir_page_read(d, 'U', q->after, &page);

	for (size_t i = 0; i < page.n && verdict_is_done(v); i++) {
		struct msg_user item = { .login = str_c(page.v[i].name) };
		struct user_record r;

		if (!user_record_decode(
			str_make(page.v[i].val, page.v[i].val_n), &r)) {
			v = verdict_engine(ENGINE_CORRUPT);
			break;
		}
		item.account = r.account;
		item.created = r.created;
		v = put_item(d, items, &item);
	}
	*ret_more = page.has_more;
	dir_page_done(&page);
	return v;
}

struct verdict
dir_user_list(struct dir *d, const struct msg_list *q, struct buf *out)
{
	struct msg_list_reply reply = { 0 };
	struct buf items = BUF_INIT(MAIL_REPLY_MAX);
	struct removed_scan s = { .items = &items, .filter = q->filter };
	struct verdict v = VERDICT_DONE;

	if (q->is_removed) {
		int r = scan_removed(d, list_removed_one, &s);

		if (r < 0)
			v = verdict_engine(r);
	} else {
		v = list_users(d, q, &items, &reply.has_more);
	}
	if (verdict_is_done(v)) {
		reply.items = buf_str(&items);
		msg_list_reply_put(out, &reply);
	}
	buf_done(&items);
	return v;
}

static int
count_one(void *arg, UNUSED struct str key, struct str val)
{
	struct domain_record r;

	if (domain_record_decode(val, &r))
		*(uint64_t *)arg += r.users;
	return 0;
}

uint64_t
dir_user_count(struct dir *d)
{
	struct dir_key from = dir_key('D', STR("")), to = dir_key('E', STR(""));
	struct engine_range range = {
		.shard = DIR_SHARD,
		.from = dir_key_str(&from),
		.to = dir_key_str(&to),
	};
	uint64_t n = 0;

	return engine_scan(d->engine, &range, count_one, &n) < 0 ? 0 : n;
}
