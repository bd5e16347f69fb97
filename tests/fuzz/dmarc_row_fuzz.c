/* SPDX-License-Identifier: ISC */
/*
 * LINK: dmarc
 *
 * Properties: what is read, written again, is the same bytes; memory is
 * bounded by the arena.
 */
#include "proto/dmarc/dmarc_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_row(struct str in)
{
	struct buf b = BUF_INIT(DMARC_ROW_MAX), c = BUF_INIT(DMARC_ROW_MAX);
	struct dmarc_published p;
	struct dmarc_report_row r;
	struct arena a;

	arena_init(&a, KIB(64));
	if (dmarc_row_get(in, &a, &p, &r)) {
		dmarc_row_put(&p, &r, &b);
		dmarc_row_put_count(r.count, &b);
		/* Numbers have longer forms; ours is the shortest. */
		ASSERT(!b.failed && b.n <= in.n);
		ASSERT(dmarc_row_get(buf_str(&b), &a, &p, &r));
		dmarc_row_put(&p, &r, &c);
		dmarc_row_put_count(r.count, &c);
		ASSERT(str_eq(buf_str(&b), buf_str(&c)));
	}
	arena_done(&a);
	buf_done(&b);
	buf_done(&c);
}

static void
check_sent(struct str in)
{
	struct buf b = BUF_INIT(KIB(4)), c = BUF_INIT(KIB(4));
	struct dmarc_sent s;

	if (dmarc_sent_get(in, &s)) {
		dmarc_sent_put(&s, &b);
		ASSERT(!b.failed && dmarc_sent_get(buf_str(&b), &s));
		dmarc_sent_put(&s, &c);
		ASSERT(str_eq(buf_str(&b), buf_str(&c)));
	}
	buf_done(&b);
	buf_done(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct dmarc_row_key key;

	if (dmarc_row_key_get(in, &key))
		ASSERT(key.domain.n == DMARC_ROW_DOMAIN_N &&
		       key.part.n <= DMARC_ROW_PART_MAX);
	check_row(in);
	check_sent(in);
	return 0;
}
