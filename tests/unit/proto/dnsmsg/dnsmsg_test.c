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

	ASSERT(dnsmsg_ask(&b, 0x1234, STR("Example.ORG."), type, true));
	return b;
}

TEST(a_question_is_one_name_in_lower_case)
{
	static const char want[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1" NAME
				   "\0\6\0\1\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct buf b = ask(DNSMSG_SOA);

	assert_true(str_eq(buf_str(&b), str_make(want, sizeof(want) - 1)));
	buf_done(&b);
	CHECK(!dnsmsg_ask(&b, 1, STR("a..b"), DNSMSG_A, true), "empty label");
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
    UNIT(serials_go_round))
