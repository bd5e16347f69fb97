/* SPDX-License-Identifier: ISC */
/*
 * LINK: tlsrpt
 *
 * Rows of counts: what reads is written within its limit and reads the same;
 * adding up loses no session; keys come back. */
#include "proto/tlsrpt/tlsrpt_tally.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_key(struct str in)
{
	struct buf b = BUF_INIT(400);
	struct tlsrpt_key key;

	if (tlsrpt_key_parse(in, &key)) {
		tlsrpt_key_put(&key, &b);
		if (!str_eq(buf_str(&b), in))
			abort();
	}
	buf_done(&b);
}

static void
add_up(const struct tlsrpt_tally *t, uint64_t *good, uint64_t *failed)
{
	struct arena arena;

	arena_init(&arena, MIB(4));
	*good = *failed = 0;
	for (const struct tlsrpt_policy *p = tlsrpt_tally_policies(t, &arena);
	     p != NULL; p = p->next) {
		*good += p->successful;
		*failed += p->failed;
	}
	arena_done(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct tlsrpt_tally *a = tlsrpt_tally_new(), *b = tlsrpt_tally_new();
	struct buf one = BUF_INIT(TLSRPT_TALLY_BYTES);
	struct buf two = BUF_INIT(TLSRPT_TALLY_BYTES);
	uint64_t good_a, failed_a, good_b, failed_b;

	check_key(in);
	if (tlsrpt_tally_decode(in, a)) {
		tlsrpt_tally_encode(a, &one);
		if (one.failed || !tlsrpt_tally_decode(buf_str(&one), b))
			abort();
		tlsrpt_tally_encode(b, &two);
		if (!str_eq(buf_str(&one), buf_str(&two)))
			abort();
		add_up(b, &good_a, &failed_a);
		if (!tlsrpt_tally_decode(buf_str(&one), b))
			abort();
		add_up(b, &good_b, &failed_b);
		if (good_b != 2 * good_a || failed_b != 2 * failed_a)
			abort();
	}
	tlsrpt_tally_free(a);
	tlsrpt_tally_free(b);
	buf_done(&one);
	buf_done(&two);
	return 0;
}
