/* SPDX-License-Identifier: ISC */
/* reach_event_test.c - events, networks and keys as bytes and as text. */
#include "../../test.h"
#include "proto/reach/reach_event.h"
#include "proto/reach/reach_net.h"

#include <arpa/inet.h>

static struct reach_event
example(void)
{
	return (struct reach_event){ .service = 5,
		.port = 993,
		.family = 6,
		.address = { 0x20, 1, 0xd, 0xb8, [15] = 7 },
		.stages = REACH_GREETED | REACH_TLS | REACH_CUT,
		.end = REACH_END_RESET,
		.alert = 46,
		.own_alert = 40,
		.tls = REACH_TLS_13,
		.rtt_us = 312000,
		.retransmits = 3,
		.account = UINT64_C(0x123456789a),
		.organisation = UINT64_C(0xfedcba9876543210) };
}

/* Field by field: what lies between them is anything. */
static bool
are_same(const struct reach_event *a, const struct reach_event *b)
{
	return a->service == b->service && a->port == b->port &&
	       a->family == b->family &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0 &&
	       a->stages == b->stages && a->end == b->end &&
	       a->alert == b->alert && a->own_alert == b->own_alert &&
	       a->tls == b->tls && a->rtt_us == b->rtt_us &&
	       a->retransmits == b->retransmits && a->account == b->account &&
	       a->organisation == b->organisation;
}

TEST(events_survive_their_bytes)
{
	struct reach_event e = example(), got = { 0 };
	struct buf b = BUF_INIT(KIB(1));
	struct wire w;

	reach_event_put(&b, &e);
	reach_event_put(&b, &e);
	CHECK(b.n == 2 * (size_t)REACH_EVENT_BYTES, "of fixed length");
	w = wire_read(buf_str(&b));
	for (int i = 0; i < 2; i++) {
		CHECK(reach_event_read(&w, &got), "there are two");
		CHECK(are_same(&got, &e), "the same");
	}
	CHECK(!reach_event_read(&w, &got) && !w.failed, "and no more");
	w = wire_read(str_first(buf_str(&b), REACH_EVENT_BYTES - 1));
	CHECK(!reach_event_read(&w, &got) && w.failed, "half an event");
	buf_done(&b);
}

TEST(what_cannot_be_is_refused)
{
	static const struct {
		const char *name;
		size_t at;
		char v;
	} cases[] = { { "service", 0, REACH_SERVICES }, { "family", 3, 5 },
		{ "stages", 20, 32 }, { "end", 21, REACH_ENDS },
		{ "tls", 24, REACH_TLS_VERSIONS } };
	struct reach_event e = example(), got;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));
		struct wire w;

		reach_event_put(&b, &e);
		b.p[cases[i].at] = cases[i].v;
		w = wire_read(buf_str(&b));
		CHECK(!reach_event_read(&w, &got) && w.failed, cases[i].name);
		buf_done(&b);
	}
}

static const struct {
	const char *in, *out; /* NULL: no network */
} texts[] = {
	{ "AS37146", "AS37146" },
	{ "as37146", "AS37146" },
	{ "AS4294967295", "AS4294967295" },
	{ "AS0", NULL },
	{ "AS", NULL },
	{ "AS4294967296", NULL },
	{ "AS1x", NULL },
	{ "197.220.0.0/16", "197.220.0.0/16" },
	{ "197.220.7.9", "197.220.0.0/16" },
	{ "197.220.7.9/16", "197.220.0.0/16" },
	{ "197.220.7.9/24", NULL },
	{ "197.220.7.9/", NULL },
	{ "197.220.7", NULL },
	{ "127.0.0.1", "local" },
	{ "127.0.0.2", "127.0.0.0/16" },
	{ "::1", "local" },
	{ "2001:db8:1::9", "2001:db8::/32" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "2001:db8::/64", NULL },
	{ "::", "::/32" },
	{ "others", "others" },
	{ "All", "all" },
	{ "local", "local" },
	{ "", NULL },
	{ "/16", NULL },
	{ "mtn", NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NULL },
};

TEST(networks_are_read_and_written)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct reach_net net, again;
		char text[REACH_NET_TEXT];
		bool ok = reach_net_parse(str_c(texts[i].in), &net);

		CHECK(ok == (texts[i].out != NULL), texts[i].in);
		if (!ok)
			continue;
		CHECK(reach_net_is_sane(&net), texts[i].in);
		reach_net_format(&net, text);
		CHECK(strcmp(text, texts[i].out) == 0, texts[i].in);
		CHECK(reach_net_parse(str_c(text), &again) &&
			  reach_net_eq(&again, &net),
		    texts[i].in);
	}
}

TEST(an_address_is_of_its_prefix_alone)
{
	uint8_t a[16] = { 0 }, b[16] = { 0 };
	struct reach_net x, y;

	inet_pton(AF_INET, "192.0.2.1", a);
	inet_pton(AF_INET, "192.0.99.200", b);
	x = reach_net_of(4, a);
	y = reach_net_of(4, b);
	CHECK(reach_net_eq(&x, &y), "the same /16");
	inet_pton(AF_INET, "192.1.2.1", b);
	y = reach_net_of(4, b);
	CHECK(!reach_net_eq(&x, &y), "another /16");
	inet_pton(AF_INET6, "2001:db8:ffff::1", a);
	inet_pton(AF_INET6, "2001:db8::2", b);
	x = reach_net_of(6, a);
	y = reach_net_of(6, b);
	CHECK(reach_net_eq(&x, &y) && x.kind == REACH_NET_V6, "the same /32");
}

TEST_MAIN(UNIT(events_survive_their_bytes), UNIT(what_cannot_be_is_refused),
    UNIT(networks_are_read_and_written),
    UNIT(an_address_is_of_its_prefix_alone))
