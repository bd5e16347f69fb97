/* SPDX-License-Identifier: ISC */
/*
 * purge.c - the undelete window: back from it, and what falls out of it.
 *
 * Undelete gives lost messages new UIDs, for a UID never comes back
 * (RFC 3501 2.3.1.1). Purging goes on all the time in small steps.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

#define DAY_S          (24 * 3600)
#define WEEK_S         (7 * DAY_S)
#define DEDUPE_WEEKS   5
#define PURGE_ACCOUNTS 64  /* visited in one step */
#define PURGE_MESSAGES 500 /* let go in one batch */

struct lost {
	uint64_t time;
	uint32_t mailbox;
	struct uid_entry ue;
};

struct lost_list {
	struct lost *v;
	size_t n, cap, max;
	bool is_corrupt;
};

static int
add_lost(void *arg, struct str key, struct str val)
{
	struct lost_list *l = arg;
	struct lost lost;

	if (!key_read_lost(key, &lost.time, &lost.mailbox, &lost.ue.uid) ||
	    !entry_record_decode(val, &lost.ue.e)) {
		l->is_corrupt = true;
		return 1;
	}
	if (l->n == l->max)
		return 1;
	l->v = x_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = lost;
	return 0;
}

/* Lost at from <= time < to, the oldest first, at most ret->max. */
static struct verdict
read_lost(struct mail *m, uint64_t account, uint64_t from, uint64_t to,
    struct lost_list *ret)
{
	struct engine_range range = {
		.shard = account_shard(account),
		.from = KEY(key_lost(from, 0, 0)),
		.to = to == UINT64_MAX ? KEY(key_kind('M'))
		                       : KEY(key_lost(to, 0, 0)),
	};
	int r = engine_scan(m->engine, &range, add_lost, ret);

	if (r >= 0 && !ret->is_corrupt)
		return VERDICT_DONE;
	free(ret->v);
	*ret = (struct lost_list){ 0 };
	return verdict_engine(r < 0 ? r : ENGINE_CORRUPT);
}

/* --- back ----------------------------------------------------------------------- */

struct restore {
	struct tx *t;
	struct account *a;
	struct str name; /* clean; empty: where it was */
	/* Where the messages of the mailbox last asked about go. */
	uint32_t from;
	struct mailbox *to;
	struct buf from_keywords;
	struct keyword_map map;
};

static struct verdict
find_or_make(struct restore *r, struct str name)
{
	r->to = account_find(r->a, name);
	return r->to ? VERDICT_DONE : mailbox_make(r->t, r->a, name, 0, &r->to);
}

/* Its mailbox is gone: one of the same name. */
static struct verdict
target_of_grave(struct restore *r)
{
	struct grave_record grave;
	struct str val, name = r->name;
	struct verdict v;
	char *copy = NULL;
	int got = engine_get(r->t->m->engine, account_shard(r->a->id),
	    KEY(key_grave(r->from)), &val);

	if (got < 0 || (got == 1 && !grave_record_decode(val, &grave)))
		return verdict_engine(got < 0 ? got : ENGINE_CORRUPT);
	if (got == 1) {
		buf_put_str(&r->from_keywords, grave.keywords);
		copy = str_dup(grave.name);
	}
	if (name.n == 0)
		name = copy ? str_c(copy) : STR("INBOX");
	v = find_or_make(r, name);
	free(copy);
	return v;
}

static struct verdict
set_target(struct restore *r, uint32_t from)
{
	struct mailbox *mb = account_mailbox(r->a, from);

	r->from = from;
	r->map = (struct keyword_map){ 0 };
	buf_reset(&r->from_keywords, 0);
	if (!mb)
		return target_of_grave(r);
	buf_put_str(&r->from_keywords, mb->r.keywords);
	if (r->name.n)
		return find_or_make(r, r->name);
	r->to = mb;
	return VERDICT_DONE;
}

static struct verdict
restore_one(struct restore *r, const struct lost *lost)
{
	struct entry_record e = lost->ue.e;
	struct verdict v = VERDICT_DONE;

	if (!r->to || r->from != lost->mailbox)
		v = set_target(r, lost->mailbox);
	if (!verdict_is_done(v))
		return v;
	if (r->to->r.uidnext >= UINT32_MAX - 1)
		return verdict_permfail(REASON_LIMIT);
	e.flags &= ~(uint32_t)IMAP_FLAG_DELETED;
	e.savedate = mail_now(r->t->m);
	if (r->to->id != lost->mailbox)
		keywords_translate(
		    &r->map, buf_str(&r->from_keywords), r->to, e.keywords);
	tx_entry_add(r->t, r->a, r->to, &e);
	tx_del(r->t, r->a, key_lost(lost->time, lost->mailbox, lost->ue.uid));
	return VERDICT_DONE;
}

static struct verdict
restore_list(
    struct mail *m, struct account *a, struct str name, struct lost_list *l)
{
	struct tx t;
	struct restore r = { .t = &t,
		.a = a,
		.name = name,
		.from_keywords = BUF_INIT(KIB(32)) };
	struct verdict v = VERDICT_DONE;

	tx_begin(&t, m);
	tx_account(&t, a);
	for (size_t i = 0; i < l->n && verdict_is_done(v); i++)
		v = restore_one(&r, &l->v[i]);
	buf_done(&r.from_keywords);
	return tx_end(&t, v);
}

static struct verdict
undelete_clean(struct mail *m, uint64_t account, uint64_t since,
    struct str name, uint64_t *count)
{
	for (;;) {
		struct lost_list l = { .max = MAIL_BATCH_MAX };
		struct account *a;
		struct verdict v = account_get(m, account, &a);

		if (verdict_is_done(v))
			v = read_lost(m, account, since, UINT64_MAX, &l);
		if (!verdict_is_done(v) || l.n == 0)
			return v;
		v = restore_list(m, a, name, &l);
		if (verdict_is_done(v))
			*count += l.n;
		free(l.v);
		if (!verdict_is_done(v))
			return v;
	}
}

struct verdict
mail_undelete(struct mail *m, uint64_t account, uint64_t since, struct str name,
    uint64_t *ret_count)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	uint64_t count = 0;
	struct verdict v;

	if (name.n && !mailbox_name_clean(name, &clean))
		v = verdict_permfail(REASON_NAME);
	else
		v = undelete_clean(m, account, since, buf_str(&clean), &count);
	buf_done(&clean);
	*ret_count = count;
	return v;
}

/* --- letting go -------------------------------------------------------------------- */

static struct verdict
purge_lost(struct mail *m, struct account *a, uint64_t before, bool *ret_more)
{
	struct lost_list l = { .max = PURGE_MESSAGES };
	struct verdict v = read_lost(m, a->id, 0, before, &l);
	uint64_t *msgids;
	struct tx t;

	*ret_more = l.n == PURGE_MESSAGES;
	if (!verdict_is_done(v) || l.n == 0)
		return v;
	msgids = x_calloc(l.n, sizeof(*msgids));
	tx_begin(&t, m);
	tx_account(&t, a);
	for (size_t i = 0; i < l.n; i++) {
		msgids[i] = l.v[i].ue.e.msgid;
		tx_del(&t, a,
		    key_lost(l.v[i].time, l.v[i].mailbox, l.v[i].ue.uid));
	}
	v = tx_refs(&t, a, msgids, l.n, -1);
	free(msgids);
	free(l.v);
	return tx_end(&t, v);
}

struct old {
	struct engine_batch *b;
	struct engine_shard shard;
	uint64_t before;
	size_t n;
};

static int
old_grave(void *arg, struct str key, struct str val)
{
	struct old *old = arg;
	struct grave_record grave;

	if (grave_record_decode(val, &grave) && grave.removed < old->before) {
		batch_del(old->b, old->shard, key);
		old->n++;
	}
	return old->n >= PURGE_MESSAGES;
}

static int
any_key(void *arg, UNUSED struct str key, UNUSED struct str val)
{
	*(size_t *)arg = 1;
	return 1;
}

/* Graves that nothing can refer to any more, and old import marks. */
static struct verdict
purge_rest(struct mail *m, uint64_t account, uint64_t before)
{
	struct engine_shard shard = account_shard(account);
	struct old old = { .shard = shard, .before = before };
	uint64_t week = mail_now(m) / WEEK_S;
	struct engine_range graves = { .shard = shard,
		.from = KEY(key_kind('G')),
		.to = KEY(key_kind('H')) };
	struct engine_range marks = { .shard = shard,
		.from = KEY(key_week(0)),
		.to =
		    KEY(key_week((uint32_t)(week - MIN(week, DEDUPE_WEEKS)))) };
	size_t has_marks = 0;
	int r;

	old.b = engine_batch_new(m->engine);
	r = engine_scan(m->engine, &graves, old_grave, &old);
	if (r >= 0)
		r = engine_scan(m->engine, &marks, any_key, &has_marks);
	if (has_marks)
		batch_del_range(old.b, shard, marks.from, marks.to);
	if (r < 0 || (old.n == 0 && !has_marks))
		engine_batch_free(old.b);
	else
		r = engine_commit(m->engine, old.b, NULL, NULL);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static struct verdict
purge_account(struct mail *m, uint64_t account, bool *ret_more)
{
	uint64_t window = (uint64_t)m->config.undelete_days * DAY_S;
	uint64_t now = mail_now(m);
	uint64_t before = now > window ? now - window : 0;
	struct account *a;
	struct verdict v = account_get(m, account, &a);

	*ret_more = false;
	/* An account that is being removed has no record any more. */
	if (!verdict_is_done(v))
		return v.outcome == NOT_FOUND ? VERDICT_DONE : v;
	v = purge_lost(m, a, before, ret_more);
	/* A grave outlives the messages that came from its mailbox. */
	return verdict_is_done(v) && !*ret_more ? purge_rest(m, account, before)
	                                        : v;
}

struct verdict
mail_purge_step(struct mail *m)
{
	uint64_t ids[PURGE_ACCOUNTS];
	int n =
	    engine_shards(m->engine, 'a', m->purge_after, ids, PURGE_ACCOUNTS);

	if (n < 0)
		return verdict_engine(n);
	for (int i = 0; i < n; i++) {
		bool has_more;
		struct verdict v = purge_account(m, ids[i], &has_more);

		if (has_more)
			return v;
		/* A damaged account must not keep the others waiting. */
		m->purge_after = ids[i];
		if (!verdict_is_done(v))
			return v;
	}
	if (n < PURGE_ACCOUNTS)
		m->purge_after = 0;
	return VERDICT_DONE;
}

/* --- a whole account ------------------------------------------------------------------- */

static int
drop_message(void *arg, struct str key, struct str val)
{
	struct old *old = arg;
	struct message_record r;

	/* A damaged record's bytes stay until the index is made anew. */
	if (message_record_decode(val, &r) && r.blob)
		batch_blob_drop(old->b, r.blob);
	batch_del(old->b, old->shard, key);
	return ++old->n >= PURGE_MESSAGES;
}

struct verdict
mail_account_purge(struct mail *m, uint64_t account, bool *ret_is_gone)
{
	struct engine_range messages = {
		.shard = account_shard(account),
		.from = KEY(key_kind('M')),
		.to = KEY(key_kind('N')),
	};
	struct account *a = map_get(&m->accounts, account);
	struct old old = { .shard = messages.shard };
	int r;

	if (a)
		account_forget(m, a);
	old.b = engine_batch_new(m->engine);
	r = engine_scan(m->engine, &messages, drop_message, &old);
	if (r < 0) {
		engine_batch_free(old.b);
		return verdict_engine(r);
	}
	*ret_is_gone = old.n < PURGE_MESSAGES;
	if (*ret_is_gone)
		batch_del_range(
		    old.b, old.shard, KEY(key_kind(0x01)), KEY(key_kind(0x7f)));
	r = engine_commit(m->engine, old.b, NULL, NULL);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}
