/* SPDX-License-Identifier: ISC */
/*
 * append.c - messages that come in: APPEND by a client or an import, and
 * deliveries. Their bytes are stored already; here they get their place.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

#define WEEK_S       (7 * 24 * 3600)
#define DEDUPE_WEEKS 5 /* this one and those before it that are searched */

/* --- what was imported already ------------------------------------------------- */

static void
put_dedupe_key(struct buf *b, uint64_t week, struct str text)
{
	buf_reset(b, b->cap);
	buf_put_str(b, KEY(key_week((uint32_t)week)));
	buf_put_str(b, text);
}

static struct verdict
was_seen(struct mail *m, const struct account *a, struct str text, bool *ret)
{
	uint64_t week = mail_now(m) / WEEK_S;
	struct buf key = BUF_INIT(ENGINE_KEY_MAX);
	int r = 0;

	for (unsigned i = 0; i < DEDUPE_WEEKS && r == 0 && text.n; i++) {
		struct str val;

		put_dedupe_key(&key, week - i, text);
		r = engine_get(
		    m->engine, account_shard(a->id), buf_str(&key), &val);
	}
	buf_done(&key);
	*ret = r == 1;
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static void
remember(struct tx *t, struct account *a, struct str text)
{
	struct buf key = BUF_INIT(ENGINE_KEY_MAX);

	if (text.n) {
		put_dedupe_key(&key, mail_now(t->m) / WEEK_S, text);
		batch_put(t->b, account_shard(a->id), buf_str(&key), STR(""));
	}
	buf_done(&key);
}

/* Mark the items that are left out: seen before, or twice in one request. */
static struct verdict
find_seen(struct mail *m, const struct account *a,
    const struct mail_append_item *items, size_t n, bool *is_seen)
{
	for (size_t i = 0; i < n; i++) {
		struct str text = items[i].msg.dedupe;
		struct verdict v = was_seen(m, a, text, &is_seen[i]);

		if (!verdict_is_done(v))
			return v;
		for (size_t j = 0; j < i && text.n && !is_seen[i]; j++)
			is_seen[i] = str_eq(text, items[j].msg.dedupe);
	}
	return VERDICT_DONE;
}

/* --- APPEND ------------------------------------------------------------------------ */

static struct verdict
check_room(const struct account *a, uint64_t bytes, size_t n)
{
	if ((a->r.bytes_limit && a->r.bytes + bytes > a->r.bytes_limit) ||
	    (a->r.messages_limit && a->r.messages + n > a->r.messages_limit))
		return verdict_permfail(REASON_OVERQUOTA);
	return VERDICT_DONE;
}

static struct verdict
check_item(const struct msg_append_item *item)
{
	if (item->size > ENGINE_BLOB_MAX ||
	    item->structure.n > MAIL_STRUCTURE_MAX ||
	    item->dedupe.n > MAIL_DEDUPE_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	if (item->flags & ~IMAP_FLAGS_STORED)
		return verdict_permfail(REASON_INTERNAL);
	return VERDICT_DONE;
}

static struct verdict
find_target(struct mail *m, uint64_t account, struct str name,
    struct account **ret_a, struct mailbox **ret_mb)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	struct verdict v = account_get(m, account, ret_a);

	if (!verdict_is_done(v))
		return v;
	*ret_mb = mailbox_name_clean(name, &clean)
	              ? account_find(*ret_a, buf_str(&clean))
	              : NULL;
	buf_done(&clean);
	return *ret_mb ? VERDICT_DONE : verdict_not_found(REASON_NO_MAILBOX);
}

/* Room for what will not be left out. */
static struct verdict
check_new(struct mail *m, const struct account *a,
    const struct mail_append_item *items, size_t n)
{
	bool is_seen[MAIL_APPEND_MAX] = { false };
	struct verdict v = find_seen(m, a, items, n, is_seen);
	uint64_t bytes = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		bytes += is_seen[i] ? 0 : items[i].msg.size;
		count += !is_seen[i];
	}
	return verdict_is_done(v) ? check_room(a, bytes, count) : v;
}

struct verdict
mail_append_check(struct mail *m, uint64_t account, const struct msg_append *q)
{
	struct mail_append_item items[MAIL_APPEND_MAX];
	struct wire w = wire_read(q->items);
	struct account *a;
	struct mailbox *mb;
	struct verdict v = find_target(m, account, q->name, &a, &mb);
	size_t n = 0;

	for (; verdict_is_done(v) && w.in.n; n++) {
		if (n == MAIL_APPEND_MAX)
			return verdict_permfail(REASON_LIMIT);
		items[n].ticket = NULL;
		if (!msg_append_item_read(&w, &items[n].msg))
			return verdict_permfail(REASON_INTERNAL);
		v = check_item(&items[n].msg);
	}
	return verdict_is_done(v) ? check_new(m, a, items, n) : v;
}

struct verdict
mail_append_room(
    struct mail *m, uint64_t account, const struct msg_append_check *q)
{
	struct account *a;
	struct mailbox *mb;
	struct verdict v = find_target(m, account, q->name, &a, &mb);

	if (!verdict_is_done(v))
		return v;
	if (q->messages > MAIL_APPEND_MAX)
		return verdict_permfail(REASON_LIMIT);
	if (q->bytes > ENGINE_BLOB_MAX * (uint64_t)MAIL_APPEND_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	return check_room(a, q->bytes, q->messages);
}

static struct verdict
append_one(struct tx *t, struct account *a, struct mailbox *mb,
    struct mail_append_item *item)
{
	uint64_t now = mail_now(t->m);
	struct message_record r = {
		.blob_size = item->msg.size,
		.trace = str_first(item->msg.dedupe, MAIL_TRACE_MAX),
		.structure = item->msg.structure,
		.structure_size = (uint32_t)item->msg.structure.n,
	};
	struct entry_record e = {
		.flags = item->msg.flags,
		.msgid = a->r.next_msgid++,
		.internaldate =
		    item->msg.internaldate ? item->msg.internaldate : now,
		.savedate = now,
		.size = item->msg.size,
		.crlf_extra = item->msg.crlf_extra,
	};
	struct verdict v =
	    keywords_bits(mb, item->msg.keywords, true, e.keywords, NULL);

	if (!verdict_is_done(v))
		return v;
	if (item->ticket)
		r.blob = batch_blob_new(t->b, TAKE_PTR(item->ticket));
	tx_message_add(t, a, e.msgid, &r);
	tx_entry_add(t, a, mb, &e);
	remember(t, a, item->msg.dedupe);
	return VERDICT_DONE;
}

static struct verdict
append_all(struct tx *t, struct account *a, struct mailbox *mb,
    struct mail_append_item *items, size_t n, const bool *is_seen)
{
	struct verdict v = VERDICT_DONE;

	tx_account(t, a);
	for (size_t i = 0; i < n && verdict_is_done(v); i++)
		if (!is_seen[i])
			v = append_one(t, a, mb, &items[i]);
	return tx_end(t, v);
}

struct verdict
mail_append(struct mail *m, uint64_t account, struct str name,
    struct mail_append_item *items, size_t n, struct buf *out)
{
	bool is_seen[MAIL_APPEND_MAX] = { false };
	struct msg_append_reply reply = { 0 };
	uint64_t bytes = 0;
	struct account *a;
	struct mailbox *mb;
	struct verdict v = find_target(m, account, name, &a, &mb);
	struct tx t;

	ASSERT(n <= MAIL_APPEND_MAX);
	if (verdict_is_done(v))
		v = find_seen(m, a, items, n, is_seen);
	for (size_t i = 0; i < n; i++) {
		bytes += is_seen[i] ? 0 : items[i].msg.size;
		reply.count += !is_seen[i];
	}
	if (verdict_is_done(v))
		v = check_room(a, bytes, reply.count);
	if (!verdict_is_done(v))
		return v;
	if (UINT32_MAX - mb->r.uidnext <= n)
		return verdict_permfail(REASON_LIMIT);
	reply.uidvalidity = mb->r.uidvalidity;
	reply.first_uid = mb->r.uidnext;
	if (reply.count) {
		tx_begin(&t, m);
		v = append_all(&t, a, mb, items, n, is_seen);
	}
	if (verdict_is_done(v))
		msg_append_reply_put(out, &reply);
	return v;
}

/* --- deliveries ------------------------------------------------------------------------ */

struct trace_scan {
	struct str trace;
	uint64_t size;
	unsigned left;
	bool is_found;
};

static int
look_for_trace(void *arg, UNUSED struct str key, struct str val)
{
	struct trace_scan *s = arg;
	struct message_record r;

	if (message_record_decode(val, &r) && r.blob_size == s->size &&
	    str_eq(r.trace, s->trace))
		s->is_found = true;
	return s->is_found || --s->left == 0;
}

/*
 * Was this delivery done before, by a store that died before it could say so?
 * The newest messages tell: a retry comes within seconds.
 */
static struct verdict
was_delivered(struct mail *m, const struct account *a,
    const struct mail_delivery *d, bool *ret)
{
	struct trace_scan s = { d->trace, d->size, MAIL_RETRY_SCAN, false };
	struct engine_range range = {
		.shard = account_shard(a->id),
		.from = KEY(key_kind('M')),
		.to = KEY(key_kind('N')),
		.is_reverse = true,
	};
	int r = engine_scan(m->engine, &range, look_for_trace, &s);

	*ret = s.is_found;
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

/* The one that is Junk by its special use, whatever its name. */
static struct mailbox *
target(const struct account *a, const struct mail_delivery *d)
{
	for (size_t i = 0; d->is_junk && i < a->n; i++)
		if (a->by_id[i]->r.special & MAILBOX_JUNK)
			return a->by_id[i];
	return account_mailbox(a, MAIL_INBOX);
}

static void
deliver_copy(struct tx *t, struct account *a, const struct mail_delivery *d,
    struct str prefix, uint64_t blob)
{
	struct message_record r = {
		.blob = blob,
		.blob_size = d->size,
		.trace = d->trace,
		.prefix = prefix,
		.structure = d->structure,
		.structure_size = (uint32_t)d->structure.n,
	};
	struct entry_record e = {
		.msgid = a->r.next_msgid++,
		.internaldate = d->received,
		.savedate = mail_now(t->m),
		.size = d->size + prefix.n,
		.crlf_extra = d->crlf_extra,
	};

	tx_message_add(t, a, e.msgid, &r);
	tx_entry_add(t, a, target(a, d), &e);
}

/* Once more a reference to the bytes; the first one makes them a blob. */
static void
refer(struct tx *t, struct mail_delivery *d, uint64_t *blob)
{
	if (d->ticket)
		*blob = batch_blob_new(t->b, TAKE_PTR(d->ticket));
	else if (*blob)
		batch_blob_ref(t->b, *blob);
}

static struct verdict
deliver_to(struct tx *t, struct mail_delivery *d, struct mail_copy_to *to,
    uint64_t *blob)
{
	struct account *a;
	struct verdict v = account_get(t->m, to->account, &a);

	if (verdict_is_done(v) && d->is_retry && d->trace.n)
		v = was_delivered(t->m, a, d, &to->is_skipped);
	if (!verdict_is_done(v) || to->is_skipped)
		return v;
	if (target(a, d)->r.uidnext >= UINT32_MAX - 1)
		return verdict_permfail(REASON_LIMIT);
	tx_account(t, a);
	refer(t, d, blob);
	to->is_in_junk = target(a, d)->id != MAIL_INBOX;
	deliver_copy(t, a, d, to->prefix, *blob);
	return VERDICT_DONE;
}

struct verdict
mail_deliver(
    struct mail *m, struct mail_delivery *d, struct mail_copy_to *to, size_t n)
{
	struct verdict v = VERDICT_DONE;
	uint64_t blob = 0;
	struct tx t;

	if (d->structure.n > MAIL_STRUCTURE_MAX || d->trace.n > MAIL_TRACE_MAX)
		return verdict_permfail(REASON_TOO_BIG);
	tx_begin(&t, m);
	for (size_t i = 0; i < n && verdict_is_done(v); i++) {
		if (to[i].prefix.n > MAIL_PREFIX_MAX)
			v = verdict_permfail(REASON_TOO_BIG);
		else
			v = deliver_to(&t, d, &to[i], &blob);
	}
	if (!verdict_is_done(v) || (t.n == 0 && !d->more)) {
		tx_abort(&t);
		return v;
	}
	if (d->more) {
		refer(&t, d, &blob);
		d->more(d->arg, t.b, blob);
	}
	if (d->note)
		d->note(d->arg, t.b);
	return tx_commit(&t);
}
