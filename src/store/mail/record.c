/* SPDX-License-Identifier: ISC */
/*
 * record.c - encode and decode what an account's shard holds. See record.h.
 *
 * Integers that are mostly small are varints: an entry is about 25 bytes.
 */
#include "store/mail/record.h"

#define FLAGS_STORED 0x1fU
#define HAS_KEYWORDS 0x80U
#define HAS_EXTRA    0x40U

/* --- keys ------------------------------------------------------------------ */

static void
put32(struct mail_key *k, uint32_t v)
{
	be32_put(k->b + k->n, v);
	k->n += 4;
}

static void
put64(struct mail_key *k, uint64_t v)
{
	be64_put(k->b + k->n, v);
	k->n += 8;
}

struct mail_key
key_kind(char kind)
{
	return (struct mail_key){ .n = 1, .b = { kind } };
}

static struct mail_key
key_id(char kind, uint32_t id)
{
	struct mail_key k = key_kind(kind);

	put32(&k, id);
	return k;
}

struct mail_key
key_mailbox(uint32_t mailbox)
{
	return key_id('B', mailbox);
}

struct mail_key
key_grave(uint32_t mailbox)
{
	return key_id('G', mailbox);
}

struct mail_key
key_subscription(uint32_t number)
{
	return key_id('S', number);
}

struct mail_key
key_week(uint32_t week)
{
	return key_id('D', week);
}

static struct mail_key
key_log(char kind, uint32_t mailbox, uint64_t modseq, uint32_t uid)
{
	struct mail_key k = key_id(kind, mailbox);

	put64(&k, modseq);
	put32(&k, uid);
	return k;
}

struct mail_key
key_change(uint32_t mailbox, uint64_t modseq, uint32_t uid)
{
	return key_log('C', mailbox, modseq, uid);
}

struct mail_key
key_expunged(uint32_t mailbox, uint64_t modseq, uint32_t uid)
{
	return key_log('X', mailbox, modseq, uid);
}

struct mail_key
key_entry(uint32_t mailbox, uint32_t uid)
{
	struct mail_key k = key_id('E', mailbox);

	put32(&k, uid);
	return k;
}

struct mail_key
key_lost(uint64_t time, uint32_t mailbox, uint32_t uid)
{
	struct mail_key k = key_kind('L');

	put64(&k, time);
	put32(&k, mailbox);
	put32(&k, uid);
	return k;
}

static struct mail_key
key_msgid(char kind, uint64_t msgid)
{
	struct mail_key k = key_kind(kind);

	put64(&k, msgid);
	return k;
}

struct mail_key
key_message(uint64_t msgid)
{
	return key_msgid('M', msgid);
}

struct mail_key
key_refs(uint64_t msgid)
{
	return key_msgid('R', msgid);
}

struct mail_key
key_part(uint64_t msgid, uint8_t part)
{
	struct mail_key k = key_msgid('P', msgid);

	k.b[k.n++] = (char)part;
	return k;
}

static bool
has_shape(struct str key, char kind, size_t n)
{
	return key.n == n && key.p[0] == kind;
}

bool
key_read_id(struct str key, char kind, uint32_t *ret)
{
	if (!has_shape(key, kind, 5))
		return false;
	*ret = be32_get(key.p + 1);
	return true;
}

bool
key_read_change(struct str key, uint32_t *ret_mailbox, uint64_t *ret_modseq,
    uint32_t *ret_uid)
{
	if (!has_shape(key, 'C', 17) && !has_shape(key, 'X', 17))
		return false;
	*ret_mailbox = be32_get(key.p + 1);
	*ret_modseq = be64_get(key.p + 5);
	*ret_uid = be32_get(key.p + 13);
	return true;
}

bool
key_read_entry(struct str key, uint32_t *ret_mailbox, uint32_t *ret_uid)
{
	if (!has_shape(key, 'E', 9))
		return false;
	*ret_mailbox = be32_get(key.p + 1);
	*ret_uid = be32_get(key.p + 5);
	return true;
}

bool
key_read_lost(struct str key, uint64_t *ret_time, uint32_t *ret_mailbox,
    uint32_t *ret_uid)
{
	if (!has_shape(key, 'L', 17))
		return false;
	*ret_time = be64_get(key.p + 1);
	*ret_mailbox = be32_get(key.p + 9);
	*ret_uid = be32_get(key.p + 13);
	return true;
}

bool
key_read_msgid(struct str key, char kind, uint64_t *ret)
{
	if (!has_shape(key, kind, 9))
		return false;
	*ret = be64_get(key.p + 1);
	return true;
}

/* --- records ---------------------------------------------------------------- */

/* The rest of the record is n keyword names. */
static void
get_keywords(struct wire *w, uint32_t *ret_n, struct str *ret)
{
	uint32_t n = wire_get_v32(w);
	struct str all = w->in;

	if (n > RECORD_KEYWORDS_MAX)
		w->failed = true;
	for (uint32_t i = 0; i < n && !w->failed; i++)
		if (wire_get_vstr(w).n == 0)
			w->failed = true;
	*ret_n = n;
	*ret = str_first(all, all.n - w->in.n);
}

void
account_record_encode(struct buf *b, const struct account_record *r)
{
	wire_put_u8(b, RECORD_VERSION);
	wire_put_varint(b, r->bytes_limit);
	wire_put_varint(b, r->messages_limit);
	wire_put_varint(b, r->bytes);
	wire_put_varint(b, r->messages);
	wire_put_varint(b, r->modseq);
	wire_put_varint(b, r->next_msgid);
	wire_put_varint(b, r->next_id);
	wire_put_varint(b, r->uidvalidity);
	wire_put_varint(b, r->created);
}

bool
account_record_decode(struct str val, struct account_record *ret)
{
	struct wire w = wire_read_version(val, RECORD_VERSION);
	struct account_record r = { 0 };

	r.bytes_limit = wire_get_varint(&w);
	r.messages_limit = wire_get_varint(&w);
	r.bytes = wire_get_varint(&w);
	r.messages = wire_get_varint(&w);
	r.modseq = wire_get_varint(&w);
	r.next_msgid = wire_get_varint(&w);
	r.next_id = wire_get_v32(&w);
	r.uidvalidity = wire_get_v32(&w);
	r.created = wire_get_varint(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}

void
mailbox_record_encode(struct buf *b, const struct mailbox_record *r)
{
	wire_put_u8(b, RECORD_VERSION);
	wire_put_vstr(b, r->name);
	wire_put_varint(b, r->special);
	wire_put_varint(b, r->uidvalidity);
	wire_put_varint(b, r->uidnext);
	wire_put_varint(b, r->recent_from);
	wire_put_varint(b, r->modseq);
	wire_put_varint(b, r->messages);
	wire_put_varint(b, r->unseen);
	wire_put_varint(b, r->deleted);
	wire_put_varint(b, r->bytes);
	wire_put_varint(b, r->log_floor);
	wire_put_varint(b, r->log_count);
	wire_put_varint(b, r->created);
	wire_put_varint(b, r->n_keywords);
	buf_put_str(b, r->keywords);
}

bool
mailbox_record_decode(struct str val, struct mailbox_record *ret)
{
	struct wire w = wire_read_version(val, RECORD_VERSION);
	struct mailbox_record r = { 0 };

	r.name = wire_get_vstr(&w);
	r.special = wire_get_v32(&w);
	r.uidvalidity = wire_get_v32(&w);
	r.uidnext = wire_get_v32(&w);
	r.recent_from = wire_get_v32(&w);
	r.modseq = wire_get_varint(&w);
	r.messages = wire_get_v32(&w);
	r.unseen = wire_get_v32(&w);
	r.deleted = wire_get_v32(&w);
	r.bytes = wire_get_varint(&w);
	r.log_floor = wire_get_varint(&w);
	r.log_count = wire_get_v32(&w);
	r.created = wire_get_varint(&w);
	get_keywords(&w, &r.n_keywords, &r.keywords);
	if (!wire_is_complete(&w) || r.name.n == 0 || r.uidnext == 0)
		return false;
	*ret = r;
	return true;
}

void
entry_record_encode(struct buf *b, const struct entry_record *r)
{
	bool has_keywords = r->keywords[0] || r->keywords[1];

	wire_put_u8(b, RECORD_VERSION);
	wire_put_u8(b, (uint8_t)((r->flags & FLAGS_STORED) |
				 (has_keywords ? HAS_KEYWORDS : 0) |
				 (r->crlf_extra ? HAS_EXTRA : 0)));
	wire_put_varint(b, r->msgid);
	wire_put_varint(b, r->modseq);
	wire_put_varint(b, r->internaldate);
	wire_put_varint(b, r->savedate);
	wire_put_varint(b, r->size);
	if (r->crlf_extra)
		wire_put_varint(b, r->crlf_extra);
	if (has_keywords) {
		wire_put_u64(b, r->keywords[0]);
		wire_put_u64(b, r->keywords[1]);
	}
}

bool
entry_record_decode(struct str val, struct entry_record *ret)
{
	struct wire w = wire_read_version(val, RECORD_VERSION);
	struct entry_record r = { 0 };

	r.flags = wire_get_u8(&w);
	r.msgid = wire_get_varint(&w);
	r.modseq = wire_get_varint(&w);
	r.internaldate = wire_get_varint(&w);
	r.savedate = wire_get_varint(&w);
	r.size = wire_get_varint(&w);
	if (r.flags & HAS_EXTRA) {
		r.crlf_extra = wire_get_varint(&w);
		r.flags &= ~HAS_EXTRA;
		if (!r.crlf_extra)
			return false;
	}
	if (r.flags & HAS_KEYWORDS) {
		r.keywords[0] = wire_get_u64(&w);
		r.keywords[1] = wire_get_u64(&w);
		r.flags &= ~HAS_KEYWORDS;
		if (!r.keywords[0] && !r.keywords[1])
			return false;
	}
	if (!wire_is_complete(&w) || (r.flags & ~FLAGS_STORED))
		return false;
	*ret = r;
	return true;
}

void
message_record_encode(struct buf *b, const struct message_record *r)
{
	wire_put_u8(b, RECORD_VERSION);
	wire_put_varint(b, r->blob);
	wire_put_varint(b, r->blob_size);
	wire_put_vstr(b, r->trace);
	wire_put_vstr(b, r->prefix);
	wire_put_varint(b, r->structure_size);
	buf_put_str(b, str_first(r->structure, RECORD_INLINE_MAX));
}

bool
message_record_decode(struct str val, struct message_record *ret)
{
	struct wire w = wire_read_version(val, RECORD_VERSION);
	struct message_record r = { 0 };

	r.blob = wire_get_varint(&w);
	r.blob_size = wire_get_varint(&w);
	r.trace = wire_get_vstr(&w);
	r.prefix = wire_get_vstr(&w);
	r.structure_size = wire_get_v32(&w);
	r.structure = w.in;
	if (w.failed ||
	    r.structure.n != MIN(r.structure_size, RECORD_INLINE_MAX) ||
	    r.structure_size >
		RECORD_INLINE_MAX + RECORD_PARTS_MAX * RECORD_PART_MAX)
		return false;
	*ret = r;
	return true;
}

void
grave_record_encode(struct buf *b, const struct grave_record *r)
{
	wire_put_u8(b, RECORD_VERSION);
	wire_put_varint(b, r->removed);
	wire_put_vstr(b, r->name);
	wire_put_varint(b, r->n_keywords);
	buf_put_str(b, r->keywords);
}

bool
grave_record_decode(struct str val, struct grave_record *ret)
{
	struct wire w = wire_read_version(val, RECORD_VERSION);
	struct grave_record r = { 0 };

	r.removed = wire_get_varint(&w);
	r.name = wire_get_vstr(&w);
	get_keywords(&w, &r.n_keywords, &r.keywords);
	if (!wire_is_complete(&w) || r.name.n == 0)
		return false;
	*ret = r;
	return true;
}

void
refs_encode(struct buf *b, uint64_t refs)
{
	wire_put_varint(b, refs);
}

bool
refs_decode(struct str val, uint64_t *ret)
{
	struct wire w = wire_read(val);
	uint64_t refs = wire_get_varint(&w);

	if (!wire_is_complete(&w) || refs < 2)
		return false;
	*ret = refs;
	return true;
}
