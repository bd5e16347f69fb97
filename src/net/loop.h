/* SPDX-License-Identifier: ISC */
/*
 * loop.h - the event loop of a process: descriptors, timers, deferred calls.
 *
 * Wraps libevent's event_base. One loop a process, one thread. Nobody frees
 * an object inside a callback of the same object: loop_defer() runs a call
 * after the callbacks of this round, before the loop waits again.
 */
#pragma once

#include "base/base.h"

struct loop;
struct event_base;

struct loop *loop_new(void);
void loop_free(struct loop *l);
/* Runs until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* For the other files of net/ only. */
struct event_base *loop_base(struct loop *l);

/* Milliseconds of a clock that never jumps. */
uint64_t loop_now_ms(const struct loop *l);
/* Wall clock, seconds and milliseconds since 1970. */
uint64_t loop_time(const struct loop *l);
uint64_t loop_time_ms(const struct loop *l);

typedef void (*loop_fn)(void *arg);

/* Run fn once after this round's callbacks; calls run in order. */
void loop_defer(struct loop *l, loop_fn fn, void *arg);
/* Run fn after every round, before the loop waits (e.g. to flush). The
 * registration lives as long as the loop. */
void loop_each_round(struct loop *l, loop_fn fn, void *arg);

/* A timer: one shot, armed again as often as wanted. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *arg);
void loop_timer_free(struct loop_timer *t);
void loop_timer_set(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_clear(struct loop_timer *t);

/* Watch a descriptor (level-triggered). The descriptor stays the caller's. */
struct loop_fd;
struct loop_fd *loop_fd_new(
    struct loop *l, int fd, loop_fn readable, loop_fn writable, void *arg);
void loop_fd_free(struct loop_fd *f);
void loop_fd_want(struct loop_fd *f, bool read, bool write);

struct loop_signal;
struct loop_signal *loop_signal_new(
    struct loop *l, int signo, loop_fn fn, void *arg);
void loop_signal_free(struct loop_signal *s);
