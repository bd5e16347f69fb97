/* SPDX-License-Identifier: ISC */
/*
 * backoff.h - when to start a process again that ended.
 *
 * A process that served for a while is started again at once, however often:
 * whoever killed it wants it back. One that ends again and again before it
 * could serve waits longer and longer. Pure; times are of a monotonic clock.
 */
#pragma once

#include "base/base.h"

/* Serving this long counts as healthy. */
#define BACKOFF_HEALTHY_MS 1000
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MAX_MS     10000

struct backoff {
	unsigned failures; /* in a row */
};

/*
 * The delay before the next start, in milliseconds. served_ms: how long the
 * process served after it was ready; 0 when it never was.
 */
uint64_t backoff_next(struct backoff *b, uint64_t served_ms);
