/* SPDX-License-Identifier: ISC */
/*
 * arrival.c - notes of how messages came and where they went. See arrival.h.
 */
#include "store/queue/arrival.h"

#include "store/queue/arrival_record.h"
#include "store/queue/queue_internal.h"

/* --- writing -------------------------------------------------------------------- */

struct arriving {
	struct queue *q;
	struct engine_batch *b;
	uint64_t number;
	uint8_t flags;
	struct buf val, copies, login;
	uint32_t part;
};

static void
put_lookup(struct arriving *w, struct str text)
{
	struct queue_key key = akey_lookup_of(w->flags, text, w->number);

	if (text.n)
		batch_put(w->b, QUEUE_SHARD, queue_key_str(&key), STR_NONE);
}

/* Who an account is, when it is not the name that is known already. */
static struct str
other_name(struct arriving *w, uint64_t account, struct str known)
{
	const struct queue_config *conf = &w->q->config;

	buf_reset(&w->login, KIB(1));
	if (account && conf->login)
		conf->login(conf->arg, account, &w->login);
	return str_eq_case(buf_str(&w->login), known) ? STR_NONE
	                                              : buf_str(&w->login);
}

/* Somebody may look for the address, or for the account behind an alias. */
static void
add_copy(struct arriving *w, const struct queue_copy *c)
{
	struct arrival_copy copy = { c->address,
		other_name(w, c->account, c->address),
		c->is_junk ? ARRIVAL_COPY_JUNK : 0 };

	if (c->forwarded.n) {
		copy.login = c->forwarded;
		copy.flags = ARRIVAL_COPY_FORWARDED;
	}
	arrival_copy_put(&w->copies, &copy);
	put_lookup(w, copy.address);
	put_lookup(w, copy.login);
}

/* As many copies as fit into a part; how many these are. */
static size_t
fill_part(struct arriving *w, const struct queue_copy *copies, size_t n)
{
	size_t i;

	buf_reset(&w->copies, ARRIVAL_PART_BYTES + KIB(2));
	for (i = 0; i < n && w->copies.n < ARRIVAL_PART_BYTES; i++)
		add_copy(w, &copies[i]);
	return i;
}

static void
put_part(struct arriving *w)
{
	struct queue_key key = akey_part(w->number, w->part++);

	batch_put(w->b, QUEUE_SHARD, queue_key_str(&key), buf_str(&w->val));
	buf_reset(&w->val, ENGINE_VALUE_MAX);
}

static void
put_head(struct arriving *w, const struct queue_arrival *a, size_t n)
{
	struct arrival_record r = {
		.trace = str_first(a->trace, QUEUE_TRACE_MAX),
		.mail_from = str_first(a->mail_from, QUEUE_ADDRESS_MAX),
		.login = other_name(w, a->account, STR_NONE),
		.size = a->size,
		.arrival_ms = a->arrival_ms,
		.n_copies = (uint32_t)n,
		.flags = w->flags,
		.service = str_first(a->service, ARRIVAL_NAME_MAX),
		.client = str_first(a->client, ARRIVAL_NAME_MAX),
		.ip = str_first(a->ip, ARRIVAL_NAME_MAX),
		.tls = str_first(a->tls, ARRIVAL_NAME_MAX),
		.results = str_first(a->results, ARRIVAL_RESULT_MAX),
		.copies = buf_str(&w->copies),
	};

	arrival_record_encode(&w->val, &r);
	put_part(w);
	put_lookup(w, r.trace);
	put_lookup(w, r.mail_from);
	put_lookup(w, r.login);
}

void
queue_arrived(struct queue *q, struct engine_batch *b,
    const struct queue_arrival *a, const struct queue_copy *copies, size_t n,
    const struct queue_adding *adding)
{
	struct arriving w = { .q = q,
		.b = b,
		.flags = adding ? 0 : ARRIVAL_IS_ALL,
		.val = BUF_INIT(ENGINE_VALUE_MAX),
		.copies = BUF_INIT(ARRIVAL_PART_BYTES + KIB(2)),
		.login = BUF_INIT(KIB(1)) };
	size_t noted = MIN(n, (size_t)ARRIVAL_COPIES_MAX), at;

	if (q->is_damaged || q->config.limits.history_days == 0)
		return;
	w.number = adding ? queue_adding_number(adding)
	                  : queue_number(q, &q->next_message, 1);
	at = fill_part(&w, copies, noted);
	put_head(&w, a, n);
	while (at < noted) {
		at += fill_part(&w, copies + at, noted - at);
		arrival_part_encode(&w.val, buf_str(&w.copies));
		put_part(&w);
	}
	buf_done(&w.val);
	buf_done(&w.copies);
	buf_done(&w.login);
}

/* --- reading -------------------------------------------------------------------- */

struct reading {
	struct arrival *a;
	bool is_bad;
};

static int
read_part(void *arg, struct str key, struct str val)
{
	struct reading *r = arg;
	uint64_t message;
	uint32_t part;
	struct str copies;

	if (!akey_read_part(key, &message, &part)) {
		r->is_bad = true;
		return 0;
	}
	if (part == 0) {
		buf_put_str(&r->a->head, val);
		return 0;
	}
	if (arrival_part_decode(val, &copies))
		buf_put_str(&r->a->copies, copies);
	else
		r->is_bad = true;
	return 0;
}

struct verdict
arrival_read(struct queue *q, uint64_t message, struct arrival *ret)
{
	struct engine_range range = { QUEUE_SHARD, QKEY(akey_from(message)),
		QKEY(akey_from(message + 1)), false };
	struct reading r = { .a = ret };
	int e;

	*ret = (struct arrival){ .head = BUF_INIT(ENGINE_VALUE_MAX),
		.copies = BUF_INIT(MIB(4)) };
	e = engine_scan(q->engine, &range, read_part, &r);
	if (e < 0)
		return verdict_engine(e);
	if (r.is_bad || (ret->head.n == 0 && ret->copies.n))
		return verdict_tempfail(REASON_CORRUPT);
	if (ret->head.n == 0)
		return verdict_not_found(REASON_INTERNAL);
	return arrival_record_decode(buf_str(&ret->head), &ret->r)
	           ? VERDICT_DONE
	           : verdict_tempfail(REASON_CORRUPT);
}

void
arrival_done(struct arrival *a)
{
	buf_done(&a->head);
	buf_done(&a->copies);
}

bool
arrival_next_copy(
    const struct arrival *a, struct arrival_walk *w, struct arrival_copy *ret)
{
	if (!w->is_begun) {
		*w = (struct arrival_walk){ wire_read(a->r.copies),
			wire_read(buf_str(&a->copies)), true };
	}
	return arrival_copy_read(&w->first, ret) ||
	       arrival_copy_read(&w->rest, ret);
}

/* --- forgetting it --------------------------------------------------------------- */

struct arrival_removal {
	struct engine_batch *b;
	uint64_t message;
	uint8_t flags;
	size_t keys;
};

static void
del_lookup(struct arrival_removal *d, struct str text)
{
	struct queue_key key = akey_lookup_of(d->flags, text, d->message);

	if (text.n == 0)
		return;
	batch_del(d->b, QUEUE_SHARD, queue_key_str(&key));
	d->keys++;
}

static void
del_names(struct arrival_removal *d, const struct arrival *a)
{
	struct arrival_walk walk = { .is_begun = false };
	struct arrival_copy c;

	while (arrival_next_copy(a, &walk, &c)) {
		del_lookup(d, c.address);
		del_lookup(d, c.login);
	}
}

struct verdict
arrival_forget(
    struct queue *q, struct engine_batch *b, uint64_t message, size_t *keys)
{
	struct arrival_removal d = { .b = b, .message = message };
	struct arrival a;
	struct verdict v = arrival_read(q, message, &a);

	if (verdict_is_done(v)) {
		d.flags = a.r.flags;
		del_lookup(&d, a.r.trace);
		del_lookup(&d, a.r.mail_from);
		del_lookup(&d, a.r.login);
		del_names(&d, &a);
	}
	if (verdict_is_done(v) || v.reason == REASON_CORRUPT)
		batch_del_range(b, QUEUE_SHARD, QKEY(akey_from(message)),
		    QKEY(akey_from(message + 1)));
	arrival_done(&a);
	*keys += d.keys;
	return v.outcome == NOT_FOUND || v.reason == REASON_CORRUPT
	           ? VERDICT_DONE
	           : v;
}
