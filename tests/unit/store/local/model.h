/* SPDX-License-Identifier: ISC */
/*
 * model.h - a store small enough to be obviously right, and random work.
 *
 * Every batch writes its number into the key "n", so after a crash that key
 * says which prefix of the history is there; all else must equal the model's
 * state after exactly that batch.
 */
#pragma once

#include "kit.h"

#define MODEL_SHARDS    3
#define MODEL_KEYS      8
#define MODEL_BATCH_MAX 4096

struct model_value {
	uint32_t id;    /* 0: absent; the bytes follow from it */
	uint64_t blob;  /* 0: none */
	uint32_t bytes; /* of the blob: content follows from these two */
	uint32_t seed;
};

struct model_state {
	struct model_value v[MODEL_SHARDS][MODEL_KEYS];
};

struct model {
	uint64_t random;
	uint32_t next_id;
	uint32_t n;                  /* batches accepted */
	uint32_t acked;              /* batches whose callback ran */
	struct model_state *history; /* [n]: after batch n */
};

void model_init(struct model *m, uint64_t seed);
void model_done(struct model *m);
/* One random batch; the commit's answer. It may not be durable yet. */
int model_step(struct model *m, struct kit *k);
/* The batch that the store says is its last. */
uint32_t model_batch_of(struct kit *k);
/* Everything in the store is the state after batch n, and nothing else. */
void model_check(struct model *m, struct kit *k, uint32_t n);
/* Keep only the first n batches of the history. */
void model_cut(struct model *m, uint32_t n);
/* The highest id a blob ever had up to batch n. */
uint64_t model_max_blob(const struct model *m, uint32_t n);
/* A hash of all index entries but for where they lie. */
uint64_t model_index_hash(struct kit *k);
