/* SPDX-License-Identifier: ISC */
/*
 * LINK: tlsa
 *
 * Records from the input, each with a length in front, against a fixed
 * chain. Properties: encode(parse(x)) = x; what matches is usable, and its
 * data are those of the certificate that it names; a set that gets a record
 * made for the host's key, of the strongest kind, matches the host.
 */
#include "proto/tlsa/tlsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tlsa_cert chain[] = {
	{ { "abc", 3 }, { "k", 1 } },
	{ { "de", 2 }, { "l", 1 } },
	{ { "f", 1 }, { "m", 1 } },
};

static size_t
read_records(struct str in, struct tlsa_record *records, size_t max)
{
	struct buf b = BUF_INIT(KIB(1));
	size_t n = 0;

	while (in.n > 0 && n < max) {
		struct str one = str_sub(in, 1, (uint8_t)in.p[0]);

		in = str_from(in, 1 + one.n);
		if (!tlsa_parse(one, &records[n]))
			continue;
		buf_reset(&b, KIB(1));
		tlsa_encode(&records[n++], &b);
		ASSERT(str_eq(buf_str(&b), one));
	}
	buf_done(&b);
	return n;
}

static void
check_match(const struct tlsa_record *records, size_t n)
{
	struct buf b = BUF_INIT(KIB(1));
	const struct tlsa_record *r;
	struct tlsa_match m;

	tlsa_match(records, n, chain, ARRAY_LEN(chain), &m);
	if (m.verdict == TLSA_NO_MATCH) {
		ASSERT(m.cert == 0);
		return;
	}
	ASSERT(m.record < n && m.cert < ARRAY_LEN(chain));
	ASSERT((m.verdict == TLSA_MATCH_EE) == (m.cert == 0));
	ASSERT(tlsa_set_use(records, n) == TLSA_USABLE);
	r = &records[m.record];
	ASSERT(tlsa_is_usable(r));
	ASSERT(r->usage ==
	       (m.verdict == TLSA_MATCH_EE ? TLSA_DANE_EE : TLSA_DANE_TA));
	ASSERT(tlsa_put_data(r->selector, r->matching, &chain[m.cert], &b));
	ASSERT(str_eq(buf_str(&b), r->data));
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsa_record records[TLSA_RECORDS_MAX + 1];
	struct buf b = BUF_INIT(64);
	struct tlsa_match m;
	size_t n =
	    read_records(str_make(data, size), records, TLSA_RECORDS_MAX);

	check_match(records, n);
	if (n == TLSA_RECORDS_MAX)
		return 0;
	ASSERT(tlsa_put_data(TLSA_SPKI, TLSA_SHA512, &chain[0], &b));
	records[n++] = (struct tlsa_record){ TLSA_DANE_EE, TLSA_SPKI,
		TLSA_SHA512, buf_str(&b) };
	tlsa_match(records, n, chain, ARRAY_LEN(chain), &m);
	ASSERT(m.verdict == TLSA_MATCH_EE);
	buf_done(&b);
	return 0;
}
