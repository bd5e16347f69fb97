/* SPDX-License-Identifier: ISC */
/* srs_test.c - senders rewritten, and the way back. */
#include "../../test.h"
#include "base/crypt.h"
#include "proto/srs/srs.h"

#define DAY 86400u
#define NOW (20780u * DAY + 3600) /* day 300 of its period: "JM" */

static const struct str keys[] = { { "the key of this year", 20 },
	{ "the key of last year", 20 } };

static struct srs
at(const char *domain, size_t first_key, size_t n, uint64_t now)
{
	return (struct srs){ str_c(domain), keys + first_key, n, now };
}

/* An address of forwarder.example around a tail, with a good hash. */
static struct str
signed_address(const char *kind, const char *tail, struct buf *to)
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	struct crypt_sum sum;
	uint64_t bits = 0;

	crypt_hmac(keys[0], str_c(tail), &sum);
	for (size_t i = 0; i < 8; i++)
		bits = bits << 8 | sum.v[i];
	buf_reset(to, 500);
	buf_printf(to, "%s=", kind);
	for (size_t i = 0; i < SRS_HASH_CHARS; i++)
		buf_put_char(to, base32[bits >> (59 - 5 * i) & 31]);
	buf_printf(to, "=%s@f.example", tail);
	return buf_str(to);
}

TEST(senders_come_back_as_they_were)
{
	static const char *const cases[] = { "alice@example.org",
		"Alice.B+tag@Sub.Example.ORG", "a=b=c@example.org",
		"\"a b\"@example.org", "\"a\\\"\\\\b@c\"@example.org",
		"\"a..b\"@example.org", "\"\"x@example.org", "\"\"@example.org",
		"gr\xc3\xbc\xc3\x9f@example.org", "srs0@example.org",
		"SRS2=x@example.org", "-@a" };
	struct srs s = at("f.example", 0, 1, NOW);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf there = BUF_INIT(500), back = BUF_INIT(500);
		enum srs_result r = srs_forward(&s, str_c(cases[i]), &there);

		if (strstr(cases[i], "\"\"x")) {
			CHECK(r == SRS_BAD_ADDRESS, cases[i]);
			continue;
		}
		CHECK(r == SRS_OK, cases[i]);
		CHECK(srs_is_srs(buf_str(&there)), cases[i]);
		CHECK(str_ends(buf_str(&there), STR("@f.example")), cases[i]);
		CHECK(srs_reverse(&s, buf_str(&there), &back) == SRS_OK,
		    cases[i]);
		CHECK(str_eq(buf_str(&back), str_c(cases[i])), cases[i]);
		buf_done(&there);
		buf_done(&back);
	}
}

TEST(the_form_is_the_usual_one)
{
	struct srs s = at("f.example", 0, 1, NOW);
	struct buf b = BUF_INIT(500), want = BUF_INIT(500);
	struct str form = signed_address("SRS0", "jm=example.org=alice", &want);

	CHECK(srs_forward(&s, STR("alice@example.org"), &b) == SRS_OK, "ok");
	CHECK(str_eq_case(buf_str(&b), form), "form");
	CHECK(str_search(buf_str(&b), STR("=JM=example.org=alice@")) == 11,
	    "day");
	buf_done(&b);
	buf_done(&want);
}

TEST(what_need_not_or_cannot_be_rewritten_is_told_apart)
{
	static const struct {
		const char *in;
		enum srs_result want;
	} cases[] = {
		{ "", SRS_NOT_NEEDED },
		{ "user@f.example", SRS_NOT_NEEDED },
		{ "user@F.EXAMPLE", SRS_NOT_NEEDED },
		{ "user", SRS_BAD_ADDRESS },
		{ "@example.org", SRS_BAD_ADDRESS },
		{ "user@", SRS_BAD_ADDRESS },
		{ "user@[192.0.2.1]", SRS_BAD_ADDRESS },
		{ "us er@example.org", SRS_BAD_ADDRESS },
		{ "us\r\ner@example.org", SRS_BAD_ADDRESS },
		{ "\"us\ner\"@example.org", SRS_BAD_ADDRESS },
		{ "\"us\"er\"@example.org", SRS_BAD_ADDRESS },
		{ "\"user\\\"@example.org", SRS_BAD_ADDRESS },
		{ "\"@example.org", SRS_BAD_ADDRESS },
		{ ".user@example.org", SRS_BAD_ADDRESS },
		{ "us\xff@example.org", SRS_BAD_ADDRESS },
		{ "SRS1=x@example.org", SRS_BAD_ADDRESS },
		{ "SRS1=h=a.b=@example.org", SRS_BAD_ADDRESS },
		{ "SRS1=h=a..b==x@example.org", SRS_BAD_ADDRESS },
		/* 64 octets with the 14 that are ours and the domain; 65. */
		{ "abcdefghijklmnopqrstuvwxyz0123456789@example.org", SRS_OK },
		{ "abcdefghijklmnopqrstuvwxyz01234567890@example.org", SRS_OK },
		{ "abcdefghijklmnopqrstuvwxyz012345678901@example.org",
		    SRS_TOO_LONG },
		/* The quotes count. */
		{ "\"abcdefghijklmnopqrstuvwxyz01234567 9\"@example.org",
		    SRS_TOO_LONG },
		{ "\"abcdefghijklmnopqrstuvwxyz0123456 8\"@example.org",
		    SRS_OK },
	};
	struct srs s = at("f.example", 0, 1, NOW);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(500);

		CHECK(srs_forward(&s, str_c(cases[i].in), &b) == cases[i].want,
		    cases[i].in);
		CHECK((b.n > 0) == (cases[i].want == SRS_OK), cases[i].in);
		CHECK(!b.n || str_find(buf_str(&b), '@') <= SRS_LOCAL_MAX,
		    cases[i].in);
		buf_done(&b);
	}
}

TEST(folded_case_does_no_harm_and_forgery_does_not_pass)
{
	struct srs s = at("f.example", 0, 1, NOW);
	struct buf b = BUF_INIT(500), back = BUF_INIT(500);
	size_t local;

	CHECK(srs_forward(&s, STR("Alice@Example.org"), &b) == SRS_OK, "ok");
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = ascii_lower(b.p[i]);
	CHECK(srs_reverse(&s, buf_str(&b), &back) == SRS_OK, "lower case");
	CHECK(str_eq(buf_str(&back), STR("alice@example.org")), "folded");
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = ascii_upper(b.p[i]);
	CHECK(srs_reverse(&s, buf_str(&b), &back) == SRS_OK, "upper case");
	/* Any other letter in any place. */
	local = (size_t)str_find(buf_str(&b), '@');
	for (size_t i = 5; i < local; i++) {
		char old = b.p[i];

		b.p[i] = old == 'X' ? 'Y' : 'X';
		CHECK(srs_reverse(&s, buf_str(&b), &back) != SRS_OK, "forged");
		b.p[i] = old;
	}
	buf_done(&b);
	buf_done(&back);
}

TEST(addresses_last_for_some_days)
{
	static const struct {
		int64_t days;
		enum srs_result want;
	} cases[] = {
		{ 0, SRS_OK },
		{ 1, SRS_OK },
		{ SRS_DAYS_MAX, SRS_OK },
		{ SRS_DAYS_MAX + 1, SRS_EXPIRED },
		{ 500, SRS_EXPIRED },
		{ 1022, SRS_EXPIRED },
		{ -1, SRS_OK },
		{ -2, SRS_EXPIRED },
	};
	/* The last day of a period, too. */
	static const uint64_t starts[] = { NOW, 1024ull * 20 * DAY - 1 };

	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(starts); i++) {
		uint64_t start = starts[i % 2];
		struct srs s = at("f.example", 0, 1, start);
		struct buf b = BUF_INIT(500), back = BUF_INIT(500);

		CHECK(srs_forward(&s, STR("a@b.c"), &b) == SRS_OK, "there");
		s.now = (uint64_t)((int64_t)start + cases[i / 2].days * DAY);
		CHECK(srs_reverse(&s, buf_str(&b), &back) == cases[i / 2].want,
		    "back");
		buf_done(&b);
		buf_done(&back);
	}
}

TEST(keys_are_rotated)
{
	struct srs old = at("f.example", 1, 1, NOW);
	struct srs both = at("f.example", 0, 2, NOW);
	struct srs new = at("f.example", 0, 1, NOW);
	struct buf b = BUF_INIT(500), back = BUF_INIT(500);

	CHECK(srs_forward(&old, STR("a@b.c"), &b) == SRS_OK, "old");
	CHECK(srs_reverse(&both, buf_str(&b), &back) == SRS_OK, "accepted");
	CHECK(srs_reverse(&new, buf_str(&b), &back) == SRS_BAD_HASH, "gone");
	buf_reset(&b, 500);
	CHECK(srs_forward(&both, STR("a@b.c"), &b) == SRS_OK, "both");
	CHECK(srs_reverse(&new, buf_str(&b), &back) == SRS_OK, "the first");
	buf_done(&b);
	buf_done(&back);
}

TEST(a_chain_of_forwarders_goes_back_to_the_first)
{
	struct srs f1 = at("f1.example", 1, 1, NOW);
	struct srs f2 = at("f2.example", 0, 1, NOW);
	struct srs f3 = at("f3.example", 1, 1, NOW);
	struct buf a = BUF_INIT(500), b = BUF_INIT(500), c = BUF_INIT(500);
	struct buf back = BUF_INIT(500);

	CHECK(srs_forward(&f1, STR("al@ex.org"), &a) == SRS_OK, "1");
	CHECK(srs_forward(&f2, buf_str(&a), &b) == SRS_OK, "2");
	CHECK(str_search(buf_str(&b), STR("=f1.example==")) == 11, "SRS1");
	CHECK(srs_forward(&f3, buf_str(&b), &c) == SRS_OK, "3");
	CHECK(str_search(buf_str(&c), STR("=f1.example==")) == 11, "skips 2");
	CHECK(str_search(buf_str(&c), STR("f2")) < 0, "skips 2");
	CHECK(srs_reverse(&f3, buf_str(&c), &back) == SRS_OK, "back 3");
	CHECK(str_eq(buf_str(&back), buf_str(&a)), "to the first");
	buf_reset(&back, 500);
	CHECK(srs_reverse(&f2, buf_str(&b), &back) == SRS_OK, "back 2");
	CHECK(str_eq(buf_str(&back), buf_str(&a)), "to the first");
	buf_reset(&b, 500);
	CHECK(srs_reverse(&f1, buf_str(&back), &b) == SRS_OK, "back 1");
	CHECK(str_eq(buf_str(&b), STR("al@ex.org")), "to the sender");
	buf_reset(&b, 500);
	/* The other separators are kept as they are. */
	CHECK(srs_forward(&f2, STR("srs0+x=y=z=u@f1.example"), &b) == SRS_OK,
	    "+");
	buf_reset(&back, 500);
	CHECK(srs_reverse(&f2, buf_str(&b), &back) == SRS_OK, "+ back");
	CHECK(str_eq(buf_str(&back), STR("SRS0+x=y=z=u@f1.example")), "+");
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
	buf_done(&back);
}

TEST(what_does_not_go_back_says_why)
{
	static const struct {
		const char *in;
		enum srs_result want;
	} cases[] = {
		{ "alice@f.example", SRS_NOT_OURS },
		{ "srs0@f.example", SRS_NOT_OURS },
		{ "SRS2=a=b=c=d@f.example", SRS_NOT_OURS },
		{ "SRS0.a=b=c=d@f.example", SRS_NOT_OURS },
		{ "SRS0=a=b=c.d=e@other.example", SRS_NOT_OURS },
		{ "", SRS_NOT_OURS },
		{ "SRS0=@f.example", SRS_BAD_ADDRESS },
		{ "SRS0=a=b=c.d@f.example", SRS_BAD_ADDRESS },
		{ "SRS0=a=b=c.d=@f.example", SRS_BAD_HASH },
		{ "SRS0=a=b=c..d=e@f.example", SRS_BAD_ADDRESS },
		{ "SRS0=a=b=c.d=e", SRS_BAD_ADDRESS },
		{ "SRS0=a=b=c.d=e@f.example", SRS_BAD_HASH },
		{ "SRS0=AAAAAA=JM=c.d=e@f.example", SRS_BAD_HASH },
		{ "SRS1=AAAAAA=c.d==e@f.example", SRS_BAD_HASH },
		{ "SRS1=AAAAAA=c.d=x@f.example", SRS_BAD_ADDRESS },
		{ "SRS1=AAAAAA=c.d=@f.example", SRS_BAD_ADDRESS },
	};
	struct srs s = at("f.example", 0, 2, NOW);
	struct buf b = BUF_INIT(500), in = BUF_INIT(500);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(srs_reverse(&s, str_c(cases[i].in), &b) == cases[i].want,
		    cases[i].in);
		CHECK(b.n == 0, cases[i].in);
	}
	CHECK(srs_is_srs(STR("\"\\SRS0=a=b=c.d=e\"@f.example")), "quoted");
	CHECK(!srs_is_srs(STR("\"x SRS0=a=b=c.d=e\"@f.example")), "inside");
	CHECK(srs_reverse(&s, signed_address("SRS0", "j1=c.d=e", &in), &b) ==
		  SRS_EXPIRED,
	    "a day that is none");
	CHECK(srs_reverse(&s, signed_address("SRS0", "jmm=c.d=e", &in), &b) ==
		  SRS_EXPIRED,
	    "a day that is too long");
	CHECK(srs_reverse(&s, signed_address("SRS0", "jm=c.d=e", &in), &b) ==
		  SRS_OK,
	    "so it is not the test that is wrong");
	buf_done(&b);
	buf_done(&in);
}

TEST_MAIN(UNIT(senders_come_back_as_they_were), UNIT(the_form_is_the_usual_one),
    UNIT(what_need_not_or_cannot_be_rewritten_is_told_apart),
    UNIT(folded_case_does_no_harm_and_forgery_does_not_pass),
    UNIT(addresses_last_for_some_days), UNIT(keys_are_rotated),
    UNIT(a_chain_of_forwarders_goes_back_to_the_first),
    UNIT(what_does_not_go_back_says_why))
