/* SPDX-License-Identifier: ISC */
/* buf_test.c - buffers, arenas and the wire encoding keep their limits. */
#include "../test.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/wire.h"

TEST(buf_never_passes_its_maximum_and_failure_sticks)
{
	struct buf b = BUF_INIT(10);

	buf_put_c(&b, "0123456789");
	CHECK(!b.failed && b.n == 10, "just fits");
	CHECK(strcmp(buf_c(&b), "0123456789") == 0, "NUL fits behind");
	buf_put_char(&b, 'x');
	CHECK(b.failed && b.n == 10, "one too many");
	buf_drop(&b, 9);
	buf_put_char(&b, 'x');
	CHECK(b.n == 1, "failure sticks");
	buf_reset(&b, 0);
	buf_printf(&b, "%s-%d", "abc", 42);
	CHECK(str_eq(buf_str(&b), STR("abc-42")), "printf");
	buf_printf(&b, "%s", "toolong");
	CHECK(b.failed && b.n == 6, "printf too long");
	buf_done(&b);
}

TEST(arena_gives_null_at_its_limit_only)
{
	struct arena a;

	arena_init(&a, 10000);
	CHECK(arena_alloc(&a, 9000), "large block");
	CHECK(!arena_alloc(&a, 1001), "over the limit");
	CHECK(arena_alloc(&a, 1000), "up to the limit");
	CHECK(!arena_calloc(&a, SIZE_MAX / 2, 4), "overflow");
	arena_reset(&a);
	CHECK(arena_alloc(&a, 10000), "after reset");
	arena_done(&a);
}

TEST(wire_reads_what_it_wrote_and_sticks_at_the_end)
{
	struct buf b = BUF_INIT(1000);
	struct wire w;

	wire_put_u8(&b, 7);
	wire_put_u16(&b, 0x1234);
	wire_put_u32(&b, 0xDEADBEEF);
	wire_put_u64(&b, UINT64_MAX - 1);
	wire_put_varint(&b, 300);
	wire_put_varint(&b, UINT64_MAX);
	wire_put_str(&b, STR("hello"));
	wire_put_vstr(&b, STR("v"));
	w = wire_read(buf_str(&b));
	CHECK(wire_get_u8(&w) == 7, "u8");
	CHECK(wire_get_u16(&w) == 0x1234, "u16");
	CHECK(wire_get_u32(&w) == 0xDEADBEEF, "u32");
	CHECK(wire_get_u64(&w) == UINT64_MAX - 1, "u64");
	CHECK(wire_get_varint(&w) == 300, "varint");
	CHECK(wire_get_varint(&w) == UINT64_MAX, "largest varint");
	CHECK(str_eq(wire_get_str(&w), STR("hello")), "str");
	CHECK(str_eq(wire_get_vstr(&w), STR("v")), "vstr");
	CHECK(wire_is_complete(&w), "complete");
	CHECK(wire_get_u8(&w) == 0 && w.failed, "past the end");
	CHECK(!wire_is_complete(&w), "failure sticks");
	buf_done(&b);
}

TEST(a_varint_of_more_than_64_bits_fails)
{
	struct wire w =
	    wire_read(STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));

	CHECK(wire_get_varint(&w) == 0 && w.failed, "65 bits");
}

TEST(a_fixed_layout_is_little_endian_and_its_checksum_leaves_itself_out)
{
	uint8_t page[40] = { 0 }, *next = le_put(page, 0x0102030405060708, 8);
	uint64_t sum;

	CHECK(next == page + 8 && page[0] == 8 && page[7] == 1, "8 bytes");
	CHECK(le_put(next, 0x1234, 2) == page + 10 && page[8] == 0x34 &&
		  page[9] == 0x12 && page[10] == 0,
	    "2 bytes");
	sum = hash64_around(page, sizeof(page), 16);
	le_put(page + 16, sum, 8);
	CHECK(hash64_around(page, sizeof(page), 16) == sum, "without itself");
	page[24] ^= 1;
	CHECK(hash64_around(page, sizeof(page), 16) != sum, "behind it");
	page[24] ^= 1;
	page[15] ^= 1;
	CHECK(hash64_around(page, sizeof(page), 16) != sum, "before it");
}

TEST_MAIN(
    UNIT(a_fixed_layout_is_little_endian_and_its_checksum_leaves_itself_out),
    UNIT(buf_never_passes_its_maximum_and_failure_sticks),
    UNIT(arena_gives_null_at_its_limit_only),
    UNIT(wire_reads_what_it_wrote_and_sticks_at_the_end),
    UNIT(a_varint_of_more_than_64_bits_fails))
