/* SPDX-License-Identifier: ISC */
/*
 * bench_engine.c - how fast the embedded engine takes and gives mail.
 *
 * bench_engine DIR MESSAGES SUBMITTERS HELPERS [MAILDIR]
 *
 * Each submitter puts a message's blob, commits it with five index records
 * (entry, envelope, thread, two counters), and waits until that is durable
 * before the next. Then everything is read again, 32 blobs in a job. The
 * messages are the files of MAILDIR, or else 10 KB of generated text.
 */
#include "store/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX   4000
#define ACCOUNTS    1000
#define READ_BLOBS  32
#define READ_FLIGHT 4

struct bench {
	struct engine *e;
	struct str *mails;
	size_t mails_n;
	uint64_t wanted, started, finished, bytes;
	uint64_t *blobs;
	double *latency; /* seconds */
	uint64_t reads, read_bytes, read_started;
};

struct submitter {
	struct bench *b;
	uint64_t i;
	double since;
};

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/* --- messages ------------------------------------------------------------------ */

static void
load_mails(struct bench *b, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	while (d && b->mails_n < FILES_MAX && (de = readdir(d))) {
		CLEANUP(freep)
		char *path = x_asprintf("%s/%s", dir, de->d_name);
		CLEANUP(closep) int fd = open(path, O_RDONLY);
		struct stat st;
		char *p;

		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		p = x_malloc((size_t)st.st_size + 1);
		if (read(fd, p, (size_t)st.st_size) == st.st_size)
			b->mails[b->mails_n++] =
			    str_make(p, (size_t)st.st_size);
	}
	if (d)
		closedir(d);
}

static void
make_mails(struct bench *b)
{
	static const char abc[] = "etaoin shrdlu cmfwyp vbgkjq ";
	uint32_t x = 1;

	for (; b->mails_n < 500; b->mails_n++) {
		char *p = x_malloc(KIB(10));

		for (size_t i = 0; i < KIB(10); i++) {
			x = x * 1664525 + 1013904223;
			p[i] = abc[(x >> 16) % (sizeof(abc) - 1)];
		}
		b->mails[b->mails_n] = str_make(p, KIB(10));
	}
}

/* --- writing ------------------------------------------------------------------- */

static void submit(struct submitter *s);

static void
on_durable(void *arg, int err)
{
	struct submitter *s = arg;

	if (err != 0)
		die("commit: %d", err);
	s->b->latency[s->i] = seconds() - s->since;
	s->b->finished++;
	submit(s);
}

static void
put_number(struct engine_batch *b, struct engine_shard shard, char table,
    uint64_t n, size_t size)
{
	char key[12] = { table }, val[400] = { 0 };

	for (int i = 0; i < 8; i++)
		key[1 + i] = (char)(n >> (56 - 8 * i));
	memcpy(val, &n, sizeof(n));
	memset(val + 8, 'x', sizeof(val) - 8);
	batch_put(b, shard, str_make(key, 9), str_make(val, size));
}

static void
on_ticket(void *arg, int err, struct engine_ticket *t)
{
	struct submitter *s = arg;
	struct engine_shard shard = { 'a', s->i % ACCOUNTS };
	struct engine_batch *b = engine_batch_new(s->b->e);

	if (err != 0)
		die("put: %d", err);
	s->b->blobs[s->i] = batch_blob_new(b, t);
	put_number(b, shard, 'E', s->i, 40);
	put_number(b, shard, 'M', s->i, 300);
	put_number(b, shard, 'T', s->i % 64, 24);
	put_number(b, shard, 'S', 0, 48);
	put_number(b, shard, 'X', 0, 48);
	err = engine_commit(s->b->e, b, on_durable, s);
	if (err != 0)
		die("commit: %d", err);
}

static void
submit(struct submitter *s)
{
	struct bench *b = s->b;
	struct engine_source src = { .fd = -1 };

	if (b->started == b->wanted)
		return;
	s->i = b->started++;
	s->since = seconds();
	src.mem = b->mails[s->i % b->mails_n];
	b->bytes += src.mem.n;
	engine_blob_put(b->e, &src, on_ticket, s);
}

static void
turn(struct bench *b, double *next_tick)
{
	struct pollfd pfd = { engine_fd(b->e), POLLIN, 0 };

	engine_kick(b->e);
	poll(&pfd, 1, 50);
	engine_dispatch(b->e);
	if (seconds() >= *next_tick) {
		engine_tick(b->e);
		*next_tick = seconds() + 0.05;
	}
}

static int
double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
bench_write(struct bench *b, size_t submitters)
{
	struct submitter *s = x_calloc(submitters, sizeof(*s));
	double start = seconds(), cpu = cpu_seconds(), tick = 0, wall;
	struct engine_stats st;

	for (size_t i = 0; i < submitters; i++) {
		s[i].b = b;
		submit(&s[i]);
	}
	while (b->finished < b->wanted)
		turn(b, &tick);
	wall = seconds() - start;
	cpu = cpu_seconds() - cpu;
	engine_stats(b->e, &st);
	qsort(b->latency, b->wanted, sizeof(double), double_cmp);
	printf("write: %.0f messages/s, %.1f us CPU each, %.3f flushes each, "
	       "p50 %.2f ms, p99 %.2f ms, longest %.1f ms\n",
	    (double)b->wanted / wall, cpu / (double)b->wanted * 1e6,
	    (double)st.flushes / (double)b->wanted,
	    b->latency[b->wanted / 2] * 1e3,
	    b->latency[b->wanted * 99 / 100] * 1e3,
	    b->latency[b->wanted - 1] * 1e3);
	printf("size: %.1f KB a message, %.2f of it stored, log %.2f KB a "
	       "message, %llu commits of the index\n",
	    (double)b->bytes / (double)b->wanted / 1e3,
	    (double)st.blob_stored_bytes / (double)st.blob_raw_bytes,
	    (double)st.log_bytes / (double)b->wanted / 1e3,
	    (unsigned long long)st.index_commits);
	free(s);
}

/* --- reading ------------------------------------------------------------------- */

static void read_some(struct bench *b);

static void
on_read(void *arg, const struct engine_read_result *r)
{
	struct bench *b = arg;

	for (size_t i = 0; i < r->count; i++)
		if (r->got[i] < 0)
			die("read: %lld", (long long)r->got[i]);
	b->reads += r->count;
	b->read_bytes += r->data->n;
	read_some(b);
}

static void
read_some(struct bench *b)
{
	struct engine_read rd[READ_BLOBS];
	size_t n = 0;

	for (; n < READ_BLOBS && b->read_started < b->wanted; n++)
		rd[n] = (struct engine_read){ b->blobs[b->read_started++], 0,
			UINT64_MAX };
	if (n > 0)
		engine_blob_read(b->e, rd, n, -1, on_read, b);
}

static void
bench_read(struct bench *b)
{
	double start = seconds(), cpu = cpu_seconds(), wall;

	for (int i = 0; i < READ_FLIGHT; i++)
		read_some(b);
	while (b->reads < b->wanted) {
		struct pollfd pfd = { engine_fd(b->e), POLLIN, 0 };

		poll(&pfd, 1, 50);
		engine_dispatch(b->e);
	}
	wall = seconds() - start;
	cpu = cpu_seconds() - cpu;
	printf("read: %.0f messages/s, %.0f MB/s, %.1f us CPU each\n",
	    (double)b->reads / wall, (double)b->read_bytes / wall / 1e6,
	    cpu / (double)b->reads * 1e6);
}

int
main(int argc, char **argv)
{
	struct engine_config config = { 0 };
	struct bench b = { 0 };
	int r;

	if (argc < 5) {
		fputs("bench_engine DIR MESSAGES SUBMITTERS HELPERS "
		      "[MAILDIR]\n",
		    stderr);
		return 2;
	}
	config.dir = argv[1];
	b.wanted = strtoull(argv[2], NULL, 10);
	config.helper_threads = (unsigned)strtoul(argv[4], NULL, 10);
	b.mails = x_calloc(FILES_MAX, sizeof(*b.mails));
	b.blobs = x_calloc(b.wanted + 1, sizeof(*b.blobs));
	b.latency = x_calloc(b.wanted + 1, sizeof(*b.latency));
	if (argc > 5)
		load_mails(&b, argv[5]);
	if (b.mails_n == 0)
		make_mails(&b);
	if (mkdir(argv[1], 0700) < 0 && errno != EEXIST)
		die("%s: %s", argv[1], strerror(errno));
	r = engine_open(&config, NULL, &b.e);
	if (r < 0)
		die("engine_open: %d", r);
	bench_write(&b, strtoull(argv[3], NULL, 10));
	bench_read(&b);
	engine_close(b.e);
	return 0;
}
