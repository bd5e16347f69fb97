/* SPDX-License-Identifier: ISC */
/* hasher.c - password hashes in helper threads. See hasher.h. */
#include "auth/hasher.h"

#include "auth/verifier.h"
#include "base/secret.h"
#include "net/loop_pool.h"

#include <sys/queue.h>

struct hasher_job {
	struct pool_job job;
	TAILQ_ENTRY(hasher_job) link; /* of those that wait */
	struct hasher *h;
	struct secret hash, password;
	enum hasher_turn (*turn)(void *arg);
	void (*done)(void *arg, bool is_right);
	void *arg;
	bool is_cancelled; /* the loop's side only */
	bool is_right;     /* by the thread */
};

struct hasher {
	struct loop *loop;
	struct loop_pool *pool;
	unsigned threads;
	TAILQ_HEAD(, hasher_job) waiting;
	size_t n_waiting;
	bool is_pump_due, is_stopping;
};

static void
job_free(struct hasher_job *job)
{
	secret_done(&job->hash);
	secret_done(&job->password);
	free(job);
}

static void
finish(struct hasher_job *job, bool is_right)
{
	if (!job->is_cancelled && !job->h->is_stopping)
		job->done(job->arg, is_right);
	job_free(job);
}

static struct hasher_job *
take_first(struct hasher *h)
{
	struct hasher_job *job = TAILQ_FIRST(&h->waiting);

	if (job) {
		TAILQ_REMOVE(&h->waiting, job, link);
		h->n_waiting--;
	}
	return job;
}

/* Give threads that are free the next jobs that still need computing. */
static void
pump(void *arg)
{
	struct hasher *h = arg;
	struct pool *pool = loop_pool(h->pool);
	struct hasher_job *job;
	enum hasher_turn turn;

	h->is_pump_due = false;
	while (pool_load(pool) < h->threads && (job = take_first(h))) {
		if (job->is_cancelled) {
			job_free(job);
			continue;
		}
		turn = job->turn ? job->turn(job->arg) : HASHER_RUN;
		if (turn == HASHER_RUN)
			pool_add(pool, &job->job);
		else
			finish(job, turn == HASHER_YES);
	}
}

static void
check(struct pool_job *p, UNUSED void *own)
{
	struct hasher_job *job = CONTAINER_OF(p, struct hasher_job, job);

	job->is_right =
	    verifier_check(secret_str(&job->hash), secret_str(&job->password));
}

static void
on_checked(struct pool_job *p)
{
	struct hasher_job *job = CONTAINER_OF(p, struct hasher_job, job);
	struct hasher *h = job->h;

	finish(job, job->is_right);
	if (!h->is_stopping)
		pump(h);
}

struct hasher *
hasher_new(struct loop *loop, unsigned threads)
{
	struct hasher *h = X_NEW(struct hasher);

	h->loop = loop;
	h->threads = MIN(MAX(threads, 1), LOOP_POOL_MAX);
	TAILQ_INIT(&h->waiting);
	h->pool = loop_pool_new(loop, h->threads);
	return h;
}

void
hasher_free(struct hasher *h)
{
	struct hasher_job *job;

	if (!h)
		return;
	ASSERT(!h->is_pump_due);
	h->is_stopping = true;
	loop_pool_free(h->pool);
	while ((job = take_first(h)))
		job_free(job);
	free(h);
}

struct hasher_job *
hasher_submit(struct hasher *h, const struct hasher_work *work)
{
	struct hasher_job *job;

	if (h->n_waiting >= HASHER_QUEUE_MAX)
		return NULL;
	job = X_NEW(struct hasher_job);
	secret_set(&job->hash, work->hash);
	secret_set(&job->password, work->password);
	job->turn = work->turn;
	job->done = work->done;
	job->arg = work->arg;
	job->h = h;
	job->job.work = check;
	job->job.done = on_checked;
	TAILQ_INSERT_TAIL(&h->waiting, job, link);
	h->n_waiting++;
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
	return h->n_waiting + pool_load(loop_pool(h->pool));
}
