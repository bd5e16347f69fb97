/* SPDX-License-Identifier: ISC */
/*
 * flusher.c - writes and flushes the log in groups. See flusher.h.
 */
#include "store/local/flusher.h"

#include <pthread.h>
#include <unistd.h>

#define IOV_GROUP 64

struct flusher {
	const struct fsops *fs;
	int dir_fd, event_fd;
	bool has_thread;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t work, progress;
	/* Under lock from here on. */
	struct chunk *head, **tail;
	struct chunk *done;
	uint64_t seq;     /* of what is in the queue */
	uint64_t durable; /* flushed */
	uint64_t count;
	size_t bytes; /* in the queue and being written */
	bool has_failed, is_stopping;
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

/* Everything of one segment, then one flush. */
static int
write_segment(struct flusher *f, struct chunk *c, struct chunk **ret_next)
{
	const struct fsops *fs = f->fs;
	int fd = c->fd, r;
	struct chunk *last = c;

	for (struct chunk *i = c; i && i->fd == fd; i = i->next)
		last = i;
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
	pthread_mutex_lock(&f->lock);
	*end = f->done;
	f->done = list;
	f->bytes -= bytes;
	f->count++;
	if (err < 0)
		f->has_failed = true;
	else
		f->durable = seq;
	pthread_cond_broadcast(&f->progress);
	pthread_mutex_unlock(&f->lock);
	wake_main(f);
}

/* Called with the lock held, and a queue that is not empty. */
static void
flush_queue(struct flusher *f)
{
	struct chunk *list = f->head;
	uint64_t seq = f->seq;
	int r = -EIO;

	f->head = NULL;
	f->tail = &f->head;
	if (!f->has_failed) {
		pthread_mutex_unlock(&f->lock);
		r = write_all(f, list);
		if (r < 0)
			f->fs->fatal(f->fs->arg, "writing the log", r);
	} else {
		pthread_mutex_unlock(&f->lock);
	}
	finish_group(f, list, seq, r);
	pthread_mutex_lock(&f->lock);
}

static void *
flusher_main(void *arg)
{
	struct flusher *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		while (!f->head && !f->is_stopping)
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
flusher_submit(struct flusher *f, struct chunk *list, uint64_t seq)
{
	pthread_mutex_lock(&f->lock);
	*f->tail = list;
	for (; list; list = list->next) {
		f->bytes += list->n;
		f->tail = &list->next;
	}
	f->seq = seq;
	if (f->has_thread)
		pthread_cond_signal(&f->work);
	else if (f->head)
		flush_queue(f);
	pthread_mutex_unlock(&f->lock);
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
