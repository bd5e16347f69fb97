/* SPDX-License-Identifier: ISC */
/* dnsmsg_test.c - questions, answers and data of records. */
#include "../../test.h"
#include "proto/dnsmsg/dnsmsg.h"

/* The question of "example.org SOA", id 0x1234, and an answer to it. */
#define NAME "\7example\3org\0"
#define SOA_DATA \
	"\2ns\xc0\x0c\4host\xc0\x0c" \
	"\x78\xb9\x5a\x01\0\0\x1c\x20\0\0\x0e\x10\0\x12\x75\0\0\0\x0e\x10"
static const char soa_answer[] =
    "\x12\x34\x84\0\0\1\0\1\0\0\0\0" NAME "\0\6\0\1"
    "\xc0\x0c\0\6\0\1\0\0\x0e\x10\0\x20" SOA_DATA;

static struct buf
ask(enum dnsmsg_type type)
{
	struct buf b = BUF_INIT(KIB(1));

	ASSERT(
	    dnsmsg_ask(&b, 0x1234, STR("Example.ORG."), type, DNSMSG_RECURSE));
	return b;
}

TEST(a_question_is_one_name_in_lower_case)
{
	static const char want[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1" NAME
				   "\0\6\0\1\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct buf b = ask(DNSMSG_SOA);

	assert_true(str_eq(buf_str(&b), str_make(want, sizeof(want) - 1)));
	buf_done(&b);
	CHECK(!dnsmsg_ask(&b, 1, STR("a..b"), DNSMSG_A, 0), "empty label");
	buf_done(&b);
}

TEST(an_answer_has_the_serial)
{
	struct str in = str_make(soa_answer, sizeof(soa_answer) - 1);
	struct buf b = ask(DNSMSG_SOA);
	struct dnsmsg m;
	uint32_t serial;

	assert_int_equal(dnsmsg_read(in, buf_str(&b), &m), DNSMSG_OK);
	assert_true(m.is_authoritative && !m.is_truncated && m.rcode == 0);
	assert_int_equal(m.n, 1);
	assert_true(dnsmsg_soa_serial(in, &m.records[0], &serial));
	assert_int_equal(serial, 2025413121);
	for (size_t n = 12; n < in.n; n++)
		CHECK(dnsmsg_read(str_first(in, n), buf_str(&b), &m) ==
			  DNSMSG_BAD,
		    "cut off");
	buf_done(&b);
}

TEST(answers_to_others_are_foreign)
{
	char other[sizeof(soa_answer)];
	struct str in = str_make(other, sizeof(other) - 1);
	struct buf b = ask(DNSMSG_SOA), mx = ask(DNSMSG_MX);
	struct dnsmsg m;

	memcpy(other, soa_answer, sizeof(other));
	assert_int_equal(dnsmsg_read(in, buf_str(&mx), &m), DNSMSG_FOREIGN);
	other[14] = 'X';
	assert_int_equal(dnsmsg_read(in, buf_str(&b), &m), DNSMSG_OK);
	other[14] = 'y';
	assert_int_equal(dnsmsg_read(in, buf_str(&b), &m), DNSMSG_FOREIGN);
	other[14] = 'x';
	other[1] = 0x35;
	assert_int_equal(dnsmsg_read(in, buf_str(&b), &m), DNSMSG_FOREIGN);
	other[1] = 0x34;
	other[2] = 4; /* a question */
	assert_int_equal(dnsmsg_read(in, buf_str(&b), &m), DNSMSG_FOREIGN);
	buf_done(&b);
	buf_done(&mx);
}

TEST(a_name_that_leads_to_itself_is_malformed)
{
	char in[] = "\x12\x34\x84\0\0\1\0\1\0\0\0\0" NAME "\0\6\0\1"
		    "\xc0\x1d\0\6\0\1\0\0\x0e\x10\0\0";
	struct buf b = ask(DNSMSG_SOA);
	struct dnsmsg m;

	assert_int_equal(
	    dnsmsg_read(str_make(in, sizeof(in) - 1), buf_str(&b), &m),
	    DNSMSG_BAD);
	buf_done(&b);
}

TEST(data_become_text)
{
	static const struct {
		unsigned type;
		struct str data;
		const char *text; /* NULL: malformed */
	} cases[] = {
		{ DNSMSG_A, STR("\300\0\2\1"), "192.0.2.1" },
		{ DNSMSG_A, STR("\300\0\2"), NULL },
		{ DNSMSG_AAAA, STR("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		    "2001:db8::1" },
		{ DNSMSG_MX, STR("\0\12\4MAIL\7example\3org\0"),
		    "10 mail.example.org" },
		{ DNSMSG_MX, STR("\0"), NULL },
		{ DNSMSG_MX, STR("\0\12\4MAIL\0x"), NULL },
		{ DNSMSG_SRV, STR("\0\1\0\2\24\146\3sip\0"), "1 2 5222 sip" },
		{ DNSMSG_TXT, STR("\6v=spf1\5 -all"), "v=spf1 -all" },
		{ DNSMSG_TXT, STR("\6v=s"), NULL },
		{ DNSMSG_NS, STR("\2ns\7example\0"), "ns.example" },
		{ DNSMSG_NS, STR("\0"), "" },
		{ DNSMSG_NS, STR("\300\0"), NULL },
		{ 99, STR("x"), NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));
		bool ok = dnsmsg_put_text(
		    &b, cases[i].data, 0, cases[i].data.n, cases[i].type);

		CHECK(ok == (cases[i].text != NULL),
		    cases[i].text ? cases[i].text : "malformed");
		if (ok)
			CHECK(str_eq(buf_str(&b), str_c(cases[i].text)),
			    cases[i].text);
		buf_done(&b);
	}
}

/* Over type, from then until then; the last of its bytes may be missing. */
static struct str
signed_answer(struct buf *b, unsigned type, const uint32_t times[][2], size_t n)
{
	static const char head[] =
	    "\x12\x34\x84\0\0\1\0\0\0\0\0\0" NAME "\0\6\0\1";

	buf_put(b, head, sizeof(head) - 1);
	b->p[7] = (char)n;
	for (size_t i = 0; i < n; i++) {
		buf_put(b, "\xc0\x0c\0\x2e\0\1\0\0\0\2\0\x17", 12);
		buf_put_char(b, '\0');
		buf_put_char(b, (char)type);
		buf_put(b, "\15\2\0\0\0\2", 6);
		for (int k = 1; k >= 0; k--)
			for (int shift = 24; shift >= 0; shift -= 8)
				buf_put_char(b, (char)(times[i][k] >> shift));
		/* The tag, the signer, the signature. */
		buf_put(b, "\1\2\xc0\x0csig", 7);
	}
	return buf_str(b);
}

TEST(the_signature_that_ends_last_counts)
{
	static const uint32_t times[][2] = { { 1000, 2000 }, { 1500, 5000 },
		{ 900, 3000 } };
	struct buf b = BUF_INIT(KIB(1)), q = ask(DNSMSG_SOA);
	struct str in = signed_answer(&b, DNSMSG_SOA, times, 3);
	struct dnsmsg_span s = { 0 };
	struct dnsmsg m;

	assert_int_equal(dnsmsg_read(in, buf_str(&q), &m), DNSMSG_OK);
	assert_true(dnsmsg_signature(in, &m, DNSMSG_SOA, &s));
	assert_int_equal(s.from, 1500);
	assert_int_equal(s.until, 5000);
	assert_false(dnsmsg_signature(in, &m, DNSMSG_A, &s));
	/* No room for the signature, or for the name in front of it. */
	for (size_t i = 0; i < m.n; i++)
		m.records[i].n = 20;
	assert_false(dnsmsg_signature(in, &m, DNSMSG_SOA, &s));
	for (size_t i = 0; i < m.n; i++)
		m.records[i].n = 17;
	assert_false(dnsmsg_signature(in, &m, DNSMSG_SOA, &s));
	buf_done(&b);
	buf_done(&q);
}

TEST(signatures_hold_from_their_beginning_to_their_end)
{
	static const struct {
		struct dnsmsg_span span;
		uint64_t now;
		uint32_t left;
	} cases[] = {
		{ { 1000, 2000 }, 999, 0 },
		{ { 1000, 2000 }, 1000, 1000 },
		{ { 1000, 2000 }, 1999, 1 },
		{ { 1000, 2000 }, 2000, 0 },
		{ { 1000, 2000 }, 99999, 0 },
		/* 2106-02-07 06:28:16, when 32 bits begin again. */
		{ { 0xFFFFFF00, 0x100 }, UINT64_C(0x100000010), 0xF0 },
		{ { 0xFFFFFF00, 0x100 }, 0xFFFFFFFF, 0x101 },
		{ { 0xFFFFFF00, 0x100 }, UINT64_C(0x100000100), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(dnsmsg_span_left(&cases[i].span, cases[i].now),
		    cases[i].left);
}

TEST(who_wants_signatures_says_so)
{
	struct buf plain = BUF_INIT(KIB(1)), more = BUF_INIT(KIB(1));

	assert_true(dnsmsg_ask(&plain, 1, STR("example.org"), DNSMSG_A, 0));
	assert_true(
	    dnsmsg_ask(&more, 1, STR("example.org"), DNSMSG_A, DNSMSG_SIGNED));
	assert_int_equal(plain.n, more.n);
	/* RFC 6891 section 6.1.3: the first bit behind the version. */
	more.p[more.n - 4] = (char)(more.p[more.n - 4] ^ 0x80);
	assert_true(str_eq(buf_str(&plain), buf_str(&more)));
	buf_done(&plain);
	buf_done(&more);
}

TEST(serials_go_round)
{
	assert_true(dnsmsg_serial_is_behind(1, 2));
	assert_false(dnsmsg_serial_is_behind(2, 1));
	assert_false(dnsmsg_serial_is_behind(2, 2));
	assert_true(dnsmsg_serial_is_behind(0xFFFFFFF0, 5));
}

TEST_MAIN(UNIT(a_question_is_one_name_in_lower_case),
    UNIT(an_answer_has_the_serial), UNIT(answers_to_others_are_foreign),
    UNIT(a_name_that_leads_to_itself_is_malformed), UNIT(data_become_text),
    UNIT(the_signature_that_ends_last_counts),
    UNIT(signatures_hold_from_their_beginning_to_their_end),
    UNIT(who_wants_signatures_says_so), UNIT(serials_go_round))
