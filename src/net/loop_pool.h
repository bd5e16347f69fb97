/* SPDX-License-Identifier: ISC */
/* loop_pool.h - helper threads (base/pool.h) whose answers come in the loop. */
#pragma once

#include "base/pool.h"
#include "net/loop.h"

struct loop_pool;

/* Threads start here: at least one, LOOP_POOL_MAX at most. */
#define LOOP_POOL_MAX 64
struct loop_pool *loop_pool_new(struct loop *loop, unsigned threads);
/* Waits for all jobs, and runs their done functions; NULL is fine. */
void loop_pool_free(struct loop_pool *p);
/* Of pool_add(), pool_load(); lives as long as p. */
struct pool *loop_pool(struct loop_pool *p);
