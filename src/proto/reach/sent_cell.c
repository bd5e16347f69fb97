/* SPDX-License-Identifier: ISC */
/* sent_cell.c - histograms, cells and their pages. See sent_cell.h. */
#include "proto/reach/sent_cell.h"

#include "base/hash.h"

#define FIRST_MS     UINT64_C(16)
#define FORM         1
#define CHECKSUM_AT  12
#define COUNT_AT     20
#define HEADER_BYTES 32

_Static_assert(
    HEADER_BYTES + SENT_PAGE_CELLS * SENT_CELL_BYTES <= SENT_PAGE_BYTES,
    "a page holds its cells");

const char *
sent_stage_name(enum sent_stage s)
{
	static const char *const names[SENT_STAGES] = {
		[SENT_WAIT] = "queue",
		[SENT_TALK] = "dialogue",
		[SENT_WHOLE] = "whole",
	};

	return (unsigned)s < SENT_STAGES ? names[s] : "unknown";
}

/* --- histograms ---------------------------------------------------------------- */

uint64_t
sent_step_end(unsigned step)
{
	uint64_t octave = FIRST_MS << step / 2;

	return step % 2 ? octave + octave / 2 : octave;
}

unsigned
sent_step_of(uint64_t ms)
{
	unsigned step = 0;

	while (step < SENT_STEPS - 1 && ms > sent_step_end(step))
		step++;
	return step;
}

static void
add(uint32_t *to, uint64_t n)
{
	*to = (uint32_t)MIN(*to + n, (uint64_t)UINT32_MAX);
}

void
sent_hist_add(struct sent_hist *h, uint64_t ms)
{
	add(&h->n[sent_step_of(ms)], 1);
}

void
sent_hist_merge(struct sent_hist *h, const struct sent_hist *other)
{
	for (size_t i = 0; i < SENT_STEPS; i++)
		add(&h->n[i], other->n[i]);
}

uint64_t
sent_hist_total(const struct sent_hist *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i < SENT_STEPS; i++)
		total += h->n[i];
	return total;
}

uint64_t
sent_hist_ms(const struct sent_hist *h, unsigned permille)
{
	uint64_t total = sent_hist_total(h), seen = 0;

	for (unsigned i = 0; i < SENT_STEPS && total > 0; i++) {
		seen += h->n[i];
		if (seen * 1000 >= total * permille)
			return sent_step_end(i);
	}
	return 0;
}

uint64_t
sent_hist_above(const struct sent_hist *h, uint64_t ms)
{
	uint64_t n = 0;

	for (unsigned i = 1; i < SENT_STEPS; i++)
		if (sent_step_end(i - 1) >= ms)
			n += h->n[i];
	return n;
}

void
sent_hist_put(struct buf *b, const struct sent_hist *h)
{
	for (unsigned i = 0; i < SENT_STEPS; i++)
		if (h->n[i] > 0) {
			wire_put_u8(b, (uint8_t)i);
			wire_put_u32(b, h->n[i]);
		}
}

bool
sent_hist_get(struct str s, struct sent_hist *ret)
{
	struct wire w = wire_read(s);

	while (w.in.n > 0) {
		unsigned step = wire_get_u8(&w);
		uint32_t n = wire_get_u32(&w);

		if (w.failed || step >= SENT_STEPS)
			return false;
		add(&ret->n[step], n);
	}
	return true;
}

/* --- senders ---------------------------------------------------------------------- */

static void
add_few(uint16_t *to, unsigned n)
{
	*to = (uint16_t)MIN(*to + n, (unsigned)UINT16_MAX);
}

void
sent_senders_add(struct sent_senders *s, uint64_t account)
{
	add_few(&s->n[hash64(&account, sizeof(account)) % SENT_SENDERS], 1);
}

void
sent_senders_merge(struct sent_senders *s, const struct sent_senders *other)
{
	for (size_t i = 0; i < SENT_SENDERS; i++)
		add_few(&s->n[i], other->n[i]);
}

uint32_t
sent_senders_fair(const struct sent_senders *s)
{
	uint16_t most[SENT_SENDERS_MIN] = { 0 };
	uint32_t sum = 0;

	for (size_t i = 0; i < SENT_SENDERS; i++) {
		uint16_t n = s->n[i];

		for (size_t k = 0; k < SENT_SENDERS_MIN; k++) {
			uint16_t less = MIN(most[k], n);

			most[k] = MAX(most[k], n);
			n = less;
		}
	}
	for (size_t i = 0; i < SENT_SENDERS; i++)
		sum += MIN(s->n[i], most[SENT_SENDERS_MIN - 1]);
	return sum;
}

void
sent_senders_put(struct buf *b, const struct sent_senders *s)
{
	for (size_t i = 0; i < SENT_SENDERS; i++)
		wire_put_u16(b, s->n[i]);
}

bool
sent_senders_get(struct str s, struct sent_senders *ret)
{
	struct wire w = wire_read(s);

	for (size_t i = 0; i < SENT_SENDERS; i++)
		ret->n[i] = wire_get_u16(&w);
	return wire_is_complete(&w);
}

/* --- cells ----------------------------------------------------------------------- */

void
sent_cell_merge(struct sent_cell *c, const struct sent_cell *other)
{
	for (size_t i = 0; i < SENT_STAGES; i++)
		sent_hist_merge(&c->stages[i], &other->stages[i]);
	add(&c->refused, other->refused);
	sent_senders_merge(&c->refused_by, &other->refused_by);
	sent_senders_merge(&c->slow_by, &other->slow_by);
}

const struct sent_cell *
sent_table_find(const struct sent_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(str_c(t->cells[i].name), name))
			return &t->cells[i];
	return NULL;
}

static struct sent_cell *
find(struct sent_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(str_c(t->cells[i].name), name))
			return &t->cells[i];
	return NULL;
}

struct sent_cell *
sent_table_cell(struct sent_table *t, struct str name)
{
	bool is_others = str_eq(name, STR(SENT_OTHERS));
	struct sent_cell *c = find(t, name);

	if (c != NULL)
		return c;
	/* The last place is for others. */
	if (!is_others && (name.n == 0 || name.n > SENT_NAME_MAX ||
			      t->n >= SENT_CELLS_MAX - 1))
		return sent_table_cell(t, STR(SENT_OTHERS));
	c = &t->cells[t->n++];
	*c = (struct sent_cell){ 0 };
	memcpy(c->name, name.p, name.n);
	return c;
}

/* --- pages ------------------------------------------------------------------------- */

static uint64_t
checksum_of(const uint8_t *page)
{
	return hash64_around(page, SENT_PAGE_BYTES, CHECKSUM_AT);
}

static void
put_cell(uint8_t *to, const struct sent_cell *c)
{
	size_t n = strlen(c->name);

	to = le_put(to, n, 1);
	memcpy(to, c->name, n);
	to = le_put(to + SENT_NAME_MAX, c->refused, 4);
	for (size_t i = 0; i < SENT_SENDERS; i++)
		to = le_put(to, c->refused_by.n[i], 2);
	for (size_t i = 0; i < SENT_SENDERS; i++)
		to = le_put(to, c->slow_by.n[i], 2);
	for (size_t s = 0; s < SENT_STAGES; s++)
		for (size_t i = 0; i < SENT_STEPS; i++)
			to = le_put(to, c->stages[s].n[i], 4);
}

size_t
sent_table_encode(const struct sent_table *t, uint8_t *slot)
{
	size_t pages =
	    MAX((t->n + SENT_PAGE_CELLS - 1) / SENT_PAGE_CELLS, (size_t)1);

	for (size_t p = 0; p < pages; p++) {
		uint8_t *page = slot + p * SENT_PAGE_BYTES;
		size_t first = p * SENT_PAGE_CELLS;
		size_t n = MIN(t->n - first, (size_t)SENT_PAGE_CELLS);

		memset(page, 0, SENT_PAGE_BYTES);
		page[0] = 'm';
		page[1] = 's';
		page[2] = FORM;
		page[3] = (uint8_t)p;
		le_put(page + 4, t->interval, 8);
		page[COUNT_AT] = (uint8_t)n;
		for (size_t i = 0; i < n; i++)
			put_cell(page + HEADER_BYTES + i * SENT_CELL_BYTES,
			    &t->cells[first + i]);
		le_put(page + CHECKSUM_AT, checksum_of(page), 8);
	}
	return pages;
}

static bool
is_sane(const uint8_t *page, uint64_t interval, size_t number)
{
	struct wire w = wire_read(str_make(page, HEADER_BYTES));
	bool is_ours = wire_get_u8(&w) == 'm' && wire_get_u8(&w) == 's' &&
	               wire_get_u8(&w) == FORM && wire_get_u8(&w) == number;

	return is_ours && wire_get_u64(&w) == interval &&
	       wire_get_u64(&w) == checksum_of(page) &&
	       page[COUNT_AT] <= SENT_PAGE_CELLS;
}

static void
get_cell(struct sent_table *t, const uint8_t *from)
{
	struct wire w = wire_read(str_make(from, SENT_CELL_BYTES));
	unsigned n = wire_get_u8(&w);
	struct str name = wire_get_bytes(&w, SENT_NAME_MAX);
	struct sent_cell *c;

	if (n == 0 || n > SENT_NAME_MAX || memchr(name.p, '\0', n) != NULL)
		return;
	c = sent_table_cell(t, str_first(name, n));
	c->refused = wire_get_u32(&w);
	for (size_t i = 0; i < SENT_SENDERS; i++)
		c->refused_by.n[i] = wire_get_u16(&w);
	for (size_t i = 0; i < SENT_SENDERS; i++)
		c->slow_by.n[i] = wire_get_u16(&w);
	for (size_t s = 0; s < SENT_STAGES; s++)
		for (size_t i = 0; i < SENT_STEPS; i++)
			c->stages[s].n[i] = wire_get_u32(&w);
}

bool
sent_table_decode(struct sent_table *t, const uint8_t *slot, size_t n_pages)
{
	bool is_there = false;

	for (size_t p = 0; p < MIN(n_pages, (size_t)SENT_SLOT_PAGES); p++) {
		const uint8_t *page = slot + p * SENT_PAGE_BYTES;

		if (!is_sane(page, t->interval, p))
			continue;
		is_there = true;
		for (size_t i = 0; i < page[COUNT_AT]; i++)
			get_cell(t, page + HEADER_BYTES + i * SENT_CELL_BYTES);
	}
	return is_there;
}
