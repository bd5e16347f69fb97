/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_received_fuzz.c - a name lies within the field; the times of all hops and the
 * rest add up to the whole way, so what clocks say is never made better; a field
 * in front that was put by us is the last hop.
 */
#include "proto/mime/mime_received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENT  INT64_C(1796072400)
#define FOUND (SENT + 60)

static int64_t
check_way(struct str header, struct mime_way *way)
{
	int64_t sum = 0;

	mime_way_read(header, SENT, FOUND, way);
	ASSERT(way->n <= MIME_HOPS_MAX);
	for (size_t i = 0; i < way->n; i++) {
		const struct mime_way_hop *hop = &way->hops[i];

		ASSERT(hop->by.n > 0 && hop->by.p >= header.p &&
		       hop->by.p + hop->by.n <= header.p + header.n);
		ASSERT(hop->is_absurd || hop->took_s >= 0);
		sum += hop->took_s;
	}
	ASSERT(sum + way->rest_s == FOUND - SENT);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str ours =
	    STR("Received: by ours; Mon, 30 Nov 2026 21:00:59 +0000\r\n");
	struct str in = str_make(data, size);
	struct buf all = BUF_INIT(size + 100);
	struct mime_received r;
	struct mime_way way, longer;

	if (mime_received_parse(in, &r))
		ASSERT(r.has_date || r.by.n > 0);
	(void)check_way(in, &way);
	buf_put_str(&all, ours);
	buf_put_str(&all, in);
	(void)check_way(buf_str(&all), &longer);
	/* A blank would continue our field; and the first hops alone count. */
	if (size > 0 && data[0] != ' ' && data[0] != '\t' &&
	    way.n < MIME_HOPS_MAX &&
	    mime_header_count(in, STR("Received")) < MIME_HOPS_MAX) {
		ASSERT(longer.n == way.n + 1);
		ASSERT(str_eq(longer.hops[way.n].by, STR("ours")));
		ASSERT(longer.rest_s == 1);
	}
	buf_done(&all);
	return 0;
}
