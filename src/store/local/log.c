/* SPDX-License-Identifier: ISC */
/*
 * log.c - segments of the log. See log.h.
 */
#include "store/local/log.h"

#include "base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_MAGIC 0x3147455354534dull /* "MSTSEG1" */
#define ALLOC_STEP    MIB(8)
#define CHUNK_CAP     KIB(64)
#define OWNED_MIN     KIB(32) /* below, copying is cheaper */
#define OPEN_FDS_MAX  512

void
seglog_init(struct log *l, const struct fsops *fs, uint64_t segment_bytes)
{
	*l = (struct log){
		.fs = fs,
		.dir_fd = -1,
		.segment_bytes =
		    segment_bytes ? segment_bytes : SEGMENT_DEFAULT,
	};
}

static void
segment_free(struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static void
chunks_free(struct chunk *c)
{
	struct chunk *next;

	for (; c; c = next) {
		next = c->next;
		chunk_free(c);
	}
}

void
log_done(struct log *l)
{
	chunks_free(l->head);
	for (size_t i = 0; i < l->n; i++)
		segment_free(l->segs[i]);
	free(l->segs);
	if (l->dir_fd >= 0)
		close(l->dir_fd);
	*l = (struct log){ .dir_fd = -1 };
}

static struct segment *
segment_new(uint64_t id)
{
	struct segment *s = X_NEW(struct segment);

	s->id = id;
	s->fd = -1;
	return s;
}

/* --- the list ------------------------------------------------------------- */

void
segment_name(char to[24], uint64_t id)
{
	snprintf(to, 24, "%016llx.seg", (unsigned long long)id);
}

static bool
parse_name(const char *name, uint64_t *ret)
{
	char want[24];
	char *end;
	uint64_t id;

	errno = 0;
	id = strtoull(name, &end, 16);
	if (errno != 0)
		return false;
	segment_name(want, id);
	if (strcmp(want, name) != 0)
		return false;
	*ret = id;
	return true;
}

static void
list_add(struct log *l, struct segment *s)
{
	size_t i = l->n;

	l->segs = x_grow(l->segs, &l->cap, l->n + 1, sizeof(*l->segs));
	for (; i > 0 && l->segs[i - 1]->id > s->id; i--)
		l->segs[i] = l->segs[i - 1];
	l->segs[i] = s;
	l->n++;
}

/* Index of the first segment with an id >= id. */
static size_t
list_lower(const struct log *l, uint64_t id)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->segs[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct segment *
log_find(const struct log *l, uint64_t id)
{
	size_t i = list_lower(l, id);

	return i < l->n && l->segs[i]->id == id ? l->segs[i] : NULL;
}

struct segment *
log_active(const struct log *l)
{
	return l->n ? l->segs[l->n - 1] : NULL;
}

/* Every segment carries the seed, so that one damaged header is no loss. */
static int
find_seed(struct log *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char head[SEGMENT_HEADER];
		struct segment_head h;
		int fd = segment_ref(l, l->segs[i]), r;

		if (fd < 0)
			continue;
		r = fsops_read_all(fd, head, sizeof(head), 0);
		segment_unref(l, l->segs[i]);
		if (r < 0 || !segment_header_parse(str_make(head, sizeof(head)),
				 l->segs[i]->id, &h))
			continue;
		l->seed = h.seed;
		return 0;
	}
	return getrandom(&l->seed, sizeof(l->seed), 0) < 0 ? -errno : 0;
}

int
log_open(struct log *l, const char *path)
{
	struct dirent *de;
	DIR *dir;
	int fd;

	l->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir_fd < 0)
		return -errno;
	fd = openat(l->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return -errno;
	while ((de = readdir(dir))) {
		struct segment *s;
		struct stat st;
		uint64_t id;

		if (!parse_name(de->d_name, &id) ||
		    fstatat(l->dir_fd, de->d_name, &st, 0) < 0)
			continue;
		s = segment_new(id);
		s->size = s->alloc = s->flushed = (uint64_t)st.st_size;
		list_add(l, s);
	}
	closedir(dir);
	return find_seed(l);
}

/* --- descriptors ---------------------------------------------------------- */

/* Nobody needs thousands of descriptors at once: close the oldest. */
static void
close_oldest(struct log *l)
{
	struct segment *oldest = NULL;

	for (size_t i = 0; i + 1 < l->n; i++) {
		struct segment *s = l->segs[i];

		if (s->fd < 0 || s->refs > 0)
			continue;
		if (!oldest || s->used_at < oldest->used_at)
			oldest = s;
	}
	if (!oldest)
		return;
	close(oldest->fd);
	oldest->fd = -1;
	l->open_fds--;
}

int
segment_ref(struct log *l, struct segment *s)
{
	char name[24];

	s->used_at = ++l->clock;
	if (s->fd < 0) {
		if (l->open_fds >= OPEN_FDS_MAX)
			close_oldest(l);
		segment_name(name, s->id);
		s->fd = openat(l->dir_fd, name, O_RDWR | O_CLOEXEC);
		if (s->fd < 0)
			return -errno;
		l->open_fds++;
	}
	s->refs++;
	return s->fd;
}

void
segment_unref(struct log *l, struct segment *s)
{
	ASSERT(s->refs > 0);
	if (--s->refs > 0 || !s->is_gone)
		return;
	if (s->fd >= 0)
		l->open_fds--;
	segment_free(s);
}

void
segment_account(struct segment *s, int64_t live, int64_t kept)
{
	if (!s)
		return;
	s->live += (uint64_t)live;
	s->kept += (uint64_t)kept;
	s->is_changed = true;
}

int
log_remove(struct log *l, struct segment *s)
{
	size_t i = list_lower(l, s->id);
	char name[24];
	int r;

	segment_name(name, s->id);
	r = l->fs->unlink(l->fs->arg, l->dir_fd, name);
	if (r < 0 && r != -ENOENT)
		return r;
	memmove(
	    &l->segs[i], &l->segs[i + 1], (l->n - i - 1) * sizeof(*l->segs));
	l->n--;
	s->is_gone = true;
	s->refs++;
	segment_unref(l, s);
	return 0;
}

/* --- headers -------------------------------------------------------------- */

static void
header_put(struct buf *b, uint64_t id, const struct segment_head *h)
{
	wire_put_u64(b, SEGMENT_MAGIC);
	wire_put_u32(b, SEGMENT_VERSION);
	wire_put_u32(b, 1); /* dictionary that new blobs are packed with */
	wire_put_u64(b, id);
	wire_put_u64(b, h->next_blob);
	wire_put_u64(b, h->prev);
	wire_put_u64(b, h->seed);
	wire_put_u64(b, hash64(b->p, b->n));
}

bool
segment_header_parse(struct str in, uint64_t id, struct segment_head *ret)
{
	struct wire w = wire_read(in);
	uint64_t magic = wire_get_u64(&w);
	struct segment_head h;
	uint32_t version = wire_get_u32(&w);
	uint64_t got_id, sum;

	wire_get_u32(&w);
	got_id = wire_get_u64(&w);
	h.next_blob = wire_get_u64(&w);
	h.prev = wire_get_u64(&w);
	h.seed = wire_get_u64(&w);
	sum = wire_get_u64(&w);
	if (w.failed || magic != SEGMENT_MAGIC || version != SEGMENT_VERSION ||
	    got_id != id || sum != hash64(in.p, SEGMENT_HEADER - 8))
		return false;
	*ret = h;
	return true;
}

/* --- appending ------------------------------------------------------------ */

static struct chunk *
push_chunk(struct log *l, size_t cap)
{
	struct segment *s = log_active(l);
	struct chunk *c = chunk_new(s, s->size, cap);

	c->fd = segment_ref(l, s);
	ASSERT(c->fd >= 0); /* the active segment stays open */
	c->room = s->alloc;
	if (l->tail)
		l->tail->next = c;
	else
		l->head = c;
	l->tail = c;
	return c;
}

void
log_put(struct log *l, const void *p, size_t n)
{
	struct chunk *c = l->tail;
	const char *from = p;

	while (n > 0) {
		size_t part;

		if (!c || c->seg != log_active(l) || c->n == c->cap)
			c = push_chunk(l, CHUNK_CAP);
		part = MIN(n, c->cap - c->n);
		memcpy(c->p + c->n, from, part);
		c->n += part;
		c->seg->size += part;
		from += part;
		n -= part;
	}
}

void
log_put_owned(struct log *l, char *p, size_t n)
{
	struct chunk *c;

	if (n < OWNED_MIN) {
		log_put(l, p, n);
		free(p);
		return;
	}
	c = push_chunk(l, 0);
	c->p = p;
	c->n = c->cap = n;
	c->seg->size += n;
}

static int
allocate(struct log *l, struct segment *s, uint64_t end)
{
	uint64_t step = MIN(ALLOC_STEP, l->segment_bytes);
	uint64_t to = MAX(end, MIN(end + step, l->segment_bytes));
	int r = l->fs->fallocate(
	    l->fs->arg, s->fd, (off_t)s->alloc, (off_t)(to - s->alloc));

	if (r < 0)
		return r;
	s->alloc = to;
	return 0;
}

static int
begin_segment(struct log *l, size_t size, uint64_t seq, uint64_t next_blob)
{
	struct segment *old = log_active(l), *s = segment_new(seq);
	struct segment_head head = { old ? old->id : 0, next_blob, l->seed };
	struct buf b = BUF_INIT(SEGMENT_HEADER);
	char name[24];
	int r;

	segment_name(name, seq);
	s->fd =
	    l->fs->open(l->fs->arg, l->dir_fd, name, O_RDWR | O_CREAT | O_EXCL);
	r = s->fd < 0 ? s->fd : allocate(l, s, SEGMENT_HEADER + size);
	if (r < 0) {
		/* An empty file left behind is removed at the next start. */
		if (s->fd >= 0)
			(void)l->fs->unlink(l->fs->arg, l->dir_fd, name);
		segment_free(s);
		return r;
	}
	if (old && old->size > 0)
		push_chunk(l, 0)->is_last = true;
	l->open_fds++;
	list_add(l, s);
	s->is_changed = true;
	header_put(&b, seq, &head);
	push_chunk(l, CHUNK_CAP)->is_new_file = true;
	log_put(l, b.p, b.n);
	buf_done(&b);
	return 0;
}

int
log_room(struct log *l, size_t size, uint64_t seq, uint64_t next_blob)
{
	struct segment *s = log_active(l);
	int r;

	if (!s ||
	    (s->size > SEGMENT_HEADER && s->size + size > l->segment_bytes))
		return begin_segment(l, size, seq, next_blob);
	if (s->size + size <= s->alloc)
		return 0;
	/* Keeps the descriptor of the active segment open for good. */
	if (s->fd < 0) {
		r = segment_ref(l, s);
		if (r < 0)
			return r;
		s->refs--;
	}
	return allocate(l, s, s->size + size);
}

struct chunk *
log_take(struct log *l)
{
	struct chunk *c = l->head;

	l->head = l->tail = NULL;
	return c;
}

void
log_release(struct log *l, struct chunk *list)
{
	struct chunk *next;

	for (struct chunk *c = list; c; c = next) {
		next = c->next;
		c->seg->flushed = MAX(c->seg->flushed, c->off + c->n);
		segment_unref(l, c->seg);
		chunk_free(c);
	}
}
