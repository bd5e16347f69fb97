/* SPDX-License-Identifier: ISC */
/*
 * dir_check.c - the directory against itself: every user has an account and
 * verifiers, every address a domain, and the domains' counts are right.
 */
#include "base/hash.h"
#include "store/dir/dir_internal.h"
#include "store/dir/dkim_record.h"

struct domain_sum {
	char *name;
	struct domain_record is, sum;
};

struct checker {
	struct dir *d;
	struct mail_check *out;
	struct domain_sum *domains;
	size_t n, cap;
	uint64_t next_account;
	uint64_t *accounts; /* of users: looked at once the scan is over */
	size_t n_accounts, cap_accounts;
	/* Keys T and L that there should be, less those that there are. */
	uint64_t due_n, due_sum;
};

static void PRINTF_LIKE(2, 3) problem(struct checker *ck, const char *fmt, ...)
{
	struct buf b = BUF_INIT(KIB(4));
	va_list ap;

	buf_put_c(&b, "directory: ");
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	ck->out->problems++;
	if (ck->out->problem)
		ck->out->problem(ck->out->arg, buf_c(&b));
	buf_done(&b);
}

static struct domain_sum *
find_domain(struct checker *ck, struct str name)
{
	size_t lo = 0, hi = ck->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = str_cmp(str_c(ck->domains[mid].name), name);

		if (c == 0)
			return &ck->domains[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int
walk_domain(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct domain_sum s = { 0 };

	if (!domain_record_decode(val, &s.is)) {
		problem(ck, "a domain record is damaged");
		return 0;
	}
	s.name = str_dup(str_from(key, 1));
	ck->domains =
	    x_grow(ck->domains, &ck->cap, ck->n + 1, sizeof(*ck->domains));
	ck->domains[ck->n++] = s;
	return 0;
}

static int
walk_user(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct str login = str_from(key, 1);
	struct domain_sum *s = find_domain(ck, address_domain(login));
	struct user_record r;

	if (s)
		s->sum.users++;
	else
		problem(ck, "user %.*s has no domain", STR_ARG(login));
	if (!user_record_decode(val, &r)) {
		problem(ck, "user %.*s is damaged", STR_ARG(login));
		return 0;
	}
	if (r.account >= ck->next_account)
		problem(ck, "user %.*s: account %llu was never given out",
		    STR_ARG(login), (unsigned long long)r.account);
	ck->accounts = x_grow(ck->accounts, &ck->cap_accounts,
	    ck->n_accounts + 1, sizeof(*ck->accounts));
	ck->accounts[ck->n_accounts++] = r.account;
	return 0;
}

static int
walk_alias(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct str address = str_from(key, 1);
	struct domain_sum *s = find_domain(ck, address_domain(address));
	struct alias_record r;

	if (s)
		s->sum.aliases++;
	else
		problem(ck, "alias %.*s has no domain", STR_ARG(address));
	if (!alias_record_decode(val, &r))
		problem(ck, "alias %.*s is damaged", STR_ARG(address));
	return 0;
}

static void
want_due(struct checker *ck, struct str domain, char kind, uint64_t due)
{
	struct dir_key k = dir_key_account(kind, due);

	if (due == 0)
		return;
	ck->due_n++;
	ck->due_sum += hash64_seed(domain.p, domain.n, hash64(k.b, k.n));
}

static int
walk_dkim(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct str domain = str_from(key, 1);
	unsigned active[2] = { 0 };
	struct dkim_record r;

	if (!find_domain(ck, domain))
		problem(ck, "DKIM keys of %.*s, which is no domain",
		    STR_ARG(domain));
	if (!dkim_record_decode(val, &r)) {
		problem(ck, "DKIM keys of %.*s are damaged", STR_ARG(domain));
		return 0;
	}
	for (size_t i = 0; i < r.n; i++)
		if (r.v[i].state == DKIM_STATE_ACTIVE)
			active[r.v[i].kind]++;
	if (active[0] > 1 || active[1] > 1)
		problem(ck, "two DKIM keys of %.*s are active at once",
		    STR_ARG(domain));
	want_due(ck, domain, 'T', dkim_record_due(&r));
	want_due(ck, domain, 'L', dkim_record_look_at(&r));
	return 0;
}

static int
walk_due(void *arg, struct str key, UNUSED struct str val)
{
	struct checker *ck = arg;
	struct str domain = str_from(key, 9);

	ck->due_n--;
	ck->due_sum -=
	    hash64_seed(domain.p, domain.n, hash64(key.p, MIN(key.n, 9)));
	return 0;
}

static int
scan(struct checker *ck, char kind, engine_scan_fn fn)
{
	struct dir_key from = dir_key(kind, STR(""));
	struct dir_key to = dir_key((char)(kind + 1), STR(""));
	struct engine_range range = {
		.shard = DIR_SHARD,
		.from = dir_key_str(&from),
		.to = dir_key_str(&to),
	};

	return engine_scan(ck->d->engine, &range, fn, ck);
}

static int
read_counter(struct checker *ck)
{
	struct dir_key key = dir_key('G', STR(""));
	struct str val;
	int r = engine_get(ck->d->engine, DIR_SHARD, dir_key_str(&key), &val);

	ck->next_account = 1;
	if (r == 1 && !counter_record_decode(val, &ck->next_account))
		problem(ck, "the counters are damaged");
	return r;
}

static void
check_sums(struct checker *ck)
{
	for (size_t i = 0; i < ck->n; i++) {
		struct domain_sum *s = &ck->domains[i];

		if (s->is.users != s->sum.users ||
		    s->is.aliases != s->sum.aliases)
			problem(ck,
			    "domain %s: %u users and %u aliases, counted %u "
			    "and %u",
			    s->name, s->is.users, s->is.aliases, s->sum.users,
			    s->sum.aliases);
		free(s->name);
	}
	free(ck->domains);
}

struct verdict
dir_check(struct dir *d, struct mail_check *check)
{
	struct checker ck = { .d = d, .out = check };
	int r = read_counter(&ck);

	if (r >= 0)
		r = scan(&ck, 'D', walk_domain);
	if (r >= 0)
		r = scan(&ck, 'U', walk_user);
	if (r >= 0)
		r = scan(&ck, 'A', walk_alias);
	if (r >= 0)
		r = scan(&ck, 'S', walk_dkim);
	if (r >= 0)
		r = scan(&ck, 'T', walk_due);
	if (r >= 0)
		r = scan(&ck, 'L', walk_due);
	if (r >= 0 && (ck.due_n || ck.due_sum))
		problem(&ck, "the times at which DKIM keys change, or are "
			     "looked for, are not those of the keys");
	if (r == ENGINE_CORRUPT) {
		problem(&ck, "a stored value does not match its checksum");
		r = 0;
	}
	check_sums(&ck);
	for (size_t i = 0; i < ck.n_accounts; i++)
		if (dir_has_account(d, ck.accounts[i]).outcome == NOT_FOUND)
			problem(&ck, "account %llu has no verifiers",
			    (unsigned long long)ck.accounts[i]);
	free(ck.accounts);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}
