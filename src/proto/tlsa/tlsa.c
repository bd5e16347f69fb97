/* SPDX-License-Identifier: ISC */
/*
 * tlsa.c - read TLSA records and match certificate chains.
 */
#include "proto/tlsa/tlsa.h"

bool
tlsa_parse(struct str bytes, struct tlsa_record *ret)
{
	/* Three numbers and data of at least a byte (RFC 6698 section 2.1). */
	if (bytes.n < 4 || bytes.n > TLSA_RECORD_MAX)
		return false;
	*ret = (struct tlsa_record){
		.usage = (uint8_t)bytes.p[0],
		.selector = (uint8_t)bytes.p[1],
		.matching = (uint8_t)bytes.p[2],
		.data = str_from(bytes, 3),
	};
	return true;
}

void
tlsa_encode(const struct tlsa_record *r, struct buf *to)
{
	buf_put_char(to, (char)r->usage);
	buf_put_char(to, (char)r->selector);
	buf_put_char(to, (char)r->matching);
	buf_put_str(to, r->data);
}

void
tlsa_put_text(const struct tlsa_record *r, struct buf *to)
{
	buf_printf(to, "%u %u %u ", r->usage, r->selector, r->matching);
	for (size_t i = 0; i < r->data.n; i++)
		buf_printf(to, "%02x", (unsigned char)r->data.p[i]);
}

/* Bytes of a digest; 0 for what is none. */
static size_t
digest_length(uint8_t matching)
{
	return matching == TLSA_SHA256 ? 32 : matching == TLSA_SHA512 ? 64 : 0;
}

bool
tlsa_is_usable(const struct tlsa_record *r)
{
	if (r->usage != TLSA_DANE_TA && r->usage != TLSA_DANE_EE)
		return false;
	if (r->selector != TLSA_CERT && r->selector != TLSA_SPKI)
		return false;
	if (r->matching == TLSA_FULL)
		return r->data.n > 0;
	return digest_length(r->matching) > 0 &&
	       r->data.n == digest_length(r->matching);
}

static void
digest(enum crypt_hash hash, struct str bytes, struct crypt_sum *ret_sum)
{
	struct crypt_digest *d = crypt_digest_new(hash);

	crypt_digest_put(d, bytes);
	crypt_digest_finish(d, ret_sum);
	crypt_digest_free(d);
}

bool
tlsa_put_data(uint8_t selector, uint8_t matching, const struct tlsa_cert *cert,
    struct buf *to)
{
	struct str what = selector == TLSA_CERT ? cert->der : cert->spki;
	struct crypt_sum sum;

	if (selector != TLSA_CERT && selector != TLSA_SPKI)
		return false;
	switch (matching) {
	case TLSA_FULL:
		buf_put_str(to, what);
		break;
	case TLSA_SHA256:
		digest(CRYPT_SHA256, what, &sum);
		buf_put_str(to, crypt_sum_str(&sum));
		break;
	case TLSA_SHA512:
		digest(CRYPT_SHA512, what, &sum);
		buf_put_str(to, crypt_sum_str(&sum));
		break;
	default:
		return false;
	}
	return !to->failed;
}

enum tlsa_use
tlsa_set_use(const struct tlsa_record *records, size_t n)
{
	if (n == 0)
		return TLSA_ABSENT;
	for (size_t i = 0; n <= TLSA_RECORDS_MAX && i < n; i++)
		if (tlsa_is_usable(&records[i]))
			return TLSA_USABLE;
	return TLSA_UNUSABLE;
}

/* Is there a stronger digest for the same usage and selector? */
static bool
is_outdone(
    const struct tlsa_record *records, size_t n, const struct tlsa_record *r)
{
	if (r->matching == TLSA_FULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tlsa_is_usable(&records[i]) &&
		    records[i].usage == r->usage &&
		    records[i].selector == r->selector &&
		    records[i].matching > r->matching)
			return true;
	return false;
}

/* The digests of one certificate, each computed once. */
struct sums {
	const struct tlsa_cert *cert;
	struct crypt_sum v[2][2]; /* by selector; SHA-256, SHA-512 */
};

static bool
is_of(const struct tlsa_record *r, struct sums *s)
{
	bool is_spki = r->selector == TLSA_SPKI;
	struct str what = is_spki ? s->cert->spki : s->cert->der;
	struct crypt_sum *sum;

	/* A certificate whose key nobody could read has no bytes for it. */
	if (what.n == 0)
		return false;
	if (r->matching == TLSA_FULL)
		return str_eq(r->data, what);
	sum = &s->v[is_spki][r->matching == TLSA_SHA512];
	if (sum->n == 0)
		digest(r->matching == TLSA_SHA512 ? CRYPT_SHA512 : CRYPT_SHA256,
		    what, sum);
	return str_eq(r->data, crypt_sum_str(sum));
}

/* Look for a record with this usage that one certificate is meant by. */
static bool
match_one(const struct tlsa_record *records, size_t n, enum tlsa_usage usage,
    const struct tlsa_cert *cert, size_t *ret_record)
{
	struct sums sums = { .cert = cert };

	for (size_t i = 0; i < n; i++) {
		const struct tlsa_record *r = &records[i];

		if (r->usage != usage || !tlsa_is_usable(r) ||
		    is_outdone(records, n, r) || !is_of(r, &sums))
			continue;
		*ret_record = i;
		return true;
	}
	return false;
}

void
tlsa_match(const struct tlsa_record *records, size_t n,
    const struct tlsa_cert *chain, size_t n_chain, struct tlsa_match *ret)
{
	*ret = (struct tlsa_match){ .verdict = TLSA_NO_MATCH };
	if (n > TLSA_RECORDS_MAX || n_chain == 0)
		return;
	if (match_one(records, n, TLSA_DANE_EE, &chain[0], &ret->record)) {
		ret->verdict = TLSA_MATCH_EE;
		return;
	}
	/* An issuer stands above the host (RFC 7671 section 5.2). */
	for (size_t i = 1; i < MIN(n_chain, (size_t)TLSA_CHAIN_MAX); i++) {
		if (!match_one(
			records, n, TLSA_DANE_TA, &chain[i], &ret->record))
			continue;
		ret->verdict = TLSA_MATCH_TA;
		ret->cert = i;
		return;
	}
}
