/* SPDX-License-Identifier: ISC */
/* agent_spool_test.c - results are kept in order until they were sent. */
#include "../../test.h"
#include "watch/agent/agent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES 8

#define KILLS_MAX 8

struct fixture {
	char dir[64];
	char path[80];
	struct spool *spool;
	struct spool *killed[KILLS_MAX];
	size_t n_killed;
};

static void
setup(struct fixture *f)
{
	f->n_killed = 0;
	snprintf(f->dir, sizeof(f->dir), "/tmp/spool-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/ring", f->dir);
	assert_int_equal(spool_open(f->path, PAGES, &f->spool), 0);
}

static void
teardown(struct fixture *f)
{
	spool_close(f->spool);
	unlink(f->path);
	rmdir(f->dir);
	/* What they write now is nowhere any more. */
	for (size_t i = 0; i < f->n_killed; i++)
		spool_close(f->killed[i]);
}

/* As after a kill: nothing is written at the end. */
static void
reopen(struct fixture *f)
{
	assert_true(f->n_killed < KILLS_MAX);
	f->killed[f->n_killed++] = f->spool;
	assert_int_equal(spool_open(f->path, PAGES, &f->spool), 0);
}

/* Result number i carries i in all that it has. */
static void
put(struct fixture *f, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		spool_put(f->spool,
		    &(struct agent_kept){ .key = STR("box/smtp"),
			.ended_ms = 1000 + i,
			.us = (uint32_t)i,
			.days = AGENT_NO_DAYS,
			.text = STR("a text that takes some room in a page") },
		    7, 5000000 + i);
}

struct reader {
	uint64_t next, n, max;
};

static bool
look(void *arg, const struct agent_page *p, const struct agent_kept *k)
{
	struct reader *r = arg;

	if (r->n == r->max)
		return false;
	CHECK(k->us == r->next && k->ended_ms == 1000 + r->next, "in order");
	CHECK(p->wall_ms - 5000000 == p->base_ms - 1000, "its page's clock");
	r->next++;
	r->n++;
	return true;
}

/* Reads up to max, from result number first on; how many there were. */
static uint64_t
read_from(struct fixture *f, uint64_t first, uint64_t max)
{
	struct reader r = { .next = first, .max = max };
	uint64_t next = spool_read(f->spool, look, &r);

	/* They are numbered from 1. */
	CHECK(r.n == 0 || next == r.next + 1, "the next number");
	return r.n;
}

TEST(what_was_put_is_read_until_it_was_sent)
{
	struct fixture f;

	setup(&f);
	assert_int_equal(read_from(&f, 0, 1000), 0);
	put(&f, 0, 200);
	assert_int_equal(read_from(&f, 0, 1000), 200);
	assert_int_equal(read_from(&f, 0, 70), 70);
	spool_sent(f.spool, 1 + 70);
	assert_int_equal(read_from(&f, 70, 1000), 130);
	spool_sent(f.spool, 1 + 200);
	assert_int_equal(read_from(&f, 200, 1000), 0);
	put(&f, 200, 203);
	assert_int_equal(read_from(&f, 200, 1000), 3);
	assert_int_equal(spool_lost(f.spool), 0);
	/* What is not there cannot be sent. */
	spool_sent(f.spool, 10000);
	assert_int_equal(spool_first(f.spool), 204);
	teardown(&f);
}

TEST(a_killed_process_loses_nothing)
{
	struct fixture f;

	setup(&f);
	put(&f, 0, 100);
	spool_sent(f.spool, 1 + 40);
	reopen(&f);
	assert_int_equal(read_from(&f, 40, 1000), 60);
	put(&f, 100, 110);
	assert_int_equal(read_from(&f, 40, 1000), 70);
	reopen(&f);
	reopen(&f);
	assert_int_equal(read_from(&f, 40, 1000), 70);
	/* All of it sent, and killed: nothing comes again, numbers go on. */
	spool_sent(f.spool, 1 + 110);
	reopen(&f);
	assert_int_equal(read_from(&f, 110, 1000), 0);
	put(&f, 110, 111);
	assert_int_equal(read_from(&f, 110, 1000), 1);
	teardown(&f);
}

TEST(when_it_is_full_the_oldest_go)
{
	struct fixture f;
	uint64_t lost;

	setup(&f);
	put(&f, 0, 2000);
	lost = spool_lost(f.spool);
	CHECK(lost > 1000 && lost < 2000, "some were given up");
	assert_int_equal(spool_first(f.spool), 1 + lost);
	assert_int_equal(read_from(&f, lost, 10000), 2000 - lost);
	reopen(&f);
	put(&f, 2000, 2001);
	lost = spool_lost(f.spool);
	assert_int_equal(read_from(&f, lost, 10000), 2001 - lost);
	teardown(&f);
}

/* The power went, and a page did not get to the disk as a whole. */
TEST(a_torn_page_is_skipped)
{
	static const char junk[100] = { 1, 2, 3 };
	struct fixture f;
	struct reader r = { .max = 0 };
	int fd;

	setup(&f);
	put(&f, 0, 300);
	fd = open(f.path, O_RDWR);
	/* Page number 2. */
	assert_int_equal(
	    pwrite(fd, junk, sizeof(junk), 3 * 4096 + 2000), sizeof(junk));
	close(fd);
	reopen(&f);
	CHECK(spool_end(f.spool) == 301, "the others are there");
	(void)spool_read(f.spool, look, &r);
	put(&f, 300, 301);
	CHECK(spool_end(f.spool) == 302, "and numbers go on");
	teardown(&f);
}

TEST(a_file_of_something_else_is_emptied)
{
	struct fixture f;
	struct stat st;

	setup(&f);
	put(&f, 0, 10);
	assert_int_equal(truncate(f.path, 100), 0);
	reopen(&f);
	assert_int_equal(read_from(&f, 0, 100), 0);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_size, (1 + PAGES) * 4096);
	put(&f, 0, 10);
	teardown(&f);
}

TEST(no_room_is_told_at_the_beginning)
{
	struct spool *s = NULL;

	CHECK(
	    spool_open("/nonexistent/ring", PAGES, &s) == -ENOENT, "no folder");
	assert_null(s);
}

TEST_MAIN(UNIT(what_was_put_is_read_until_it_was_sent),
    UNIT(a_killed_process_loses_nothing), UNIT(when_it_is_full_the_oldest_go),
    UNIT(a_torn_page_is_skipped), UNIT(a_file_of_something_else_is_emptied),
    UNIT(no_room_is_told_at_the_beginning))
