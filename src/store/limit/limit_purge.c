/* SPDX-License-Identifier: ISC */
/*
 * limit_purge.c - forgetting: recipients that were not written to for long,
 * and accounts that send nothing; and checking what is there. See limit.h.
 *
 * A walk through the shard goes round and round, some hundred keys a step.
 */
#include "store/limit/limit_internal.h"

#define STEP_KEYS 500
/* A recipient is remembered for so many days after the last message to it;
 * when an account has many, for less: down to the second with a full list. */
#define KEEP_DAYS     400U
#define KEEP_DAYS_MIN 40U

struct step {
	struct limiter *l;
	struct limit_key last;
	size_t looked;
	/* The keys found: of one account. */
	uint64_t account;
	bool is_usage;
	struct {
		uint64_t hash;
		uint32_t day;
	} known[STEP_KEYS];
	size_t n;
};

uint32_t
limit_keep_days(uint32_t known)
{
	uint32_t half = LIMIT_KNOWN_MAX / 2;
	uint32_t left = known > LIMIT_KNOWN_MAX ? 0 : LIMIT_KNOWN_MAX - known;

	if (known <= half)
		return KEEP_DAYS;
	return KEEP_DAYS_MIN + (KEEP_DAYS - KEEP_DAYS_MIN) * left / half;
}

/* Ends at the next account, so that a step changes one. */
static int
look(void *arg, struct str key, struct str val)
{
	struct step *s = arg;
	struct usage_known k;
	uint64_t account;
	bool is_usage = limit_key_read(key, 'U', &account);
	bool is_known = limit_key_read(key, 'W', &account);

	if ((is_usage && s->looked) ||
	    (is_known && s->looked && s->account != account))
		return 1;
	s->last.n = (uint8_t)MIN(key.n, sizeof(s->last.b) - 2);
	memcpy(s->last.b, key.p, s->last.n);
	s->looked++;
	if (!is_usage && !is_known)
		return 1;
	s->account = account;
	s->is_usage = is_usage;
	if (is_known) {
		/* A damaged one is of no use. */
		s->known[s->n].hash = be64_get(key.p + 9);
		s->known[s->n++].day = usage_known_decode(val, &k) ? k.day : 0;
	}
	return is_usage || s->n == STEP_KEYS;
}

static size_t
forget_old(struct step *s, struct usage *u, struct engine_batch *b)
{
	uint32_t keep = limit_keep_days(u->known);
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (u->day > keep && s->known[i].day < u->day - keep) {
			batch_del(b, LIMIT_SHARD,
			    LKEY(
				limit_key_known(s->account, s->known[i].hash)));
			n++;
		}
	u->known -= (uint32_t)MIN(n, u->known);
	return n;
}

static struct verdict
forget(struct step *s)
{
	struct limiter *l = s->l;
	struct engine_batch *b;
	struct usage u;
	struct verdict v = limit_get(l, s->account, &u);
	bool is_change = false;
	int r;

	if (!verdict_is_done(v))
		return v;
	b = engine_batch_new(l->engine);
	if (s->is_usage && usage_is_idle(&u)) {
		batch_del(
		    b, LIMIT_SHARD, LKEY(limit_key_account('U', s->account)));
		is_change = true;
	} else if (s->n && forget_old(s, &u, b)) {
		limit_put(b, s->account, &u);
		is_change = true;
	}
	if (!is_change) {
		engine_batch_free(b);
		return v;
	}
	r = engine_commit(l->engine, b, NULL, NULL);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

/* Behind the key: a zero byte more. */
static struct limit_key
behind(const struct limit_key *k)
{
	struct limit_key next = *k;

	next.b[next.n++] = '\0';
	return next;
}

struct verdict
limiter_purge_step(struct limiter *l)
{
	struct step s = { .l = l };
	struct limit_key from = behind(&l->purge);
	struct engine_range range = { LIMIT_SHARD, limit_key_str(&from),
		STR("X"), false };
	int r = engine_scan(l->engine, &range, look, &s);

	if (r < 0)
		return verdict_engine(r);
	/* At the end: from the start. */
	l->purge = s.looked ? s.last : (struct limit_key){ .n = 0 };
	return s.account ? forget(&s) : VERDICT_DONE;
}

/* --- check ------------------------------------------------------------------------ */

struct counts {
	uint64_t known, damaged;
};

static int
count_known(void *arg, UNUSED struct str key, struct str val)
{
	struct counts *c = arg;
	struct usage_known k;

	c->known++;
	c->damaged += !usage_known_decode(val, &k);
	return 0;
}

static void
problem(struct mail_check *check, uint64_t account, const char *text)
{
	struct buf b = BUF_INIT(KIB(1));

	buf_printf(
	    &b, "limits: account %llu: %s", (unsigned long long)account, text);
	check->problems++;
	if (check->problem)
		check->problem(check->arg, buf_c(&b));
	buf_done(&b);
}

struct verdict
limiter_check_account(
    struct limiter *l, uint64_t account, struct mail_check *check)
{
	struct engine_range range = { LIMIT_SHARD,
		LKEY(limit_key_known(account, 0)),
		LKEY(limit_key_account('W', account + 1)), false };
	struct counts c = { 0 };
	struct usage u;
	struct verdict v = limit_get(l, account, &u);
	int r;

	if (v.reason == REASON_CORRUPT) {
		problem(check, account, "its counts are damaged");
		return VERDICT_DONE;
	}
	if (!verdict_is_done(v))
		return v;
	r = engine_scan(l->engine, &range, count_known, &c);
	if (r < 0)
		return verdict_engine(r);
	if (c.damaged)
		problem(check, account, "a known recipient is damaged");
	if (c.known != u.known)
		problem(check, account,
		    "its known recipients are not as many as it says");
	return VERDICT_DONE;
}
