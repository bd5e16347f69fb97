/* SPDX-License-Identifier: ISC */
/*
 * stand_in_zone.c - the zone of the demo, as both its name servers have it. See
 * stand_in.h.
 */
#include "cli/demo/stand_in.h"
#include "proto/dnsmsg/dnsmsg_serve.h"

#define ZONE    "demo.example"
#define TTL     3600
#define MATCHES 8

/* clang-format off */
static const struct dnsmsg_given records[] = {
	{ ZONE,           DNSMSG_SOA, TTL, "ns1." ZONE " hostmaster." ZONE " 2026113001 7200 3600 1209600 300" },
	{ ZONE,           DNSMSG_NS,  TTL, "ns1." ZONE },
	{ ZONE,           DNSMSG_NS,  TTL, "ns2." ZONE },
	{ ZONE,           DNSMSG_A,   TTL, "127.0.0.41" },
	{ ZONE,           DNSMSG_MX,  TTL, "10 mail." ZONE },
	{ ZONE,           DNSMSG_TXT, TTL, "v=spf1 mx -all" },
	{ "ns1." ZONE,    DNSMSG_A,   TTL, STAND_IN_PRIMARY },
	{ "ns2." ZONE,    DNSMSG_A,   TTL, STAND_IN_SECONDARY },
	{ "mail." ZONE,   DNSMSG_A,   TTL, "127.0.0.36" },
	{ "www." ZONE,    DNSMSG_A,   TTL, "127.0.0.41" },
	{ "status." ZONE, DNSMSG_A,   TTL, "127.0.0.42" },
	{ "phone." ZONE,  DNSMSG_A,   TTL, STAND_IN_PHONE },
};
/* clang-format on */

/* ANY is answered with one kind of record (RFC 8482 section 4.1). */
static bool
is_wanted(const struct dnsmsg_question *q, const struct dnsmsg_given *r,
    const struct dnsmsg_given *first)
{
	if (q->type != DNSMSG_ANY)
		return (unsigned)r->type == q->type;
	return first == NULL || first->type == r->type;
}

static void
look_up(const struct dnsmsg_question *q, struct buf *out)
{
	const struct dnsmsg_given *found[MATCHES];
	struct dnsmsg_answer a = { .is_authoritative = true,
		.records = found,
		.rcode = DNSMSG_NXDOMAIN };

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		const struct dnsmsg_given *r = &records[i];

		if (!dnsmsg_name_is(q->name, r->name))
			continue;
		a.rcode = DNSMSG_NOERROR;
		if (a.n < MATCHES && is_wanted(q, r, a.n > 0 ? found[0] : NULL))
			found[a.n++] = r;
	}
	/* RFC 2308 section 2 */
	if (a.n == 0)
		a.soa = &records[0];
	dnsmsg_answer_put(out, q, &a);
}

void
stand_in_dns_packet(struct str in, struct buf *out)
{
	struct dnsmsg_question q;
	unsigned rcode;

	if (!dnsmsg_question_read(in, &q, &rcode))
		return;
	if (rcode == DNSMSG_NOERROR &&
	    (q.class != DNSMSG_CLASS_IN || !dnsmsg_name_is_below(q.name, ZONE)))
		rcode = DNSMSG_REFUSED;
	if (rcode == DNSMSG_NOERROR)
		look_up(&q, out);
	else
		dnsmsg_answer_put(
		    out, &q, &(struct dnsmsg_answer){ .rcode = rcode });
}

/* Two bytes of length before each (RFC 1035 section 4.2.2). */
size_t
stand_in_dns_stream(struct str in, struct buf *out, bool *ret_is_over)
{
	struct buf answer = BUF_INIT(KIB(4));
	size_t n;

	*ret_is_over = false;
	if (in.n < 2)
		return 0;
	n = (size_t)((uint8_t)in.p[0] << 8 | (uint8_t)in.p[1]);
	if (in.n < n + 2)
		return 0;
	stand_in_dns_packet(str_sub(in, 2, n), &answer);
	/* Who sends what has no answer would wait for one. */
	*ret_is_over = answer.n == 0;
	if (answer.n > 0) {
		buf_put_char(out, (char)(answer.n >> 8));
		buf_put_char(out, (char)answer.n);
		buf_put_str(out, buf_str(&answer));
	}
	buf_done(&answer);
	return n + 2;
}
