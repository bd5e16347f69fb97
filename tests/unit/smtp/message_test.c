/* SPDX-License-Identifier: ISC */
/* message_test.c - what messages may take up, alone and together. */
#include "../test.h"
#include "proc/ipc_msgs.h"
#include "smtp/message.h"

#include <unistd.h>

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

TEST(a_message_may_be_as_large_as_is_allowed)
{
	struct message *m = message_of(KIB(200));

	m->size_max = KIB(200) + 1;
	message_put(m, STR("x"));
	assert_true(!m->is_too_big && m->size == KIB(200) + 1);
	assert_int_equal(message_seal(m), 0);
	message_free(m);
	assert_int_equal(spool, 0);
}

/* Else an empty one would be delivered in its place. */
TEST(what_could_not_be_kept_cannot_be_sealed)
{
	struct message *m = message_of(KIB(80));

	m->spool_max = KIB(80);
	message_put(m, str_make(bytes, KIB(80)));
	assert_true(m->is_failed);
	assert_int_equal(message_seal(m), -ENOSPC);
	message_free(m);
	assert_int_equal(spool, 0);
}

struct part {
	uint32_t offset, n;
};

static int
cut(struct message *m, const struct part *parts, size_t n)
{
	struct buf b = BUF_INIT(KIB(1));
	int r;

	for (size_t i = 0; i < n; i++)
		msg_cut_put(
		    &b, &(struct msg_cut){ parts[i].offset, parts[i].n });
	r = message_cut(m, buf_str(&b));
	buf_done(&b);
	return r;
}

/* What is left of "0123...", in memory or in a file. */
static void
check_rest(const struct message *m, const char *want)
{
	char text[64] = "";
	struct str data;
	int fd;

	assert_true(message_lend(m, &data, &fd));
	if (fd >= 0) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		assert_true(n == (ssize_t)MIN(m->size, sizeof(text) - 1));
		close(fd);
	} else {
		memcpy(text, data.p, MIN(data.n, sizeof(text) - 1));
	}
	text[strlen(want)] = '\0';
	assert_string_equal(text, want);
}

static void
check_end(const struct message *m, const char *want)
{
	char text[64] = "";
	size_t n = strlen(want);
	struct str data;
	int fd;

	assert_true(message_lend(m, &data, &fd));
	if (fd >= 0) {
		assert_true(lseek(fd, 0, SEEK_END) == (off_t)m->size);
		assert_true(
		    pread(fd, text, n, (off_t)(m->size - n)) == (ssize_t)n);
		close(fd);
	} else {
		assert_int_equal(data.n, m->size);
		memcpy(text, data.p + data.n - n, n);
	}
	assert_string_equal(text, want);
}

TEST(parts_of_a_message_are_taken_out)
{
	static const struct part parts[] = { { 0, 1 }, { 2, 2 }, { 4, 1 },
		{ 9, 1 } };

	for (size_t n = 10; n <= KIB(100); n += KIB(100) - 10) {
		struct message *m;

		memcpy(bytes, "0123456789", 10);
		m = message_of(n);
		assert_int_equal(message_seal(m), 0);
		assert_int_equal(cut(m, parts, ARRAY_LEN(parts)), 0);
		assert_int_equal(m->size, n - 5);
		assert_int_equal(spool, n - 5);
		check_rest(m, "15678");
		message_free(m);
		assert_int_equal(spool, 0);
	}
}

TEST(lines_go_before_all_bytes_of_a_message)
{
	for (size_t n = 10; n <= KIB(100); n += KIB(100) - 10) {
		struct message *m;

		memcpy(bytes, "0123456789", 10);
		bytes[n - 1] = '!';
		m = message_of(n);
		assert_int_equal(message_seal(m), 0);
		assert_int_equal(message_prepend(m, STR("Date: x\r\n")), 0);
		assert_int_equal(m->size, n + 9);
		assert_int_equal(spool, n + 9);
		check_rest(m, "Date: x\r\n012345678");
		check_end(m, "!");
		message_free(m);
		assert_int_equal(spool, 0);
	}
}

TEST(cuts_that_make_no_sense_change_nothing)
{
	static const struct part cases[][2] = {
		{ { 0, 11 }, { 0, 0 } },
		{ { 11, 0 }, { 11, 0 } },
		{ { 4, 2 }, { 5, 1 } },
		{ { 4, 1 }, { 2, 1 } },
		{ { 1, UINT32_MAX }, { 1, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message *m;

		memcpy(bytes, "0123456789", 10);
		m = message_of(10);
		assert_int_equal(message_seal(m), 0);
		assert_int_equal(cut(m, cases[i], 2), -EINVAL);
		assert_int_equal(m->size, 10);
		check_rest(m, "0123456789");
		assert_int_equal(message_cut(m, STR("x")), -EINVAL);
		message_free(m);
		assert_int_equal(spool, 0);
	}
}

TEST_MAIN(UNIT(large_messages_leave_room_for_small_ones),
    UNIT(too_large_is_not_too_full),
    UNIT(a_message_may_be_as_large_as_is_allowed),
    UNIT(what_could_not_be_kept_cannot_be_sealed),
    UNIT(lines_go_before_all_bytes_of_a_message),
    UNIT(parts_of_a_message_are_taken_out),
    UNIT(cuts_that_make_no_sense_change_nothing))
