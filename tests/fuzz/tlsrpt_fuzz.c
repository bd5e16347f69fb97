/* SPDX-License-Identifier: ISC */
/*
 * LINK: tlsrpt
 *
 * The input as a report, a record and a time. Properties: a report that was
 * read, written, read and written again gives the same bytes twice; a
 * record's URIs, written, are found again; a time reads as it is written.
 */
#include "proto/tlsrpt/tlsrpt_record.h"
#include "proto/tlsrpt/tlsrpt_report.h"

#define URIS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_report(struct str in)
{
	struct buf one = BUF_INIT(MIB(8)), two = BUF_INIT(MIB(8));
	struct tlsrpt_report *r;
	struct arena arena;

	arena_init(&arena, MIB(1));
	if (!tlsrpt_read_report(in, &arena, &r)) {
		tlsrpt_put_report(r, &one);
		ASSERT(!one.failed);
		arena_done(&arena);
		arena_init(&arena, MIB(1));
		ASSERT(!tlsrpt_read_report(buf_str(&one), &arena, &r));
		tlsrpt_put_report(r, &two);
		ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	}
	ASSERT(arena.used <= arena.max);
	arena_done(&arena);
	buf_done(&one);
	buf_done(&two);
}

static void
check_record(struct str in)
{
	struct buf b = BUF_INIT(2 * TLSRPT_RECORD_MAX);
	struct str uris[URIS_MAX], rua, uri, text;
	size_t n = 0;

	if (tlsrpt_find_record(&in, 1, &rua) != TLSRPT_FOUND)
		return;
	while (n < URIS_MAX && tlsrpt_next_uri(&rua, &uris[n]))
		n++;
	if (n > 0) {
		ASSERT(tlsrpt_put_record(&b, uris, n));
		text = buf_str(&b);
		ASSERT(tlsrpt_find_record(&text, 1, &rua) == TLSRPT_FOUND);
		for (size_t i = 0; i < n; i++)
			ASSERT(tlsrpt_next_uri(&rua, &uri) &&
			       str_eq(uri, uris[i]));
		ASSERT(!tlsrpt_next_uri(&rua, &uri));
	}
	buf_done(&b);
}

static void
check_time(struct str in)
{
	struct buf b = BUF_INIT(40);
	uint64_t t, again;

	if (!tlsrpt_parse_time(in, &t))
		return;
	tlsrpt_put_time(t, &b);
	ASSERT(b.n == 20);
	ASSERT(tlsrpt_parse_time(buf_str(&b), &again) && again == t);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_report(in);
	check_record(in);
	check_time(in);
	return 0;
}
