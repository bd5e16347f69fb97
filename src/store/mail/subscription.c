/* SPDX-License-Identifier: ISC */
/* subscription.c - names of mailboxes that a user wants to see. */
#include "store/mail/mail_internal.h"

static size_t
sub_index(const struct account *a, struct str name)
{
	size_t lo = 0, hi = a->n_subs;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (str_cmp(a->subs[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
account_is_subscribed(const struct account *a, struct str name)
{
	size_t i = sub_index(a, name);

	return i < a->n_subs && str_eq(a->subs[i].name, name);
}

static int
add_sub(void *arg, struct str key, struct str val)
{
	struct account *a = arg;
	uint32_t id;

	if (!key_read_id(key, 'S', &id) || val.n == 0 ||
	    a->n_subs >= MAIL_MAILBOXES_MAX)
		return 1;
	a->subs =
	    x_grow(a->subs, &a->cap_subs, a->n_subs + 1, sizeof(*a->subs));
	a->subs[a->n_subs++] = (struct subscription){ id, str_copy(val) };
	return 0;
}

static int
compare_subs(const void *a, const void *b)
{
	const struct subscription *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static struct verdict
read_subs(struct mail *m, struct account *a)
{
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_kind('S')),
		.to = KEY(key_kind('T')),
	};
	int r;

	if (a->has_subs)
		return VERDICT_DONE;
	r = engine_scan(m->engine, &range, add_sub, a);
	if (r != 0) {
		for (size_t i = 0; i < a->n_subs; i++)
			str_free(&a->subs[i].name);
		a->n_subs = 0;
		return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
	}
	if (a->n_subs)
		qsort(a->subs, a->n_subs, sizeof(*a->subs), compare_subs);
	a->has_subs = true;
	return VERDICT_DONE;
}

struct verdict
account_get_with_subs(struct mail *m, uint64_t id, struct account **ret)
{
	struct verdict v = account_get(m, id, ret);

	return verdict_is_done(v) ? read_subs(m, *ret) : v;
}

static struct verdict
subscribe(struct mail *m, struct account *a, struct str name)
{
	size_t at = sub_index(a, name);
	struct tx t;

	if (a->n_subs >= MAIL_MAILBOXES_MAX || a->r.next_id == UINT32_MAX - 1)
		return verdict_permfail(REASON_LIMIT);
	tx_begin(&t, m);
	tx_account(&t, a);
	a->subs =
	    x_grow(a->subs, &a->cap_subs, a->n_subs + 1, sizeof(*a->subs));
	memmove(a->subs + at + 1, a->subs + at,
	    (a->n_subs - at) * sizeof(*a->subs));
	a->subs[at] = (struct subscription){ a->r.next_id++, str_copy(name) };
	a->n_subs++;
	buf_put_str(&t.val, name);
	tx_put(&t, a, key_subscription(a->subs[at].id));
	return tx_commit(&t);
}

static struct verdict
unsubscribe(struct mail *m, struct account *a, size_t at)
{
	struct tx t;

	tx_begin(&t, m);
	tx_account(&t, a);
	tx_del(&t, a, key_subscription(a->subs[at].id));
	str_free(&a->subs[at].name);
	memmove(a->subs + at, a->subs + at + 1,
	    (a->n_subs - at - 1) * sizeof(*a->subs));
	a->n_subs--;
	return tx_commit(&t);
}

struct verdict
mail_subscribe(
    struct mail *m, uint64_t account, const struct msg_mailbox_subscribe *q)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	struct account *a;
	struct verdict v = account_get_with_subs(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	if (!mailbox_name_clean(q->name, &clean))
		v = verdict_permfail(REASON_NAME);
	else if (account_is_subscribed(a, buf_str(&clean)) ==
		 !!q->is_subscribed)
		v = VERDICT_DONE;
	else if (q->is_subscribed)
		v = subscribe(m, a, buf_str(&clean));
	else
		v = unsubscribe(m, a, sub_index(a, buf_str(&clean)));
	buf_done(&clean);
	return v;
}
