/* SPDX-License-Identifier: ISC */
/*
 * limit_admin.c - what the operator sees of limits and does about them:
 * list, release, block, open, other limits, and whom to tell. See limit.h.
 */
#include "store/limit/limit_internal.h"

#include "base/log.h"
#include "store/dir/address.h"

#define LIST_LOOK   500 /* accounts looked at for one reply */
#define REPLY_BYTES MIB(1)
#define LOGIN_BYTES KIB(1)

/* --- list ------------------------------------------------------------------------ */

static struct str
domain_of(struct str login)
{
	ptrdiff_t at = str_rfind(login, '@');

	return at < 0 ? STR_NONE : str_from(login, (size_t)at + 1);
}

/* name: a login, a domain, or empty. */
static bool
is_wanted(
    const struct msg_limit_list *q, const struct usage *u, struct str login)
{
	if (q->is_flagged && u->state == USAGE_OPEN)
		return false;
	return q->name.n == 0 || str_eq(q->name, login) ||
	       str_eq(q->name, domain_of(login));
}

static struct verdict
put_row(struct limiter *l, uint64_t account, const struct usage *u,
    struct str login, struct buf *out)
{
	struct usage_day largest = usage_largest(u);
	struct usage_limits limits;
	struct buf why = BUF_INIT(KIB(1));
	struct verdict v = limit_effective(l, account, u, &limits);
	struct msg_limit_row row = {
		.account = account,
		.login = login,
		.state = (uint8_t)u->state,
		.found = u->found,
		.limit = u->limit,
		.since = u->since,
		.messages = u->messages,
		.recipients = u->recipients,
		.counted = u->today.counted,
		.first = u->today.first,
		.largest_counted = largest.counted,
		.largest_first = largest.first,
		.known = u->known,
		.is_own = u->max_recipients || u->max_first,
	};

	if (u->state == USAGE_HELD)
		usage_text(&why, u->why, u->found, u->limit);
	row.why = buf_str(&why);
	row.max_recipients = limits.recipients;
	row.max_first = limits.first;
	if (verdict_is_done(v))
		msg_limit_row_put(out, &row);
	buf_done(&why);
	return v;
}

struct accounts {
	uint64_t v[LIST_LOOK];
	size_t n;
};

static int
add_account(void *arg, struct str key, UNUSED struct str val)
{
	struct accounts *a = arg;

	if (limit_key_read(key, 'U', &a->v[a->n]))
		a->n++;
	return a->n == LIST_LOOK;
}

/* One that cannot be read is passed over: `mailstead check` names it. */
static struct verdict
list_one(struct limiter *l, const struct msg_limit_list *q, uint64_t account,
    struct buf *items)
{
	struct buf login = BUF_INIT(LOGIN_BYTES);
	struct usage u;
	struct verdict v = limit_get(l, account, &u);

	if (v.reason == REASON_CORRUPT)
		return VERDICT_DONE;
	if (verdict_is_done(v))
		v = dir_login(l->config.dir, account, &login);
	/* Removed for good: what is left of it goes by itself. */
	if (v.outcome == NOT_FOUND)
		v = VERDICT_DONE;
	else if (verdict_is_done(v) && is_wanted(q, &u, buf_str(&login)))
		v = put_row(l, account, &u, buf_str(&login), items);
	buf_done(&login);
	return v;
}

struct verdict
limiter_list(struct limiter *l, const struct msg_limit_list *q, struct buf *out)
{
	struct accounts *a = X_NEW(struct accounts);
	struct buf items = BUF_INIT(REPLY_BYTES);
	struct msg_limit_list_reply reply = { 0 };
	struct engine_range range = { LIMIT_SHARD,
		LKEY(limit_key_account('U', q->after + 1)), STR("V"), false };
	int r = engine_scan(l->engine, &range, add_account, a);
	struct verdict v = r < 0 ? verdict_engine(r) : VERDICT_DONE;

	for (size_t i = 0; i < a->n && verdict_is_done(v); i++)
		v = list_one(l, q, a->v[i], &items);
	if (r == 1)
		reply.next = a->v[a->n - 1];
	reply.items = buf_str(&items);
	if (verdict_is_done(v))
		msg_limit_list_reply_put(out, &reply);
	buf_done(&items);
	free(a);
	return v;
}

/* --- changes ----------------------------------------------------------------------- */

static bool
apply(const struct msg_limit_change *q, struct usage *u, uint64_t now)
{
	switch ((enum limit_action)q->action) {
	case LIMIT_RELEASE:
		usage_release(u);
		return true;
	case LIMIT_OPEN:
		usage_disown(u);
		usage_release(u);
		return true;
	case LIMIT_BLOCK:
		if (u->state != USAGE_BLOCKED && u->since == 0)
			u->since = now;
		u->state = USAGE_BLOCKED;
		return true;
	case LIMIT_SET:
		if (q->sets_recipients)
			u->max_recipients = q->max_recipients;
		if (q->sets_first)
			u->max_first = q->max_first;
		return true;
	}
	return false;
}

static struct verdict
commit(struct limiter *l, struct engine_batch *b)
{
	int r = engine_commit(l->engine, b, NULL, NULL);

	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static struct verdict
change_account(struct limiter *l, const struct msg_limit_change *q,
    uint64_t account, struct buf *out)
{
	uint64_t now = l->config.now(l->config.arg);
	struct engine_batch *b;
	struct usage u;
	bool was_held, is_held;
	struct verdict v = limit_get(l, account, &u);

	if (!verdict_is_done(v))
		return v;
	was_held = u.state == USAGE_HELD;
	if (!apply(q, &u, now))
		return verdict_permfail(REASON_INTERNAL);
	is_held = u.state == USAGE_HELD;
	b = engine_batch_new(l->engine);
	limit_put(b, account, &u);
	v = commit(l, b);
	if (!verdict_is_done(v))
		return v;
	l->held -= was_held && !is_held;
	return put_row(l, account, &u, q->name, out);
}

static struct verdict
change_domain(struct limiter *l, const struct msg_limit_change *q)
{
	struct buf val = BUF_INIT(KIB(1));
	struct limit_key key = limit_key_domain(q->name);
	struct usage_limits own = { 0 };
	struct engine_batch *b;
	struct str was;
	struct verdict v = dir_has_domain(l->config.dir, q->name);
	int r;

	if (!verdict_is_done(v))
		return v;
	r = engine_get(l->engine, LIMIT_SHARD, limit_key_str(&key), &was);
	if (r < 0)
		return verdict_engine(r);
	if (r == 1 && !usage_limits_decode(was, &own))
		own = (struct usage_limits){ 0 };
	if (q->sets_recipients)
		own.recipients = q->max_recipients;
	if (q->sets_first)
		own.first = q->max_first;
	b = engine_batch_new(l->engine);
	if (own.recipients || own.first) {
		usage_limits_encode(&val, &own);
		batch_put(b, LIMIT_SHARD, limit_key_str(&key), buf_str(&val));
	} else {
		batch_del(b, LIMIT_SHARD, limit_key_str(&key));
	}
	v = commit(l, b);
	if (verdict_is_done(v)) {
		l->domains -= r == 1;
		l->domains += own.recipients || own.first;
	}
	buf_done(&val);
	return v;
}

struct verdict
limiter_change(
    struct limiter *l, const struct msg_limit_change *q, struct buf *out)
{
	static const char *const names[] = { [LIMIT_RELEASE] = "release",
		[LIMIT_BLOCK] = "block",
		[LIMIT_OPEN] = "open",
		[LIMIT_SET] = "limit" };
	uint64_t account;
	struct verdict v;

	if (q->action >= ARRAY_LEN(names))
		return verdict_permfail(REASON_INTERNAL);
	if (q->action == LIMIT_SET && str_find(q->name, '@') < 0) {
		v = change_domain(l, q);
	} else {
		v = dir_account(l->config.dir, q->name, &account);
		if (verdict_is_done(v))
			v = change_account(l, q, account, out);
	}
	if (verdict_is_done(v))
		log_event(EV_STORE_ACCOUNT_STATE, LC("what", names[q->action]),
		    LS("name", q->name));
	return v;
}

/* --- telling -------------------------------------------------------------------------- */

static void
forget_first(struct limiter *l)
{
	l->n_to_tell--;
	memmove(
	    l->to_tell, l->to_tell + 1, l->n_to_tell * sizeof(l->to_tell[0]));
}

/* Once a day at most; an account that was released meanwhile is no news. */
static bool
needs_telling(const struct usage *u)
{
	return u->state == USAGE_HELD && u->told_day < usage_day_of(u->since);
}

bool
limiter_to_tell(struct limiter *l, struct buf *out, uint64_t *ret_account)
{
	while (l->n_to_tell) {
		uint64_t account = l->to_tell[0];
		struct buf login = BUF_INIT(LOGIN_BYTES);
		struct buf why = BUF_INIT(KIB(1));
		struct usage u;
		bool is_wanted =
		    verdict_is_done(limit_get(l, account, &u)) &&
		    needs_telling(&u) &&
		    verdict_is_done(dir_login(l->config.dir, account, &login));

		if (is_wanted) {
			usage_text(&why, u.why, u.found, u.limit);
			msg_limit_tell_put(out,
			    &(struct msg_limit_tell){ account, buf_str(&login),
				buf_str(&why), u.since, u.recipients });
			*ret_account = account;
		} else {
			forget_first(l);
		}
		buf_done(&login);
		buf_done(&why);
		if (is_wanted)
			return true;
	}
	return false;
}

void
limiter_not_told(struct limiter *l, uint64_t account)
{
	if (l->n_to_tell < 2 || l->to_tell[0] != account)
		return;
	forget_first(l);
	l->to_tell[l->n_to_tell++] = account;
}

struct verdict
limiter_told(struct limiter *l, uint64_t account)
{
	struct engine_batch *b;
	struct usage u;
	struct verdict v = limit_get(l, account, &u);

	if (l->n_to_tell && l->to_tell[0] == account)
		forget_first(l);
	if (!verdict_is_done(v))
		return v;
	u.told_day = u.day;
	b = engine_batch_new(l->engine);
	limit_put(b, account, &u);
	return commit(l, b);
}
