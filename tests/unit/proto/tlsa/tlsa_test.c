/* SPDX-License-Identifier: ISC */
/* tlsa_test.c - TLSA records and the chains that they mean. */
#include "../../test.h"
#include "proto/tlsa/tlsa.h"

#define SHA256_ABC \
	"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23" \
	"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"
#define ZEROS_32 "0123456789abcdef0123456789abcdef"

/* "Certificates": what is hashed are their bytes, whatever these are. */
static const struct tlsa_cert chain[] = {
	{ { "abc", 3 }, { "host key", 8 } },
	{ { "issuer", 6 }, { "abc", 3 } },
	{ { "root", 4 }, { "root key", 8 } },
};

TEST(records_have_three_numbers_and_data)
{
	struct tlsa_record r = { .usage = 77 };
	struct buf b = BUF_INIT(100);

	CHECK(!tlsa_parse(STR("\3\1\1"), &r) && r.usage == 77, "no data");
	CHECK(!tlsa_parse(STR_NONE, &r), "nothing");
	CHECK(tlsa_parse(STR("\3\1\377x"), &r), "numbers");
	CHECK(r.usage == 3 && r.selector == 1 && r.matching == 255, "numbers");
	CHECK(str_eq(r.data, STR("x")), "data");
	tlsa_encode(&r, &b);
	CHECK(str_eq(buf_str(&b), STR("\3\1\377x")), "same bytes");
	buf_reset(&b, 100);
	tlsa_put_text(&r, &b);
	CHECK(str_eq(buf_str(&b), STR("3 1 255 78")), "text");
	buf_done(&b);
}

TEST(usable_is_what_smtp_can_use)
{
	static const struct {
		struct str in;
		bool want;
	} cases[] = {
		{ STR("\0\1\1" ZEROS_32), false }, /* PKIX-TA */
		{ STR("\1\1\1" ZEROS_32), false }, /* PKIX-EE */
		{ STR("\2\0\1" ZEROS_32), true },
		{ STR("\2\1\1" ZEROS_32), true }, { STR("\2\0\0x"), true },
		{ STR("\3\0\1" ZEROS_32), true },
		{ STR("\3\1\1" ZEROS_32), true },
		{ STR("\3\1\2" ZEROS_32 ZEROS_32), true },
		{ STR("\3\1\0x"), true }, { STR("\3\1\1x"), false },
		{ STR("\3\1\1" ZEROS_32 "x"), false },
		{ STR("\3\1\2" ZEROS_32), false },
		{ STR("\3\2\1" ZEROS_32), false },
		{ STR("\3\1\3" ZEROS_32), false },
		{ STR("\4\1\1" ZEROS_32), false },
		{ STR("\377\1\1" ZEROS_32), false }, /* PrivCert */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tlsa_record r;

		CHECK(tlsa_parse(cases[i].in, &r), "parse");
		CHECK(tlsa_is_usable(&r) == cases[i].want, "usable");
		CHECK(tlsa_set_use(&r, 1) ==
			  (cases[i].want ? TLSA_USABLE : TLSA_UNUSABLE),
		    "set");
	}
	CHECK(tlsa_set_use(NULL, 0) == TLSA_ABSENT, "none");
}

TEST(a_record_matches_the_certificate_that_it_means)
{
	static const struct {
		const char *name;
		struct str in;
		enum tlsa_verdict want;
		size_t cert;
	} cases[] = {
		{ "3 0 1", STR("\3\0\1" SHA256_ABC), TLSA_MATCH_EE, 0 },
		{ "3 0 0", STR("\3\0\0abc"), TLSA_MATCH_EE, 0 },
		{ "3 1 0", STR("\3\1\0host key"), TLSA_MATCH_EE, 0 },
		{ "3 1 1 of another", STR("\3\1\1" SHA256_ABC), TLSA_NO_MATCH,
		    0 },
		{ "3 0 0 of an issuer", STR("\3\0\0issuer"), TLSA_NO_MATCH, 0 },
		{ "2 1 1", STR("\2\1\1" SHA256_ABC), TLSA_MATCH_TA, 1 },
		{ "2 0 0", STR("\2\0\0root"), TLSA_MATCH_TA, 2 },
		{ "2 0 1 of the host", STR("\2\0\1" SHA256_ABC), TLSA_NO_MATCH,
		    0 },
		{ "1 0 1", STR("\1\0\1" SHA256_ABC), TLSA_NO_MATCH, 0 },
		{ "0 1 1", STR("\0\1\1" SHA256_ABC), TLSA_NO_MATCH, 0 },
		{ "3 0 1, one bit", STR("\3\0\1" ZEROS_32), TLSA_NO_MATCH, 0 },
		{ "3 0 0, a prefix", STR("\3\0\0ab"), TLSA_NO_MATCH, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tlsa_match m;
		struct tlsa_record r;

		CHECK(tlsa_parse(cases[i].in, &r), cases[i].name);
		tlsa_match(&r, 1, chain, ARRAY_LEN(chain), &m);
		CHECK(m.verdict == cases[i].want, cases[i].name);
		CHECK(m.cert == cases[i].cert, cases[i].name);
		tlsa_match(&r, 1, chain, 0, &m);
		CHECK(m.verdict == TLSA_NO_MATCH, "no chain");
	}
}

static void
put(struct tlsa_record *r, struct buf *b, uint8_t usage, uint8_t matching)
{
	*r = (struct tlsa_record){ usage, TLSA_SPKI, matching, STR_NONE };
	CHECK(tlsa_put_data(TLSA_SPKI, matching, &chain[0], b), "data");
	r->data = buf_str(b);
}

/* RFC 7671 section 9: a weaker digest beside a stronger one is not there. */
TEST(only_the_strongest_digest_counts)
{
	struct buf b1 = BUF_INIT(100), b2 = BUF_INIT(100), b0 = BUF_INIT(100);
	struct tlsa_record r[3];
	struct tlsa_match m;

	put(&r[0], &b1, TLSA_DANE_EE, TLSA_SHA256);
	put(&r[1], &b2, TLSA_DANE_EE, TLSA_SHA512);
	put(&r[2], &b0, TLSA_DANE_EE, TLSA_FULL);
	tlsa_match(r, 2, chain, 1, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 1, "the stronger");
	b2.p[0] ^= 1;
	tlsa_match(r, 2, chain, 1, &m);
	CHECK(m.verdict == TLSA_NO_MATCH, "the weaker is no way round");
	tlsa_match(r, 3, chain, 1, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 2, "full bytes count");
	r[1].usage = TLSA_DANE_TA;
	tlsa_match(r, 2, chain, 1, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 0, "another usage");
	r[1].usage = TLSA_DANE_EE;
	r[1].selector = TLSA_CERT;
	tlsa_match(r, 2, chain, 1, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 0, "another selector");
	r[1].selector = TLSA_SPKI;
	r[1].data.n--;
	tlsa_match(r, 2, chain, 1, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 0, "not usable");
	buf_done(&b0);
	buf_done(&b1);
	buf_done(&b2);
}

TEST(the_hosts_own_certificate_goes_first)
{
	struct tlsa_record r[] = {
		{ TLSA_DANE_TA, TLSA_CERT, TLSA_FULL, STR("issuer") },
		{ TLSA_DANE_EE, TLSA_CERT, TLSA_FULL, STR("abc") },
	};
	struct tlsa_match m;

	tlsa_match(r, 2, chain, 3, &m);
	CHECK(m.verdict == TLSA_MATCH_EE && m.record == 1, "EE");
	tlsa_match(r, 1, chain, 3, &m);
	CHECK(m.verdict == TLSA_MATCH_TA && m.cert == 1, "TA");
}

TEST(sets_and_chains_have_limits)
{
	struct tlsa_record r[TLSA_RECORDS_MAX + 1];
	struct tlsa_cert certs[TLSA_CHAIN_MAX + 1];
	struct tlsa_match m;

	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		r[i] = (struct tlsa_record){ TLSA_DANE_TA, TLSA_CERT, TLSA_FULL,
			STR("root") };
	for (size_t i = 0; i < ARRAY_LEN(certs); i++)
		certs[i] = chain[0];
	CHECK(tlsa_set_use(r, TLSA_RECORDS_MAX) == TLSA_USABLE, "most");
	CHECK(tlsa_set_use(r, ARRAY_LEN(r)) == TLSA_UNUSABLE, "too many");
	certs[TLSA_CHAIN_MAX - 1] = chain[2];
	tlsa_match(r, 1, certs, ARRAY_LEN(certs), &m);
	CHECK(m.verdict == TLSA_MATCH_TA, "the last that is looked at");
	certs[TLSA_CHAIN_MAX - 1] = chain[0];
	certs[TLSA_CHAIN_MAX] = chain[2];
	tlsa_match(r, 1, certs, ARRAY_LEN(certs), &m);
	CHECK(m.verdict == TLSA_NO_MATCH, "one behind it");
}

TEST(data_are_made_for_what_is_known)
{
	struct tlsa_cert no_key = { .der = STR("abc") };
	struct tlsa_record r = { TLSA_DANE_EE, TLSA_SPKI, TLSA_SHA256,
		STR("\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f"
		    "\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b"
		    "\x78\x52\xb8\x55") };
	struct buf b = BUF_INIT(100);
	struct tlsa_match m;

	CHECK(!tlsa_put_data(2, 1, &chain[0], &b) && b.n == 0, "selector");
	CHECK(!tlsa_put_data(1, 3, &chain[0], &b) && b.n == 0, "matching");
	CHECK(tlsa_put_data(0, 1, &chain[0], &b), "sha256");
	CHECK(str_eq(buf_str(&b), STR(SHA256_ABC)), "sha256");
	tlsa_match(&r, 1, &no_key, 1, &m);
	CHECK(m.verdict == TLSA_NO_MATCH, "the digest of nothing is no key");
	buf_done(&b);
}

TEST_MAIN(UNIT(records_have_three_numbers_and_data),
    UNIT(usable_is_what_smtp_can_use),
    UNIT(a_record_matches_the_certificate_that_it_means),
    UNIT(only_the_strongest_digest_counts),
    UNIT(the_hosts_own_certificate_goes_first),
    UNIT(sets_and_chains_have_limits), UNIT(data_are_made_for_what_is_known))
