/* SPDX-License-Identifier: ISC */
/*
 * account.c - accounts in memory: read on first use, written through, the
 * least used ones forgotten. See mail_internal.h.
 *
 * All mailbox records of an account are read at once: there are few, and with
 * them names need no index on disk that could disagree with them.
 */
#include "store/mail/mail_internal.h"

#define CACHE_ACCOUNTS 10000

struct mail *
mail_new(const struct mail_config *config)
{
	struct mail *m = X_NEW(struct mail);

	m->config = *config;
	m->engine = config->engine;
	if (!m->config.cache_accounts)
		m->config.cache_accounts = CACHE_ACCOUNTS;
	return m;
}

void
mail_free(struct mail *m)
{
	if (!m)
		return;
	while (m->oldest)
		account_forget(m, m->oldest);
	map_done(&m->accounts);
	free(m);
}

void
mail_set_undelete_days(struct mail *m, uint32_t days)
{
	m->config.undelete_days = days;
}

/* --- the list of last use ---------------------------------------------------- */

static void
lru_remove(struct mail *m, struct account *a)
{
	*(a->older ? &a->older->newer : &m->oldest) = a->newer;
	*(a->newer ? &a->newer->older : &m->newest) = a->older;
	a->older = a->newer = NULL;
}

static void
lru_add(struct mail *m, struct account *a)
{
	a->older = m->newest;
	*(m->newest ? &m->newest->newer : &m->oldest) = a;
	m->newest = a;
}

static void
mailbox_free(struct mailbox *mb)
{
	str_free(&mb->r.name);
	str_free(&mb->r.keywords);
	free(mb);
}

static void
account_free(struct account *a)
{
	for (size_t i = 0; i < a->n; i++)
		mailbox_free(a->by_id[i]);
	for (size_t i = 0; i < a->n_subs; i++)
		str_free(&a->subs[i].name);
	free(a->by_id);
	free(a->by_name);
	free(a->subs);
	free(a);
}

void
account_forget(struct mail *m, struct account *a)
{
	map_del(&m->accounts, a->id);
	lru_remove(m, a);
	account_free(a);
}

/* Those of a transaction stay, however full it is. */
static void
forget_oldest(struct mail *m)
{
	struct account *a = m->oldest, *newer;

	for (; a && m->accounts.n >= m->config.cache_accounts; a = newer) {
		newer = a->newer;
		if (!a->is_in_tx)
			account_forget(m, a);
	}
}

/* --- reading ------------------------------------------------------------------- */

static int
add_mailbox(void *arg, struct str key, struct str val)
{
	struct account *a = arg;
	struct mailbox_record r;
	struct mailbox *mb;
	uint32_t id;

	if (!key_read_id(key, 'B', &id) || !mailbox_record_decode(val, &r) ||
	    a->n >= MAIL_MAILBOXES_MAX || account_find(a, r.name))
		return 1;
	mb = X_NEW(struct mailbox);
	mb->id = id;
	mb->r = r;
	mb->r.name = str_copy(r.name);
	mb->r.keywords = str_copy(r.keywords);
	account_add_mailbox(a, mb);
	return 0;
}

/* 1 found, 0 not there, or an error. */
static int
read_account(struct mail *m, struct account *a)
{
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_kind('B')),
		.to = KEY(key_kind('C')),
	};
	struct str val;
	int r;

	r = engine_get(m->engine, range.shard, KEY(key_kind('A')), &val);
	if (r <= 0)
		return r;
	if (!account_record_decode(val, &a->r))
		return ENGINE_CORRUPT;
	r = engine_scan(m->engine, &range, add_mailbox, a);
	if (r < 0)
		return r;
	return r == 1 || !account_mailbox(a, MAIL_INBOX) ? ENGINE_CORRUPT : 1;
}

struct verdict
account_get(struct mail *m, uint64_t id, struct account **ret)
{
	struct account *a = map_get(&m->accounts, id);
	int r;

	if (a) {
		lru_remove(m, a);
		lru_add(m, a);
		*ret = a;
		return VERDICT_DONE;
	}
	forget_oldest(m);
	a = X_NEW(struct account);
	a->id = id;
	/* What was committed before it was forgotten may not be durable. */
	a->position = engine_position(m->engine);
	r = read_account(m, a);
	if (r <= 0) {
		account_free(a);
		return r < 0 ? verdict_engine(r)
		             : verdict_not_found(REASON_NO_USER);
	}
	map_put(&m->accounts, id, a);
	lru_add(m, a);
	*ret = a;
	return VERDICT_DONE;
}

uint64_t
mail_position(struct mail *m, uint64_t account)
{
	const struct account *a = map_get(&m->accounts, account);

	return a ? a->position : engine_position(m->engine);
}

/* --- mailboxes of an account ------------------------------------------------------ */

struct mailbox *
account_mailbox(const struct account *a, uint32_t id)
{
	size_t lo = 0, hi = a->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (a->by_id[mid]->id == id)
			return a->by_id[mid];
		if (a->by_id[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

size_t
account_name_index(const struct account *a, struct str name)
{
	size_t lo = 0, hi = a->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (str_cmp(a->by_name[mid]->r.name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct mailbox *
account_find(const struct account *a, struct str name)
{
	size_t i = account_name_index(a, name);

	return i < a->n && str_eq(a->by_name[i]->r.name, name) ? a->by_name[i]
	                                                       : NULL;
}

static void
insert_by_name(struct account *a, struct mailbox *mb, size_t n)
{
	struct account part = *a;
	size_t at;

	part.n = n;
	at = account_name_index(&part, mb->r.name);
	memmove(a->by_name + at + 1, a->by_name + at,
	    (n - at) * sizeof(*a->by_name));
	a->by_name[at] = mb;
}

static void
take_out(struct mailbox **list, size_t n, const struct mailbox *mb)
{
	size_t i = 0;

	while (list[i] != mb)
		ASSERT(++i < n);
	memmove(list + i, list + i + 1, (n - i - 1) * sizeof(*list));
}

void
account_add_mailbox(struct account *a, struct mailbox *mb)
{
	a->by_id = x_grow(a->by_id, &a->cap_id, a->n + 1, sizeof(*a->by_id));
	a->by_name =
	    x_grow(a->by_name, &a->cap_name, a->n + 1, sizeof(*a->by_name));
	ASSERT(a->n == 0 || a->by_id[a->n - 1]->id < mb->id);
	a->by_id[a->n] = mb;
	insert_by_name(a, mb, a->n);
	a->n++;
}

void
account_remove_mailbox(struct account *a, struct mailbox *mb)
{
	take_out(a->by_id, a->n, mb);
	take_out(a->by_name, a->n, mb);
	a->n--;
	mailbox_free(mb);
}

void
account_rename_mailbox(struct account *a, struct mailbox *mb, struct str name)
{
	struct str copy = str_copy(name);

	take_out(a->by_name, a->n, mb);
	str_free(&mb->r.name);
	mb->r.name = copy;
	insert_by_name(a, mb, a->n - 1);
}

struct verdict
mailbox_get(struct mail *m, uint64_t account, uint32_t mailbox,
    struct account **ret_a, struct mailbox **ret_mb)
{
	struct account *a;
	struct mailbox *mb;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	mb = account_mailbox(a, mailbox);
	if (!mb)
		return verdict_not_found(REASON_NO_MAILBOX);
	*ret_a = a;
	*ret_mb = mb;
	return VERDICT_DONE;
}

/* --- quota --------------------------------------------------------------------------- */

static uint64_t
room_below(uint64_t limit, uint64_t used)
{
	return limit > used ? limit - used : 0;
}

struct verdict
mail_room(
    struct mail *m, uint64_t account, uint64_t *ret_room, bool *ret_is_over)
{
	struct account *a;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	*ret_room = room_below(a->r.bytes_limit, a->r.bytes);
	*ret_is_over =
	    (a->r.bytes_limit && *ret_room == 0) ||
	    (a->r.messages_limit && a->r.messages >= a->r.messages_limit);
	return VERDICT_DONE;
}

struct verdict
mail_account_info(struct mail *m, uint64_t account, struct msg_quota_reply *ret,
    uint32_t *ret_mailboxes)
{
	struct account *a;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	*ret = (struct msg_quota_reply){ a->r.bytes, a->r.bytes_limit,
		a->r.messages, a->r.messages_limit };
	*ret_mailboxes = (uint32_t)a->n;
	return VERDICT_DONE;
}

struct verdict
mail_quota(struct mail *m, uint64_t account, struct buf *out)
{
	struct msg_quota_reply reply;
	uint32_t mailboxes;
	struct verdict v = mail_account_info(m, account, &reply, &mailboxes);

	if (verdict_is_done(v))
		msg_quota_reply_put(out, &reply);
	return v;
}

struct verdict
mail_account_quota(struct mail *m, uint64_t account, struct mail_quota quota)
{
	struct account *a;
	struct tx t;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	tx_begin(&t, m);
	tx_account(&t, a);
	a->r.bytes_limit = quota.bytes_limit;
	a->r.messages_limit = quota.messages_limit;
	return tx_commit(&t);
}
