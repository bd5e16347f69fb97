/* SPDX-License-Identifier: ISC */
/*
 * resolve.c - from an address to accounts.
 *
 * Aliases may lead to aliases, in circles too if an administrator makes them
 * so: each alias is followed once, to a bounded depth.
 */
#include "proto/srs/srs.h"
#include "store/dir/dir_internal.h"
#include "store/queue/queue_record.h"

#define VISITS_MAX 1000 /* aliases followed for one address */
#define LOOK_MAX   KIB(1)

struct resolve {
	struct dir *d;
	struct dir_accounts *ret;
	char *visited[VISITS_MAX]; /* aliases followed already */
	size_t n_visited;
	bool is_loop;
};

static struct verdict resolve(
    struct resolve *r, struct str address, unsigned depth);

static struct verdict
add_account(struct dir_accounts *l, uint64_t account)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == account)
			return VERDICT_DONE;
	if (l->n == DIR_ACCOUNTS_MAX)
		return verdict_permfail(REASON_LIMIT);
	l->v[l->n++] = account;
	return VERDICT_DONE;
}

/* An alias leads to another server. */
static struct verdict
add_remote(struct dir_accounts *l, struct str address)
{
	struct wire w = wire_read(buf_str(&l->remote));

	if (!queue_address_is_ok(address))
		return verdict_permfail(REASON_NAME);
	for (size_t i = 0; i < l->n_remote; i++)
		if (str_eq(wire_get_vstr(&w), address))
			return VERDICT_DONE;
	if (l->n_remote == DIR_ACCOUNTS_MAX)
		return verdict_permfail(REASON_LIMIT);
	wire_put_vstr(&l->remote, address);
	l->n_remote++;
	return VERDICT_DONE;
}

struct dir_accounts *
dir_accounts_new(void)
{
	struct dir_accounts *a = X_NEW(struct dir_accounts);

	buf_init(
	    &a->remote, (size_t)DIR_ACCOUNTS_MAX * (QUEUE_ADDRESS_MAX + 8));
	return a;
}

void
dir_accounts_free(struct dir_accounts *a)
{
	buf_done(&a->remote);
	free(a);
}

/* True the first time. */
static bool
visit(struct resolve *r, struct str alias)
{
	for (size_t i = 0; i < r->n_visited; i++)
		if (str_eq(str_c(r->visited[i]), alias))
			return false;
	if (r->n_visited == VISITS_MAX)
		return false;
	r->visited[r->n_visited++] = str_dup(alias);
	return true;
}

static struct verdict
follow_alias(
    struct resolve *r, struct str alias, struct str targets, unsigned depth)
{
	CLEANUP(freep) char *copy = NULL;
	struct wire w;
	bool is_found = false;

	if (!visit(r, alias) || depth >= DIR_DEPTH_MAX) {
		r->is_loop = true;
		return verdict_permfail(REASON_LOOP);
	}
	/* The record dies with the next look-up. */
	copy = str_dup(targets);
	w = wire_read(str_make(copy, targets.n));
	while (w.in.n) {
		struct verdict v = resolve(r, wire_get_vstr(&w), depth + 1);

		if (v.outcome == TEMPFAIL || v.reason == REASON_LIMIT)
			return v;
		is_found |= verdict_is_done(v);
	}
	if (is_found)
		return VERDICT_DONE;
	return r->is_loop ? verdict_permfail(REASON_LOOP)
	                  : verdict_not_found(REASON_NO_USER);
}

/* An alias or user of exactly this address. */
static struct verdict
resolve_exact(struct resolve *r, struct str address, unsigned depth)
{
	struct alias_record alias;
	struct user_record user;
	int got = dir_get_user(r->d, address, &user);

	if (got < 0)
		return verdict_engine(got);
	if (got == 1)
		return add_account(r->ret, user.account);
	got = dir_get_alias(r->d, address, &alias);
	if (got < 0)
		return verdict_engine(got);
	if (got == 1)
		return follow_alias(r, address, alias.targets, depth);
	return verdict_not_found(REASON_NO_USER);
}

/* Without what follows the first plus. */
static struct verdict
resolve_base(struct resolve *r, struct str address, unsigned depth)
{
	struct str local = address_local(address);
	ptrdiff_t plus = str_find(local, '+');
	struct buf base = BUF_INIT(LOOK_MAX);
	struct verdict v;

	if (plus <= 0)
		return verdict_not_found(REASON_NO_USER);
	buf_put_str(&base, str_first(local, (size_t)plus));
	buf_put_str(&base, str_from(address, local.n));
	v = resolve_exact(r, buf_str(&base), depth);
	buf_done(&base);
	return v;
}

/* With a tag, too: that is what comes back of news (proto/status/status_bounce.h). */
static bool
is_reports(struct str local)
{
	struct str base;

	(void)str_split(local, '+', &base);
	return str_eq(base, STR(DIR_REPORTS));
}

/* address is clean. */
static struct verdict
resolve(struct resolve *r, struct str address, unsigned depth)
{
	struct domain_record domain;
	struct verdict v;
	int got = dir_get_domain(r->d, address_domain(address), &domain);

	if (got < 0)
		return verdict_engine(got);
	if (got == 0)
		return depth ? add_remote(r->ret, address)
		             : verdict_permfail(REASON_NOT_LOCAL);
	v = resolve_exact(r, address, depth);
	if (v.outcome == NOT_FOUND)
		v = resolve_base(r, address, depth);
	/* Whoever wants all other mail has not asked for reports. */
	if (is_reports(address_local(address))) {
		r->ret->is_reports |= depth == 0;
		return v.outcome == NOT_FOUND ? VERDICT_DONE : v;
	}
	if (v.outcome == NOT_FOUND)
		v = resolve_exact(
		    r, str_from(address, address_local(address).n), depth);
	return v;
}

struct verdict
dir_resolve(struct dir *d, struct str address, struct dir_accounts *ret)
{
	return dir_resolve_from(d, address, 0, ret);
}

struct verdict
dir_resolve_from(
    struct dir *d, struct str address, unsigned depth, struct dir_accounts *ret)
{
	struct resolve *r = X_NEW(struct resolve);
	struct buf clean = BUF_INIT(LOOK_MAX);
	struct verdict v;

	r->d = d;
	r->ret = ret;
	ret->n = ret->n_remote = 0;
	ret->is_reports = false;
	buf_reset(&ret->remote, ret->remote.cap);
	if (address_clean(address, &clean))
		v = resolve(r, buf_str(&clean), depth);
	else
		v = verdict_permfail(REASON_NOT_LOCAL);
	if (v.reason == REASON_NOT_LOCAL &&
	    !queue_address_clean(address, &clean))
		v = verdict_permfail(REASON_NAME);
	for (size_t i = 0; i < r->n_visited; i++)
		free(r->visited[i]);
	free(r);
	buf_done(&clean);
	return v;
}

bool
dir_is_remote(struct dir *d, struct str address)
{
	struct buf clean = BUF_INIT(LOOK_MAX);
	struct domain_record domain;
	bool is_remote =
	    !address_clean(address, &clean) ||
	    dir_get_domain(d, address_domain(buf_str(&clean)), &domain) == 0;

	buf_done(&clean);
	return is_remote;
}

/* Where a bounce goes back to; letters of another server's users keep their
 * case. */
static struct verdict
resolve_back(struct dir *d, struct str address, struct dir_accounts *ret)
{
	struct buf clean = BUF_INIT(LOOK_MAX);
	struct verdict v = dir_resolve(d, address, ret);

	if (v.reason == REASON_NOT_LOCAL)
		v = queue_address_clean(address, &clean)
		        ? add_remote(ret, buf_str(&clean))
		        : verdict_not_found(REASON_NO_USER);
	buf_done(&clean);
	return v;
}

struct verdict
dir_resolve_mail(struct dir *d, struct str address, struct str sender,
    struct dir_accounts *ret)
{
	struct buf back = BUF_INIT(LOOK_MAX);
	struct verdict v = verdict_not_found(REASON_NO_USER);

	if (sender.n == 0 && srs_is_srs(address))
		v = dir_srs_reverse(d, address, &back);
	if (verdict_is_done(v))
		v = resolve_back(d, buf_str(&back), ret);
	else if (v.outcome == NOT_FOUND)
		v = dir_resolve(d, address, ret);
	buf_done(&back);
	return v;
}

struct verdict
dir_owns(struct dir *d, uint64_t account, struct str address)
{
	struct dir_accounts *accounts = dir_accounts_new();
	struct verdict v = dir_resolve(d, address, accounts);
	bool is_owner = false;

	for (size_t i = 0; i < accounts->n; i++)
		is_owner |= accounts->v[i] == account;
	dir_accounts_free(accounts);
	if (v.outcome == TEMPFAIL)
		return v;
	return verdict_is_done(v) && is_owner
	           ? VERDICT_DONE
	           : verdict_permfail(REASON_FORBIDDEN);
}

static struct verdict
check_room(
    struct dir *d, const struct dir_accounts *accounts, uint64_t *ret_max)
{
	uint64_t max = 0;

	for (size_t i = 0; i < accounts->n; i++) {
		uint64_t room = 0;
		bool is_over = false;
		struct verdict v =
		    mail_room(d->config.mail, accounts->v[i], &room, &is_over);

		if (v.outcome == NOT_FOUND)
			return verdict_tempfail(REASON_INTERNAL);
		if (!verdict_is_done(v))
			return v;
		if (is_over)
			return verdict_tempfail(REASON_OVERQUOTA);
		if (room && (!max || room < max))
			max = room;
	}
	*ret_max = max;
	return VERDICT_DONE;
}

struct verdict
dir_rcpt_check(struct dir *d, const struct msg_rcpt_check *q, struct buf *out)
{
	struct dir_accounts *accounts = dir_accounts_new();
	struct msg_rcpt_check_reply reply = { 0 };
	struct verdict v =
	    dir_resolve_mail(d, q->address, q->mail_from, accounts);

	if (verdict_is_done(v))
		v = check_room(d, accounts, &reply.max_size);
	reply.is_reports = accounts->is_reports;
	reply.is_report_only =
	    accounts->is_reports && accounts->n == 0 && accounts->n_remote == 0;
	if (verdict_is_done(v))
		msg_rcpt_check_reply_put(out, &reply);
	dir_accounts_free(accounts);
	return v;
}

struct verdict
dir_account(struct dir *d, struct str login, uint64_t *ret)
{
	struct buf clean = BUF_INIT(LOOK_MAX);
	struct user_record user;
	int r = address_clean(login, &clean)
	            ? dir_get_user(d, buf_str(&clean), &user)
	            : 0;

	buf_done(&clean);
	if (r < 0)
		return verdict_engine(r);
	if (r == 0)
		return verdict_not_found(REASON_NO_USER);
	*ret = user.account;
	return VERDICT_DONE;
}

struct verdict
dir_verifier(struct dir *d, const struct msg_verifier_get *q, struct buf *out)
{
	struct msg_verifier_get_reply reply;
	struct verifier_record r;
	struct dir_key key;
	struct str val;
	struct verdict v = dir_account(d, q->login, &reply.account);
	int got;

	if (!verdict_is_done(v))
		return v;
	key = dir_key_account('V', reply.account);
	got = engine_get(d->engine, DIR_SHARD, dir_key_str(&key), &val);
	if (got < 0)
		return verdict_engine(got);
	if (got == 0 || !verifier_record_decode(val, &r))
		return verdict_engine(ENGINE_CORRUPT);
	reply.login = r.login;
	reply.argon2 = r.argon2;
	reply.scram_sha256 = r.scram_sha256;
	reply.crypt = r.crypt;
	msg_verifier_get_reply_put(out, &reply);
	return VERDICT_DONE;
}

struct verdict
dir_has_domain(struct dir *d, struct str name)
{
	struct domain_record domain;
	int got = dir_get_domain(d, name, &domain);

	if (got < 0)
		return verdict_engine(got);
	return got ? VERDICT_DONE : verdict_not_found(REASON_NO_DOMAIN);
}

struct verdict
dir_domain_check(struct dir *d, const struct msg_name *q)
{
	struct buf name = BUF_INIT(KIB(1));
	struct verdict v = verdict_not_found(REASON_NO_DOMAIN);

	if (domain_clean(q->name, &name))
		v = dir_has_domain(d, buf_str(&name));
	buf_done(&name);
	return v;
}

struct verdict
dir_login(struct dir *d, uint64_t account, struct buf *out)
{
	struct dir_key key = dir_key_account('V', account);
	struct verifier_record r;
	struct str val;
	int got = engine_get(d->engine, DIR_SHARD, dir_key_str(&key), &val);

	if (got == 1 && !verifier_record_decode(val, &r))
		got = ENGINE_CORRUPT;
	if (got <= 0)
		return got < 0 ? verdict_engine(got)
		               : verdict_not_found(REASON_NO_USER);
	buf_reset(out, LOOK_MAX);
	buf_put_str(out, r.login);
	return VERDICT_DONE;
}

struct verdict
dir_has_account(struct dir *d, uint64_t account)
{
	struct buf login = BUF_INIT(LOOK_MAX);
	struct user_record user = { 0 };
	struct verdict v = dir_login(d, account, &login);
	int got = 0;

	if (verdict_is_done(v))
		got = dir_get_user(d, buf_str(&login), &user);
	buf_done(&login);
	if (!verdict_is_done(v))
		return v;
	if (got < 0)
		return verdict_engine(got);
	return got == 1 && user.account == account
	           ? VERDICT_DONE
	           : verdict_not_found(REASON_NO_USER);
}
