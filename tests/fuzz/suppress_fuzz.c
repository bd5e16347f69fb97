/* SPDX-License-Identifier: ISC */
/*
 * LINK: suppress
 * OBJS: src/conf/retry_rule.c
 *
 * Rows of suppressed addresses and of retry rules, from bytes that lay on a bad
 * disk. Properties: what decodes, encoded again, decodes to the same bytes once
 * more; one more refusal leaves a row that can be kept.
 */
#include "conf/retry_rule.h"
#include "proto/suppress/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_suppress(struct str in)
{
	static const struct suppress_rule rule = { 3, 1000, 86400 };
	struct buf a = BUF_INIT(KIB(4)), b = BUF_INIT(KIB(4));
	struct suppress_row r, again;

	if (suppress_decode(in, &r)) {
		suppress_encode(&r, &a);
		ASSERT(suppress_decode(buf_str(&a), &again));
		suppress_encode(&again, &b);
		ASSERT(str_eq(buf_str(&a), buf_str(&b)));
		if (suppress_refused(&rule, &r, 1790000000, 7, &again)) {
			buf_reset(&a, KIB(4));
			suppress_encode(&again, &a);
			ASSERT(suppress_decode(buf_str(&a), &r));
		}
	}
	buf_done(&a);
	buf_done(&b);
}

static void
check_retry(struct str in)
{
	struct buf a = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(1));
	struct retry_rule r, again;

	if (retry_rule_decode(in, &r)) {
		ASSERT(!retry_rule_fault(&r));
		retry_rule_encode(&r, &a);
		ASSERT(retry_rule_decode(buf_str(&a), &again));
		retry_rule_encode(&again, &b);
		ASSERT(str_eq(buf_str(&a), buf_str(&b)));
	}
	(void)retry_rule_is_pattern(in);
	buf_done(&a);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_suppress(in);
	check_retry(in);
	return 0;
}
