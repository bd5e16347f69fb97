/* SPDX-License-Identifier: ISC */
/* dnsmsg_serve_test.c - questions of others, and answers to them. */
#include "../../test.h"
#include "proto/dnsmsg/dnsmsg_serve.h"

#define NAME "\7Example\3org\0"
#define OPT  "\0\0\x29\4\xd0\0\0\0\0\0\0"

static const struct dnsmsg_given soa = { "example.org", DNSMSG_SOA, 300,
	"ns.example.org host.example.org 4000000000 1 2 3 4" };
static const struct dnsmsg_given a = { "example.org", DNSMSG_A, 60,
	"192.0.2.1" };
static const struct dnsmsg_given mx = { "example.org", DNSMSG_MX, 60,
	"10 mx.example.org" };

TEST(what_we_ask_is_understood_and_what_we_answer)
{
	static const struct {
		const struct dnsmsg_given *r;
		const char *text;
	} cases[] = { { &soa, NULL }, { &a, "192.0.2.1" },
		{ &mx, "10 mx.example.org" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf q = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(1));
		struct buf text = BUF_INIT(KIB(1));
		struct dnsmsg_question in;
		struct dnsmsg m;
		unsigned rcode;
		uint32_t serial;

		assert_true(dnsmsg_ask(
		    &q, 0xABCD, STR("example.org"), cases[i].r->type, true));
		assert_true(dnsmsg_question_read(buf_str(&q), &in, &rcode));
		assert_int_equal(rcode, DNSMSG_NOERROR);
		assert_int_equal(in.type, cases[i].r->type);
		assert_int_equal(in.class, DNSMSG_CLASS_IN);
		assert_true(in.has_edns);
		dnsmsg_answer_put(&b, &in,
		    &(struct dnsmsg_answer){ .is_authoritative = true,
			.records = &cases[i].r,
			.n = 1 });
		assert_int_equal(
		    dnsmsg_read(buf_str(&b), buf_str(&q), &m), DNSMSG_OK);
		assert_true(m.is_authoritative && m.rcode == 0 && m.n == 1);
		if (cases[i].text == NULL) {
			assert_true(dnsmsg_soa_serial(
			    buf_str(&b), &m.records[0], &serial));
			assert_int_equal(serial, 4000000000);
		} else {
			assert_true(
			    dnsmsg_put_text(&text, buf_str(&b), m.records[0].at,
				m.records[0].n, m.records[0].type));
			assert_string_equal(buf_c(&text), cases[i].text);
		}
		buf_done(&q);
		buf_done(&b);
		buf_done(&text);
	}
}

TEST(bytes_of_an_answer)
{
	static const char in[] = "\1\2\1\0\0\1\0\0\0\0\0\1" NAME "\0\1\0\1" OPT;
	static const char want[] =
	    "\1\2\x85\0\0\1\0\1\0\1\0\1" NAME "\0\1\0\1"
	    "\7example\3org\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
	    "\7example\3org\0\0\6\0\1\0\0\1\x2c\0\x36"
	    "\2ns\7example\3org\0\4host\7example\3org\0"
	    "\xee\x6b\x28\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" OPT;
	const struct dnsmsg_given *records[] = { &a };
	struct buf b = BUF_INIT(KIB(1));
	struct dnsmsg_question q;
	unsigned rcode;

	assert_true(
	    dnsmsg_question_read(str_make(in, sizeof(in) - 1), &q, &rcode));
	dnsmsg_answer_put(&b, &q,
	    &(struct dnsmsg_answer){ .is_authoritative = true,
		.records = records,
		.n = 1,
		.soa = &soa });
	assert_true(str_eq(buf_str(&b), str_make(want, sizeof(want) - 1)));
	buf_done(&b);
}

TEST(what_is_no_question_has_no_answer_or_a_refusal)
{
#define Q          "\1\2\0\0\0\1\0\0\0\0\0"
#define MSG(bytes) bytes, sizeof(bytes) - 1
	static const struct {
		const char *in;
		size_t n;
		int want; /* -1: none */
	} cases[] = {
		{ MSG(""), -1 },
		{ MSG("\1\2\0\0\0\1\0\0\0\0\0"), -1 },
		{ MSG("\1\2\x80\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1"), -1 },
		{ MSG(Q "\0" NAME "\0\1\0\1"), DNSMSG_NOERROR },
		{ MSG(Q "\0\0\0\1\0\1"), DNSMSG_NOERROR },
		{ MSG("\1\2\x28\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1"),
		    DNSMSG_NOTIMP },
		{ MSG("\1\2\0\0\0\0\0\0\0\0\0\0"), DNSMSG_FORMERR },
		{ MSG("\1\2\0\0\0\2\0\0\0\0\0\0" NAME "\0\1\0\1"),
		    DNSMSG_FORMERR },
		{ MSG("\1\2\0\0\0\1\0\1\0\0\0\0" NAME "\0\1\0\1"),
		    DNSMSG_FORMERR },
		{ MSG(Q "\0" NAME "\0\1\0"), DNSMSG_FORMERR },
		{ MSG(Q "\0\xc0\x0c\0\1\0\1"), DNSMSG_FORMERR },
		{ MSG(Q "\0\7Exampl"), DNSMSG_FORMERR },
		{ MSG(Q "\1" NAME "\0\1\0\1"), DNSMSG_FORMERR },
		{ MSG(Q "\1" NAME "\0\1\0\1" OPT), DNSMSG_NOERROR },
		{ MSG(Q "\2" NAME "\0\1\0\1" OPT OPT), DNSMSG_FORMERR },
		{ MSG(Q "\1" NAME "\0\1\0\1\1a" OPT), DNSMSG_FORMERR },
		{ MSG(Q "\1" NAME "\0\1\0\1\0\0\x29\4\xd0\0\1\0\0\0\0"),
		    DNSMSG_BADVERS },
		{ MSG(Q "\1" NAME "\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\5abcd"),
		    DNSMSG_FORMERR },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dnsmsg_question q;
		unsigned rcode = 99;
		bool is = dnsmsg_question_read(
		    str_make(cases[i].in, cases[i].n), &q, &rcode);

		if (is != (cases[i].want >= 0) ||
		    (is && rcode != (unsigned)cases[i].want))
			fail_msg("case %zu: %d, %u", i, is, rcode);
	}
}

TEST(a_refusal_says_its_code)
{
	static const char in[] =
	    "\1\2\x79\0\0\1\0\0\0\0\0\1" NAME "\0\1\0\1" OPT;
	static const char version[] =
	    Q "\1" NAME "\0\1\0\1\0\0\x29\4\xd0\0\1\0\0\0\0";
	struct buf b = BUF_INIT(KIB(1));
	struct dnsmsg_question q;
	unsigned rcode;

	assert_true(
	    dnsmsg_question_read(str_make(in, sizeof(in) - 1), &q, &rcode));
	dnsmsg_answer_put(&b, &q, &(struct dnsmsg_answer){ .rcode = rcode });
	/* Without the question, which was not looked at. */
	assert_true(
	    str_eq(buf_str(&b), str_make("\1\2\xf9\4\0\0\0\0\0\0\0\0", 12)));
	buf_reset(&b, KIB(1));
	assert_true(dnsmsg_question_read(
	    str_make(version, sizeof(version) - 1), &q, &rcode));
	dnsmsg_answer_put(&b, &q, &(struct dnsmsg_answer){ .rcode = rcode });
	assert_int_equal(b.p[3], 0);
	assert_true(
	    str_ends(buf_str(&b), str_make("\0\0\x29\4\xd0\1\0\0\0\0\0", 11)));
	buf_done(&b);
}

TEST(names_are_compared_label_by_label)
{
#define WIRE(bytes) str_make(bytes, sizeof(bytes))
	assert_true(dnsmsg_name_is(WIRE("\7eXample\3ORG"), "example.org"));
	assert_false(dnsmsg_name_is(WIRE("\13example.org"), "example.org"));
	assert_false(dnsmsg_name_is(WIRE(""), "example.org"));
	assert_true(
	    dnsmsg_name_is_below(WIRE("\1a\1b\7example\3org"), "example.org"));
	assert_true(
	    dnsmsg_name_is_below(WIRE("\7example\3org"), "example.org"));
	assert_false(
	    dnsmsg_name_is_below(WIRE("\10xexample\3org"), "example.org"));
	assert_false(dnsmsg_name_is_below(WIRE("\3org"), "example.org"));
	assert_false(dnsmsg_name_is_below(WIRE(""), "example.org"));
}

TEST_MAIN(UNIT(what_we_ask_is_understood_and_what_we_answer),
    UNIT(bytes_of_an_answer),
    UNIT(what_is_no_question_has_no_answer_or_a_refusal),
    UNIT(a_refusal_says_its_code), UNIT(names_are_compared_label_by_label))
