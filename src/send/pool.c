/* SPDX-License-Identifier: ISC */
/* pool.c - helper threads. See pool.h. */
#include "send/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
	struct pool_job *head, **tail;
};

struct pool {
	struct loop_fd *watch;
	int event_fd;
	size_t load; /* the loop's side */

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t wake;
	struct list given, finished;
};

static void
list_push(struct list *l, struct pool_job *job)
{
	job->next = NULL;
	*l->tail = job;
	l->tail = &job->next;
}

static struct pool_job *
list_pop(struct list *l)
{
	struct pool_job *job = l->head;

	if (job == NULL)
		return NULL;
	l->head = job->next;
	if (l->head == NULL)
		l->tail = &l->head;
	return job;
}

static void
finish(struct pool *p, struct pool_job *job)
{
	const uint64_t one = 1;
	bool is_first = p->finished.head == NULL;

	list_push(&p->finished, job);
	if (is_first && write(p->event_fd, &one, sizeof(one)) < 0)
		die("eventfd: %s", strerror(errno));
}

static void *
thread_main(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct pool_job *job = list_pop(&p->given);

		if (job == NULL) {
			pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		job->work(job);
		pthread_mutex_lock(&p->lock);
		finish(p, job);
	}
	return NULL;
}

static void
collect(void *arg)
{
	struct pool *p = arg;
	struct pool_job *job, *next;
	uint64_t n;

	if (read(p->event_fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&p->lock);
	job = p->finished.head;
	p->finished = (struct list){ .tail = &p->finished.head };
	pthread_mutex_unlock(&p->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		p->load--;
		job->done(job);
	}
}

struct pool *
pool_new(struct loop *loop, unsigned threads)
{
	struct pool *p = X_NEW(struct pool);
	sigset_t all, old;
	pthread_t id;

	p->given.tail = &p->given.head;
	p->finished.tail = &p->finished.head;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event_fd < 0)
		die("eventfd: %s", strerror(errno));
	p->watch = loop_fd_new(loop, p->event_fd, collect, NULL, p);
	loop_fd_want(p->watch, true, false);
	threads = MIN(MAX(threads, 1), POOL_THREADS_MAX);
	/* Signals belong to the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&id, NULL, thread_main, p) != 0)
			die("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
}

void
pool_add(struct pool *p, struct pool_job *job)
{
	p->load++;
	pthread_mutex_lock(&p->lock);
	list_push(&p->given, job);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

size_t
pool_load(const struct pool *p)
{
	return p->load;
}
