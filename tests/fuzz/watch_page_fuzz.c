/* SPDX-License-Identifier: ISC */
/*
 * LINK: watch
 *
 * First the input as a page from a disk that lies; then as cells to write.
 * Properties: what is read is sane and, written again, reads the same; a
 * page that was written is sane and gives each cell that the ring still
 * reaches, and nothing that was not written, against a plain model.
 */
#include "proto/watch/watch_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WRITES_MAX 64

static void
read_a_liar(const uint8_t *data, size_t size)
{
	uint8_t page[WATCH_PAGE_BYTES], again[12], cell_bytes[12];
	struct watch_cell cell, second;
	enum watch_level level = data[0] % WATCH_LEVELS;

	watch_page_init(page, level, 1);
	memcpy(page + 8, data, MIN(size, sizeof(page) - 8));
	if (watch_page_is_sane(page, level, 1))
		for (uint64_t i = 0, n = watch_page_newest(page); i < 400; i++)
			if (watch_page_get(page, level, n - i, &cell))
				ASSERT(watch_cell_is_sane(&cell, level));
	if (size < sizeof(cell_bytes))
		return;
	memcpy(cell_bytes, data, sizeof(cell_bytes));
	watch_cell_decode(cell_bytes, &cell);
	watch_cell_encode(&cell, again);
	watch_cell_decode(again, &second);
	ASSERT(memcmp(again, cell_bytes, sizeof(again)) == 0);
	ASSERT(memcmp(&cell, &second, sizeof(cell)) == 0);
}

static void
write_and_read(const uint8_t *data, size_t size)
{
	enum watch_level level = data[0] % WATCH_LEVELS;
	uint64_t lap = watch_level_cells(level), newest = 0, i = lap * 9 + 340;
	uint64_t written[WRITES_MAX];
	uint16_t seconds[WRITES_MAX];
	uint8_t page[WATCH_PAGE_BYTES];
	struct watch_cell cell;
	size_t n = 0;

	watch_page_init(page, level, 1);
	for (size_t at = 1; at + 3 < size && n < WRITES_MAX; at += 4) {
		struct watch_cell c = { .seconds = { data[at] % 60, 1 } };
		uint64_t to =
		    lap * (9 + data[at + 1] % 4) + 340 +
		    (data[at + 2] | data[at + 3] << 8) % WATCH_PAGE_CELLS;
		bool is_put = watch_page_put(page, level, to, &c);

		ASSERT(is_put == (newest == 0 || to + lap > newest));
		if (!is_put)
			continue;
		newest = MAX(newest, to);
		written[n] = to;
		seconds[n++] = c.seconds[0];
	}
	ASSERT(watch_page_is_sane(page, level, 1));
	ASSERT(watch_page_newest(page) == newest);
	for (; i < lap * 13; i += (i + 1) % WATCH_PAGE_CELLS ? 1 : lap - 339) {
		size_t k = n;

		while (k > 0 && written[k - 1] != i)
			k--;
		ASSERT(watch_page_get(page, level, i, &cell) ==
		       (k > 0 && i + lap > newest));
		if (k > 0 && i + lap > newest)
			ASSERT(cell.seconds[0] == seconds[k - 1]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	read_a_liar(data, size);
	write_and_read(data, size);
	return 0;
}
