/* SPDX-License-Identifier: ISC */
/*
 * batch.h - a batch while it is being put together.
 *
 * Keys and values are encoded as log ops at once; what depends on the state
 * of the store (checks, reference counts) waits for the commit.
 */
#pragma once

#include "store/local/local.h"

struct check {
	enum { CHECK_ABSENT, CHECK_EQ, CHECK_LEASE } kind;
	struct engine_shard shard;
	struct str key, val; /* owned */
	uint64_t epoch;
};

struct engine_batch {
	struct engine *e;
	int err; /* the first one */
	bool is_freeing;
	struct buf ops;
	struct check *checks;
	size_t checks_n, checks_cap;
	struct engine_shard *shards; /* distinct, for watches */
	size_t shards_n, shards_cap;
	struct batch_ticket {
		uint64_t blob;
		struct engine_ticket *ticket;
	} * tickets;
	size_t tickets_n, tickets_cap;
	struct batch_delta {
		uint64_t blob;
		int64_t delta;
	} * deltas;
	size_t deltas_n, deltas_cap;
};

void batch_sort_deltas(struct engine_batch *b);
/* References more (or less) by any number. */
void batch_blob_add(struct engine_batch *b, uint64_t blob, int64_t delta);
/* A put that may name the shard of leases. */
void batch_put_any(struct engine_batch *b, struct engine_shard shard,
    struct str key, struct str val);
/* 0, ENGINE_FENCED, or an error. */
int lease_check(
    struct engine *e, struct engine_shard shard, uint64_t epoch) WARN_UNUSED;
