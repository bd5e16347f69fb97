/* SPDX-License-Identifier: ISC */
/*
 * loop.c - the event loop: libevent, one round at a time.
 *
 * We run event_base_loop() with EVLOOP_ONCE, so that there is a point after
 * every round where deferred calls and the each-round functions run. A call
 * that is deferred while deferred calls run waits for the next round, and
 * that round does not block: nobody can starve the sockets.
 */
#include "net/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <time.h>

struct deferred {
	loop_fn fn;
	void *arg;
};

struct deferred_list {
	struct deferred *items;
	size_t n, cap;
};

struct loop {
	struct event_base *base;
	struct deferred_list deferred; /* for the end of this round */
	struct deferred_list running;  /* those that run now */
	struct deferred_list each;
	bool is_stopped;
};

struct loop *
loop_new(void)
{
	struct loop *l = X_NEW(struct loop);
	struct event_config *config = event_config_new();

	if (config == NULL)
		die("event_config_new: out of memory");
	/* One thread a loop; nobody steers us by environment variables. */
	event_config_set_flag(
	    config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (l->base == NULL)
		die("event_base_new: %s", strerror(errno));

	/* Writing to a closed connection is an error code, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	event_base_free(l->base);
	free(l->deferred.items);
	free(l->running.items);
	free(l->each.items);
	free(l);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

static void
list_add(struct deferred_list *list, loop_fn fn, void *arg)
{
	list->items =
	    x_grow(list->items, &list->cap, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = (struct deferred){ fn, arg };
}

void
loop_defer(struct loop *l, loop_fn fn, void *arg)
{
	list_add(&l->deferred, fn, arg);
}

void
loop_each_round(struct loop *l, loop_fn fn, void *arg)
{
	list_add(&l->each, fn, arg);
}

static void
run_deferred(struct loop *l)
{
	struct deferred_list swap = l->running;

	l->running = l->deferred;
	l->deferred = swap;
	for (size_t i = 0; i < l->running.n; i++)
		l->running.items[i].fn(l->running.items[i].arg);
	l->running.n = 0;
}

void
loop_run(struct loop *l)
{
	l->is_stopped = false;
	while (!l->is_stopped) {
		int flags = EVLOOP_ONCE;

		if (l->deferred.n > 0)
			flags |= EVLOOP_NONBLOCK;
		/* 1: there is nothing to wait for, and never will be. */
		if (event_base_loop(l->base, flags) == 1 && l->deferred.n == 0)
			break;
		run_deferred(l);
		for (size_t i = 0; i < l->each.n; i++)
			l->each.items[i].fn(l->each.items[i].arg);
	}
}

void
loop_stop(struct loop *l)
{
	l->is_stopped = true;
}

/* --- clocks ---------------------------------------------------------------- */

static uint64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
loop_now_ms(UNUSED const struct loop *l)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t
loop_time(UNUSED const struct loop *l)
{
	return clock_ms(CLOCK_REALTIME) / 1000;
}

uint64_t
loop_time_ms(UNUSED const struct loop *l)
{
	return clock_ms(CLOCK_REALTIME);
}

/* --- timers ---------------------------------------------------------------- */

struct loop_timer {
	struct event *ev;
	loop_fn fn;
	void *arg;
};

static struct event *
event_new_checked(
    struct loop *l, int fd, short what, event_callback_fn fn, void *arg)
{
	struct event *ev = event_new(l->base, fd, what, fn, arg);

	if (ev == NULL)
		die("event_new: out of memory");
	return ev;
}

static void
on_timer(UNUSED int fd, UNUSED short what, void *arg)
{
	struct loop_timer *t = arg;

	t->fn(t->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_timer *t = X_NEW(struct loop_timer);

	t->fn = fn;
	t->arg = arg;
	t->ev = event_new_checked(l, -1, 0, on_timer, t);
	return t;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}

void
loop_timer_set(struct loop_timer *t, uint64_t delay_ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(delay_ms / 1000),
		.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000),
	};

	if (event_add(t->ev, &tv) < 0)
		die("event_add: timer");
}

void
loop_timer_clear(struct loop_timer *t)
{
	event_del(t->ev);
}

/* --- descriptors ------------------------------------------------------------- */

struct loop_fd {
	struct event *read, *write;
	loop_fn readable, writable;
	void *arg;
};

static void
on_readable(UNUSED int fd, UNUSED short what, void *arg)
{
	struct loop_fd *f = arg;

	f->readable(f->arg);
}

static void
on_writable(UNUSED int fd, UNUSED short what, void *arg)
{
	struct loop_fd *f = arg;

	f->writable(f->arg);
}

struct loop_fd *
loop_fd_new(
    struct loop *l, int fd, loop_fn readable, loop_fn writable, void *arg)
{
	struct loop_fd *f = X_NEW(struct loop_fd);

	f->readable = readable;
	f->writable = writable;
	f->arg = arg;
	f->read =
	    event_new_checked(l, fd, EV_READ | EV_PERSIST, on_readable, f);
	f->write =
	    event_new_checked(l, fd, EV_WRITE | EV_PERSIST, on_writable, f);
	return f;
}

void
loop_fd_free(struct loop_fd *f)
{
	if (f == NULL)
		return;
	event_free(f->read);
	event_free(f->write);
	free(f);
}

static void
event_want(struct event *ev, bool want)
{
	if ((want ? event_add(ev, NULL) : event_del(ev)) < 0)
		die("event_add: descriptor: %s", strerror(errno));
}

void
loop_fd_want(struct loop_fd *f, bool read, bool write)
{
	ASSERT(!read || f->readable != NULL);
	ASSERT(!write || f->writable != NULL);
	event_want(f->read, read);
	event_want(f->write, write);
}

/* --- signals ------------------------------------------------------------------ */

struct loop_signal {
	struct event *ev;
	loop_fn fn;
	void *arg;
};

static void
on_signal(UNUSED int signo, UNUSED short what, void *arg)
{
	struct loop_signal *s = arg;

	s->fn(s->arg);
}

struct loop_signal *
loop_signal_new(struct loop *l, int signo, loop_fn fn, void *arg)
{
	struct loop_signal *s = X_NEW(struct loop_signal);

	s->fn = fn;
	s->arg = arg;
	s->ev =
	    event_new_checked(l, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
	if (event_add(s->ev, NULL) < 0)
		die("event_add: signal %d: %s", signo, strerror(errno));
	return s;
}

void
loop_signal_free(struct loop_signal *s)
{
	if (s == NULL)
		return;
	event_free(s->ev);
	free(s);
}
