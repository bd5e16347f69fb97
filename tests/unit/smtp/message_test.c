/* SPDX-License-Identifier: ISC */
/* message_test.c - what messages may take up, alone and together. */
#include "../test.h"
#include "smtp/message.h"

#define SPOOL_MAX KIB(512)

static char bytes[KIB(256)];
static uint64_t spool;

static struct message *
message_of(size_t n)
{
	struct message *m =
	    message_new(&(struct message_config){ .spool_bytes = &spool,
		.spool_max = SPOOL_MAX,
		.size_max = MIB(1) });

	message_put(m, str_make(bytes, n));
	return m;
}

TEST(large_messages_leave_room_for_small_ones)
{
	struct message *one = message_of(sizeof(bytes));
	struct message *two = message_of(sizeof(bytes));
	struct message *small = message_of(KIB(2));
	struct message *large = message_of(KIB(80));

	assert_false(one->is_failed || two->is_failed);
	assert_false(small->is_failed);
	assert_int_equal(spool, SPOOL_MAX + KIB(2));
	assert_true(large->is_failed);
	/* One that grows large has no claim to what is for small ones. */
	message_put(small, str_make(bytes, KIB(80)));
	assert_true(small->is_failed);
	assert_int_equal(spool, SPOOL_MAX);
	message_free(one);
	assert_int_equal(spool, SPOOL_MAX / 2);
	message_free(two);
	message_free(small);
	message_free(large);
	assert_int_equal(spool, 0);
}

TEST(too_large_is_not_too_full)
{
	struct message *m = message_of(KIB(200));

	m->size_max = KIB(200);
	message_put(m, STR("x"));
	assert_true(m->is_too_big && !m->is_failed);
	assert_int_equal(spool, 0);
	message_free(m);
}

TEST_MAIN(UNIT(large_messages_leave_room_for_small_ones),
    UNIT(too_large_is_not_too_full))
