/* SPDX-License-Identifier: ISC */
/*
 * LINK: dmarc
 *
 * The input as an aggregate report. Properties: memory stays within the
 * arena, events nest; a report that was read, written, read and written
 * again gives the same bytes twice.
 */
#include "proto/dmarc/dmarc_report.h"
#include "proto/dmarc/dmarc_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_report(const struct dmarc_report *r, struct buf *to)
{
	size_t n = 0;

	dmarc_report_begin(r, to);
	for (const struct dmarc_report_row *row = r->rows; row; row = row->next)
		dmarc_report_put_row(row, to), n++;
	dmarc_report_end(to);
	ASSERT(n == r->n_rows);
	ASSERT(!to->failed);
}

static void
check_events(struct str in)
{
	struct str open[DMARC_XML_DEPTH_MAX], s;
	enum dmarc_xml_event e;
	struct dmarc_xml x;
	size_t depth = 0, n = 0;

	dmarc_xml_init(&x, in);
	do {
		e = dmarc_xml_next(&x, &s);
		ASSERT(n++ <= 2 * in.n + 2);
		if (e == DMARC_XML_OPEN) {
			ASSERT(depth < DMARC_XML_DEPTH_MAX);
			open[depth++] = s;
		} else if (e == DMARC_XML_CLOSE) {
			ASSERT(depth > 0 && str_eq(open[--depth], s));
		} else if (e == DMARC_XML_TEXT) {
			ASSERT(depth > 0 && s.p >= in.p);
			ASSERT(s.p + s.n <= in.p + in.n);
		}
	} while (e != DMARC_XML_END && e != DMARC_XML_BAD);
	ASSERT(e == DMARC_XML_BAD || depth == 0);
	ASSERT(dmarc_xml_next(&x, &s) == e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf one = BUF_INIT(MIB(8)), two = BUF_INIT(MIB(8));
	struct dmarc_report *r;
	struct arena arena;

	check_events(in);
	arena_init(&arena, MIB(1));
	if (!dmarc_report_read(in, &arena, &r)) {
		write_report(r, &one);
		arena_done(&arena);
		arena_init(&arena, MIB(2));
		ASSERT(!dmarc_report_read(buf_str(&one), &arena, &r));
		write_report(r, &two);
		ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	}
	ASSERT(arena.used <= arena.max);
	arena_done(&arena);
	buf_done(&one);
	buf_done(&two);
	return 0;
}
