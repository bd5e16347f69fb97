/* SPDX-License-Identifier: ISC */
/*
 * LINK: dnsmsg
 *
 * A message that a name server sent for a question with the same id.
 * Properties: records lie within the message; what becomes text is a name or an
 * address of bounded length; a serial is there for SOA records only; a signature
 * holds from its beginning to its end.
 */
#include "proto/dnsmsg/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf q = BUF_INIT(KIB(1)), text = BUF_INIT(KIB(128));
	struct str in = str_make(data, size);
	struct dnsmsg_span span;
	struct dnsmsg m;
	uint32_t serial;

	ASSERT(dnsmsg_ask(&q, 0x1234, STR("example.org"), DNSMSG_SOA, 0));
	if (dnsmsg_read(in, buf_str(&q), &m) == DNSMSG_OK) {
		ASSERT(m.n <= DNSMSG_RECORDS_MAX);
		for (size_t i = 0; i < m.n; i++) {
			const struct dnsmsg_record *r = &m.records[i];

			ASSERT(r->at + r->n <= in.n);
			buf_reset(&text, KIB(128));
			if (dnsmsg_put_text(&text, in, r->at, r->n, r->type))
				ASSERT(text.n <= 65536);
			if (dnsmsg_soa_serial(in, r, &serial))
				ASSERT(r->type == DNSMSG_SOA);
		}
		if (dnsmsg_signature(in, &m, DNSMSG_SOA, &span))
			ASSERT(dnsmsg_span_left(&span, span.from) ==
			       (dnsmsg_serial_is_behind(span.from, span.until)
				       ? span.until - span.from
				       : 0));
	}
	if (size > 1) {
		buf_reset(&text, KIB(128));
		(void)!dnsmsg_put_text(
		    &text, str_from(in, 1), 0, size - 1, data[0]);
	}
	buf_done(&q);
	buf_done(&text);
	return 0;
}
