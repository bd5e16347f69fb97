/* SPDX-License-Identifier: ISC */
/*
 * flusher.c - writes and flushes the log in groups. See flusher.h.
 */
#include "store/local/flusher.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define IOV_GROUP 64
/*
 * Zeros are written this far ahead of the log. Into blocks that were only
 * allocated every flush would have to commit a change of the file's map too:
 * that takes four times as long (measured on ext4). Large groups gain little.
 */
#define ZERO_AHEAD MIB(1)
#define ZERO_PIECE KIB(64)
#define ZERO_GROUP KIB(256)
/* A flush that takes longer is not waited for in the main thread. */
#define QUICK_US 400
#define SLOW_US  100000 /* more does not count */
#define AVERAGE  8      /* flushes that the average is about */

struct flusher {
	const struct fsops *fs;
	int dir_fd, event_fd;
	bool has_thread;
	pthread_t thread;

	/* Of the thread that writes. */
	int zero_fd;       /* the segment that zeros were written to */
	uint64_t zero_end; /* up to here */
	bool no_zeros;     /* they could not be written: no more of them */

	pthread_mutex_t lock;
	pthread_cond_t work, progress;
	/* Under lock from here on. */
	struct chunk *head, **tail;
	struct chunk *done;
	uint64_t seq;     /* of what is in the queue */
	uint64_t durable; /* flushed */
	uint64_t count;
	size_t bytes;      /* in the queue and being written */
	unsigned usual_us; /* what a flush takes: a moving average */
	bool is_busy, has_failed, is_stopping;
};

struct chunk *
chunk_new(struct segment *seg, uint64_t off, size_t cap)
{
	struct chunk *c = X_NEW(struct chunk);

	c->seg = seg;
	c->fd = -1;
	c->off = off;
	c->cap = cap;
	if (cap > 0)
		c->p = x_malloc(cap);
	return c;
}

void
chunk_free(struct chunk *c)
{
	free(c->p);
	free(c);
}

/* --- writing: no lock held ------------------------------------------------ */

/* Write neighbours of one file with one call; *ret_next is what follows. */
static int
write_run(struct flusher *f, struct chunk *c, struct chunk **ret_next)
{
	struct iovec iov[IOV_GROUP];
	uint64_t off = c->off, end = c->off;
	int fd = c->fd, count = 0;

	for (; c && c->fd == fd && c->off == end && count < IOV_GROUP;
	     c = c->next) {
		if (c->n > 0)
			iov[count++] = (struct iovec){ c->p, c->n };
		end += c->n;
		if (c->is_last) {
			c = c->next;
			break;
		}
	}
	*ret_next = c;
	return fsops_write_all(f->fs, fd, iov, count, (off_t)off);
}

/* Write zeros behind the last chunk, when the log came to the end of those
 * that are there. Only a matter of speed: a failure ends it, nothing more. */
static void
write_zeros(struct flusher *f, const struct chunk *last, size_t group)
{
	static const char zeros[ZERO_PIECE];
	struct iovec iov[ZERO_AHEAD / ZERO_PIECE];
	uint64_t at = last->off + last->n, left;
	int count = 0;

	if (f->zero_fd == last->fd && at <= f->zero_end)
		return;
	if (f->no_zeros || group > ZERO_GROUP || at >= last->room)
		return;
	left = MIN(last->room - at, ZERO_AHEAD);
	f->zero_fd = last->fd;
	f->zero_end = at + left;
	for (; left > 0; left -= iov[count++].iov_len) {
		void *p = (void *)(uintptr_t)zeros;

		iov[count] = (struct iovec){ p, MIN(left, ZERO_PIECE) };
	}
	f->no_zeros =
	    fsops_write_all(f->fs, last->fd, iov, count, (off_t)at) < 0;
}

/* Everything of one segment, then one flush. */
static int
write_segment(struct flusher *f, struct chunk *c, struct chunk **ret_next)
{
	const struct fsops *fs = f->fs;
	int fd = c->fd, r;
	struct chunk *last = c;
	size_t group = 0;

	for (struct chunk *i = c; i && i->fd == fd; i = i->next) {
		last = i;
		group += i->n;
	}
	while (c != last->next) {
		r = write_run(f, c, &c);
		if (r < 0)
			return r;
	}
	if (last->is_last) {
		/* What was allocated ahead goes back. */
		r = fs->ftruncate(fs->arg, fd, (off_t)(last->off + last->n));
		if (r < 0)
			return r;
		f->zero_fd = -1;
	} else {
		write_zeros(f, last, group);
	}
	*ret_next = last->next;
	return fs->fdatasync(fs->arg, fd);
}

static int
write_all(struct flusher *f, struct chunk *c)
{
	bool has_new_file = false;

	for (struct chunk *i = c; i; i = i->next)
		has_new_file |= i->is_new_file;
	while (c) {
		int r = write_segment(f, c, &c);

		if (r < 0)
			return r;
	}
	return has_new_file ? f->fs->sync_dir(f->fs->arg, f->dir_fd) : 0;
}

/* --- the queue ------------------------------------------------------------ */

static void
wake_main(struct flusher *f)
{
	uint64_t one = 1;

	/* Can only fail when the counter is full, so it is readable then. */
	if (write(f->event_fd, &one, sizeof(one)) < 0)
		return;
}

static void
finish_group(struct flusher *f, struct chunk *list, uint64_t seq, int err)
{
	struct chunk **end = &list;
	size_t bytes = 0;

	for (struct chunk *c = list; c; c = c->next) {
		bytes += c->n;
		end = &c->next;
	}
	*end = f->done;
	f->done = list;
	f->bytes -= bytes;
	f->count++;
	if (err < 0)
		f->has_failed = true;
	else
		f->durable = seq;
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* One group. Called with the lock held, and a queue that is not empty. */
static void
flush_queue(struct flusher *f)
{
	struct chunk *list = f->head;
	uint64_t seq = f->seq, start = now_us(), took;
	int r = -EIO;

	f->head = NULL;
	f->tail = &f->head;
	f->is_busy = true;
	if (!f->has_failed) {
		pthread_mutex_unlock(&f->lock);
		r = write_all(f, list);
		if (r < 0)
			f->fs->fatal(f->fs->arg, "writing the log", r);
		pthread_mutex_lock(&f->lock);
	}
	took = now_us() - start;
	f->usual_us += (unsigned)(MIN(took, SLOW_US) / AVERAGE);
	f->usual_us -= f->usual_us / AVERAGE;
	finish_group(f, list, seq, r);
	f->is_busy = false;
	pthread_mutex_unlock(&f->lock);
	pthread_cond_broadcast(&f->progress);
	wake_main(f);
	pthread_mutex_lock(&f->lock);
}

static void *
flusher_main(void *arg)
{
	struct flusher *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		/* busy: the main thread writes a group itself */
		while ((!f->head && !f->is_stopping) || f->is_busy)
			pthread_cond_wait(&f->work, &f->lock);
		if (!f->head)
			break;
		flush_queue(f);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct flusher *
flusher_new(const struct fsops *fs, int dir_fd, int event_fd, bool has_thread)
{
	struct flusher *f = X_NEW(struct flusher);

	f->fs = fs;
	f->dir_fd = dir_fd;
	f->event_fd = event_fd;
	f->has_thread = has_thread;
	f->tail = &f->head;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->work, NULL);
	pthread_cond_init(&f->progress, NULL);
	if (has_thread &&
	    pthread_create(&f->thread, NULL, flusher_main, f) != 0)
		die("store: cannot start the flusher thread");
	return f;
}

void
flusher_free(struct flusher *f)
{
	struct chunk *c, *next;

	if (!f)
		return;
	if (f->has_thread) {
		pthread_mutex_lock(&f->lock);
		f->is_stopping = true;
		pthread_cond_signal(&f->work);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	for (c = f->done; c; c = next) {
		next = c->next;
		chunk_free(c);
	}
	pthread_cond_destroy(&f->progress);
	pthread_cond_destroy(&f->work);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

void
flusher_submit(
    struct flusher *f, struct chunk *list, uint64_t seq, bool is_alone)
{
	bool is_idle, is_ours;

	pthread_mutex_lock(&f->lock);
	is_idle = !f->head && !f->is_busy;
	is_ours =
	    !f->has_thread || (is_alone && is_idle && f->usual_us < QUICK_US);
	*f->tail = list;
	for (; list; list = list->next) {
		f->bytes += list->n;
		f->tail = &list->next;
	}
	f->seq = seq;
	if (is_ours && f->head)
		flush_queue(f);
	pthread_mutex_unlock(&f->lock);
	/* One that is at work looks into the queue before it sleeps. */
	if (!is_ours && is_idle)
		pthread_cond_signal(&f->work);
}

int
flusher_wait(struct flusher *f, uint64_t seq)
{
	bool is_good;

	pthread_mutex_lock(&f->lock);
	while (f->durable < seq && !f->has_failed)
		pthread_cond_wait(&f->progress, &f->lock);
	is_good = !f->has_failed;
	pthread_mutex_unlock(&f->lock);
	return is_good ? 0 : -EIO;
}

int
flusher_wait_queue(struct flusher *f, size_t max)
{
	bool is_good;

	pthread_mutex_lock(&f->lock);
	while (f->bytes >= max && !f->has_failed)
		pthread_cond_wait(&f->progress, &f->lock);
	is_good = !f->has_failed;
	pthread_mutex_unlock(&f->lock);
	return is_good ? 0 : -EIO;
}

uint64_t
flusher_durable(struct flusher *f)
{
	uint64_t v;

	pthread_mutex_lock(&f->lock);
	v = f->durable;
	pthread_mutex_unlock(&f->lock);
	return v;
}

uint64_t
flusher_count(struct flusher *f)
{
	uint64_t v;

	pthread_mutex_lock(&f->lock);
	v = f->count;
	pthread_mutex_unlock(&f->lock);
	return v;
}

bool
flusher_has_failed(struct flusher *f)
{
	bool v;

	pthread_mutex_lock(&f->lock);
	v = f->has_failed;
	pthread_mutex_unlock(&f->lock);
	return v;
}

struct chunk *
flusher_collect(struct flusher *f)
{
	struct chunk *list;

	pthread_mutex_lock(&f->lock);
	list = f->done;
	f->done = NULL;
	pthread_mutex_unlock(&f->lock);
	return list;
}

void
flusher_set_durable(struct flusher *f, uint64_t seq)
{
	pthread_mutex_lock(&f->lock);
	f->durable = f->seq = seq;
	pthread_mutex_unlock(&f->lock);
}
