/* SPDX-License-Identifier: ISC */
/* reach_page.c - the cells of a table as pages, and back. See reach_table.h. */
#include "base/hash.h"
#include "proto/reach/reach_table.h"

#define FORM         REACH_CELL_FORM
#define FORM_OLDEST  1
#define FORM_AT      2
#define CHECKSUM_AT  16
#define COUNT_AT     24
#define PAGES_AT     26
#define HEADER_BYTES 27

_Static_assert(
    (REACH_CELLS_MAX + REACH_OTHERS_MAX) /
	    ((REACH_PAGE_BYTES - HEADER_BYTES) / REACH_CELL_BYTES_MAX) <
	REACH_SLOT_PAGES,
    "a full table fits");

static uint64_t
checksum_of(const uint8_t *page)
{
	return hash64_around(page, REACH_PAGE_BYTES, CHECKSUM_AT);
}

bool
reach_page_is_sane(const uint8_t *page, uint64_t interval, unsigned number)
{
	struct wire w = wire_read(str_make(page, HEADER_BYTES));
	bool is_ours = wire_get_u8(&w) == 'm' && wire_get_u8(&w) == 'r' &&
	               page[FORM_AT] >= FORM_OLDEST && page[FORM_AT] <= FORM;

	(void)wire_get_u8(&w); /* the form */
	is_ours &= wire_get_u8(&w) == number;
	(void)wire_get_u32(&w);
	return is_ours && wire_get_u64(&w) == interval &&
	       wire_get_u64(&w) == checksum_of(page);
}

uint32_t
reach_page_generation(const uint8_t *page)
{
	struct wire w = wire_read(str_make(page + 4, 4));

	return wire_get_u32(&w);
}

struct page {
	uint8_t *bytes;
	size_t used;
	unsigned cells;
};

static void
begin(struct page *p, uint8_t *bytes)
{
	memset(bytes, 0, REACH_PAGE_BYTES);
	*p = (struct page){ bytes, HEADER_BYTES, 0 };
}

unsigned
reach_page_count(const uint8_t *page)
{
	return page[PAGES_AT];
}

static void
finish(const struct page *p, const struct reach_table *t, uint32_t generation,
    size_t number)
{
	p->bytes[0] = 'm';
	p->bytes[1] = 'r';
	p->bytes[FORM_AT] = FORM;
	p->bytes[3] = (uint8_t)number;
	le_put(p->bytes + 4, generation, 4);
	le_put(p->bytes + 8, t->interval, 8);
	le_put(p->bytes + COUNT_AT, p->cells, 2);
	le_put(p->bytes + CHECKSUM_AT, checksum_of(p->bytes), 8);
}

/* One page of cells from *at on. */
static void
fill(struct page *p, const struct reach_table *t, size_t *at)
{
	struct buf b = BUF_INIT(REACH_CELL_BYTES_MAX);

	for (; *at < t->n; ++*at) {
		buf_reset(&b, REACH_CELL_BYTES_MAX);
		reach_cell_put(&b, &t->entries[*at].cell);
		ASSERT(!b.failed);
		if (p->used + b.n > REACH_PAGE_BYTES)
			break;
		memcpy(p->bytes + p->used, b.p, b.n);
		p->used += b.n;
		p->cells++;
	}
	buf_done(&b);
}

size_t
reach_table_encode(
    const struct reach_table *t, uint32_t generation, uint8_t *slot)
{
	unsigned cells[REACH_SLOT_PAGES];
	size_t at = 0, pages = 0;
	struct page p;

	/* An interval without a connection has a page, too: we were there. */
	do {
		begin(&p, slot + pages * REACH_PAGE_BYTES);
		fill(&p, t, &at);
		cells[pages++] = p.cells;
	} while (at < t->n && pages < REACH_SLOT_PAGES);
	for (size_t i = 0; i < pages; i++) {
		p = (struct page){ slot + i * REACH_PAGE_BYTES, 0, cells[i] };
		p.bytes[PAGES_AT] = (uint8_t)pages;
		finish(&p, t, generation, i);
	}
	return pages;
}

static void
read_page(struct reach_table *t, const uint8_t *page)
{
	struct wire w = wire_read(
	    str_make(page + COUNT_AT, REACH_PAGE_BYTES - (size_t)COUNT_AT));
	unsigned cells = wire_get_u16(&w);
	struct reach_cell c, *to;

	(void)wire_get_u8(&w); /* pages */
	for (unsigned i = 0; i < cells; i++) {
		reach_cell_get(&w, page[FORM_AT], &c);
		if (w.failed)
			return;
		if (reach_table_find(t, &c.key) != NULL)
			continue;
		to = reach_table_cell(t, &c.key, REACH_RANK_ANY);
		if (to != NULL && reach_key_eq(&to->key, &c.key))
			*to = c;
	}
}

/* Newest generation first, so that what is known already is newer. */
size_t
reach_table_decode(struct reach_table *t, const uint8_t *slot, size_t n_pages)
{
	bool is_good[REACH_SLOT_PAGES] = { false };
	size_t good = 0;

	n_pages = MIN(n_pages, (size_t)REACH_SLOT_PAGES);
	for (size_t i = 0; i < n_pages; i++) {
		is_good[i] = reach_page_is_sane(
		    slot + i * REACH_PAGE_BYTES, t->interval, (unsigned)i);
		good += is_good[i];
	}
	for (size_t left = good; left > 0; left--) {
		size_t best = REACH_SLOT_PAGES;

		for (size_t i = 0; i < n_pages; i++)
			if (is_good[i] &&
			    (best == REACH_SLOT_PAGES ||
				reach_page_generation(
				    slot + i * REACH_PAGE_BYTES) >
				    reach_page_generation(
					slot + best * REACH_PAGE_BYTES)))
				best = i;
		read_page(t, slot + best * REACH_PAGE_BYTES);
		is_good[best] = false;
	}
	return good;
}
