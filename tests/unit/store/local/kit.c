/* SPDX-License-Identifier: ISC */
/*
 * kit.c - see kit.h.
 */
#include "kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

void
kit_rmdir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		CLEANUP(freep) char *p = x_asprintf("%s/%s", dir, de->d_name);

		if (de->d_name[0] == '.')
			continue;
		if (de->d_type == DT_DIR)
			kit_rmdir(p);
		else
			unlink(p);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

void
kit_init(struct kit *k, unsigned helper_threads)
{
	const char *base = getenv("TMPDIR");

	*k = (struct kit){ 0 };
	snprintf(k->dir, sizeof(k->dir), "%s/engine-XXXXXX",
	    base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(k->dir))
		die("mkdtemp: %s", strerror(errno));
	k->config.dir = k->dir;
	k->config.helper_threads = helper_threads;
}

void
kit_done(struct kit *k)
{
	kit_close(k);
	kit_rmdir(k->dir);
}

void
kit_open(struct kit *k)
{
	int r = engine_open(&k->config, &k->report, &k->e);

	if (r < 0)
		die("engine_open: %d", r);
}

void
kit_close(struct kit *k)
{
	engine_close(k->e);
	k->e = NULL;
}

void
kit_wait(struct kit *k, const int *flag)
{
	for (int i = 0; !*flag; i++) {
		struct pollfd pfd = { engine_fd(k->e), POLLIN, 0 };

		engine_kick(k->e);
		if (*flag)
			break;
		if (poll(&pfd, 1, 5000) == 0 || i > 100000)
			die("no answer from the engine");
		engine_dispatch(k->e);
	}
}

static void
set_flag(void *arg, int err)
{
	*(int *)arg = err == 0 ? 1 : err;
}

int
kit_commit(struct kit *k, struct engine_batch *b)
{
	int flag = 0;
	int r = engine_commit(k->e, b, set_flag, &flag);

	if (r == 0)
		kit_wait(k, &flag);
	return r;
}

int
kit_put(
    struct kit *k, struct engine_shard shard, const char *key, struct str val)
{
	struct engine_batch *b = engine_batch_new(k->e);

	batch_put(b, shard, str_c(key), val);
	return kit_commit(k, b);
}

struct ticket_wait {
	int flag, err;
	struct engine_ticket *t;
};

static void
got_ticket(void *arg, int err, struct engine_ticket *t)
{
	struct ticket_wait *w = arg;

	w->flag = 1;
	w->err = err;
	w->t = t;
}

static struct engine_ticket *
put(struct kit *k, struct engine_source src)
{
	struct ticket_wait w = { 0 };

	engine_blob_put(k->e, &src, got_ticket, &w);
	kit_wait(k, &w.flag);
	return w.t;
}

struct engine_ticket *
kit_ticket(struct kit *k, struct str raw)
{
	return put(k, (struct engine_source){ .fd = -1, .mem = raw });
}

struct engine_ticket *
kit_brief_ticket(struct kit *k, struct str raw)
{
	return put(k,
	    (struct engine_source){ .fd = -1, .mem = raw, .is_brief = true });
}

uint64_t
kit_blob(struct kit *k, struct str raw)
{
	struct engine_ticket *t = kit_ticket(k, raw);
	struct engine_batch *b = engine_batch_new(k->e);
	uint64_t blob = batch_blob_new(b, t);

	return kit_commit(k, b) == 0 ? blob : 0;
}

struct read_wait {
	int flag;
	int64_t got;
	struct buf *b;
};

static void
got_read(void *arg, const struct engine_read_result *r)
{
	struct read_wait *w = arg;

	w->flag = 1;
	w->got = r->got[0];
	buf_put_str(w->b, buf_str(r->data));
}

int64_t
kit_read(struct kit *k, uint64_t blob, uint64_t off, uint64_t n, struct buf *b)
{
	struct engine_read rd = { blob, off, n, true };
	struct read_wait w = { .b = b };

	engine_blob_read(k->e, &rd, 1, -1, got_read, &w);
	kit_wait(k, &w.flag);
	return w.got;
}

uint64_t
kit_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void
kit_text(struct buf *b, uint64_t seed, size_t n)
{
	static const char *const words[] = { "the", "meeting", "of", "your",
		"invoice", "please", "Received:", "from", "mail", "\r\n",
		"attached", "tomorrow", "Message-ID:", "regards" };
	size_t end = b->n + n;

	while (b->n < end) {
		const char *w = words[kit_random(&seed) % ARRAY_LEN(words)];

		buf_put(b, w, MIN(strlen(w), end - b->n));
		if (b->n < end)
			buf_put_char(b, ' ');
	}
}

void
kit_noise(struct buf *b, uint64_t seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put_char(b, (char)kit_random(&seed));
}
