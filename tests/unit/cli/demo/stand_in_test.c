/* SPDX-License-Identifier: ISC */
/* stand_in_test.c - what the demo's name servers and telephone answer. */
#include "../../test.h"
#include "cli/demo/stand_in.h"
#include "proto/dnsmsg/dnsmsg.h"

static const struct stand_in_peer peer = { "127.0.0.1", 5070 };

/* The records as text, a line each; "": none. *ret is the message. */
static struct buf
ask(const char *name, enum dnsmsg_type type, struct dnsmsg *ret)
{
	struct buf q = BUF_INIT(KIB(1)), a = BUF_INIT(KIB(4));
	struct buf text = BUF_INIT(KIB(4));

	assert_true(dnsmsg_ask(&q, 7, str_c(name), type, false));
	stand_in_dns_packet(buf_str(&q), &a);
	assert_int_equal(dnsmsg_read(buf_str(&a), buf_str(&q), ret), DNSMSG_OK);
	for (size_t i = 0; i < ret->n; i++)
		if (dnsmsg_put_text(&text, buf_str(&a), ret->records[i].at,
			ret->records[i].n, ret->records[i].type))
			buf_put_char(&text, '\n');
	buf_done(&q);
	buf_done(&a);
	return text;
}

TEST(the_zone_is_there)
{
	static const struct {
		const char *name;
		unsigned type;
		unsigned rcode, n;
		const char *text;
	} cases[] = {
		{ "demo.example", DNSMSG_NS, 0, 2,
		    "ns1.demo.example\nns2.demo.example\n" },
		{ "demo.example", DNSMSG_SOA, 0, 1, "" },
		{ "Mail.Demo.Example", DNSMSG_A, 0, 1, "127.0.0.36\n" },
		{ "demo.example", DNSMSG_MX, 0, 1, "10 mail.demo.example\n" },
		{ "demo.example", DNSMSG_TXT, 0, 1, "v=spf1 mx -all\n" },
		/* ANY is one kind. */
		{ "ns2.demo.example", 255, 0, 1, "127.0.0.35\n" },
		{ "demo.example", 255, 0, 1, "" },
		{ "mail.demo.example", DNSMSG_AAAA, 0, 0, "" },
		{ "none.demo.example", DNSMSG_A, 3, 0, "" },
		{ "example", DNSMSG_NS, 5, 0, "" },
		{ "xdemo.example", DNSMSG_A, 5, 0, "" },
		{ "", DNSMSG_NS, 5, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dnsmsg m;
		struct buf text =
		    ask(cases[i].name, (enum dnsmsg_type)cases[i].type, &m);

		if (m.rcode != cases[i].rcode || m.n != cases[i].n ||
		    m.is_authoritative != (m.rcode != 5) ||
		    !str_eq(buf_str(&text), str_c(cases[i].text)))
			fail_msg("case %zu: %u %zu %s", i, m.rcode, m.n,
			    buf_c(&text));
		buf_done(&text);
	}
}

TEST(over_tcp_messages_have_a_length)
{
	struct buf q = BUF_INIT(KIB(1)), in = BUF_INIT(KIB(4));
	struct buf one = BUF_INIT(KIB(4)), out = BUF_INIT(KIB(8));
	bool is_over = true;
	size_t n;

	assert_true(dnsmsg_ask(&q, 7, STR("demo.example"), DNSMSG_SOA, false));
	stand_in_dns_packet(buf_str(&q), &one);
	for (int i = 0; i < 2; i++) {
		buf_put_char(&in, '\0');
		buf_put_char(&in, (char)q.n);
		buf_put_str(&in, buf_str(&q));
	}
	for (n = 0; n < q.n + 2; n++)
		assert_int_equal(stand_in_dns_stream(str_first(buf_str(&in), n),
				     &out, &is_over),
		    0);
	assert_int_equal(out.n, 0);
	assert_false(is_over);
	n = stand_in_dns_stream(buf_str(&in), &out, &is_over);
	assert_int_equal(n, q.n + 2);
	assert_int_equal(out.n, one.n + 2);
	assert_true(str_eq(str_from(buf_str(&out), 2), buf_str(&one)));
	assert_false(is_over);
	/* What has no answer ends it. */
	assert_int_equal(
	    stand_in_dns_stream(str_make("\0\1x", 3), &out, &is_over), 3);
	assert_true(is_over);
	assert_int_equal(
	    stand_in_dns_stream(str_make("\0\0", 2), &out, &is_over), 2);
	assert_true(is_over);
	buf_done(&q);
	buf_done(&in);
	buf_done(&one);
	buf_done(&out);
}

#define HEAD(method) \
	method " sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;rport\r\nFrom: a\r\n" \
	       "To: b\r\nCall-ID: c\r\nCSeq: 1 " method "\r\n\r\n"

TEST(the_telephone_takes_no_calls)
{
	static const struct {
		const char *in, *want;
	} cases[] = { { HEAD("OPTIONS"), "SIP/2.0 200 OK\r\n" },
		{ HEAD("INVITE"), "SIP/2.0 405 Method Not Allowed\r\n" },
		{ HEAD("ACK"), "" }, { "\r\n\r\n", "" }, { "", "" },
		{ "OPTIONS sip:b SIP/2.0\r\n\r\n", "" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(KIB(8));

		stand_in_sip_packet(str_c(cases[i].in), &peer, &out);
		if (!str_starts(buf_str(&out), str_c(cases[i].want)) ||
		    (out.n > 0) != (cases[i].want[0] != '\0'))
			fail_msg("case %zu: %s", i, buf_c(&out));
		buf_done(&out);
	}
}

TEST(over_tcp_requests_follow_each_other)
{
	struct str in =
	    STR("\r\n" HEAD("OPTIONS") HEAD("INVITE") "nonsense\r\n\r\n");
	struct buf out = BUF_INIT(KIB(8));
	bool is_over = false;
	size_t n;

	for (unsigned i = 0; i < 3; i++) {
		n = stand_in_sip_stream(in, &peer, &out, &is_over);
		assert_true(n > 0 && !is_over);
		in = str_from(in, n);
	}
	assert_true(str_search(buf_str(&out), STR("200 OK")) > 0);
	assert_true(str_search(buf_str(&out), STR("405 Method")) > 0);
	assert_int_equal(
	    stand_in_sip_stream(str_first(in, 8), &peer, &out, &is_over), 0);
	assert_false(is_over);
	assert_true(stand_in_sip_stream(in, &peer, &out, &is_over) > 0);
	assert_true(is_over);
	buf_done(&out);
}

TEST_MAIN(UNIT(the_zone_is_there), UNIT(over_tcp_messages_have_a_length),
    UNIT(the_telephone_takes_no_calls),
    UNIT(over_tcp_requests_follow_each_other))
