/* SPDX-License-Identifier: ISC */
/* pool.c - helper threads. See pool.h. */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct list {
	struct pool_job *head, **tail;
};

struct pool {
	struct pool_config config;
	void *own; /* of the caller's thread */
	size_t load;
	pthread_t *threads;

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t wake;
	struct list given, finished;
	bool is_told; /* of what is finished */
	bool is_stopping;
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

static void *
begin(struct pool *p)
{
	return p->config.begin ? p->config.begin(p->config.arg) : NULL;
}

static void
end(struct pool *p, void *own)
{
	if (p->config.end)
		p->config.end(own);
}

/* tells: somebody has to call pool_finish(). */
static void
work(struct pool *p, struct pool_job *job, void *own, bool tells)
{
	const uint64_t one = 1;
	bool is_first;

	job->work(job, own);
	if (p->config.rest)
		p->config.rest(own);
	pthread_mutex_lock(&p->lock);
	list_push(&p->finished, job);
	is_first = tells && !p->is_told;
	p->is_told |= tells;
	pthread_mutex_unlock(&p->lock);
	if (is_first && write(p->config.event_fd, &one, sizeof(one)) < 0)
		die("eventfd: %s", strerror(errno));
}

static void *
thread_main(void *arg)
{
	struct pool *p = arg;
	void *own = begin(p);
	struct pool_job *job;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!(job = list_pop(&p->given)) && !p->is_stopping)
			pthread_cond_wait(&p->wake, &p->lock);
		if (job == NULL)
			break;
		pthread_mutex_unlock(&p->lock);
		work(p, job, own, true);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	end(p, own);
	return NULL;
}

struct pool *
pool_new(const struct pool_config *config)
{
	struct pool *p = X_NEW(struct pool);
	sigset_t all, old;

	p->config = *config;
	p->own = begin(p);
	p->given.tail = &p->given.head;
	p->finished.tail = &p->finished.head;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->threads = x_calloc(config->threads + 1, sizeof(*p->threads));
	/* Signals belong to the caller's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < config->threads; i++)
		if (pthread_create(&p->threads[i], NULL, thread_main, p) != 0)
			die("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
}

void
pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->config.threads; i++)
		pthread_join(p->threads[i], NULL);
	p->config.threads = 0;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	ASSERT(p->load == 0 && p->config.threads == 0);
	end(p, p->own);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p);
}

void
pool_run(struct pool *p, struct pool_job *job)
{
	p->load++;
	work(p, job, p->own, false);
}

void
pool_add(struct pool *p, struct pool_job *job)
{
	p->load++;
	if (p->config.threads == 0) {
		work(p, job, p->own, true);
		return;
	}
	pthread_mutex_lock(&p->lock);
	list_push(&p->given, job);
	pthread_mutex_unlock(&p->lock);
	pthread_cond_signal(&p->wake);
}

void
pool_finish(struct pool *p)
{
	struct pool_job *job, *next;

	pthread_mutex_lock(&p->lock);
	job = p->finished.head;
	p->finished = (struct list){ .tail = &p->finished.head };
	p->is_told = false;
	pthread_mutex_unlock(&p->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		p->load--;
		job->done(job);
	}
}

unsigned
pool_threads(const struct pool *p)
{
	return p->config.threads;
}

size_t
pool_load(const struct pool *p)
{
	return p->load;
}
