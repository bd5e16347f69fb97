/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/store/queue/queue_record.c src/store/queue/arrival_record.c src/base/hash.c
 *
 * store_queue_record_fuzz.c - records and keys of the queue, from bytes that
 * lay on a bad disk. The first byte chooses which. What decodes, encoded
 * again, decodes to the same bytes once more; a key that reads is the key
 * that its parts make; an address that is clean stays as it is.
 */
#include "store/queue/arrival_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

#define ROUND(name, type) \
	static void round_##name(struct str in) \
	{ \
		struct buf one = BUF_INIT(MIB(4)), two = BUF_INIT(MIB(4)); \
		struct type##_record a, b; \
\
		if (type##_record_decode(in, &a)) { \
			type##_record_encode(&one, &a); \
			must(!one.failed); \
			must(type##_record_decode(buf_str(&one), &b)); \
			type##_record_encode(&two, &b); \
			must(str_eq(buf_str(&one), buf_str(&two))); \
		} \
		buf_done(&one); \
		buf_done(&two); \
	}

ROUND(message, queue_message)
ROUND(entry, queue_entry)
ROUND(lease, queue_lease)
ROUND(event, queue_event)
ROUND(gone, queue_gone)
ROUND(arrival, arrival)

/* A part that decodes is as many copies as its bytes hold. */
static void
round_part(struct str in)
{
	struct buf b = BUF_INIT(MIB(4)), again = BUF_INIT(MIB(4));
	struct arrival_copy c;
	struct str copies, back;

	if (arrival_part_decode(in, &copies)) {
		for (struct wire w = wire_read(copies);
		     arrival_copy_read(&w, &c);)
			arrival_copy_put(&b, &c);
		arrival_part_encode(&again, buf_str(&b));
		must(arrival_part_decode(buf_str(&again), &back) &&
		     str_eq(back, buf_str(&b)));
	}
	buf_done(&b);
	buf_done(&again);
}

/* The items of a lease that decodes are as many as it says. */
static void
round_items(struct str in)
{
	struct queue_lease_record r;
	struct queue_lease_item i;
	struct wire w;
	uint32_t n = 0;

	if (!queue_lease_record_decode(in, &r))
		return;
	for (w = wire_read(r.items); queue_lease_item_read(&w, &i);)
		n++;
	must(n == r.n && n <= QUEUE_LEASE_MAX && !w.failed);
}

static void
round_keys(struct str in)
{
	struct queue_place p;
	struct str domain;
	uint64_t a, b;
	uint32_t c;
	uint8_t state;

	if (qkey_read_id(in, 'M', &a))
		must(str_eq(in, QKEY(qkey_id('M', a))));
	if (qkey_read_entry(in, &a, &c))
		must(str_eq(in, in.p[0] == 'R' ? QKEY(qkey_entry(a, c))
					       : QKEY(qkey_prefix(a, c))));
	if (qkey_read_event(in, &a, &b, &c, &state))
		must(str_eq(in, QKEY(qkey_event(a, b, c, state))));
	if (qkey_read_due(in, &domain, &p)) {
		must(str_eq(in, QKEY(qkey_due(domain, &p))));
		must(str_cmp(in, QKEY(qkey_due_from(domain, QUEUE_PRIO_MAX))) >
		     0);
		must(str_cmp(in, QKEY(qkey_due_end(domain))) < 0);
	}
	if (qkey_read_lookup(in, &a, &b))
		must(in.n == 17);
}

static void
round_address(struct str in)
{
	struct buf clean = BUF_INIT(KIB(1)), again = BUF_INIT(KIB(1));

	if (queue_address_clean(in, &clean)) {
		must(queue_address_is_ok(buf_str(&clean)));
		must(clean.n <= QUEUE_ADDRESS_MAX);
		must(queue_address_clean(buf_str(&clean), &again));
		must(str_eq(buf_str(&clean), buf_str(&again)));
	}
	if (queue_address_is_ok(in))
		must(queue_address_clean(in, &clean) &&
		     str_eq(in, buf_str(&clean)));
	buf_done(&clean);
	buf_done(&again);
}

static void
round_small(struct str in)
{
	struct buf b = BUF_INIT(KIB(64));
	struct str prefix, back;
	uint64_t account, again;

	if (queue_account_decode(in, &account)) {
		queue_account_encode(&b, account);
		must(queue_account_decode(buf_str(&b), &again) &&
		     again == account);
	}
	buf_reset(&b, KIB(1));
	if (queue_prefix_decode(in, &prefix)) {
		queue_prefix_encode(&b, prefix);
		must(b.failed || (queue_prefix_decode(buf_str(&b), &back) &&
				     str_eq(prefix, back)));
	}
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const rounds[])(struct str) = { round_message,
		round_entry, round_lease, round_event, round_gone, round_items,
		round_keys, round_address, round_small, round_arrival,
		round_part };

	if (n == 0)
		return 0;
	rounds[data[0] % ARRAY_LEN(rounds)](str_make(data + 1, n - 1));
	return 0;
}
