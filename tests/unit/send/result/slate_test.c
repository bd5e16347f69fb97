/* SPDX-License-Identifier: ISC */
/* slate_test.c - what a page says to the next process that reads it. */
#include "../../test.h"

#include "proc/ipc_msgs.h"
#include "send/result/slate.h"

#define SLOTS 8

static _Alignas(8) unsigned char page[SLOTS * SLATE_SLOT_BYTES];

static struct slate_result
result(uint64_t message)
{
	return (struct slate_result){ message, message * 7, 3,
		message % 2 ? QUEUE_DELIVERED : QUEUE_FAILED };
}

static uint32_t
note(struct slate *s, uint64_t message)
{
	struct slate_result r = result(message);

	return slate_note(s, &r);
}

static struct slate *
fresh_page(void)
{
	memset(page, 0, sizeof(page));
	return slate_new(page, sizeof(page));
}

/* The messages that a new process finds, as bits. */
static unsigned
found(void)
{
	struct slate *s = slate_new(page, sizeof(page));
	struct slate_result r;
	unsigned all = 0;

	for (uint32_t at = 0; slate_next(s, &at, &r); at++) {
		struct slate_result want = result(r.message);

		assert_memory_equal(&r, &want, sizeof(r));
		assert_true(r.message < 32 && !(all & 1U << r.message));
		all |= 1U << r.message;
	}
	slate_free(s);
	return all;
}

TEST(the_next_process_finds_what_was_noted)
{
	struct slate *s = fresh_page();
	uint32_t one;

	assert_int_equal(found(), 0);
	one = note(s, 1);
	note(s, 2);
	assert_int_equal(found(), 1U << 1 | 1U << 2);
	slate_wipe(s, one);
	assert_int_equal(found(), 1U << 2);
	note(s, 5);
	slate_free(s);
	assert_int_equal(found(), 1U << 2 | 1U << 5);
}

TEST(what_was_found_goes_when_it_is_wiped_off)
{
	struct slate *s = fresh_page();
	struct slate_result r;

	for (uint64_t m = 1; m <= 3; m++)
		note(s, m);
	slate_free(s);
	s = slate_new(page, sizeof(page));
	/* New ones take none of the old places. */
	for (uint64_t m = 4; m <= SLOTS; m++)
		assert_int_not_equal(note(s, m), SLATE_NONE);
	assert_int_equal(note(s, 9), SLATE_NONE);
	for (uint32_t at = 0; slate_next(s, &at, &r); at++)
		if (r.message <= 3)
			slate_wipe(s, at);
	assert_int_equal(found(), 0x1f0);
	slate_free(s);
}

TEST(a_full_page_takes_no_more_until_there_is_room)
{
	struct slate *s = fresh_page();
	uint32_t slots[SLOTS];

	for (uint64_t m = 0; m < SLOTS; m++)
		slots[m] = note(s, m);
	assert_int_equal(note(s, 9), SLATE_NONE);
	assert_int_equal(found(), 0xff);
	slate_wipe(s, SLATE_NONE);
	slate_wipe(s, slots[4]);
	assert_int_equal(note(s, 10), slots[4]);
	assert_int_equal(note(s, 11), SLATE_NONE);
	slate_free(s);
	assert_int_equal(found(), 0x4ef);
}

TEST(a_garbled_slot_is_empty)
{
	struct slate *s = fresh_page();

	note(s, 1);
	slate_free(s);
	for (size_t i = 0; i < SLATE_SLOT_BYTES - 4; i++) {
		page[i] ^= 0x10;
		assert_int_equal(found(), 0);
		/* That was wiped off: once more. */
		s = fresh_page();
		note(s, 1);
		slate_free(s);
	}
	memset(page, 0xff, sizeof(page));
	s = slate_new(page, sizeof(page));
	for (uint64_t m = 0; m < SLOTS; m++)
		assert_int_not_equal(note(s, m), SLATE_NONE);
	slate_free(s);
	assert_int_equal(found(), 0xff);
}

TEST(only_final_results_are_found)
{
	struct slate *s = fresh_page();
	struct slate_result r = result(1);

	r.state = QUEUE_DEFERRED;
	slate_note(s, &r);
	slate_free(s);
	assert_int_equal(found(), 0);
}

TEST(without_a_page_nothing_is_noted)
{
	struct slate *s = slate_new(NULL, 1000);
	struct slate_result r;
	uint32_t at = 0;

	assert_int_equal(note(s, 1), SLATE_NONE);
	assert_false(slate_next(s, &at, &r));
	slate_free(s);
	s = slate_new(page, SLATE_SLOT_BYTES - 1);
	assert_int_equal(note(s, 1), SLATE_NONE);
	slate_free(s);
}

TEST_MAIN(UNIT(the_next_process_finds_what_was_noted),
    UNIT(what_was_found_goes_when_it_is_wiped_off),
    UNIT(a_full_page_takes_no_more_until_there_is_room),
    UNIT(a_garbled_slot_is_empty), UNIT(only_final_results_are_found),
    UNIT(without_a_page_nothing_is_noted))
