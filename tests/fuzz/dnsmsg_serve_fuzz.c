/* SPDX-License-Identifier: ISC */
/*
 * LINK: dnsmsg
 * OBJS: src/cli/demo/stand_in_zone.c
 *
 * What comes to the demo's name servers, as a packet and over TCP. Properties: an
 * answer is one to the question by our own parser, and small; over TCP it has the
 * same bytes behind its length, and what was used is there.
 */
#include "cli/demo/stand_in.h"
#include "proto/dnsmsg/dnsmsg_serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_packet(struct str in, struct buf *out)
{
	struct dnsmsg_question q;
	struct dnsmsg m;
	unsigned rcode;

	stand_in_dns_packet(in, out);
	if (!dnsmsg_question_read(in, &q, &rcode)) {
		ASSERT(out->n == 0);
		return;
	}
	ASSERT(!out->failed && out->n >= 12 && out->n <= 1232);
	ASSERT(rcode != DNSMSG_NOERROR || q.name.n > 0);
	/* As who asked reads it: its question, with an OPT record. */
	if (q.has_edns && in.n == 12 + q.raw.n + 11)
		ASSERT(dnsmsg_read(buf_str(out), in, &m) == DNSMSG_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT(KIB(4)), out = BUF_INIT(KIB(8));
	struct str in = str_make(data, size);
	bool is_over = false;
	size_t n = stand_in_dns_stream(in, &out, &is_over);

	ASSERT(n <= size && (n > 0 || (!is_over && out.n == 0)));
	if (n > 0) {
		check_packet(str_sub(in, 2, n - 2), &one);
		ASSERT(is_over == (one.n == 0));
		ASSERT(is_over ||
		       str_eq(str_from(buf_str(&out), 2), buf_str(&one)));
	}
	buf_reset(&one, KIB(4));
	check_packet(in, &one);
	buf_done(&one);
	buf_done(&out);
	return 0;
}
