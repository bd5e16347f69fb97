/* SPDX-License-Identifier: ISC */
/*
 * LINK: reach
 *
 * A histogram and senders as role send tells them: what was read, written and read again
 * is the same, and percentiles grow. The rest is the cells of a page whose checksum is right
 * (what is behind it must not be trusted either): what was read comes back.
 */
#include "base/hash.h"
#include "proto/reach/sent_profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_hist(struct str in)
{
	struct buf b = BUF_INIT(KIB(1));
	struct sent_hist h = { { 0 } }, again = { { 0 } };

	if (!sent_hist_get(in, &h))
		return;
	sent_hist_put(&b, &h);
	if (b.failed || !sent_hist_get(buf_str(&b), &again) ||
	    memcmp(&h, &again, sizeof(h)) != 0)
		abort();
	if (sent_hist_ms(&h, 500) > sent_hist_ms(&h, 950) ||
	    sent_hist_above(&h, sent_hist_ms(&h, 1000)) != 0)
		abort();
	buf_done(&b);
}

static void
check_senders(struct str in)
{
	struct sent_senders s;
	uint32_t sum = 0;

	if (!sent_senders_get(str_first(in, SENT_SENDERS * 2), &s))
		return;
	for (size_t i = 0; i < SENT_SENDERS; i++)
		sum += s.n[i];
	if (sent_senders_fair(&s) > sum)
		abort();
}

static void
put_u64(uint8_t *to, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

static void
check_page(struct str in)
{
	static uint8_t page[SENT_PAGE_BYTES], slot[SENT_SLOT_BYTES];
	static const uint8_t zeros[8];
	static struct sent_table t, again;
	struct sent_profile p;
	uint64_t sum;

	memset(page, 0, sizeof(page));
	memcpy(page, in.p, MIN(in.n, sizeof(page)));
	sum = hash64(page, 12);
	sum = hash64_seed(zeros, sizeof(zeros), sum);
	sum = hash64_seed(page + 20, SENT_PAGE_BYTES - 20, sum);
	put_u64(page + 12, sum);
	if (sent_profile_decode(page, &p)) {
		sent_profile_encode(&p, page);
		if (!sent_profile_decode(page, &p))
			abort();
	}
	t = again = (struct sent_table){ .interval = 5 };
	if (!sent_table_decode(&t, page, 1))
		return;
	if (t.n > SENT_PAGE_CELLS)
		abort();
	if (!sent_table_decode(&again, slot, sent_table_encode(&t, slot)) ||
	    memcmp(&t, &again, sizeof(t)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_hist(in);
	check_senders(in);
	if (size > 0)
		check_page(in);
	return 0;
}
