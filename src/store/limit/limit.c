/* SPDX-License-Identifier: ISC */
/*
 * limit.c - a message of an account: is it within the limits, and what is
 * remembered of it. See limit.h.
 */
#include "store/limit/limit_internal.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"

#define VALUE_MAX KIB(1)

/* --- keys ---------------------------------------------------------------------- */

struct limit_key
limit_key_account(char kind, uint64_t account)
{
	struct limit_key k = { .n = 9, .b = { kind } };

	be64_put(k.b + 1, account);
	return k;
}

struct limit_key
limit_key_known(uint64_t account, uint64_t hash)
{
	struct limit_key k = limit_key_account('W', account);

	be64_put(k.b + 9, hash);
	k.n = 17;
	return k;
}

struct limit_key
limit_key_domain(struct str domain)
{
	struct limit_key k = { .n = 1, .b = { 'F' } };

	domain = str_first(domain, sizeof(k.b) - 1);
	if (domain.n)
		memcpy(k.b + 1, domain.p, domain.n);
	k.n = (uint8_t)(1 + domain.n);
	return k;
}

bool
limit_key_read(struct str key, char kind, uint64_t *ret_account)
{
	if (key.n != (kind == 'W' ? 17 : 9) || key.p[0] != kind)
		return false;
	*ret_account = be64_get(key.p + 1);
	return true;
}

/* --- opening --------------------------------------------------------------------- */

void
limit_tell_later(struct limiter *l, uint64_t account)
{
	for (size_t i = 0; i < l->n_to_tell; i++)
		if (l->to_tell[i] == account)
			return;
	l->to_tell = x_grow(
	    l->to_tell, &l->cap_to_tell, l->n_to_tell + 1, sizeof(*l->to_tell));
	l->to_tell[l->n_to_tell++] = account;
}

/* Damage is left to who asks for that account. */
static int
load_usage(void *arg, struct str key, struct str val)
{
	struct limiter *l = arg;
	struct usage u;
	uint64_t account;

	if (!limit_key_read(key, 'U', &account) || !usage_decode(val, &u) ||
	    u.state != USAGE_HELD)
		return 0;
	l->held++;
	limit_tell_later(l, account);
	return 0;
}

static int
count_domain(void *arg, UNUSED struct str key, UNUSED struct str val)
{
	struct limiter *l = arg;

	l->domains++;
	return 0;
}

int
limiter_open(const struct limit_config *config, struct limiter **ret)
{
	struct limiter *l = X_NEW(struct limiter);
	struct engine_range usage = { LIMIT_SHARD, STR("U"), STR("V"), false };
	struct engine_range domains = { LIMIT_SHARD, STR("F"), STR("G"),
		false };
	int r;

	l->config = *config;
	l->engine = config->engine;
	r = engine_scan(l->engine, &usage, load_usage, l);
	if (r >= 0)
		r = engine_scan(l->engine, &domains, count_domain, l);
	if (r < 0) {
		limiter_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void
limiter_free(struct limiter *l)
{
	if (!l)
		return;
	free(l->to_tell);
	free(l);
}

void
limiter_set_limits(struct limiter *l, const struct usage_limits *limits)
{
	l->config.limits = *limits;
}

uint64_t
limiter_held(const struct limiter *l)
{
	return l->held;
}

/* --- records ----------------------------------------------------------------------- */

struct verdict
limit_get(struct limiter *l, uint64_t account, struct usage *ret)
{
	struct usage u = { 0 };
	struct str val;
	int r = engine_get(l->engine, LIMIT_SHARD,
	    LKEY(limit_key_account('U', account)), &val);

	if (r == 1 && !usage_decode(val, &u))
		r = ENGINE_CORRUPT;
	if (r < 0)
		return verdict_engine(r);
	usage_set_day(&u, usage_day_of(l->config.now(l->config.arg)));
	*ret = u;
	return VERDICT_DONE;
}

void
limit_put(struct engine_batch *b, uint64_t account, const struct usage *u)
{
	struct buf val = BUF_INIT(VALUE_MAX);

	usage_encode(&val, u);
	batch_put(b, LIMIT_SHARD, LKEY(limit_key_account('U', account)),
	    buf_str(&val));
	buf_done(&val);
}

static void
override(struct usage_limits *l, uint64_t recipients, uint64_t first)
{
	if (recipients)
		l->recipients = recipients == UINT64_MAX ? 0 : recipients;
	if (first)
		l->first = first == UINT64_MAX ? 0 : first;
}

static struct verdict
domain_limits(struct limiter *l, uint64_t account, struct usage_limits *ret)
{
	struct buf login = BUF_INIT(KIB(1));
	struct usage_limits own;
	struct str val;
	struct verdict v = dir_login(l->config.dir, account, &login);
	ptrdiff_t at = str_rfind(buf_str(&login), '@');
	int r = 0;

	if (verdict_is_done(v) && at >= 0)
		r = engine_get(l->engine, LIMIT_SHARD,
		    LKEY(limit_key_domain(
			str_from(buf_str(&login), (size_t)at + 1))),
		    &val);
	if (r == 1 && !usage_limits_decode(val, &own))
		r = ENGINE_CORRUPT;
	if (r == 1)
		override(ret, own.recipients, own.first);
	buf_done(&login);
	if (v.outcome == TEMPFAIL)
		return v;
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

struct verdict
limit_effective(struct limiter *l, uint64_t account, const struct usage *u,
    struct usage_limits *ret)
{
	struct verdict v = VERDICT_DONE;

	*ret = l->config.limits;
	if (l->domains)
		v = domain_limits(l, account, ret);
	override(ret, u->max_recipients, u->max_first);
	/* The operator has said what is right for this account. */
	if (u->max_recipients || u->max_first)
		ret->surge_floor = 0;
	return v;
}

/* --- a message ----------------------------------------------------------------------- */

struct known {
	uint64_t hash;
	struct usage_known now;
	bool is_put;
};

struct limit_message {
	struct limiter *l;
	uint64_t account;
	struct usage usage; /* with the message */
	bool is_new_hold;
	struct buf reason;
	size_t n;
	struct known known[];
};

/* The same address in other letters is the same recipient. */
static uint64_t
hash_address(struct str address)
{
	char lower[QUEUE_ADDRESS_MAX];
	size_t n = MIN(address.n, sizeof(lower));

	for (size_t i = 0; i < n; i++)
		lower[i] = ascii_lower(address.p[i]);
	return hash64(lower, n);
}

static int
compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* A damaged one is as one that is not known. */
static struct verdict
look_up(struct limit_message *m, struct known *k, struct usage_day *day)
{
	struct usage_known was;
	struct str val;
	struct usage *u = &m->usage;
	int r = engine_get(m->l->engine, LIMIT_SHARD,
	    LKEY(limit_key_known(m->account, k->hash)), &val);
	bool is_known = r == 1 && usage_known_decode(val, &was);

	if (r < 0)
		return verdict_engine(r);
	k->is_put = usage_count(is_known ? &was : NULL, u->day, day, &k->now);
	if (r == 1)
		return VERDICT_DONE;
	if (u->known < LIMIT_KNOWN_MAX)
		u->known++;
	else
		k->is_put = false;
	return VERDICT_DONE;
}

static struct verdict
count(struct limit_message *m, struct usage_day *day)
{
	struct verdict v = VERDICT_DONE;

	qsort(m->known, m->n, sizeof(m->known[0]), compare_known);
	for (size_t i = 0; i < m->n && verdict_is_done(v); i++)
		if (i == 0 || m->known[i].hash != m->known[i - 1].hash)
			v = look_up(m, &m->known[i], day);
	return v;
}

static struct verdict
judge(struct limit_message *m)
{
	struct usage_day day = { 0, 0 };
	struct usage *u = &m->usage;
	struct usage_limits limits;
	uint32_t found = 0, limit = 0;
	enum usage_why why;
	struct verdict v = count(m, &day);

	if (verdict_is_done(v))
		v = limit_effective(m->l, m->account, u, &limits);
	if (!verdict_is_done(v))
		return v;
	why = u->state == USAGE_HELD
	          ? USAGE_ALREADY
	          : usage_judge(u, &limits, &day, &found, &limit);
	usage_add(u, (uint32_t)m->n, &day);
	if (why == USAGE_WITHIN)
		return v;
	usage_text(&m->reason, why, found, limit);
	m->is_new_hold = why != USAGE_ALREADY;
	if (m->is_new_hold) {
		u->state = USAGE_HELD;
		u->why = why;
		u->found = found;
		u->limit = limit;
		u->since = m->l->config.now(m->l->config.arg);
	}
	return v;
}

struct verdict
limiter_judge(struct limiter *l, uint64_t account,
    const struct queue_rcpt *rcpts, size_t n, struct limit_message **ret)
{
	struct limit_message *m =
	    x_zalloc(sizeof(*m) + n * sizeof(m->known[0]));
	struct verdict v = limit_get(l, account, &m->usage);

	m->l = l;
	m->account = account;
	m->reason = BUF_INIT(KIB(1));
	m->n = n;
	for (size_t i = 0; i < n; i++)
		m->known[i].hash = hash_address(rcpts[i].address);
	if (verdict_is_done(v) && m->usage.state == USAGE_BLOCKED)
		v = verdict_permfail(REASON_BLOCKED);
	if (verdict_is_done(v) && n)
		v = judge(m);
	if (verdict_is_done(v))
		*ret = m;
	else
		limiter_added(m, false);
	return v;
}

struct str
limit_message_reason(const struct limit_message *m)
{
	return buf_str(&m->reason);
}

void
limiter_put(struct limit_message *m, struct engine_batch *b)
{
	struct buf val = BUF_INIT(VALUE_MAX);

	limit_put(b, m->account, &m->usage);
	for (size_t i = 0; i < m->n; i++) {
		const struct known *k = &m->known[i];

		if (!k->is_put)
			continue;
		buf_reset(&val, VALUE_MAX);
		usage_known_encode(&val, &k->now);
		batch_put(b, LIMIT_SHARD,
		    LKEY(limit_key_known(m->account, k->hash)), buf_str(&val));
	}
	buf_done(&val);
}

static void
log_hold(const struct limit_message *m)
{
	struct buf login = BUF_INIT(KIB(1));

	if (!verdict_is_done(dir_login(m->l->config.dir, m->account, &login)))
		buf_reset(&login, KIB(1));
	log_event(EV_STORE_ACCOUNT_HELD, LS("login", buf_str(&login)),
	    LU("account", m->account), LC("why", usage_why_name(m->usage.why)),
	    LU("found", m->usage.found), LU("limit", m->usage.limit));
	buf_done(&login);
}

void
limiter_added(struct limit_message *m, bool is_accepted)
{
	if (!m)
		return;
	if (is_accepted && m->is_new_hold) {
		m->l->held++;
		limit_tell_later(m->l, m->account);
		log_hold(m);
	}
	if (is_accepted && m->reason.n)
		metric_add(M_QUEUE_LIMITED, m->n);
	buf_done(&m->reason);
	free(m);
}
