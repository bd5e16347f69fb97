/* SPDX-License-Identifier: ISC */
/*
 * crash_test.c - random work, garbage collection, crashes, rebuilds.
 *
 * The walk lets the n-th change of the disk fail, for every n until a whole
 * scenario passes, and for three things a crash may do to what was not
 * flushed. After each: everything acknowledged is there exactly, nothing is
 * half applied, the check is clean, and a rebuild gives the same index.
 */
#include "../../test.h"
#include "faultfs.h"
#include "model.h"
#include "store/local/local.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define WALK_BATCHES 36

struct stage {
	struct kit k;
	struct faultfs fs;
	struct model m;
	char save[80];
};

static void
stage_init(struct stage *s, uint64_t seed, uint64_t fail_at)
{
	if (access("/dev/shm", W_OK) == 0 && !getenv("TMPDIR"))
		setenv("TMPDIR", "/dev/shm", 1);
	kit_init(&s->k, 0);
	snprintf(s->save, sizeof(s->save), "%s.saved", s->k.dir);
	if (mkdir(s->save, 0700) < 0)
		die("mkdir: %s", strerror(errno));
	faultfs_init(&s->fs, s->save, fail_at);
	model_init(&s->m, seed);
	s->k.config.fs = &s->fs.ops;
	s->k.config.segment_bytes = KIB(8);
	s->k.config.index_commit_ms = 1;
	s->k.config.gc_dead_percent = 40;
}

static void
stage_done(struct stage *s)
{
	kit_done(&s->k);
	faultfs_done(&s->fs);
	kit_rmdir(s->save);
	model_done(&s->m);
}

static void
print_problem(UNUSED void *arg, const char *text)
{
	fprintf(stderr, "check: %s\n", text);
}

static void
check_clean(struct stage *s)
{
	struct engine_check c = { .dir = s->k.dir, .problem = print_problem };
	uint64_t problems = 0;

	CHECK(engine_check(&c, &problems) == 0, "check runs");
	CHECK(problems == 0, "check is clean");
}

/* Open, compare with the model, rebuild, compare again. */
static void
verify(struct stage *s)
{
	struct engine_check c = { .dir = s->k.dir, .problem = print_problem };
	uint64_t before;
	uint32_t n;

	kit_open(&s->k);
	CHECK(s->k.report.bad_records == 0, "nothing is damaged");
	n = model_batch_of(&s->k);
	CHECK(n >= s->m.acked && n <= s->m.n, "what was promised is there");
	model_check(&s->m, &s->k, n);
	model_cut(&s->m, n);
	before = model_index_hash(&s->k);
	kit_close(&s->k);
	check_clean(s);
	CHECK(engine_rebuild(&c) == 0, "rebuild");
	check_clean(s);
	kit_open(&s->k);
	CHECK(model_index_hash(&s->k) == before, "the same index");
	model_check(&s->m, &s->k, n);
	CHECK(s->k.e->next_blob > model_max_blob(&s->m, n),
	    "no id will be used twice");
}

/* Returns false when the disk has failed. */
static bool
work(struct stage *s, unsigned batches)
{
	for (unsigned i = 0; i < batches; i++) {
		int r = model_step(&s->m, &s->k);

		if (r < 0 && !s->fs.has_failed)
			fail_msg("step: %d", r);
		if (i % 3 == 0)
			engine_kick(s->k.e);
		engine_dispatch(s->k.e);
		/* One record each turn, so that work comes between. */
		if (s->m.random % 2)
			s->k.e->gc_budget_ms = 0;
		if (i % 5 == 0 || s->k.e->gc_budget_ms == 0)
			engine_tick(s->k.e);
		if (s->fs.has_failed)
			return false;
	}
	return true;
}

/* One life with a failure at operation n. True: it came through. */
static bool
one_walk(uint64_t n, enum crash how)
{
	struct stage s;
	bool is_done = false;
	int r;

	stage_init(&s, n, n);
	r = engine_open(&s.k.config, &s.k.report, &s.k.e);
	if (r == 0) {
		is_done = work(&s, WALK_BATCHES);
		kit_close(&s.k);
		is_done = is_done && !s.fs.has_failed;
	} else {
		CHECK(s.fs.has_failed, "opening fails for a reason");
	}
	faultfs_crash(&s.fs, how);
	verify(&s);
	/* And life goes on. */
	CHECK(work(&s, 10), "works again");
	kit_close(&s.k);
	verify(&s);
	stage_done(&s);
	return is_done;
}

static void
walk(enum crash how)
{
	uint64_t n = 1;

	while (!one_walk(n, how))
		n++;
	CHECK(n > 50, "the scenario has something to fail");
	print_message("walked %llu failures\n", (unsigned long long)n - 1);
}

TEST(every_failure_then_a_crash_that_keeps_what_was_written)
{
	walk(CRASH_KEEPS);
}

TEST(every_failure_then_a_crash_that_loses_what_was_not_flushed)
{
	walk(CRASH_LOSES);
}

TEST(every_failure_then_a_crash_that_tears_what_was_not_flushed)
{
	walk(CRASH_TEARS);
}

TEST(a_rebuild_gives_the_same_index_after_any_history)
{
	uint64_t collected = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct stage s;
		struct engine_stats st;

		stage_init(&s, seed, 0);
		kit_open(&s.k);
		for (int life = 0; life < 4; life++) {
			CHECK(work(&s, 150), "works");
			engine_stats(s.k.e, &st);
			collected += st.gc_segments;
			kit_close(&s.k);
			faultfs_crash(&s.fs, CRASH_TEARS);
			verify(&s);
		}
		stage_done(&s);
	}
	CHECK(collected > 50, "garbage was collected");
}

/* "name name " of the files of the log. */
static void
list_log(struct stage *s, struct buf *to)
{
	CLEANUP(freep) char *path = x_asprintf("%s/log", s->k.dir);
	DIR *d = opendir(path);
	struct dirent *e;

	CHECK(d != NULL, path);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			buf_printf(to, "%s ", e->d_name);
	closedir(d);
}

/* Its tombstones may be gone by then: what was deleted would be there again. */
TEST(a_segment_that_was_collected_does_not_come_back)
{
	uint64_t collected = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct buf before = BUF_INIT(KIB(64));
		struct buf after = BUF_INIT(KIB(64));
		struct engine_stats st;
		struct stage s;
		struct str rest, one;

		stage_init(&s, seed, 0);
		kit_open(&s.k);
		CHECK(work(&s, 150), "works");
		engine_stats(s.k.e, &st);
		collected += st.gc_segments;
		kit_close(&s.k);
		list_log(&s, &before);
		faultfs_crash(&s.fs, CRASH_LOSES);
		list_log(&s, &after);
		for (rest = buf_str(&after); rest.n > 0;) {
			rest = str_split(rest, ' ', &one);
			CHECK(str_search(buf_str(&before), one) >= 0, "gone");
		}
		stage_done(&s);
		buf_done(&before);
		buf_done(&after);
	}
	CHECK(collected > 0, "garbage was collected");
}

TEST(a_full_disk_refuses_new_data_and_recovers_by_itself)
{
	struct stage s;
	struct engine_batch *b;
	uint32_t n;

	stage_init(&s, 5, 0);
	kit_open(&s.k);
	CHECK(work(&s, 30), "works");
	s.fs.is_full = true;
	n = s.m.n;
	int r;
	while ((r = model_step(&s.m, &s.k)) == 0)
		CHECK(s.m.n < n + 100, "it gets full");
	CHECK(r == ENGINE_FULL, "it says so");
	CHECK(s.k.e->is_full, "full");
	model_check(&s.m, &s.k, s.m.n);
	s.fs.is_full = false;
	CHECK(work(&s, 30), "works again");
	kit_close(&s.k);
	verify(&s);

	/* Below the reserve no data is accepted, below half of it only what
	 * sets space free. */
	s.k.config.reserve_bytes = MIB(1);
	kit_close(&s.k);
	kit_open(&s.k);
	s.fs.free_bytes = KIB(1000);
	engine_tick(s.k.e);
	CHECK(
	    kit_put(&s.k, (struct engine_shard){ 'z', 1 }, "x", STR("y")) == 0,
	    "small changes go on");
	CHECK(s.k.e->is_full, "full for data");
	s.fs.free_bytes = KIB(400);
	engine_tick(s.k.e);
	CHECK(kit_put(&s.k, (struct engine_shard){ 'z', 1 }, "x", STR("y")) ==
		  ENGINE_FULL,
	    "below half of the reserve");
	b = engine_batch_new(s.k.e);
	batch_del(b, (struct engine_shard){ 'z', 1 }, STR("x"));
	CHECK(kit_commit(&s.k, b) == 0, "deleting works");
	s.fs.free_bytes = MIB(2);
	CHECK(kit_put(&s.k, (struct engine_shard){ 'z', 1 }, "x", STR("y")) ==
		  ENGINE_FULL,
	    "figures are a moment old");
	engine_tick(s.k.e);
	CHECK(
	    kit_put(&s.k, (struct engine_shard){ 'z', 1 }, "x", STR("y")) == 0,
	    "room again");
	stage_done(&s);
}

static void
count_ack(void *arg, int err)
{
	*(int *)arg += err == 0;
}

static int flushes_left;
static bool was_fatal;

static int
flush_or_fail(void *arg, int fd)
{
	if (__atomic_sub_fetch(&flushes_left, 1, __ATOMIC_SEQ_CST) < 0)
		return -EIO;
	return fsops_real.fdatasync(arg, fd);
}

static void
note_fatal(UNUSED void *arg, UNUSED const char *what, UNUSED int err)
{
	__atomic_store_n(&was_fatal, true, __ATOMIC_SEQ_CST);
}

TEST(no_success_is_reported_after_a_failed_flush_in_the_thread)
{
	struct fsops fs = fsops_real;
	struct kit k;
	struct str val;
	int acked_n = 0;

	fs.fdatasync = flush_or_fail;
	fs.fatal = note_fatal;
	flushes_left = 20;
	kit_init(&k, 2);
	k.config.fs = &fs;
	kit_open(&k);
	for (int i = 0; i < 200000; i++) {
		struct engine_batch *b = engine_batch_new(k.e);

		batch_put(b, (struct engine_shard){ 'a', 1 }, STR("x"),
		    str_make(&i, sizeof(i)));
		if (engine_commit(k.e, b, count_ack, &acked_n) < 0)
			break;
		engine_kick(k.e);
		engine_dispatch(k.e);
	}
	CHECK(__atomic_load_n(&was_fatal, __ATOMIC_SEQ_CST), "it is fatal");
	CHECK(acked_n > 0, "some were durable");
	CHECK(engine_get(
		  k.e, (struct engine_shard){ 'a', 1 }, STR("x"), &val) == -EIO,
	    "dead");
	kit_close(&k);
	flushes_left = 1000;
	kit_open(&k);
	CHECK(engine_get(
		  k.e, (struct engine_shard){ 'a', 1 }, STR("x"), &val) == 1,
	    "there");
	int last;
	memcpy(&last, val.p, sizeof(last));
	CHECK(last + 1 >= acked_n, "all that was reported");
	kit_done(&k);
}

static uint64_t zeros_written;
static bool zeros_fail;

/* Zeros ahead of the log are the only writes that begin with so many. */
static ssize_t
count_zeros(void *arg, int fd, const struct iovec *iov, int count, off_t off)
{
	static const char zeros[KIB(64)];

	if (iov[0].iov_len == sizeof(zeros) &&
	    memcmp(iov[0].iov_base, zeros, sizeof(zeros)) == 0) {
		if (zeros_fail)
			return -ENOSPC;
		for (int i = 0; i < count; i++)
			zeros_written += iov[i].iov_len;
	}
	return fsops_real.pwritev(arg, fd, iov, count, off);
}

static void
commit_many(struct kit *k, int n)
{
	for (int i = 0; i < n; i++) {
		struct str val = str_make(&i, sizeof(i));

		CHECK(
		    kit_put(k, (struct engine_shard){ 'a', 1 }, "x", val) == 0,
		    "put");
	}
}

TEST(zeros_go_ahead_of_the_log_and_may_fail)
{
	struct fsops fs = fsops_real;
	struct kit k;

	fs.pwritev = count_zeros;
	for (unsigned threads = 0; threads <= 2; threads += 2) {
		kit_init(&k, threads);
		k.config.fs = &fs;
		zeros_fail = false;
		zeros_written = 0;
		kit_open(&k);
		commit_many(&k, 100);
		CHECK(zeros_written == MIB(1), "once for small commits");
		kit_close(&k);
		zeros_fail = true;
		kit_open(&k);
		commit_many(&k, 10);
		CHECK(zeros_written == MIB(1), "none");
		kit_close(&k);
		kit_open(&k);
		commit_many(&k, 10);
		kit_done(&k);
	}
}

TEST_MAIN(UNIT(zeros_go_ahead_of_the_log_and_may_fail),
    UNIT(every_failure_then_a_crash_that_keeps_what_was_written),
    UNIT(every_failure_then_a_crash_that_loses_what_was_not_flushed),
    UNIT(every_failure_then_a_crash_that_tears_what_was_not_flushed),
    UNIT(a_rebuild_gives_the_same_index_after_any_history),
    UNIT(a_segment_that_was_collected_does_not_come_back),
    UNIT(no_success_is_reported_after_a_failed_flush_in_the_thread),
    UNIT(a_full_disk_refuses_new_data_and_recovers_by_itself))
