/* SPDX-License-Identifier: ISC */
/* agent_page_test.c - pages of results: what was written whole reads back. */
#include "../../test.h"
#include "proto/agent/agent_page.h"

static const struct agent_page head = { .number = 7,
	.first = 500,
	.boot = 0x1122334455667788,
	.base_ms = 1000000,
	.wall_ms = 1790000000000 };

static struct agent_kept
kept(uint64_t i)
{
	return (struct agent_kept){ .key = STR("box/smtp"),
		.ended_ms = head.base_ms + i * 30000,
		.took_ms = (uint32_t)i,
		.outcome = i % 4,
		.cause = i % 12,
		.us = (uint32_t)(i * 1000),
		.days = (uint16_t)i,
		.text = i % 2 ? STR("refused") : STR_NONE };
}

static unsigned
fill(uint8_t *bytes)
{
	unsigned n = 0;

	agent_page_init(bytes, &head);
	for (struct agent_kept k = kept(0); agent_page_add(bytes, &k);
	     k = kept(n))
		n++;
	return n;
}

TEST(a_page_holds_what_was_put)
{
	uint8_t bytes[AGENT_PAGE_BYTES];
	unsigned n = fill(bytes);
	struct agent_page p;
	struct agent_kept k;
	size_t at = 0;

	assert_true(n > 100);
	assert_true(agent_page_read(bytes, &p));
	assert_true(p.number == 7 && p.first == 500 && p.n == n);
	assert_true(p.boot == head.boot && p.wall_ms == head.wall_ms);
	for (unsigned i = 0; i < n; i++) {
		struct agent_kept want = kept(i);

		assert_true(agent_page_next(bytes, &p, &at, &k));
		assert_true(
		    str_eq(k.key, want.key) && str_eq(k.text, want.text) &&
		    k.ended_ms == want.ended_ms && k.took_ms == want.took_ms &&
		    k.us == want.us && k.outcome == want.outcome &&
		    k.days == want.days && k.cause == want.cause);
	}
	assert_false(agent_page_next(bytes, &p, &at, &k));
}

TEST(an_empty_page_is_one)
{
	uint8_t bytes[AGENT_PAGE_BYTES] = { 0 };
	struct agent_page p;
	struct agent_kept k;
	size_t at = 0;

	assert_false(agent_page_read(bytes, &p));
	agent_page_init(bytes, &head);
	assert_true(agent_page_read(bytes, &p));
	assert_int_equal(p.n, 0);
	assert_false(agent_page_next(bytes, &p, &at, &k));
}

/* The process died, or the machine: the first part is new, the rest old. */
TEST(a_torn_page_is_none)
{
	uint8_t old[AGENT_PAGE_BYTES], fresh[AGENT_PAGE_BYTES];
	struct agent_page p, h = head;
	struct agent_kept k = kept(3);

	(void)fill(old);
	h.number++;
	agent_page_init(fresh, &h);
	assert_true(agent_page_add(fresh, &k));
	for (size_t i = 16; i < AGENT_PAGE_BYTES; i += 16) {
		uint8_t torn[AGENT_PAGE_BYTES];

		memcpy(torn, old, sizeof(torn));
		memcpy(torn, fresh, i);
		CHECK(!agent_page_read(torn, &p) ||
			  memcmp(torn, fresh, sizeof(torn)) == 0,
		    "torn");
	}
	for (size_t i = 0; i < AGENT_PAGE_BYTES; i += 7) {
		fresh[i] ^= 4;
		CHECK(!agent_page_read(fresh, &p), "a bit of it");
		fresh[i] ^= 4;
	}
	assert_true(agent_page_read(fresh, &p));
}

TEST_MAIN(UNIT(a_page_holds_what_was_put), UNIT(an_empty_page_is_one),
    UNIT(a_torn_page_is_none))
