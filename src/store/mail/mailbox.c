/* SPDX-License-Identifier: ISC */
/*
 * mailbox.c - the tree of mailboxes: names, creation, deletion, renaming.
 *
 * Every parent of a mailbox is a mailbox: CREATE makes those that miss, and
 * DELETE refuses one that has children (RFC 3501 6.3.4 allows that), so no
 * name ever exists only because of the names below it.
 */
#include "store/mail/mail_internal.h"

static const struct {
	struct str name;
	uint32_t special;
} usual[] = {
	{ { "INBOX", 5 }, 0 },
	{ { "Drafts", 6 }, MAILBOX_DRAFTS },
	{ { "Sent", 4 }, MAILBOX_SENT },
	{ { "Junk", 4 }, MAILBOX_JUNK },
	{ { "Trash", 5 }, MAILBOX_TRASH },
	{ { "Archive", 7 }, MAILBOX_ARCHIVE },
};

#define SPECIAL_ALL 0xffU

/* --- names -------------------------------------------------------------------- */

bool
mailbox_name_clean(struct str name, struct buf *out)
{
	struct str rest, level;
	unsigned depth = 0;

	if (name.n && name.p[name.n - 1] == '/')
		name.n--;
	if (name.n == 0 || name.n > MAIL_NAME_MAX || !str_is_utf8(name) ||
	    str_has_control(name, ""))
		return false;
	for (rest = name; rest.p; depth++) {
		rest = str_split(rest, '/', &level);
		if (level.n == 0 || depth >= MAIL_DEPTH_MAX)
			return false;
	}
	(void)str_split(name, '/', &level);
	if (str_eq_case(level, STR("INBOX")))
		buf_put_c(out, "INBOX");
	else
		buf_put_str(out, level);
	buf_put_str(out, str_from(name, level.n));
	return !out->failed;
}

static bool
is_below(struct str name, struct str parent)
{
	return name.n > parent.n && str_starts(name, parent) &&
	       name.p[parent.n] == '/';
}

static bool
has_children(const struct account *a, struct str name)
{
	/* Names such as "a-b" sort between "a" and "a/b". */
	for (size_t i = account_name_index(a, name); i < a->n; i++) {
		if (!str_starts(a->by_name[i]->r.name, name))
			return false;
		if (is_below(a->by_name[i]->r.name, name))
			return true;
	}
	return false;
}

/* --- making --------------------------------------------------------------------------- */

/* Seconds, but never the same twice: a name that is used again gets a greater
 * one (RFC 3501 2.3.1.1). */
static uint32_t
next_uidvalidity(struct account_record *r, uint64_t now)
{
	r->uidvalidity =
	    (uint32_t)MAX(MIN(now, UINT32_MAX), (uint64_t)r->uidvalidity + 1);
	return r->uidvalidity;
}

static struct mailbox_record
new_record(
    struct account_record *a, struct str name, uint32_t special, uint64_t now)
{
	return (struct mailbox_record){
		.name = name,
		.special = special,
		.uidvalidity = next_uidvalidity(a, now),
		.uidnext = 1,
		.recent_from = 1,
		.modseq = a->modseq,
		.log_floor = a->modseq,
		.created = now,
	};
}

static struct verdict
make_one(struct tx *t, struct account *a, struct str name, uint32_t special,
    struct mailbox **ret)
{
	struct mailbox *mb;

	if (a->n >= MAIL_MAILBOXES_MAX || a->r.next_id == UINT32_MAX - 1 ||
	    a->r.uidvalidity == UINT32_MAX)
		return verdict_permfail(REASON_LIMIT);
	tx_account(t, a);
	mb = X_NEW(struct mailbox);
	mb->id = a->r.next_id++;
	mb->r = new_record(&a->r, name, special, mail_now(t->m));
	mb->r.name = str_copy(name);
	mb->is_dirty = true;
	account_add_mailbox(a, mb);
	*ret = mb;
	return VERDICT_DONE;
}

struct verdict
mailbox_make(struct tx *t, struct account *a, struct str name, uint32_t special,
    struct mailbox **ret)
{
	for (size_t i = 0; i < name.n; i++) {
		struct str parent = str_first(name, i);
		struct mailbox *mb;
		struct verdict v;

		if (name.p[i] != '/' || account_find(a, parent))
			continue;
		v = make_one(t, a, parent, 0, &mb);
		if (!verdict_is_done(v))
			return v;
	}
	return make_one(t, a, name, special, ret);
}

static struct verdict
create_clean(struct mail *m, struct account *a, struct str name,
    uint32_t special, uint32_t *ret_id)
{
	struct mailbox *mb;
	struct verdict v;
	struct tx t;

	if (account_find(a, name))
		return verdict_permfail(REASON_EXISTS);
	tx_begin(&t, m);
	tx_account(&t, a);
	v = mailbox_make(&t, a, name, special, &mb);
	if (verdict_is_done(v))
		*ret_id = mb->id;
	return tx_end(&t, v);
}

struct verdict
mail_create(struct mail *m, uint64_t account,
    const struct msg_mailbox_create *q, struct buf *out)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	struct msg_mailbox_create_reply reply;
	struct account *a;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	if (!mailbox_name_clean(q->name, &clean) || (q->special & ~SPECIAL_ALL))
		v = verdict_permfail(REASON_NAME);
	else
		v = create_clean(m, a, buf_str(&clean), q->special, &reply.id);
	if (verdict_is_done(v))
		msg_mailbox_create_reply_put(out, &reply);
	buf_done(&clean);
	return v;
}

void
mail_account_create(struct mail *m, struct engine_batch *b, uint64_t account,
    struct mail_quota quota)
{
	struct engine_shard shard = account_shard(account);
	uint64_t now = mail_now(m);
	struct buf val = BUF_INIT(KIB(4));
	struct account_record a = {
		.bytes_limit = quota.bytes_limit,
		.messages_limit = quota.messages_limit,
		.modseq = 1,
		.next_msgid = 1,
		.next_id = ARRAY_LEN(usual) + 1,
		.created = now,
	};

	for (uint32_t i = 0; i < ARRAY_LEN(usual); i++) {
		struct mailbox_record r =
		    new_record(&a, usual[i].name, usual[i].special, now);

		buf_reset(&val, val.cap);
		mailbox_record_encode(&val, &r);
		batch_put(
		    b, shard, KEY(key_mailbox(MAIL_INBOX + i)), buf_str(&val));
		batch_put(
		    b, shard, KEY(key_subscription(i + 1)), usual[i].name);
	}
	buf_reset(&val, val.cap);
	account_record_encode(&val, &a);
	batch_put(b, shard, KEY(key_kind('A')), buf_str(&val));
	buf_done(&val);
}

/* --- renaming ---------------------------------------------------------------------------- */

/* INBOX itself stays and its messages move (RFC 3501 6.3.5). */
static struct verdict
rename_inbox(struct mail *m, struct account *a, struct str to)
{
	uint64_t account = a->id;
	uint32_t id;
	struct verdict v = create_clean(m, a, to, 0, &id);

	return verdict_is_done(v) ? move_all(m, account, MAIL_INBOX, id) : v;
}

/* Can every mailbox below still be named? */
static bool
fits(const struct account *a, struct str from, struct str to)
{
	struct buf clean = BUF_INIT(MAIL_NAME_MAX);
	bool ok = true;

	for (size_t i = 0; i < a->n && ok; i++) {
		struct str name = a->by_name[i]->r.name;
		struct buf new_name = BUF_INIT(2 * MAIL_NAME_MAX);

		if (!is_below(name, from))
			continue;
		buf_put_str(&new_name, to);
		buf_put_str(&new_name, str_from(name, from.n));
		buf_reset(&clean, MAIL_NAME_MAX);
		ok = mailbox_name_clean(buf_str(&new_name), &clean);
		buf_done(&new_name);
	}
	buf_done(&clean);
	return ok;
}

static void
rename_one(struct tx *t, struct account *a, struct mailbox *mb, size_t from_n,
    struct str to)
{
	struct buf name = BUF_INIT(MAIL_NAME_MAX);

	buf_put_str(&name, to);
	buf_put_str(&name, str_from(mb->r.name, from_n));
	account_rename_mailbox(a, mb, buf_str(&name));
	tx_account(t, a);
	mb->is_dirty = true;
	buf_done(&name);
}

static struct verdict
make_parent(struct tx *t, struct account *a, struct str name)
{
	ptrdiff_t slash = str_rfind(name, '/');
	struct str parent = str_first(name, slash < 0 ? 0 : (size_t)slash);
	struct mailbox *mb;

	return slash < 0 || account_find(a, parent)
	           ? VERDICT_DONE
	           : mailbox_make(t, a, parent, 0, &mb);
}

static struct verdict
rename_tree(struct mail *m, struct account *a, struct str from, struct str to)
{
	struct verdict v;
	struct tx t;

	tx_begin(&t, m);
	tx_account(&t, a);
	v = make_parent(&t, a, to);
	for (size_t i = 0; i < a->n && verdict_is_done(v); i++) {
		struct mailbox *mb = a->by_id[i];

		if (str_eq(mb->r.name, from) || is_below(mb->r.name, from))
			rename_one(&t, a, mb, from.n, to);
	}
	return tx_end(&t, v);
}

static struct verdict
rename_clean(struct mail *m, struct account *a, struct str from, struct str to)
{
	if (!account_find(a, from))
		return verdict_not_found(REASON_NO_MAILBOX);
	if (account_find(a, to))
		return verdict_permfail(REASON_EXISTS);
	if (str_eq(from, STR("INBOX")))
		return rename_inbox(m, a, to);
	if (is_below(to, from) || !fits(a, from, to))
		return verdict_permfail(REASON_NAME);
	return rename_tree(m, a, from, to);
}

struct verdict
mail_rename(
    struct mail *m, uint64_t account, const struct msg_mailbox_rename *q)
{
	struct buf from = BUF_INIT(MAIL_NAME_MAX), to = BUF_INIT(MAIL_NAME_MAX);
	struct account *a;
	struct verdict v = account_get(m, account, &a);

	if (!verdict_is_done(v))
		return v;
	if (!mailbox_name_clean(q->name, &from))
		v = verdict_not_found(REASON_NO_MAILBOX);
	else if (!mailbox_name_clean(q->to, &to))
		v = verdict_permfail(REASON_NAME);
	else
		v = rename_clean(m, a, buf_str(&from), buf_str(&to));
	buf_done(&from);
	buf_done(&to);
	return v;
}

/* --- deleting ------------------------------------------------------------------------------- */

static void
bury(struct tx *t, struct account *a, const struct mailbox *mb)
{
	struct grave_record grave = {
		.removed = mail_now(t->m),
		.name = mb->r.name,
		.n_keywords = mb->r.n_keywords,
		.keywords = mb->r.keywords,
	};

	grave_record_encode(&t->val, &grave);
	tx_put(t, a, key_grave(mb->id));
}

static void
remove_mailbox(struct tx *t, struct account *a, struct mailbox *mb)
{
	struct engine_shard shard = account_shard(a->id);

	if (t->m->config.undelete_days)
		bury(t, a, mb);
	batch_del_range(t->b, shard, KEY(key_expunged(mb->id, 0, 0)),
	    KEY(key_expunged(mb->id + 1, 0, 0)));
	tx_del(t, a, key_mailbox(mb->id));
	/* Who has it open hears of it, and finds that it is gone. */
	if (t->m->config.changed)
		t->m->config.changed(t->m->config.arg, a->id, mb->id);
	account_remove_mailbox(a, mb);
}

/* A batch of its messages; with the last ones goes the mailbox. */
static struct verdict
delete_step(
    struct mail *m, struct account *a, struct mailbox *mb, bool *ret_is_gone)
{
	struct entry_query q = {
		.account = a->id, .mailbox = mb->id, .max = MAIL_BATCH_MAX
	};
	struct entry_list list;
	struct verdict v = entries_read(m, &q, &list);
	bool is_last = !list.next_uid;
	struct tx t;

	if (!verdict_is_done(v))
		return v;
	tx_begin(&t, m);
	tx_account(&t, a);
	v = expunge_entries(&t, a, mb, &list, m->config.undelete_days != 0);
	entry_list_done(&list);
	if (is_last && verdict_is_done(v))
		remove_mailbox(&t, a, mb);
	*ret_is_gone = is_last;
	return tx_end(&t, v);
}

struct verdict
mail_delete(
    struct mail *m, uint64_t account, const struct msg_mailbox_delete *q)
{
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_find(m, account, q->name, &a, &mb);
	bool is_gone = false;

	if (!verdict_is_done(v))
		return v;
	if (mb->id == MAIL_INBOX)
		return verdict_permfail(REASON_FORBIDDEN);
	if (has_children(a, mb->r.name))
		return verdict_permfail(REASON_HAS_CHILDREN);
	while (verdict_is_done(v) && !is_gone)
		v = delete_step(m, a, mb, &is_gone);
	return v;
}
