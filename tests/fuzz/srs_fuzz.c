/* SPDX-License-Identifier: ISC */
/*
 * LINK: srs
 *
 * The input as a sender and as a recipient. Properties: what was rewritten
 * is within the limit and goes back to the sender, with its quoting in the
 * one normal form, in any case of letters; a second forwarder goes back to
 * the first; nothing is written on failure, and only what we signed passes.
 */
#include "base/crypt.h"
#include "proto/srs/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str keys[] = { { "0123456789abcdef", 16 },
	{ "fedcba9876543210", 16 } };
static const struct srs one = { { "f.example", 9 }, keys, 1, 1795392000 };
static const struct srs two = { { "g.example", 9 }, keys + 1, 1, 1795392000 };
static const struct srs other = { { "f.example", 9 }, keys + 1, 1, 0 };

static void
check_way(struct str sender)
{
	struct buf there = BUF_INIT(KIB(1)), again = BUF_INIT(KIB(1));
	struct buf back = BUF_INIT(KIB(1)), none = BUF_INIT(KIB(1));
	enum srs_result r = srs_forward(&one, sender, &there);

	ASSERT((r == SRS_OK) == (there.n > 0));
	if (r == SRS_OK) {
		ASSERT(srs_is_srs(buf_str(&there)));
		ASSERT(str_rfind(buf_str(&there), '@') <= SRS_LOCAL_MAX);
		ASSERT(srs_reverse(&one, buf_str(&there), &back) == SRS_OK);
		ASSERT(srs_reverse(&other, buf_str(&there), &none) ==
		       SRS_BAD_HASH);
		ASSERT(srs_is_srs(sender) || sender.p[0] == '"' ||
		       str_eq(buf_str(&back), sender));
		r = srs_forward(&two, buf_str(&there), &again);
		ASSERT(r == SRS_OK || r == SRS_TOO_LONG);
	}
	if (again.n > 0) {
		/* The host between is skipped when it is SRS already. */
		ASSERT(srs_reverse(&two, buf_str(&again), &none) == SRS_OK);
		ASSERT(srs_is_srs(sender) ||
		       str_eq_case(buf_str(&none), buf_str(&there)));
	}
	buf_reset(&none, 0);
	for (size_t i = 0; i < there.n; i++)
		there.p[i] = ascii_lower(there.p[i]);
	if (there.n > 0) {
		ASSERT(srs_reverse(&one, buf_str(&there), &none) == SRS_OK);
		ASSERT(str_eq_case(buf_str(&none), buf_str(&back)));
	}
	buf_done(&there);
	buf_done(&again);
	buf_done(&back);
	buf_done(&none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf b = BUF_INIT(KIB(1));
	enum srs_result r = srs_reverse(&one, in, &b);

	ASSERT((r == SRS_OK) == (b.n > 0));
	check_way(in);
	buf_done(&b);
	return 0;
}
