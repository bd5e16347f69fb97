/* SPDX-License-Identifier: ISC */
/*
 * damage_test.c - bytes that change behind the engine's back.
 *
 * Whatever is hit: it is never "not there", it is told and named, and all
 * else still works.
 */
#include "../../test.h"
#include "kit.h"
#include "store/local/record.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 40

static const struct engine_shard A = { 'a', 12 };

static uint64_t blobs[KEYS];

/* Keys key-00 ... with a blob each, over a few segments. */
static void
fill(struct kit *k)
{
	kit_init(k, 0);
	k->config.segment_bytes = KIB(16);
	kit_open(k);
	for (uint64_t i = 0; i < KEYS; i++) {
		struct engine_batch *b = engine_batch_new(k->e);
		struct buf raw = BUF_INIT(KIB(4)), val = BUF_INIT(KIB(1));
		char key[16];

		kit_noise(&raw, i, 1000);
		buf_printf(&val, "value-of-%02d", (int)i);
		snprintf(key, sizeof(key), "key-%02d", (int)i);
		blobs[i] = batch_blob_new(b, kit_ticket(k, buf_str(&raw)));
		batch_put(b, A, str_c(key), buf_str(&val));
		CHECK(kit_commit(k, b) == 0, "fill");
		buf_done(&raw);
		buf_done(&val);
	}
}

/* Flip one bit where needle stands in a file that matches; how often found. */
static int
flip(struct kit *k, const char *pattern, struct str needle)
{
	CLEANUP(freep) char *path = x_asprintf("%s/%s", k->dir, pattern);
	int hits = 0;
	glob_t g;

	CHECK(glob(path, 0, NULL, &g) == 0, "files");
	for (size_t i = 0; i < g.gl_pathc; i++) {
		CLEANUP(closep) int fd = open(g.gl_pathv[i], O_RDWR);
		struct stat st;
		CLEANUP(freep) char *all = NULL;
		struct str s;
		ptrdiff_t at;

		CHECK(fd >= 0 && fstat(fd, &st) == 0, "open");
		all = x_malloc((size_t)st.st_size + 1);
		CHECK(pread(fd, all, (size_t)st.st_size, 0) == st.st_size,
		    "read");
		s = str_make(all, (size_t)st.st_size);
		for (size_t from = 0;
		     (at = str_search(str_from(s, from), needle)) >= 0;
		     from += (size_t)at + 1) {
			char c = s.p[from + (size_t)at] ^ 4;

			hits++;
			CHECK(
			    pwrite(fd, &c, 1, (off_t)(from + (size_t)at)) == 1,
			    "write");
		}
	}
	globfree(&g);
	return hits;
}

static void
note_problem(void *arg, const char *text)
{
	struct buf *b = arg;

	buf_put_c(b, text);
	buf_put_char(b, '\n');
}

static uint64_t
problems(struct kit *k, struct buf *text)
{
	struct engine_check c = { k->dir, note_problem, NULL, text };
	uint64_t n = 0;

	CHECK(engine_check(&c, &n) == 0, "check runs");
	return n;
}

static int
get(struct kit *k, int i)
{
	struct str val;
	char key[16];

	snprintf(key, sizeof(key), "key-%02d", i);
	return engine_get(k->e, A, str_c(key), &val);
}

static int
count_keys(struct kit *k)
{
	int n = 0;

	for (int i = 0; i < KEYS; i++)
		n += get(k, i) == 1;
	return n;
}

TEST(a_clean_store_has_no_problems)
{
	struct buf text = BUF_INIT(KIB(64));
	struct kit k;

	fill(&k);
	kit_close(&k);
	CHECK(problems(&k, &text) == 0, buf_c(&text));
	kit_done(&k);
	buf_done(&text);
}

TEST(a_damaged_value_of_the_index_is_an_error_and_not_absent)
{
	struct buf text = BUF_INIT(KIB(64));
	struct kit k;

	fill(&k);
	kit_close(&k);
	CHECK(flip(&k, "index/data.mdb", STR("value-of-07")) > 0, "flip");
	CHECK(problems(&k, &text) >= 1, "told");
	kit_open(&k);
	CHECK(get(&k, 7) == ENGINE_CORRUPT, "an error");
	CHECK(count_keys(&k) == KEYS - 1, "the others");
	/* Writing it again heals it. */
	CHECK(kit_put(&k, A, "key-07", STR("new")) == 0, "put");
	CHECK(get(&k, 7) == 1, "healed");
	kit_done(&k);
	buf_done(&text);
}

TEST(a_damaged_blob_is_an_error_and_check_names_it)
{
	struct buf text = BUF_INIT(KIB(64)), raw = BUF_INIT(KIB(4));
	struct kit k;
	char name[32];

	fill(&k);
	kit_close(&k);
	kit_noise(&raw, 9, 1000);
	CHECK(flip(&k, "log/*.seg", str_sub(buf_str(&raw), 500, 20)) == 1,
	    "flip");
	CHECK(problems(&k, &text) == 1, "told");
	snprintf(
	    name, sizeof(name), "blob %llu ", (unsigned long long)blobs[9]);
	CHECK(str_search(buf_str(&text), str_c(name)) >= 0, "named");
	kit_open(&k);
	for (int i = 0; i < KEYS; i++) {
		buf_reset(&raw, KIB(4));
		CHECK(kit_read(&k, blobs[i], 0, 2000, &raw) ==
			  (i == 9 ? ENGINE_CORRUPT : 1000),
		    "read");
	}
	kit_done(&k);
	buf_done(&raw);
	buf_done(&text);
}

static bool
bad_files_name(struct kit *k, const char *what)
{
	CLEANUP(freep) char *path = x_asprintf("%s/bad/*.txt", k->dir);
	bool found = false;
	glob_t g;

	if (glob(path, 0, NULL, &g) != 0)
		return false;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		CLEANUP(closep) int fd = open(g.gl_pathv[i], O_RDONLY);
		char all[4096];
		ssize_t n = read(fd, all, sizeof(all));

		if (n > 0)
			found |= str_search(str_make(all, (size_t)n),
				     str_c(what)) >= 0;
	}
	globfree(&g);
	return found;
}

TEST(a_key_twice_in_a_batch_is_no_damage)
{
	struct buf text = BUF_INIT(KIB(64));
	struct engine_batch *b;
	struct kit k;

	fill(&k);
	b = engine_batch_new(k.e);
	for (int i = 0; i < 3; i++)
		batch_put(b, A, STR("again"), STR("the same"));
	batch_put(b, A, STR("empty"), STR(""));
	batch_del(b, A, STR("empty"));
	batch_put(b, A, STR("empty"), STR(""));
	CHECK(kit_commit(&k, b) == 0, "commit");
	kit_close(&k);
	CHECK(problems(&k, &text) == 0, "nothing is wrong");
	kit_open(&k);
	kit_done(&k);
	buf_done(&text);
}

TEST(a_damaged_record_is_set_aside_and_named_when_rebuilding)
{
	struct buf text = BUF_INIT(KIB(64));
	struct engine_check c;
	struct kit k;

	fill(&k);
	kit_close(&k);
	c = (struct engine_check){ k.dir, note_problem, NULL, &text };
	CHECK(flip(&k, "log/*.seg", STR("value-of-07")) == 1, "flip");
	CHECK(problems(&k, &text) >= 1, "told");
	buf_reset(&text, KIB(64));
	CHECK(engine_rebuild(&c) == 0, "rebuild");
	CHECK(str_search(buf_str(&text), STR("1 bad records")) >= 0, "told");
	CHECK(bad_files_name(&k, "put shard a/12 key key-07"), "named");
	kit_open(&k);
	CHECK(get(&k, 7) == 0, "lost");
	CHECK(count_keys(&k) == KEYS - 1, "the others");
	kit_done(&k);
	buf_done(&text);
}

/* A message with a record of the log in it, at one of eight alignments. The
 * rest does not pack, so that it is stored as it is. */
static void
forge(struct buf *b, size_t shift)
{
	struct buf ops = BUF_INIT(KIB(1));
	struct op op = { .kind = OP_PUT,
		.shard = A,
		.key = STR("key-01"),
		.val = STR("forged") };
	struct record rec = { .kind = RECORD_BATCH,
		.seq = 0x7182838485868788,
		.durable = 0x6172737475767778 };
	char head[RECORD_HEADER];

	op_put(&ops, RECORD_BATCH, &op);
	rec.ops = buf_str(&ops);
	record_header_put(head, &rec, 0, 0);
	kit_noise(b, shift, 400 + shift);
	buf_put(b, head, sizeof(head));
	buf_put_str(b, buf_str(&ops));
	kit_noise(b, shift + 8, 400);
	buf_done(&ops);
}

static void
put_forged(struct kit *k)
{
	struct engine_batch *b = engine_batch_new(k->e);
	struct engine_stats before, after;

	engine_stats(k->e, &before);
	for (size_t shift = 0; shift < 8; shift++) {
		struct buf mail = BUF_INIT(KIB(4));

		forge(&mail, shift);
		(void)batch_blob_new(b, kit_ticket(k, buf_str(&mail)));
		buf_done(&mail);
	}
	batch_put(b, A, STR("with"), STR("needle-in-batch"));
	CHECK(kit_commit(k, b) == 0, "mail");
	engine_stats(k->e, &after);
	CHECK(after.blob_raw_bytes - before.blob_raw_bytes ==
		  after.blob_stored_bytes - before.blob_stored_bytes,
	    "stored as it is");
}

TEST(a_message_that_looks_like_a_record_is_not_taken_for_one)
{
	struct buf text = BUF_INIT(KIB(64));
	struct engine_check c;
	struct kit k;
	struct str val;

	fill(&k);
	put_forged(&k);
	CHECK(kit_put(&k, A, "after", STR("it")) == 0, "put");
	kit_close(&k);
	/* Its own record is damaged, so its bytes are searched. */
	CHECK(flip(&k, "log/*.seg", STR("needle-in-batch")) == 1, "flip");
	c = (struct engine_check){ k.dir, note_problem, NULL, &text };
	CHECK(engine_rebuild(&c) == 0, "rebuild");
	kit_open(&k);
	CHECK(engine_get(k.e, A, STR("key-01"), &val) == 1, "key");
	CHECK(str_eq(val, STR("value-of-01")), "not forged");
	CHECK(engine_get(k.e, A, STR("after"), &val) == 1, "the next one");
	kit_done(&k);
	buf_done(&text);
}

TEST(a_missing_segment_is_told)
{
	struct buf text = BUF_INIT(KIB(64));
	struct kit k;
	glob_t g;

	fill(&k);
	kit_close(&k);
	CLEANUP(freep) char *path = x_asprintf("%s/log/*.seg", k.dir);
	CHECK(glob(path, 0, NULL, &g) == 0 && g.gl_pathc > 2, "segments");
	CHECK(unlink(g.gl_pathv[1]) == 0, "unlink");
	globfree(&g);
	CHECK(problems(&k, &text) > 3, "told");
	kit_open(&k);
	CHECK(k.report.bad_records > 0, "told when opening");
	kit_done(&k);
	buf_done(&text);
	buf_done(&text);
}

TEST(an_index_that_is_gone_or_garbage_is_made_anew)
{
	for (int round = 0; round < 2; round++) {
		CLEANUP(freep) char *path = NULL;
		char junk[8192];
		struct kit k;
		int fd;

		fill(&k);
		kit_close(&k);
		path = x_asprintf("%s/index/data.mdb", k.dir);
		if (round == 0) {
			CHECK(unlink(path) == 0, "unlink");
		} else {
			fd = open(path, O_RDWR);
			memset(junk, 0x5a, sizeof(junk));
			CHECK(write(fd, junk, sizeof(junk)) ==
				  (ssize_t)sizeof(junk),
			    "junk");
			close(fd);
		}
		kit_open(&k);
		CHECK(k.report.was_rebuilt, "told");
		CHECK(k.report.bad_records == 0, "whole");
		CHECK(count_keys(&k) == KEYS, "all there");
		kit_done(&k);
	}
}

/* In a child, where a CHECK() would go on with the tests that follow. */
static int
check_often(struct kit *k)
{
	struct buf text = BUF_INIT(KIB(64));
	struct engine_check c = { k->dir, note_problem, NULL, &text };
	uint64_t n = 0;
	int r = 0;

	for (int i = 0; i < 10 && r == 0 && n == 0; i++)
		r = engine_check(&c, &n);
	if (n > 0)
		fputs(buf_c(&text), stderr);
	if (r != 0)
		fprintf(stderr, "the check ended with %d\n", r);
	return n > 0 || r != 0;
}

/* A child checks while the parent goes on writing and collecting. */
TEST(a_running_store_can_be_checked)
{
	struct kit k;
	int status;
	pid_t pid;

	fill(&k);
	k.config.index_commit_ms = 1;
	kit_close(&k);
	kit_open(&k);
	pid = fork();
	if (pid == 0)
		_exit(check_often(&k));
	for (uint64_t i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		struct engine_batch *b = engine_batch_new(k.e);
		struct buf raw = BUF_INIT(KIB(4));

		kit_noise(&raw, i, 2000);
		batch_blob_drop(b, blobs[i % KEYS]);
		blobs[i % KEYS] =
		    batch_blob_new(b, kit_ticket(&k, buf_str(&raw)));
		CHECK(kit_commit(&k, b) == 0, "work");
		engine_tick(k.e);
		buf_done(&raw);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "no problems");
	kit_done(&k);
}

TEST_MAIN(UNIT(a_clean_store_has_no_problems),
    UNIT(a_damaged_value_of_the_index_is_an_error_and_not_absent),
    UNIT(a_damaged_blob_is_an_error_and_check_names_it),
    UNIT(a_key_twice_in_a_batch_is_no_damage),
    UNIT(a_damaged_record_is_set_aside_and_named_when_rebuilding),
    UNIT(a_message_that_looks_like_a_record_is_not_taken_for_one),
    UNIT(a_missing_segment_is_told),
    UNIT(an_index_that_is_gone_or_garbage_is_made_anew),
    UNIT(a_running_store_can_be_checked))
