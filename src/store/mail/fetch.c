/* SPDX-License-Identifier: ISC */
/*
 * fetch.c - FETCH: what records hold at once, bodies by the engine's helper
 * threads, both put together to one reply of bounded size.
 */
#include "store/mail/mail_internal.h"

#define DEFAULT_BYTES KIB(256)
#define STEP_MAX      512 /* entries read at a time */
#define ITEM_OVERHEAD 64
#define CORRUPT_AT    4 /* offset of is_corrupt in an encoded item */
#define WANT_RECORD   (FETCH_PREFIX | FETCH_STRUCTURE | FETCH_BODY)
#define WANT_ALL      (FETCH_DATES | FETCH_SIZE | FETCH_MSGID | WANT_RECORD)

struct collect {
	struct mail *m;
	uint64_t account;
	const struct msg_fetch *q;
	struct mail_fetch *f;
	size_t max, used; /* bytes of the reply */
};

static void
add_item(struct mail_fetch *f, const struct msg_fetch_item *item,
    const struct engine_read *read)
{
	msg_fetch_item_put(&f->items, item);
	f->v = x_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct mail_fetch_item){ f->items.n, read != NULL };
	if (!read)
		return;
	f->reads =
	    x_grow(f->reads, &f->cap_reads, f->n_reads + 1, sizeof(*f->reads));
	f->reads[f->n_reads++] = *read;
}

/* The part of the shared bytes that is wanted. */
static struct engine_read
wanted_part(const struct msg_fetch *q, const struct message_record *r)
{
	uint64_t left = r->blob_size - MIN(q->offset, r->blob_size);

	return (struct engine_read){
		.blob = r->blob,
		.offset = q->offset,
		.size = q->size && q->size < left ? q->size : left,
	};
}

/* Does the item go into this reply? If not, the reply ends before it. */
static bool
has_room(struct collect *c, size_t bytes, uint64_t body)
{
	bool is_first = c->f->n == 0;

	if (body > FETCH_FD_BYTES) {
		c->f->is_in_fd = is_first;
		return is_first;
	}
	if (!is_first && (c->f->is_in_fd || c->used + bytes > c->max))
		return false;
	c->used += bytes;
	return true;
}

/* With a structure of several values: the prefix is copied, since it dies
 * with the next read. */
static struct verdict
add_large(struct collect *c, struct msg_fetch_item *item,
    const struct message_record *r, const struct engine_read *read,
    uint64_t msgid)
{
	struct buf structure = BUF_INIT(MAIL_REPLY_MAX);
	struct str prefix = str_copy(item->prefix);
	struct verdict v =
	    structure_read(c->m, c->account, msgid, r, &structure);

	item->prefix = prefix;
	item->structure = buf_str(&structure);
	if (verdict_is_done(v))
		add_item(c->f, item, read);
	str_free(&prefix);
	buf_done(&structure);
	return v;
}

/* *ret_is_full: it did not fit any more. */
static struct verdict
collect_record(struct collect *c, struct msg_fetch_item *item, uint64_t msgid,
    bool *ret_is_full)
{
	uint32_t want = c->q->want;
	struct engine_read read = { 0 };
	struct message_record r;
	size_t bytes = ITEM_OVERHEAD;
	struct verdict v = message_read(c->m, c->account, msgid, &r);

	if (v.reason == REASON_IO)
		return v;
	if (!verdict_is_done(v)) {
		item->is_corrupt = 1;
		r = (struct message_record){ 0 };
	}
	if (want & FETCH_BODY)
		read = wanted_part(c->q, &r);
	if (want & FETCH_PREFIX)
		item->prefix = r.prefix;
	if (want & FETCH_STRUCTURE)
		bytes += r.structure_size;
	bytes += item->prefix.n + read.size;
	*ret_is_full = !has_room(c, bytes, read.size);
	if (*ret_is_full)
		return VERDICT_DONE;
	if (want & FETCH_STRUCTURE)
		item->structure = r.structure;
	if (item->structure.n < r.structure_size && (want & FETCH_STRUCTURE))
		return add_large(c, item, &r, read.size ? &read : NULL, msgid);
	add_item(c->f, item, read.size ? &read : NULL);
	return VERDICT_DONE;
}

static struct verdict
collect_entry(struct collect *c, const struct uid_entry *ue, bool *ret_is_full)
{
	uint32_t want = c->q->want;
	struct msg_fetch_item item = { .uid = ue->uid };

	if (want & FETCH_MSGID)
		item.msgid = ue->e.msgid;
	if (want & FETCH_SIZE) {
		item.size = ue->e.size;
		item.crlf_extra = ue->e.crlf_extra;
	}
	if (want & FETCH_DATES) {
		item.internaldate = ue->e.internaldate;
		item.savedate = ue->e.savedate;
	}
	if (want & WANT_RECORD)
		return collect_record(c, &item, ue->e.msgid, ret_is_full);
	*ret_is_full = !has_room(c, ITEM_OVERHEAD, 0);
	if (!*ret_is_full)
		add_item(c->f, &item, NULL);
	return VERDICT_DONE;
}

/* Some entries more; sets next_uid when the reply is full. */
static struct verdict
collect_step(struct collect *c, uint32_t *from_uid)
{
	struct entry_query eq = {
		.account = c->account,
		.mailbox = c->q->mailbox,
		.uids = c->q->uids,
		.from_uid = *from_uid,
		.max = STEP_MAX,
	};
	struct entry_list list;
	struct verdict v = entries_read(c->m, &eq, &list);
	bool is_full = false;

	if (!verdict_is_done(v))
		return v;
	*from_uid = list.next_uid;
	for (size_t i = 0; i < list.n && !is_full && verdict_is_done(v); i++) {
		v = collect_entry(c, &list.v[i], &is_full);
		if (is_full) {
			c->f->next_uid = list.v[i].uid;
			*from_uid = 0;
		}
	}
	entry_list_done(&list);
	return v;
}

struct verdict
mail_fetch_collect(struct mail *m, uint64_t account, const struct msg_fetch *q,
    struct mail_fetch *ret)
{
	struct collect c = { .m = m, .account = account, .q = q, .f = ret };
	uint32_t from_uid = q->uids.n ? 1 : 0;
	struct account *a;
	struct mailbox *mb;
	struct verdict v = mailbox_get(m, account, q->mailbox, &a, &mb);

	*ret = (struct mail_fetch){ .items = BUF_INIT(MAIL_REPLY_MAX) };
	if (!verdict_is_done(v))
		return v;
	if (!uid_set_is_valid(q->uids) || (q->want & ~(uint32_t)WANT_ALL))
		return verdict_permfail(REASON_INTERNAL);
	c.max =
	    q->max_bytes ? MIN(q->max_bytes, FETCH_MAX_BYTES) : DEFAULT_BYTES;
	while (verdict_is_done(v) && from_uid)
		v = collect_step(&c, &from_uid);
	if (!verdict_is_done(v))
		mail_fetch_done(ret);
	return v;
}

/* --- the reply ------------------------------------------------------------------ */

/* What became of one read: its bytes, or why there are none. */
struct body {
	struct str bytes;
	bool is_gone, is_corrupt;
};

static struct body
take_body(const struct mail_fetch *f, const struct engine_read_result *r,
    size_t i, size_t *offset)
{
	struct body body = { 0 };
	int64_t got = r && i < r->count ? r->got[i] : -EIO;

	if (got < 0) {
		body.is_gone = got == -ENOENT;
		body.is_corrupt = !body.is_gone;
		return body;
	}
	body.is_corrupt = (uint64_t)got != f->reads[i].size;
	if (!f->is_in_fd) {
		body.bytes = str_sub(buf_str(r->data), *offset, (size_t)got);
		*offset += (size_t)got;
	}
	return body;
}

static void
put_item(struct buf *out, struct str encoded, const struct body *body)
{
	size_t at = out->n;

	/* All but the length of the empty body, which stands last. */
	buf_put_str(out, str_first(encoded, encoded.n - 4));
	if (body->is_corrupt && !out->failed)
		out->p[at + CORRUPT_AT] = 1;
	wire_put_str(out, body->is_corrupt ? STR("") : body->bytes);
}

void
mail_fetch_finish(const struct mail_fetch *f,
    const struct engine_read_result *r, struct buf *out)
{
	struct msg_fetch_reply reply = {
		.next_uid = f->next_uid,
		.is_body_in_fd = f->is_in_fd,
	};
	size_t start = 0, read = 0, offset = 0, items;
	struct buf length = BUF_INIT(4);

	msg_fetch_reply_put(out, &reply);
	items = out->n;
	for (size_t i = 0; i < f->n; start = f->v[i++].end) {
		struct str encoded =
		    str_sub(buf_str(&f->items), start, f->v[i].end - start);
		struct body body = { 0 };

		if (f->v[i].has_read)
			body = take_body(f, r, read++, &offset);
		if (!body.is_gone)
			put_item(out, encoded, &body);
	}
	/* The list stands last in the reply: set its length now. */
	wire_put_u32(&length, (uint32_t)(out->n - items));
	if (!out->failed)
		memcpy(out->p + items - length.n, length.p, length.n);
	buf_done(&length);
}

void
mail_fetch_done(struct mail_fetch *f)
{
	buf_done(&f->items);
	free(f->v);
	free(f->reads);
	*f = (struct mail_fetch){ 0 };
}
