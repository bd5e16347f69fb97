/* SPDX-License-Identifier: ISC */
/*
 * running_test.c - files that a running store changes under a reader.
 *
 * The store cuts the zeros off a segment that it seals, and removes one that
 * it has collected. A reader in another process sees both at the worst time.
 */
#include "../../test.h"
#include "kit.h"
#include "store/local/local.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 40

static const struct engine_shard A = { 'a', 12 };

/* --- the worst time: before the list of segments is read ------------------- */

static int pause_fds[2] = { -1, -1 }; /* told here, waited for there */

DIR *
fdopendir(int fd)
{
	static DIR *(*real)(int);
	char c = 0;

	if (!real) {
		void *f = dlsym(RTLD_NEXT, "fdopendir");

		memcpy(&real, &f, sizeof(real));
	}
	if (pause_fds[0] >= 0 &&
	    (write(pause_fds[0], &c, 1) != 1 || read(pause_fds[1], &c, 1) != 1))
		_exit(3);
	return real(fd);
}

static void
put_all(struct kit *k, uint64_t round)
{
	for (uint64_t i = 0; i < KEYS; i++) {
		struct buf val = BUF_INIT(KIB(4));
		char key[16];

		kit_noise(&val, round * KEYS + i, 1000);
		snprintf(key, sizeof(key), "key-%02d", (int)i);
		CHECK(kit_put(k, A, key, buf_str(&val)) == 0, "put");
		engine_tick(k->e);
		buf_done(&val);
	}
}

static bool
has_segment(struct kit *k, uint64_t id)
{
	return log_find(&k->e->log, id) != NULL;
}

static void
print_problem(UNUSED void *arg, const char *text)
{
	fprintf(stderr, "check: %s\n", text);
}

/* In a child: 0 all well, 1 problems, 2 it could not be checked. */
static int
check_as_child(struct kit *k, int tell, int wait)
{
	struct engine_check c = { .dir = k->dir, .problem = print_problem };
	uint64_t problems = 0;

	pause_fds[0] = tell;
	pause_fds[1] = wait;
	if (engine_check(&c, &problems) < 0)
		return 2;
	return problems > 0;
}

TEST(a_segment_collected_before_the_list_was_read_is_no_problem)
{
	int there[2], back[2], status;
	uint64_t oldest;
	struct kit k;
	pid_t pid;
	char c;

	kit_init(&k, 0);
	k.config.segment_bytes = KIB(16);
	k.config.index_commit_ms = 1;
	kit_open(&k);
	put_all(&k, 0);
	kit_close(&k);
	kit_open(&k);
	oldest = k.e->log.segs[0]->id;
	CHECK(pipe(there) == 0 && pipe(back) == 0, "pipes");
	pid = fork();
	if (pid == 0)
		_exit(check_as_child(&k, there[1], back[0]));
	CHECK(read(there[0], &c, 1) == 1, "it has its snapshot");
	for (uint64_t round = 1; has_segment(&k, oldest); round++)
		put_all(&k, round);
	CHECK(write(back[1], &c, 1) == 1, "go on");
	CHECK(waitpid(pid, &status, 0) == pid, "child");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "no problems");
	kit_done(&k);
}

TEST(a_segment_that_is_sealed_under_a_scan_ends_where_its_records_end)
{
	struct record rec;
	struct segment *s;
	struct scan sc;
	uint64_t last = 0;
	struct kit k;
	struct log l;
	int fd, r;

	kit_init(&k, 0);
	k.config.segment_bytes = MIB(1);
	kit_open(&k);
	/* More than a window of the scan, or it would see the zeros of now. */
	for (uint64_t round = 0; round < 15; round++)
		put_all(&k, round);
	seglog_init(&l, &fsops_real, 0);
	CLEANUP(freep) char *path = x_asprintf("%s/log", k.dir);
	CHECK(log_open(&l, path) == 0, "list");
	s = log_active(&l);
	fd = segment_ref(&l, s);
	CHECK(fd >= 0 && scan_open(&sc, &l, fd, s->id) == 0, "open");
	for (uint64_t round = 15; log_active(&k.e->log)->id == s->id; round++)
		put_all(&k, round);
	while ((r = scan_next(&sc, &rec)) > 0)
		last = rec.seq;
	CHECK(r == 0, "a good end");
	CHECK(last + 1 == log_active(&k.e->log)->id, "all records");
	scan_done(&sc);
	segment_unref(&l, s);
	log_done(&l);
	kit_done(&k);
}

TEST_MAIN(UNIT(a_segment_collected_before_the_list_was_read_is_no_problem),
    UNIT(a_segment_that_is_sealed_under_a_scan_ends_where_its_records_end))
