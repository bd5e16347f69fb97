/* SPDX-License-Identifier: ISC */
/* worker.h - what helper threads (base/pool.h) have at hand for blobs. */
#pragma once

#include "base/pool.h"
#include "store/local/zblob.h"

struct worker {
	struct zblob *z;
	struct buf in, out; /* scratch, kept from job to job */
};

/* Each job's own thing is a struct worker. dict outlives the pool. */
struct pool *worker_pool_new(
    unsigned threads, int event_fd, struct zblob_dict *dict);
