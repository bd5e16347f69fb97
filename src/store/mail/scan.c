/* SPDX-License-Identifier: ISC */
/*
 * scan.c - read entries of a mailbox and records of messages.
 *
 * A set of UIDs is read range by range; ranges that lie close together are
 * one scan that skips what is between them, since stepping over an entry is
 * cheaper than finding a place in the index anew.
 */
#include "store/mail/mail_internal.h"

/* UIDs between two ranges that are rather stepped over. */
#define SCAN_GAP 32

struct scan {
	const struct entry_query *q;
	struct entry_list *list;
	struct str set;       /* ranges not begun yet */
	uint32_t first, last; /* the range under way */
	bool is_corrupt;
};

/* Is uid wanted? Moves on to the range that could hold it. */
static bool
is_wanted(struct scan *s, uint32_t uid)
{
	while (uid > s->last)
		if (!uid_set_next(&s->set, &s->first, &s->last))
			return false;
	return uid >= s->first;
}

static int
scan_entry(void *arg, struct str key, struct str val)
{
	struct scan *s = arg;
	struct entry_list *l = s->list;
	struct uid_entry ue;
	uint32_t mailbox;

	if (!key_read_entry(key, &mailbox, &ue.uid) ||
	    !entry_record_decode(val, &ue.e)) {
		s->is_corrupt = true;
		return 1;
	}
	if (!is_wanted(s, ue.uid))
		return 0;
	if (l->n >= s->q->max) {
		l->next_uid = ue.uid;
		return 1;
	}
	if (l->n == l->cap)
		l->v = x_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = ue;
	return 0;
}

/* End of the run of ranges, close together, that begins at first. */
static uint32_t
run_end(struct str set, uint32_t last)
{
	uint32_t first, next;

	while (uid_set_next(&set, &first, &next) && first - last <= SCAN_GAP)
		last = next;
	return last;
}

static struct verdict
scan_run(struct mail *m, struct scan *s, uint32_t first, uint32_t end)
{
	struct engine_range range = {
		.shard = account_shard(s->q->account),
		.from = KEY(key_entry(s->q->mailbox, first)),
		.to = end == UINT32_MAX
		          ? KEY(key_entry(s->q->mailbox + 1, 0))
		          : KEY(key_entry(s->q->mailbox, end + 1)),
	};
	int r = engine_scan(m->engine, &range, scan_entry, s);

	if (r < 0)
		return verdict_engine(r);
	return s->is_corrupt ? verdict_engine(ENGINE_CORRUPT) : VERDICT_DONE;
}

struct verdict
entries_read(
    struct mail *m, const struct entry_query *q, struct entry_list *ret)
{
	struct scan s = { .q = q, .list = ret, .set = q->uids };
	struct verdict v = VERDICT_DONE;

	*ret = (struct entry_list){ 0 };
	if (q->uids.n == 0) {
		s.first = q->from_uid;
		s.last = UINT32_MAX;
		return scan_run(m, &s, s.first, UINT32_MAX);
	}
	while (!ret->next_uid && uid_set_next(&s.set, &s.first, &s.last)) {
		uint32_t end;

		if (s.last < q->from_uid)
			continue;
		s.first = MAX(s.first, q->from_uid);
		end = run_end(s.set, s.last);
		v = scan_run(m, &s, s.first, end);
		if (!verdict_is_done(v))
			break;
		/* Ranges of the run without a message above them. */
		while (s.last < end && uid_set_next(&s.set, &s.first, &s.last))
			;
	}
	if (!verdict_is_done(v))
		entry_list_done(ret);
	return v;
}

void
entry_list_done(struct entry_list *l)
{
	free(l->v);
	*l = (struct entry_list){ 0 };
}

struct verdict
message_read(struct mail *m, uint64_t account, uint64_t msgid,
    struct message_record *ret)
{
	struct str val;
	int r = engine_get(
	    m->engine, account_shard(account), KEY(key_message(msgid)), &val);

	if (r < 0)
		return verdict_engine(r);
	if (r == 0)
		return verdict_not_found(REASON_NONE);
	return message_record_decode(val, ret) ? VERDICT_DONE
	                                       : verdict_engine(ENGINE_CORRUPT);
}

struct verdict
structure_read(struct mail *m, uint64_t account, uint64_t msgid,
    const struct message_record *r, struct buf *out)
{
	uint32_t size = r->structure_size;
	size_t start = out->n;

	/* The record itself dies with the next engine call. */
	buf_put_str(out, r->structure);
	for (uint8_t part = 0; out->n - start < size && !out->failed; part++) {
		struct str val;
		int got = engine_get(m->engine, account_shard(account),
		    KEY(key_part(msgid, part)), &val);

		if (got < 0)
			return verdict_engine(got);
		if (got == 0 || val.n == 0 || val.n > size - (out->n - start))
			return verdict_engine(ENGINE_CORRUPT);
		buf_put_str(out, val);
	}
	return VERDICT_DONE;
}
