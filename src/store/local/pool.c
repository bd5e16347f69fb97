/* SPDX-License-Identifier: ISC */
/*
 * pool.c - helper threads. See pool.h.
 */
#include "store/local/pool.h"

#include "store/local/frame.h"
#include "store/local/record.h"

#include <pthread.h>
#include <unistd.h>

#define SCRATCH_KEEP MIB(1)

struct queue {
	struct job *head, **tail;
};

struct pool {
	struct zblob_dict *dict;
	struct worker own; /* the main thread's */
	unsigned count;
	pthread_t *threads;
	int event_fd;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue todo, done; /* under lock */
	bool is_stopping;        /* under lock */
};

static void
queue_add(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
}

static struct job *
queue_take(struct queue *q)
{
	struct job *job = q->head;

	if (!job)
		return NULL;
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	return job;
}

static void
worker_init(struct worker *w, const struct zblob_dict *dict)
{
	w->z = zblob_new(dict);
	w->in = BUF_INIT(ENGINE_BLOB_MAX + MIB(1));
	w->out = BUF_INIT(RECORD_DATA_MAX);
}

static void
worker_done(struct worker *w)
{
	zblob_free(w->z);
	buf_done(&w->in);
	buf_done(&w->out);
}

static void
work(struct pool *p, struct job *job, struct worker *w)
{
	job->work(job, w);
	buf_reset(&w->in, SCRATCH_KEEP);
	buf_reset(&w->out, SCRATCH_KEEP);
	pthread_mutex_lock(&p->lock);
	queue_add(&p->done, job);
	pthread_mutex_unlock(&p->lock);
}

static void
wake_main(struct pool *p)
{
	uint64_t one = 1;

	/* Can only fail when the counter is full, so it is readable then. */
	if (write(p->event_fd, &one, sizeof(one)) < 0)
		return;
}

static void *
worker_main(void *arg)
{
	struct pool *p = arg;
	struct worker w;
	struct job *job;

	worker_init(&w, p->dict);
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!(job = queue_take(&p->todo)) && !p->is_stopping)
			pthread_cond_wait(&p->wake, &p->lock);
		if (!job)
			break;
		pthread_mutex_unlock(&p->lock);
		work(p, job, &w);
		wake_main(p);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	worker_done(&w);
	return NULL;
}

struct pool *
pool_new(unsigned threads, int event_fd)
{
	struct pool *p = X_NEW(struct pool);

	p->dict = zblob_dict_new();
	p->count = threads;
	p->event_fd = event_fd;
	p->todo.tail = &p->todo.head;
	p->done.tail = &p->done.head;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->threads = x_calloc(threads + 1, sizeof(*p->threads));
	worker_init(&p->own, p->dict);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&p->threads[i], NULL, worker_main, p) != 0)
			die("store: cannot start a helper thread");
	return p;
}

void
pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		pthread_join(p->threads[i], NULL);
	if (p->own.z)
		worker_done(&p->own);
	p->own.z = NULL;
	p->count = 0;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	ASSERT(!p->todo.head && !p->done.head);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	zblob_dict_free(p->dict);
	free(p->threads);
	free(p);
}

void
pool_run(struct pool *p, struct job *job)
{
	work(p, job, &p->own);
}

void
pool_add(struct pool *p, struct job *job)
{
	if (p->count == 0) {
		work(p, job, &p->own);
		wake_main(p);
		return;
	}
	pthread_mutex_lock(&p->lock);
	queue_add(&p->todo, job);
	pthread_mutex_unlock(&p->lock);
	pthread_cond_signal(&p->wake);
}

unsigned
pool_threads(const struct pool *p)
{
	return p->count;
}

void
pool_finish(struct pool *p)
{
	struct job *job, *next;

	pthread_mutex_lock(&p->lock);
	job = p->done.head;
	p->done.head = NULL;
	p->done.tail = &p->done.head;
	pthread_mutex_unlock(&p->lock);
	for (; job; job = next) {
		next = job->next;
		job->done(job);
	}
}
