/* SPDX-License-Identifier: ISC */
/* history_test.c - files of history: made, found again, damaged, removed. */
#include "../test.h"
#include "watch/history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0 1800000000ULL /* of a minute */

static char dir[] = "/tmp/history-XXXXXX";

static uint64_t
up_seconds(struct history *h)
{
	struct watch_sum sum;

	watch_ring_sum(history_ring(h), T0, T0 + 3600, &sum);
	return sum.seconds[WATCH_SECOND_UP];
}

static struct history *
open_it(void)
{
	struct history *h = NULL;

	assert_int_equal(history_open(dir, "box/smtp", &h), 0);
	return h;
}

TEST(what_was_written_is_there_again)
{
	char *path = x_asprintf("%s/box,smtp.ring", dir);
	struct history *h = open_it();
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, WATCH_RING_BYTES);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(up_seconds(h), 0);
	watch_ring_spend(history_ring(h), WATCH_SECOND_UP, T0, T0 + 90);
	history_relax(h);
	assert_int_equal(up_seconds(h), 90);
	/* A process that was killed closes nothing: a second one reads it. */
	struct history *again = open_it();

	assert_int_equal(up_seconds(again), 90);
	history_close(again);
	history_close(h);
	history_remove(dir, "box/smtp");
	assert_int_equal(stat(path, &st), -1);
	free(path);
}

TEST(a_file_of_another_size_begins_anew)
{
	char *path = x_asprintf("%s/box,smtp.ring", dir);
	struct history *h = open_it();

	watch_ring_spend(history_ring(h), WATCH_SECOND_UP, T0, T0 + 90);
	history_close(h);
	assert_int_equal(truncate(path, 5000), 0);
	h = open_it();
	assert_int_equal(up_seconds(h), 0);
	history_close(h);
	history_remove(dir, "box/smtp");
	free(path);
}

TEST(a_damaged_page_is_empty_and_others_are_not)
{
	char *path = x_asprintf("%s/box,smtp.ring", dir);
	struct history *h = open_it();
	struct watch_cell cell;
	int fd;

	watch_ring_spend(history_ring(h), WATCH_SECOND_UP, T0, T0 + 60);
	history_close(h);
	/* All pages of minutes, which come first. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (off_t at = 0; at < 9 * WATCH_PAGE_BYTES; at += WATCH_PAGE_BYTES)
		assert_int_equal(pwrite(fd, "XXXX", 4, at), 4);
	(void)close(fd);
	h = open_it();
	CHECK(!watch_ring_cell(history_ring(h), WATCH_MINUTES, T0, &cell),
	    "minutes");
	assert_true(watch_ring_cell(history_ring(h), WATCH_HOURS, T0, &cell));
	assert_int_equal(cell.seconds[WATCH_SECOND_UP], 60);
	history_close(h);
	history_remove(dir, "box/smtp");
	free(path);
}

TEST(links_are_not_followed)
{
	char *path = x_asprintf("%s/box,smtp.ring", dir);
	struct history *h;

	assert_int_equal(symlink("/tmp/elsewhere-of-history", path), 0);
	assert_int_equal(history_open(dir, "box/smtp", &h), -ELOOP);
	history_remove(dir, "box/smtp");
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(what_was_written_is_there_again),
		UNIT(a_file_of_another_size_begins_anew),
		UNIT(a_damaged_page_is_empty_and_others_are_not),
		UNIT(links_are_not_followed),
	};
	int r;

	ASSERT(mkdtemp(dir) != NULL);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return r;
}
