/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_cte_fuzz.c - transfer encodings decode the same however the input is
 * split, into no more than they were given; base64 comes back from itself.
 */
#include "proto/mime/mime_cte.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(enum mime_cte cte, struct str in, size_t step, struct buf *out)
{
	struct mime_cte_decoder d;

	mime_cte_init(&d, cte);
	for (; in.n; in = str_from(in, step))
		mime_cte_feed(&d, str_first(in, step), out);
	mime_cte_finish(&d, out);
	ASSERT(!out->failed);
}

static void
check_splits(enum mime_cte cte, struct str in)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64 };
	struct buf whole = BUF_INIT(2 * in.n + 256);

	decode(cte, in, MAX(in.n, (size_t)1), &whole);
	ASSERT(whole.n <= in.n);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct buf parts = BUF_INIT(2 * in.n + 256);

		decode(cte, in, steps[i], &parts);
		ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
		buf_done(&parts);
	}
	buf_done(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf enc = BUF_INIT(2 * size + 64);
	struct buf dec = BUF_INIT(3 * size + 64);

	check_splits(MIME_CTE_IDENTITY, in);
	check_splits(MIME_CTE_BASE64, in);
	check_splits(MIME_CTE_QP, in);
	mime_cte_encode_base64(in, &enc);
	decode(MIME_CTE_BASE64, buf_str(&enc), 5, &dec);
	ASSERT(str_eq(buf_str(&dec), in));
	buf_done(&enc);
	buf_done(&dec);
	return 0;
}
