/* SPDX-License-Identifier: ISC */
/* loop_pool.c - helper threads that answer in the loop. See loop_pool.h. */
#include "net/loop_pool.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct loop_pool {
	struct pool *pool;
	struct loop_fd *watch;
	int event_fd;
};

static void
collect(void *arg)
{
	struct loop_pool *p = arg;
	uint64_t n;

	if (read(p->event_fd, &n, sizeof(n)) > 0)
		pool_finish(p->pool);
}

struct loop_pool *
loop_pool_new(struct loop *loop, unsigned threads)
{
	struct loop_pool *p = X_NEW(struct loop_pool);
	struct pool_config config = {
		.threads = MIN(MAX(threads, 1), LOOP_POOL_MAX),
	};

	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event_fd < 0)
		die("eventfd: %s", strerror(errno));
	config.event_fd = p->event_fd;
	p->pool = pool_new(&config);
	p->watch = loop_fd_new(loop, p->event_fd, collect, NULL, p);
	loop_fd_want(p->watch, true, false);
	return p;
}

void
loop_pool_free(struct loop_pool *p)
{
	if (p == NULL)
		return;
	pool_stop(p->pool);
	while (pool_load(p->pool) > 0)
		pool_finish(p->pool);
	pool_free(p->pool);
	loop_fd_free(p->watch);
	close(p->event_fd);
	free(p);
}

struct pool *
loop_pool(struct loop_pool *p)
{
	return p->pool;
}
