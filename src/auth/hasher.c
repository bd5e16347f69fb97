/* SPDX-License-Identifier: ISC */
/* hasher.c - password hashes in helper threads. See hasher.h. */
#include "auth/hasher.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "auth/verifier.h"
#include "base/secret.h"

#define THREADS_MAX 64

struct hasher_job {
	struct hasher_job *next;
	struct secret hash, password;
	enum hasher_turn (*turn)(void *arg);
	void (*done)(void *arg, bool is_right);
	void *arg;
	bool is_cancelled; /* the loop's side only */
	bool is_right;     /* by the thread */
};

struct list {
	struct hasher_job *head, **tail;
	size_t n;
};

struct hasher {
	struct loop *loop;
	struct loop_fd *watch;
	int event_fd;
	struct list waiting; /* the loop's side */
	size_t running;
	bool is_pump_due;
	unsigned threads;
	pthread_t ids[THREADS_MAX];

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t wake;
	struct list given, finished;
	bool is_stopping;
};

static void
list_init(struct list *l)
{
	*l = (struct list){ .tail = &l->head };
}

static void
list_push(struct list *l, struct hasher_job *job)
{
	job->next = NULL;
	*l->tail = job;
	l->tail = &job->next;
	l->n++;
}

static struct hasher_job *
list_pop(struct list *l)
{
	struct hasher_job *job = l->head;

	if (!job)
		return NULL;
	l->head = job->next;
	if (!l->head)
		l->tail = &l->head;
	l->n--;
	return job;
}

static void
job_free(struct hasher_job *job)
{
	secret_done(&job->hash);
	secret_done(&job->password);
	free(job);
}

static void *
thread_main(void *arg)
{
	struct hasher *h = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		struct hasher_job *job = list_pop(&h->given);

		if (!job && h->is_stopping)
			break;
		if (!job) {
			pthread_cond_wait(&h->wake, &h->lock);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		job->is_right = verifier_check(
		    secret_str(&job->hash), secret_str(&job->password));
		pthread_mutex_lock(&h->lock);
		list_push(&h->finished, job);
		if (write(h->event_fd, &one, sizeof(one)) < 0)
			die("eventfd: %s", strerror(errno));
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
finish(struct hasher_job *job, bool is_right)
{
	if (!job->is_cancelled)
		job->done(job->arg, is_right);
	job_free(job);
}

/* Give threads that are free the next jobs that still need computing. */
static void
pump(void *arg)
{
	struct hasher *h = arg;
	struct hasher_job *job;
	enum hasher_turn turn;

	h->is_pump_due = false;
	while (h->running < h->threads && (job = list_pop(&h->waiting))) {
		if (job->is_cancelled) {
			job_free(job);
			continue;
		}
		turn = job->turn ? job->turn(job->arg) : HASHER_RUN;
		if (turn != HASHER_RUN) {
			finish(job, turn == HASHER_YES);
			continue;
		}
		h->running++;
		pthread_mutex_lock(&h->lock);
		list_push(&h->given, job);
		pthread_cond_signal(&h->wake);
		pthread_mutex_unlock(&h->lock);
	}
}

static void
collect(void *arg)
{
	struct hasher *h = arg;
	struct hasher_job *job;
	uint64_t n;

	if (read(h->event_fd, &n, sizeof(n)) < 0)
		return;
	for (;;) {
		pthread_mutex_lock(&h->lock);
		job = list_pop(&h->finished);
		pthread_mutex_unlock(&h->lock);
		if (!job)
			break;
		h->running--;
		finish(job, job->is_right);
	}
	pump(h);
}

struct hasher *
hasher_new(struct loop *loop, unsigned threads)
{
	struct hasher *h = X_NEW(struct hasher);
	sigset_t all, old;

	h->loop = loop;
	h->threads = MIN(MAX(threads, 1), THREADS_MAX);
	list_init(&h->waiting);
	list_init(&h->given);
	list_init(&h->finished);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	h->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->event_fd < 0)
		die("eventfd: %s", strerror(errno));
	h->watch = loop_fd_new(loop, h->event_fd, collect, NULL, h);
	loop_fd_want(h->watch, true, false);
	/* Signals belong to the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < h->threads; i++)
		if (pthread_create(&h->ids[i], NULL, thread_main, h) != 0)
			die("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return h;
}

void
hasher_free(struct hasher *h)
{
	struct hasher_job *job;

	if (!h)
		return;
	ASSERT(!h->is_pump_due);
	pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	while ((job = list_pop(&h->given)))
		job_free(job);
	pthread_cond_broadcast(&h->wake);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->threads; i++)
		pthread_join(h->ids[i], NULL);
	while ((job = list_pop(&h->waiting)) || (job = list_pop(&h->finished)))
		job_free(job);
	loop_fd_free(h->watch);
	close(h->event_fd);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->wake);
	free(h);
}

struct hasher_job *
hasher_submit(struct hasher *h, const struct hasher_work *work)
{
	struct hasher_job *job;

	if (h->waiting.n >= HASHER_QUEUE_MAX)
		return NULL;
	job = X_NEW(struct hasher_job);
	secret_set(&job->hash, work->hash);
	secret_set(&job->password, work->password);
	job->turn = work->turn;
	job->done = work->done;
	job->arg = work->arg;
	list_push(&h->waiting, job);
	if (!h->is_pump_due) {
		h->is_pump_due = true;
		loop_defer(h->loop, pump, h);
	}
	return job;
}

void
hasher_cancel(struct hasher_job *job)
{
	job->is_cancelled = true;
}

size_t
hasher_load(const struct hasher *h)
{
	return h->waiting.n + h->running;
}
