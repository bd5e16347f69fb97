/* SPDX-License-Identifier: ISC */
/*
 * watch_ring.c - writing into the three rings.
 */
#include "proto/watch/watch_ring.h"

/* What one sample is taken to stand for when a cell is opened again. */
#define SAMPLE_SECONDS 30

static unsigned
first_page(enum watch_level level)
{
	unsigned n = 0;

	for (unsigned i = 0; i < (unsigned)level; i++)
		n += watch_level_pages((enum watch_level)i);
	return n;
}

static uint8_t *
page_at(const struct watch_ring *ring, enum watch_level level, unsigned page)
{
	return ring->bytes +
	       (size_t)(first_page(level) + page) * WATCH_PAGE_BYTES;
}

static uint8_t *
page_with(const struct watch_ring *ring, enum watch_level level, uint64_t i)
{
	return page_at(ring, level,
	    (unsigned)(i % watch_level_cells(level) / WATCH_PAGE_CELLS));
}

unsigned
watch_ring_open(struct watch_ring *ring, uint8_t *bytes)
{
	unsigned made = 0;

	memset(ring, 0, sizeof(*ring));
	ring->bytes = bytes;
	for (unsigned l = 0; l < WATCH_LEVELS; l++) {
		enum watch_level level = (enum watch_level)l;

		for (unsigned p = 0; p < watch_level_pages(level); p++) {
			uint8_t *page = page_at(ring, level, p);

			if (watch_page_is_sane(page, level, p))
				continue;
			watch_page_init(page, level, p);
			made++;
		}
	}
	return made;
}

static uint32_t
cell_seconds(const struct watch_cell *cell)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < WATCH_CLASSES; i++)
		sum += cell->seconds[i];
	return sum;
}

/* How many seconds went in; -1: the ring has gone past that cell. */
static int
spend_in_cell(struct watch_ring *ring, enum watch_level level, uint64_t i,
    enum watch_class class, uint32_t seconds)
{
	uint8_t *page = page_with(ring, level, i);
	struct watch_cell cell = { 0 };
	uint32_t room;

	(void)!watch_page_get(page, level, i, &cell);
	room = watch_level_width(level) - cell_seconds(&cell);
	seconds = MIN(seconds, room);
	cell.seconds[class] = (uint16_t)(cell.seconds[class] + seconds);
	return watch_page_put(page, level, i, &cell) ? (int)seconds : -1;
}

void
watch_ring_spend(struct watch_ring *ring, enum watch_class class,
    uint64_t from_s, uint64_t to_s)
{
	ASSERT((unsigned)class < WATCH_CLASSES);
	for (unsigned l = 0; l < WATCH_LEVELS; l++) {
		enum watch_level level = (enum watch_level)l;
		uint64_t width = watch_level_width(level);
		uint64_t kept = width * watch_level_cells(level);
		uint64_t t = to_s > kept ? MAX(from_s, to_s - kept) : from_s;

		while (t < to_s) {
			uint64_t end = MIN(t - t % width + width, to_s);

			(void)spend_in_cell(
			    ring, level, t / width, class, (uint32_t)(end - t));
			t = end;
		}
	}
}

void
watch_ring_fill_seconds(struct watch_ring *ring, enum watch_class class,
    uint64_t from_s, uint64_t to_s)
{
	uint64_t width = watch_level_width(WATCH_MINUTES);

	ASSERT((unsigned)class < WATCH_CLASSES);
	for (uint64_t t = from_s; t < to_s;) {
		uint64_t end = MIN(t - t % width + width, to_s);
		int unknown = -1;

		/* What the finest level lacks, the others lack as well. */
		for (unsigned l = 0; l < WATCH_LEVELS; l++) {
			enum watch_level level = (enum watch_level)l;
			uint64_t i = t / watch_level_width(level);
			int n = spend_in_cell(ring, level, i, class,
			    unknown < 0 ? (uint32_t)(end - t)
					: (uint32_t)unknown);

			if (unknown < 0)
				unknown = n;
		}
		t = end;
	}
}

/* A newer cell; after a restart it may have been begun before. */
static void
open_cell(struct watch_ring *ring, enum watch_level level, uint64_t i)
{
	struct watch_open_cell *o = &ring->open[level];
	struct watch_cell cell;
	uint32_t weight;

	memset(o, 0, sizeof(*o));
	o->index = i;
	if (!watch_page_get(page_with(ring, level, i), level, i, &cell))
		return;
	weight = MAX(cell_seconds(&cell) / SAMPLE_SECONDS, 1u);
	o->lost = (weight * cell.loss + 254) / 255;
	watch_sketch_spread(
	    &o->sketch, &cell.latency, MAX(weight, o->lost + 1) - o->lost);
}

static uint8_t
loss_of(const struct watch_sketch *answers, uint32_t lost)
{
	uint64_t all = (uint64_t)lost + answers->total;

	/* Rounded up: a loss is never none. */
	return all == 0 ? 0 : (uint8_t)((lost * UINT64_C(255) + all - 1) / all);
}

void
watch_ring_sample(
    struct watch_ring *ring, uint64_t at_s, uint32_t us, bool is_lost)
{
	for (unsigned l = 0; l < WATCH_LEVELS; l++) {
		enum watch_level level = (enum watch_level)l;
		uint64_t i = at_s / watch_level_width(level);
		struct watch_open_cell *o = &ring->open[l];
		struct watch_cell cell = { 0 };
		uint8_t *page = page_with(ring, level, i);

		if (i < o->index)
			continue;
		if (i > o->index)
			open_cell(ring, level, i);
		if (is_lost)
			o->lost++;
		else
			watch_sketch_add(&o->sketch, watch_code_of_us(us), 1);
		(void)!watch_page_get(page, level, i, &cell);
		cell.latency = watch_sketch_quantiles(&o->sketch);
		cell.loss = loss_of(&o->sketch, o->lost);
		(void)!watch_page_put(page, level, i, &cell);
	}
}

void
watch_ring_fill(struct watch_ring *ring, enum watch_level level, uint64_t at_s,
    const struct watch_sketch *answers, uint32_t lost)
{
	uint64_t i = at_s / watch_level_width(level);
	uint8_t *page = page_with(ring, level, i);
	struct watch_cell cell = { 0 };

	(void)!watch_page_get(page, level, i, &cell);
	if (cell.loss > 0 || cell.latency.v[WATCH_QUANTILES - 1] > 0)
		return;
	cell.latency = watch_sketch_quantiles(answers);
	cell.loss = loss_of(answers, lost);
	(void)!watch_page_put(page, level, i, &cell);
}

bool
watch_ring_cell(const struct watch_ring *ring, enum watch_level level,
    uint64_t at_s, struct watch_cell *ret)
{
	uint64_t i = at_s / watch_level_width(level);

	return watch_page_get(page_with(ring, level, i), level, i, ret);
}
