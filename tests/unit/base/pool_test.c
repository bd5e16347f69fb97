/* SPDX-License-Identifier: ISC */
/* pool_test.c - jobs of helper threads: each worked on and answered once. */
#include "../test.h"
#include "base/pool.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOBS 200

struct counted {
	struct pool_job job;
	int worked, answered;
	bool is_elsewhere; /* not in the thread of the test */
	void *own;
	size_t *order; /* counts answers */
	size_t place;  /* of its answer */
};

static pthread_t here;

static void
work(struct pool_job *job, void *own)
{
	struct counted *c = CONTAINER_OF(job, struct counted, job);

	c->worked++;
	c->own = own;
	c->is_elsewhere = !pthread_equal(pthread_self(), here);
}

static void
done(struct pool_job *job)
{
	struct counted *c = CONTAINER_OF(job, struct counted, job);

	c->answered++;
	c->place = (*c->order)++;
}

/* What threads have for themselves: how much was made and is left. */
struct owner {
	pthread_mutex_t lock;
	int made, rests, ended;
};

struct own {
	struct owner *owner;
};

static void
count(struct owner *o, int *what)
{
	pthread_mutex_lock(&o->lock);
	++*what;
	pthread_mutex_unlock(&o->lock);
}

static void *
begin(void *arg)
{
	struct own *own = X_NEW(struct own);

	own->owner = arg;
	count(own->owner, &own->owner->made);
	return own;
}

static void
rest(void *arg)
{
	struct own *own = arg;

	count(own->owner, &own->owner->rests);
}

static void
end(void *arg)
{
	struct own *own = arg;

	count(own->owner, &own->owner->ended);
	free(own);
}

struct fixture {
	struct pool *pool;
	int fd;
	size_t order;
	struct counted jobs[JOBS];
	struct owner owner;
};

static void
set_up(struct fixture *f, unsigned threads)
{
	*f = (struct fixture){ .owner.lock = PTHREAD_MUTEX_INITIALIZER };
	here = pthread_self();
	f->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	f->pool = pool_new(&(struct pool_config){
	    .threads = threads,
	    .event_fd = f->fd,
	    .begin = begin,
	    .rest = rest,
	    .end = end,
	    .arg = &f->owner,
	});
	for (size_t i = 0; i < JOBS; i++) {
		f->jobs[i].job.work = work;
		f->jobs[i].job.done = done;
		f->jobs[i].order = &f->order;
	}
}

static void
tear_down(struct fixture *f, int made)
{
	pool_free(f->pool);
	CHECK(f->owner.made == made, "one for each thread and the caller");
	CHECK(f->owner.ended == made, "all are given back");
	close(f->fd);
}

/* Is there something to finish, within so much time? */
static bool
is_told(struct fixture *f, int ms)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* As a loop does it. */
static void
finish(struct fixture *f)
{
	uint64_t n;

	CHECK(read(f->fd, &n, sizeof(n)) == sizeof(n), "told");
	pool_finish(f->pool);
}

TEST(each_job_is_worked_on_elsewhere_and_answered_here)
{
	static struct fixture f;

	set_up(&f, 3);
	for (size_t i = 0; i < JOBS; i++)
		pool_add(f.pool, &f.jobs[i].job);
	while (pool_load(f.pool) > 0) {
		CHECK(is_told(&f, 10000), "told in time");
		finish(&f);
	}
	for (size_t i = 0; i < JOBS; i++) {
		CHECK(f.jobs[i].worked == 1 && f.jobs[i].answered == 1, "once");
		CHECK(f.jobs[i].is_elsewhere && f.jobs[i].own, "in a thread");
	}
	CHECK(f.owner.rests == JOBS, "a rest behind each");
	pool_stop(f.pool);
	tear_down(&f, 4);
}

TEST(one_thread_keeps_the_order)
{
	static struct fixture f;

	set_up(&f, 1);
	for (size_t i = 0; i < JOBS; i++)
		pool_add(f.pool, &f.jobs[i].job);
	pool_stop(f.pool);
	CHECK(f.order == 0, "stopping answers nobody");
	pool_finish(f.pool);
	for (size_t i = 0; i < JOBS; i++)
		CHECK(f.jobs[i].answered == 1 && f.jobs[i].place == i, "order");
	tear_down(&f, 2);
}

TEST(without_threads_the_answer_waits_all_the_same)
{
	static struct fixture f;

	set_up(&f, 0);
	pool_add(f.pool, &f.jobs[0].job);
	CHECK(f.jobs[0].worked == 1 && !f.jobs[0].is_elsewhere, "at once");
	CHECK(f.jobs[0].answered == 0 && is_told(&f, 0), "told");
	finish(&f);
	CHECK(f.jobs[0].answered == 1 && pool_load(f.pool) == 0, "answered");
	pool_stop(f.pool);
	tear_down(&f, 1);
}

/* The second of two finished jobs is told, though it is not the first. */
TEST(a_job_that_told_nobody_silences_no_other)
{
	static struct fixture f;

	set_up(&f, 1);
	pool_run(f.pool, &f.jobs[0].job);
	CHECK(f.jobs[0].worked == 1 && !f.jobs[0].is_elsewhere, "at once");
	CHECK(!is_told(&f, 0), "of it nobody is told");
	pool_add(f.pool, &f.jobs[1].job);
	CHECK(is_told(&f, 10000), "of the other one");
	finish(&f);
	CHECK(f.jobs[0].answered == 1 && f.jobs[1].answered == 1, "both");
	pool_add(f.pool, &f.jobs[2].job);
	CHECK(is_told(&f, 10000), "again");
	finish(&f);
	pool_stop(f.pool);
	tear_down(&f, 2);
}

TEST_MAIN(UNIT(each_job_is_worked_on_elsewhere_and_answered_here),
    UNIT(one_thread_keeps_the_order),
    UNIT(without_threads_the_answer_waits_all_the_same),
    UNIT(a_job_that_told_nobody_silences_no_other))
