/* SPDX-License-Identifier: ISC */
/* reach_table_test.c - bounded tables, who makes room, pages on disk. */
#include "../../test.h"
#include "proto/reach/reach_table.h"

static struct reach_key
key_of(unsigned i)
{
	return (struct reach_key){ { REACH_NET_AS, i + 1 }, 993, 5, 4 };
}

static void
count(struct reach_table *t, unsigned i, enum reach_rank rank, unsigned n)
{
	struct reach_key k = key_of(i);

	for (unsigned j = 0; j < n; j++) {
		struct reach_cell *c = reach_table_cell(t, &k, rank);

		reach_cell_add(c, &(struct reach_event){ .port = 993 },
		    &(struct reach_who){ .epoch = 1 });
	}
}

static uint64_t
total(const struct reach_table *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->entries[i].cell.counts[REACH_ATTEMPTS];
	return n;
}

static uint32_t
attempts(struct reach_table *t, unsigned i)
{
	struct reach_key k = key_of(i);
	const struct reach_cell *c = reach_table_find(t, &k);

	return c != NULL ? c->counts[REACH_ATTEMPTS] : 0;
}

TEST(a_flood_from_everywhere_folds_the_flood)
{
	struct reach_table t;

	reach_table_init(&t, 1, 42);
	for (unsigned i = 0; i < 200; i++)
		count(&t, i, REACH_RANK_PROFILE, 2);
	for (unsigned i = 1000; i < 9000; i++)
		count(&t, i, REACH_RANK_ANY, 1);
	/* Networks whose people sign in come late, and have their place. */
	for (unsigned i = 200; i < 400; i++)
		count(&t, i, REACH_RANK_SIGNS_IN, 3);
	CHECK(t.n - t.n_others == REACH_CELLS_MAX, "full");
	CHECK(t.n_others == 1, "one place for the others of this port");
	CHECK(total(&t) == 200 * 2 + 8000 + 200 * 3, "nothing is lost");
	for (unsigned i = 0; i < 200; i++)
		CHECK(attempts(&t, i) == 2, "known networks stay");
	for (unsigned i = 200; i < 400; i++)
		CHECK(attempts(&t, i) == 3, "those who sign in, too");
	reach_table_done(&t);
}

TEST(others_are_bounded_too)
{
	struct reach_table t;
	unsigned refused = 0;

	reach_table_init(&t, 1, 42);
	for (unsigned i = 0; i < REACH_CELLS_MAX; i++)
		count(&t, i, REACH_RANK_PROFILE, 1);
	for (unsigned port = 1; port < 200; port++) {
		struct reach_key k = key_of(99999);

		k.port = (uint16_t)port;
		refused += reach_table_cell(&t, &k, REACH_RANK_ANY) == NULL;
	}
	CHECK(t.n_others == REACH_OTHERS_MAX, "as many as there may be");
	CHECK(refused == 199 - REACH_OTHERS_MAX, "the rest has no place");
	reach_table_done(&t);
}

static void
fill(struct reach_table *t, unsigned n)
{
	reach_table_init(t, 5940000, 42);
	for (unsigned i = 0; i < n; i++)
		count(t, i, REACH_RANK_SIGNS_IN, 1 + i % 7);
}

static uint8_t *
new_slot(void)
{
	return x_zalloc(REACH_SLOT_BYTES);
}

TEST(tables_survive_their_pages)
{
	uint8_t *slot = new_slot();

	for (unsigned n = 0; n <= REACH_CELLS_MAX; n += 64) {
		struct reach_table t, got;
		size_t pages;

		fill(&t, n);
		pages = reach_table_encode(&t, 3, slot);
		CHECK(pages >= 1 && reach_page_count(slot) == pages, "pages");
		CHECK(reach_page_generation(slot) == 3, "generation");
		reach_table_init(&got, t.interval, 7);
		CHECK(reach_table_decode(&got, slot, pages) == pages, "good");
		CHECK(got.n == n && total(&got) == total(&t), "the same");
		for (unsigned i = 0; i < n; i++)
			CHECK(attempts(&got, i) == attempts(&t, i), "each");
		reach_table_done(&got);
		reach_table_init(&got, t.interval + 1, 7);
		CHECK(reach_table_decode(&got, slot, pages) == 0,
		    "of another time");
		reach_table_done(&got);
		reach_table_done(&t);
	}
	free(slot);
}

/* The largest cells that there can be, and as many as there can be. */
TEST(a_full_table_fits)
{
	uint8_t *slot = new_slot();
	struct reach_table t;
	size_t pages;

	fill(&t, REACH_CELLS_MAX);
	for (size_t i = 0; i < t.n; i++) {
		struct reach_cell *c = &t.entries[i].cell;

		memset(c->counts, 0xff, sizeof(c->counts));
		memset(c->rtt, 0xff, sizeof(c->rtt));
		memset(c->accounts.registers, 9, REACH_SKETCH_BYTES);
		c->accounts.epoch = 1;
	}
	pages = reach_table_encode(&t, 1, slot);
	CHECK(pages > 40 && pages < REACH_SLOT_PAGES, "within a slot");
	reach_table_done(&t);
	reach_table_init(&t, 5940000, 1);
	reach_table_decode(&t, slot, pages);
	CHECK(t.n == REACH_CELLS_MAX, "all of them are there");
	reach_table_done(&t);
	free(slot);
}

TEST(a_torn_page_takes_its_cells_only)
{
	uint8_t *slot = new_slot();
	struct reach_table t, got;
	size_t pages;

	fill(&t, 500);
	pages = reach_table_encode(&t, 1, slot);
	CHECK(pages >= 3, "some pages");
	slot[REACH_PAGE_BYTES + 2000] ^= 1;
	reach_table_init(&got, t.interval, 7);
	CHECK(reach_table_decode(&got, slot, pages) == pages - 1, "one is bad");
	CHECK(got.n > 0 && got.n < t.n, "the others are there");
	for (size_t i = 0; i < got.n; i++) {
		const struct reach_cell *c = &got.entries[i].cell;

		CHECK(c->counts[REACH_ATTEMPTS] ==
			  attempts(&t, c->key.net.value - 1),
		    "as they were");
	}
	reach_table_done(&got);
	reach_table_done(&t);
	free(slot);
}

/* A process is killed behind its first page: what is in both counts once. */
TEST(the_newer_page_counts)
{
	uint8_t *slot = new_slot(), *newer = new_slot();
	struct reach_table t, got;
	size_t pages;

	fill(&t, 500);
	pages = reach_table_encode(&t, 1, slot);
	for (unsigned i = 0; i < 500; i++)
		count(&t, i, REACH_RANK_ANY, 1000);
	(void)reach_table_encode(&t, 2, newer);
	memcpy(slot, newer, REACH_PAGE_BYTES);
	reach_table_init(&got, t.interval, 7);
	CHECK(reach_table_decode(&got, slot, pages) == pages, "all are good");
	for (size_t i = 0; i < got.n; i++) {
		const struct reach_cell *c = &got.entries[i].cell;
		unsigned n = c->counts[REACH_ATTEMPTS];
		unsigned want = attempts(&t, c->key.net.value - 1);

		CHECK(n == want || n == want - 1000, "old or new, not both");
	}
	CHECK(attempts(&got, 0) == attempts(&t, 0), "the first page is new");
	reach_table_done(&got);
	reach_table_done(&t);
	free(slot);
	free(newer);
}

/* The other way round: what moved is in both, and the newer one counts. */
TEST(what_is_in_two_pages_counts_once)
{
	uint8_t *slot = new_slot(), *newer = new_slot();
	struct reach_table t, got;
	size_t pages, in_page, is_new = 0;

	fill(&t, 500);
	pages = reach_table_encode(&t, 1, slot);
	for (unsigned i = 0; i < 500; i++)
		count(&t, i, REACH_RANK_ANY, 1000);
	(void)reach_table_encode(&t, 2, newer);
	memcpy(slot + REACH_PAGE_BYTES, newer + REACH_PAGE_BYTES,
	    REACH_PAGE_BYTES);
	in_page = newer[REACH_PAGE_BYTES + 24] |
	          (size_t)newer[REACH_PAGE_BYTES + 25] << 8;
	reach_table_init(&got, t.interval, 7);
	CHECK(reach_table_decode(&got, slot, pages) == pages, "all are good");
	for (size_t i = 0; i < got.n; i++) {
		const struct reach_cell *c = &got.entries[i].cell;

		is_new += c->counts[REACH_ATTEMPTS] ==
		          attempts(&t, c->key.net.value - 1);
	}
	CHECK(in_page > 50 && is_new == in_page, "all of the newer page");
	reach_table_done(&got);
	reach_table_done(&t);
	free(slot);
	free(newer);
}

TEST_MAIN(UNIT(a_flood_from_everywhere_folds_the_flood),
    UNIT(others_are_bounded_too), UNIT(tables_survive_their_pages),
    UNIT(a_full_table_fits), UNIT(a_torn_page_takes_its_cells_only),
    UNIT(the_newer_page_counts), UNIT(what_is_in_two_pages_counts_once))
