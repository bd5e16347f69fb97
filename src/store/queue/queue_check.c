/* SPDX-License-Identifier: ISC */
/*
 * queue_check.c - everything in the queue's shard against everything else in
 * it, a few thousand keys at a time.
 *
 * Each record is followed to what it refers to, and looked for where it must
 * be referred to. It reads; it repairs nothing.
 */
#include "store/queue/queue_internal.h"

#define STEP_KEYS  2000
#define STEP_BYTES MIB(4)

struct checker {
	struct queue *q;
	struct queue_check *out;
	/* Keys and values of this step, copied: no engine call is allowed while
	 * they are scanned. */
	struct buf copies;
	size_t n;
};

static void PRINTF_LIKE(2, 3) problem(struct checker *ck, const char *fmt, ...)
{
	struct buf b = BUF_INIT(KIB(4));
	va_list ap;

	buf_put_c(&b, "queue: ");
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	ck->out->problems++;
	if (ck->out->problem)
		ck->out->problem(ck->out->arg, buf_c(&b));
	buf_done(&b);
}

typedef unsigned long long ull;

/* True when it is there; an error of the engine is a problem as well. */
static bool
is_there(struct checker *ck, struct queue_key key)
{
	struct str val;

	return engine_get(
		   ck->q->engine, QUEUE_SHARD, queue_key_str(&key), &val) == 1;
}

static int
any_key(UNUSED void *arg, UNUSED struct str key, UNUSED struct str val)
{
	return 1;
}

static bool
has_any(struct checker *ck, char kind, uint64_t message)
{
	struct engine_range range = { QUEUE_SHARD, QKEY(qkey_id(kind, message)),
		QKEY(qkey_id(kind, message + 1)), false };

	return engine_scan(ck->q->engine, &range, any_key, NULL) == 1;
}

static bool
is_known(struct checker *ck, uint64_t message)
{
	return is_there(ck, qkey_id('M', message)) ||
	       is_there(ck, qkey_id('G', message));
}

/* --- what there is --------------------------------------------------------------- */

static void
check_due(struct checker *ck, struct str key, struct str val)
{
	struct queue_entry_record r;
	struct queue_place p;
	struct queue_key place;
	struct str domain;
	uint64_t account;

	if (!qkey_read_due(key, &domain, &p) ||
	    !queue_account_decode(val, &account)) {
		problem(ck, "a key of the due index is damaged");
		return;
	}
	if (!verdict_is_done(queue_get_entry(ck->q, p.message, p.rcpt, &r))) {
		problem(ck,
		    "message %llu: recipient %u of the due index is "
		    "not there",
		    (ull)p.message, p.rcpt);
		return;
	}
	place = qtx_place((struct qtx_entry){ p.message, p.rcpt }, &r);
	if (!str_eq(queue_key_str(&place), key) || account != r.account)
		problem(ck,
		    "message %llu: the due index is wrong about "
		    "recipient %u",
		    (ull)p.message, p.rcpt);
}

static void
check_entry(struct checker *ck, struct str key, struct str val)
{
	struct queue_entry_record r;
	struct qtx_entry e;

	ck->out->entries++;
	if (!qkey_read_entry(key, &e.message, &e.rcpt) ||
	    !queue_entry_record_decode(val, &r)) {
		problem(ck, "an entry is damaged");
		return;
	}
	if (!is_there(ck, qkey_id('M', e.message)))
		problem(ck, "message %llu: recipient %u has no message",
		    (ull)e.message, e.rcpt);
	if (!is_there(ck, qtx_place(e, &r)))
		problem(ck,
		    "message %llu: recipient %u is not in the due "
		    "index",
		    (ull)e.message, e.rcpt);
	if (!is_there(ck, qkey_lookup(r.address, e.message)))
		problem(ck, "message %llu: recipient %u cannot be looked up",
		    (ull)e.message, e.rcpt);
	if (r.prefix && !is_there(ck, qkey_prefix(e.message, r.prefix)))
		problem(ck, "message %llu: prefix %u is not there",
		    (ull)e.message, r.prefix);
}

static void
check_texts(
    struct checker *ck, uint64_t message, struct str trace, struct str sender)
{
	if ((trace.n && !is_there(ck, qkey_lookup(trace, message))) ||
	    (sender.n && !is_there(ck, qkey_lookup(sender, message))))
		problem(
		    ck, "message %llu: it cannot be looked up", (ull)message);
}

static void
check_message(struct checker *ck, struct str key, struct str val)
{
	struct queue_message_record r;
	uint64_t message, size = 0;

	ck->out->messages++;
	if (!qkey_read_id(key, 'M', &message) ||
	    !queue_message_record_decode(val, &r)) {
		problem(ck, "a message's record is damaged");
		return;
	}
	check_texts(ck, message, r.trace, r.mail_from);
	if ((r.flags & QUEUE_MESSAGE_LIMITED) &&
	    !is_there(ck, qkey_limited(r.account, message)))
		problem(ck,
		    "message %llu: it was held by a limit, but its "
		    "account does not lead to it",
		    (ull)message);
	if (!has_any(ck, 'R', message))
		problem(ck, "message %llu: it has no recipient any more",
		    (ull)message);
	if (is_there(ck, qkey_id('G', message)))
		problem(ck, "message %llu: it is here and gone", (ull)message);
	if (!r.blob)
		return;
	if (engine_blob_size(ck->q->engine, r.blob, &size) != 1)
		problem(ck, "message %llu: its bytes (blob %llu) are not there",
		    (ull)message, (ull)r.blob);
	else if (size != r.blob_size)
		problem(ck,
		    "message %llu: its size is %llu, its bytes are "
		    "%llu",
		    (ull)message, (ull)r.blob_size, (ull)size);
}

static void
check_gone(struct checker *ck, struct str key, struct str val)
{
	struct queue_gone_record r;
	uint64_t message;

	if (!qkey_read_id(key, 'G', &message) ||
	    !queue_gone_record_decode(val, &r)) {
		problem(ck, "a finished message's record is damaged");
		return;
	}
	check_texts(ck, message, r.trace, r.mail_from);
	if (has_any(ck, 'R', message) || has_any(ck, 'P', message))
		problem(ck,
		    "message %llu: it is gone, and parts of it are "
		    "here",
		    (ull)message);
}

static void
check_event(struct checker *ck, struct str key, struct str val)
{
	struct queue_event_record r;
	uint64_t message, time_ms;
	uint32_t rcpt;
	uint8_t state;

	if (!qkey_read_event(key, &message, &time_ms, &rcpt, &state) ||
	    !queue_event_record_decode(val, &r)) {
		problem(ck, "an event of the history is damaged");
		return;
	}
	if (!is_known(ck, message))
		problem(ck, "message %llu: it has a history, but never was",
		    (ull)message);
	if (r.address.n && !is_there(ck, qkey_lookup(r.address, message)))
		problem(ck, "message %llu: recipient %u cannot be looked up",
		    (ull)message, rcpt);
}

static void
check_lookup(struct checker *ck, struct str key, UNUSED struct str val)
{
	uint64_t hash, message;

	if (!qkey_read_lookup(key, &hash, &message))
		problem(ck, "a key of the look-up is damaged");
	else if (!is_known(ck, message))
		problem(ck,
		    "message %llu: it can be looked up, but is not "
		    "there",
		    (ull)message);
}

/* --- how messages came --------------------------------------------------------------- */

static void
check_name(struct checker *ck, uint64_t message, uint8_t flags, struct str text)
{
	if (text.n && !is_there(ck, akey_lookup_of(flags, text, message)))
		problem(ck,
		    "message %llu: it cannot be looked up by how it came",
		    (ull)message);
}

static void
check_copies(
    struct checker *ck, uint64_t message, uint8_t flags, struct str copies)
{
	struct wire w = wire_read(copies);
	struct arrival_copy c;

	while (arrival_copy_read(&w, &c)) {
		check_name(ck, message, flags, c.address);
		check_name(ck, message, flags, c.login);
	}
}

static void
check_head(struct checker *ck, uint64_t message, const struct arrival_record *r)
{
	bool is_all = r->flags & ARRIVAL_IS_ALL;

	check_name(ck, message, r->flags, r->trace);
	check_name(ck, message, r->flags, r->mail_from);
	check_name(ck, message, r->flags, r->login);
	check_copies(ck, message, r->flags, r->copies);
	if (is_all == is_known(ck, message))
		problem(ck, "message %llu: it came, and the queue %s of it",
		    (ull)message, is_all ? "knows" : "does not know");
}

static void
check_arrival(struct checker *ck, struct str key, struct str val)
{
	struct arrival_record r;
	struct str copies = STR_NONE;
	uint64_t message;
	uint32_t part;

	if (!akey_read_part(key, &message, &part) ||
	    !(part ? arrival_part_decode(val, &copies)
		   : arrival_record_decode(val, &r))) {
		problem(ck, "a note of how a message came is damaged");
		return;
	}
	if (part == 0)
		check_head(ck, message, &r);
	else if (!is_there(ck, akey_part(message, 0)))
		problem(ck,
		    "message %llu: a part of how it came belongs to nothing",
		    (ull)message);
}

static void
check_arrival_lookup(struct checker *ck, struct str key)
{
	uint64_t hash, message;

	if (!akey_read_lookup(key, &hash, &message))
		problem(ck, "a key of the look-up of what came is damaged");
	else if (!is_there(ck, akey_part(message, 0)))
		problem(ck,
		    "message %llu: it can be looked up, but did not come",
		    (ull)message);
}

static void
check_lease(struct checker *ck, struct str key, struct str val)
{
	struct queue_lease_record r;
	uint64_t id;

	/* Its entries may have gone: they are followed from the other side. */
	if (!qkey_read_id(key, 'L', &id) || !queue_lease_record_decode(val, &r))
		problem(ck, "a lease is damaged");
}

static void
check_prefix(struct checker *ck, struct str key, struct str val)
{
	struct queue_message_record m;
	struct str prefix;
	uint64_t message;
	uint32_t number;

	if (!qkey_read_entry(key, &message, &number) ||
	    !queue_prefix_decode(val, &prefix))
		problem(ck, "a prefix is damaged");
	else if (!verdict_is_done(queue_get_message(ck->q, message, &m)) ||
		 number == 0 || number >= m.n_prefixes)
		problem(ck, "message %llu: prefix %u belongs to nothing",
		    (ull)message, number);
}

static void
check_limited(struct checker *ck, struct str key, UNUSED struct str val)
{
	struct queue_message_record m;
	uint64_t account, message;

	if (!qkey_read_limited(key, &account, &message))
		problem(ck, "a key of what limits hold is damaged");
	else if (!verdict_is_done(queue_get_message(ck->q, message, &m)) ||
		 m.account != account || !(m.flags & QUEUE_MESSAGE_LIMITED))
		problem(ck,
		    "message %llu: it is held for account %llu, but is "
		    "not there",
		    (ull)message, (ull)account);
}

static void
check_key(struct checker *ck, struct str key, struct str val)
{
	switch (key.n ? key.p[0] : 0) {
	case 'A':
		check_limited(ck, key, val);
		break;
	case 'D':
		check_due(ck, key, val);
		break;
	case 'G':
		check_gone(ck, key, val);
		break;
	case 'H':
		check_event(ck, key, val);
		break;
	case 'I':
		check_arrival(ck, key, val);
		break;
	case 'J':
		check_arrival_lookup(ck, key);
		break;
	case 'K':
		check_lookup(ck, key, val);
		break;
	case 'L':
		check_lease(ck, key, val);
		break;
	case 'M':
		check_message(ck, key, val);
		break;
	case 'P':
		check_prefix(ck, key, val);
		break;
	case 'R':
		check_entry(ck, key, val);
		break;
	default:
		problem(ck, "a key of an unknown kind");
	}
}

/* --- a step -------------------------------------------------------------------------- */

static int
copy_key(void *arg, struct str key, struct str val)
{
	struct checker *ck = arg;

	if (ck->n == STEP_KEYS || ck->copies.n > STEP_BYTES) {
		/* The first one of the next step. */
		wire_put_vstr(&ck->copies, key);
		return 1;
	}
	wire_put_vstr(&ck->copies, key);
	wire_put_vstr(&ck->copies, val);
	ck->n++;
	return 0;
}

struct verdict
queue_check_step(struct queue *q, struct str from, struct queue_check *check,
    struct buf *next)
{
	struct engine_range range = { QUEUE_SHARD, from, STR_NONE, false };
	struct checker ck = {
		.q = q, .out = check, .copies = BUF_INIT(STEP_BYTES + KIB(256))
	};
	struct wire w;
	int r = engine_scan(q->engine, &range, copy_key, &ck);

	w = wire_read(buf_str(&ck.copies));
	for (size_t i = 0; i < ck.n && r >= 0; i++) {
		struct str key = wire_get_vstr(&w);

		check_key(&ck, key, wire_get_vstr(&w));
	}
	buf_reset(next, ENGINE_KEY_MAX);
	if (r == 1)
		buf_put_str(next, wire_get_vstr(&w));
	buf_done(&ck.copies);
	return r < 0 ? verdict_engine(r) : VERDICT_DONE;
}
