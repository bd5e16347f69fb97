/* SPDX-License-Identifier: ISC */
/*
 * check.c - everything in an account's shard against everything else in it.
 *
 * Counters are counted again, each entry must have its message and its place
 * in the change index, each message its references and its blob, and nothing
 * may be there that nothing refers to. It reads; it repairs nothing.
 */
#include "store/mail/mail_internal.h"

#include "proto/imap/imap_flags.h"

/* One reference to a message: by an entry or by a lost message. */
struct use {
	uint64_t msgid, size;
};

struct mark {
	uint64_t modseq;
	uint32_t mailbox, uid;
};

struct checker {
	struct mail *m;
	struct account *a;
	struct mail_check *out;
	struct use *uses;
	size_t n_uses, cap_uses;
	struct mark *changes, *entries; /* from C, from E: must be equal */
	size_t n_changes, cap_changes, n_entries, cap_entries;
	/* Of the mailbox under way. */
	const struct mailbox *mb;
	struct mailbox_record sum;
	uint64_t bytes, messages; /* of the account */
	size_t next_use;          /* while messages are walked */
};

static void PRINTF_LIKE(2, 3) problem(struct checker *ck, const char *fmt, ...)
{
	struct buf b = BUF_INIT(KIB(4));
	va_list ap;

	buf_printf(&b, "account %llu: ", (unsigned long long)ck->a->id);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	ck->out->problems++;
	if (ck->out->problem)
		ck->out->problem(ck->out->arg, buf_c(&b));
	buf_done(&b);
}

typedef unsigned long long ull;

static void
same(struct checker *ck, const char *what, uint64_t is, uint64_t should_be)
{
	if (is != should_be)
		problem(ck, "mailbox %u: %s is %llu, counted %llu", ck->mb->id,
		    what, (ull)is, (ull)should_be);
}

static void
add_use(struct checker *ck, const struct entry_record *e)
{
	if (ck->n_uses == ck->cap_uses)
		ck->uses = x_grow(
		    ck->uses, &ck->cap_uses, ck->n_uses + 1, sizeof(*ck->uses));
	ck->uses[ck->n_uses++] = (struct use){ e->msgid, e->size };
	if (e->msgid >= ck->a->r.next_msgid)
		problem(ck, "message number %llu was never given out",
		    (ull)e->msgid);
}

/* --- entries, change index, expunge log ------------------------------------------ */

static int
walk_entry(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct mailbox_record *s = &ck->sum;
	struct entry_record e;
	uint32_t mailbox, uid;

	if (!key_read_entry(key, &mailbox, &uid) ||
	    !entry_record_decode(val, &e)) {
		problem(ck, "mailbox %u: an entry is damaged", ck->mb->id);
		return 0;
	}
	s->messages++;
	s->bytes += e.size;
	s->unseen += !(e.flags & IMAP_FLAG_SEEN);
	s->deleted += !!(e.flags & IMAP_FLAG_DELETED);
	s->modseq = MAX(s->modseq, e.modseq);
	s->uidnext = MAX(s->uidnext, uid);
	ck->entries = x_grow(ck->entries, &ck->cap_entries, ck->n_entries + 1,
	    sizeof(*ck->entries));
	ck->entries[ck->n_entries++] = (struct mark){ e.modseq, mailbox, uid };
	add_use(ck, &e);
	return 0;
}

static int
walk_change(void *arg, struct str key, UNUSED struct str val)
{
	struct checker *ck = arg;
	struct mark mark;

	if (!key_read_change(key, &mark.mailbox, &mark.modseq, &mark.uid)) {
		problem(ck, "a key of the change index is damaged");
		return 0;
	}
	ck->changes = x_grow(ck->changes, &ck->cap_changes, ck->n_changes + 1,
	    sizeof(*ck->changes));
	ck->changes[ck->n_changes++] = mark;
	return 0;
}

static int
walk_log(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	uint32_t mailbox, uid;
	uint64_t modseq;

	if (!key_read_change(key, &mailbox, &modseq, &uid) || val.n == 0 ||
	    !uid_set_is_valid(val) || modseq > ck->mb->r.modseq ||
	    modseq <= ck->mb->r.log_floor)
		problem(ck, "mailbox %u: a record of the expunge log is wrong",
		    ck->mb->id);
	ck->sum.log_count++;
	return 0;
}

static int
scan(struct checker *ck, struct mail_key from, struct mail_key to,
    engine_scan_fn fn)
{
	struct engine_range range = {
		.shard = account_shard(ck->a->id),
		.from = key_str(&from),
		.to = key_str(&to),
	};

	return engine_scan(ck->m->engine, &range, fn, ck);
}

static int
check_mailbox(struct checker *ck, const struct mailbox *mb)
{
	int r;

	ck->mb = mb;
	ck->sum = (struct mailbox_record){ 0 };
	r = scan(
	    ck, key_entry(mb->id, 0), key_entry(mb->id + 1, 0), walk_entry);
	if (r >= 0)
		r = scan(ck, key_expunged(mb->id, 0, 0),
		    key_expunged(mb->id + 1, 0, 0), walk_log);
	if (r < 0)
		return r;
	same(ck, "messages", mb->r.messages, ck->sum.messages);
	same(ck, "unseen", mb->r.unseen, ck->sum.unseen);
	same(ck, "deleted", mb->r.deleted, ck->sum.deleted);
	same(ck, "bytes", mb->r.bytes, ck->sum.bytes);
	same(ck, "expunge log", mb->r.log_count, ck->sum.log_count);
	if (ck->sum.uidnext >= mb->r.uidnext)
		problem(ck, "mailbox %u: UID %u is not below the next one, %u",
		    mb->id, ck->sum.uidnext, mb->r.uidnext);
	if (ck->sum.modseq > mb->r.modseq || mb->r.modseq > ck->a->r.modseq)
		problem(
		    ck, "mailbox %u: mod-sequences are out of order", mb->id);
	if (mb->id >= ck->a->r.next_id)
		problem(ck, "mailbox number %u was never given out", mb->id);
	ck->messages += ck->sum.messages;
	ck->bytes += ck->sum.bytes;
	return 0;
}

static void
check_tree(struct checker *ck)
{
	for (size_t i = 0; i < ck->a->n; i++) {
		struct mailbox *mb = ck->a->by_id[i];
		struct buf clean = BUF_INIT(MAIL_NAME_MAX);
		ptrdiff_t slash = str_rfind(mb->r.name, '/');

		if (!mailbox_name_clean(mb->r.name, &clean) ||
		    !str_eq(mb->r.name, buf_str(&clean)))
			problem(ck, "mailbox %u: not a legal name", mb->id);
		if (slash >= 0 &&
		    !account_find(ck->a, str_first(mb->r.name, (size_t)slash)))
			problem(
			    ck, "mailbox %u: its parent is missing", mb->id);
		buf_done(&clean);
	}
}

static int
compare_marks(const void *x, const void *y)
{
	const struct mark *a = x, *b = y;

	if (a->mailbox != b->mailbox)
		return a->mailbox < b->mailbox ? -1 : 1;
	if (a->modseq != b->modseq)
		return a->modseq < b->modseq ? -1 : 1;
	return (a->uid > b->uid) - (a->uid < b->uid);
}

static void
check_changes(struct checker *ck)
{
	size_t i = 0, j = 0;

	if (ck->n_entries)
		qsort(ck->entries, ck->n_entries, sizeof(struct mark),
		    compare_marks);
	while (i < ck->n_entries || j < ck->n_changes) {
		int c = i == ck->n_entries ? 1
		        : j == ck->n_changes
		            ? -1
		            : compare_marks(&ck->entries[i], &ck->changes[j]);
		const struct mark *m =
		    c <= 0 ? &ck->entries[i] : &ck->changes[j];

		if (c != 0)
			problem(ck,
			    "mailbox %u: UID %u at mod-sequence %llu is only "
			    "in the %s",
			    m->mailbox, m->uid, (ull)m->modseq,
			    c < 0 ? "mailbox" : "change index");
		i += c <= 0;
		j += c >= 0;
	}
}

/* --- messages ----------------------------------------------------------------------- */

static int
walk_lost(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;
	struct entry_record e;
	uint32_t mailbox, uid;
	uint64_t time;

	if (!key_read_lost(key, &time, &mailbox, &uid) ||
	    !entry_record_decode(val, &e))
		problem(ck, "a record of an expunged message is damaged");
	else
		add_use(ck, &e);
	return 0;
}

static int
compare_uses(const void *x, const void *y)
{
	const struct use *a = x, *b = y;

	return (a->msgid > b->msgid) - (a->msgid < b->msgid);
}

/* How many uses msgid has; those below it have no message. */
static uint64_t
count_uses(struct checker *ck, uint64_t msgid, uint64_t size)
{
	uint64_t n = 0;

	for (; ck->next_use < ck->n_uses; ck->next_use++) {
		const struct use *use = &ck->uses[ck->next_use];

		if (use->msgid > msgid)
			break;
		if (use->msgid < msgid) {
			problem(ck, "message %llu is missing", (ull)use->msgid);
			continue;
		}
		n++;
		if (use->size != size)
			problem(ck, "message %llu: size is %llu, not %llu",
			    (ull)msgid, (ull)use->size, (ull)size);
	}
	return n;
}

static struct verdict
check_refs(struct checker *ck, uint64_t msgid, uint64_t uses)
{
	uint64_t refs = 1;
	struct str val;
	int r = engine_get(ck->m->engine, account_shard(ck->a->id),
	    KEY(key_refs(msgid)), &val);

	if (r < 0 && r != ENGINE_CORRUPT)
		return verdict_engine(r);
	if (r < 0 || (r == 1 && !refs_decode(val, &refs)))
		problem(ck, "message %llu: references are damaged", (ull)msgid);
	else if (uses != refs)
		problem(ck, "message %llu: %llu references, counted %llu",
		    (ull)msgid, (ull)refs, (ull)uses);
	return VERDICT_DONE;
}

static void
check_blob(struct checker *ck, uint64_t msgid, const struct message_record *r)
{
	uint64_t size = 0;
	int got;

	if (!r->blob) {
		if (r->blob_size)
			problem(ck, "message %llu has no blob", (ull)msgid);
		return;
	}
	got = engine_blob_size(ck->m->engine, r->blob, &size);
	if (got != 1)
		problem(ck, "message %llu: its blob is missing or damaged",
		    (ull)msgid);
	else if (size != r->blob_size)
		problem(ck, "message %llu: its blob has %llu bytes, not %llu",
		    (ull)msgid, (ull)size, (ull)r->blob_size);
}

static void
check_structure(
    struct checker *ck, uint64_t msgid, const struct message_record *r)
{
	struct buf structure = BUF_INIT(MAIL_STRUCTURE_MAX * 2);

	if (!verdict_is_done(
		structure_read(ck->m, ck->a->id, msgid, r, &structure)))
		problem(
		    ck, "message %llu: its structure is not whole", (ull)msgid);
	buf_done(&structure);
}

struct id_list {
	uint64_t *v;
	size_t n, cap;
	char kind;
};

static int
add_id(void *arg, struct str key, UNUSED struct str val)
{
	struct id_list *l = arg;
	uint64_t id;

	if (key_read_msgid(key, l->kind, &id)) {
		l->v = x_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = id;
	}
	return 0;
}

static struct verdict
read_ids(struct checker *ck, struct id_list *l)
{
	struct engine_range range = {
		.shard = account_shard(ck->a->id),
		.from = KEY(key_kind(l->kind)),
		.to = KEY(key_kind((char)(l->kind + 1))),
	};
	int r = engine_scan(ck->m->engine, &range, add_id, l);

	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}

static struct verdict
check_message(struct checker *ck, uint64_t msgid)
{
	struct message_record r;
	struct verdict v = message_read(ck->m, ck->a->id, msgid, &r);
	uint64_t uses;

	if (!verdict_is_done(v)) {
		problem(ck, "message %llu is damaged", (ull)msgid);
		return v.reason == REASON_CORRUPT ? VERDICT_DONE : v;
	}
	ck->out->messages++;
	ck->out->bytes += r.blob_size;
	uses = count_uses(ck, msgid, r.blob_size + r.prefix.n);
	if (uses == 0)
		problem(ck, "message %llu is in no mailbox", (ull)msgid);
	if (r.structure_size > RECORD_INLINE_MAX)
		check_structure(ck, msgid, &r);
	/* r's strings are gone by now, its numbers are not. */
	check_blob(ck, msgid, &r);
	return uses ? check_refs(ck, msgid, uses) : VERDICT_DONE;
}

static struct verdict
check_messages(struct checker *ck)
{
	struct id_list messages = { .kind = 'M' }, refs = { .kind = 'R' };
	struct verdict v = read_ids(ck, &messages);

	if (verdict_is_done(v))
		v = read_ids(ck, &refs);
	for (size_t i = 0; i < messages.n && verdict_is_done(v); i++)
		v = check_message(ck, messages.v[i]);
	if (verdict_is_done(v))
		count_uses(ck, UINT64_MAX, 0);
	for (size_t i = 0, j = 0; i < refs.n && verdict_is_done(v); i++) {
		while (j < messages.n && messages.v[j] < refs.v[i])
			j++;
		if (j == messages.n || messages.v[j] != refs.v[i])
			problem(ck, "references of message %llu, which is gone",
			    (ull)refs.v[i]);
	}
	free(messages.v);
	free(refs.v);
	return v;
}

/* Entries, changes and logs of mailboxes that do not exist. */
static int
walk_orphan(void *arg, struct str key, UNUSED struct str val)
{
	struct checker *ck = arg;

	if (key.n >= 5 && !account_mailbox(ck->a, be32_get(key.p + 1)))
		problem(ck, "a record '%c' of mailbox %u, which is gone",
		    key.p[0], be32_get(key.p + 1));
	return 0;
}

static int
walk_all(struct checker *ck)
{
	int r = 0;

	for (size_t i = 0; i < ck->a->n && r >= 0; i++)
		r = check_mailbox(ck, ck->a->by_id[i]);
	if (r >= 0)
		r = scan(ck, key_kind('C'), key_kind('D'), walk_change);
	if (r >= 0)
		r = scan(ck, key_kind('E'), key_kind('F'), walk_orphan);
	if (r >= 0)
		r = scan(ck, key_kind('X'), key_kind('Y'), walk_orphan);
	if (r >= 0)
		r = scan(ck, key_kind('L'), key_kind('M'), walk_lost);
	return r;
}

static struct verdict
check_all(struct checker *ck)
{
	int r = walk_all(ck);

	if (r < 0 && r != ENGINE_CORRUPT)
		return verdict_engine(r);
	if (r == ENGINE_CORRUPT)
		problem(ck, "a stored value does not match its checksum");
	check_tree(ck);
	check_changes(ck);
	if (ck->messages != ck->a->r.messages)
		problem(ck, "messages is %llu, counted %llu",
		    (ull)ck->a->r.messages, (ull)ck->messages);
	if (ck->bytes != ck->a->r.bytes)
		problem(ck, "bytes is %llu, counted %llu", (ull)ck->a->r.bytes,
		    (ull)ck->bytes);
	if (ck->n_uses)
		qsort(ck->uses, ck->n_uses, sizeof(*ck->uses), compare_uses);
	return check_messages(ck);
}

struct verdict
mail_check_account(struct mail *m, uint64_t account, struct mail_check *check)
{
	struct account unknown = { .id = account };
	struct checker ck = { .m = m, .a = &unknown, .out = check };
	struct verdict v;

	/* What is in memory may hide what is on disk. */
	if (map_get(&m->accounts, account))
		account_forget(m, map_get(&m->accounts, account));
	v = account_get(m, account, &ck.a);
	if (v.reason == REASON_CORRUPT || v.outcome == NOT_FOUND) {
		ck.a = &unknown;
		problem(&ck, "the account's own records are %s",
		    v.outcome == NOT_FOUND ? "missing" : "damaged");
		return VERDICT_DONE;
	}
	if (verdict_is_done(v))
		v = check_all(&ck);
	free(ck.uses);
	free(ck.changes);
	free(ck.entries);
	return v;
}
