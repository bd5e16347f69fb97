/* SPDX-License-Identifier: ISC */
/*
 * kit.h - what tests of an engine share: a folder of their own, and calls
 * that wait for their callback.
 */
#pragma once

#include "store/engine.h"

struct kit {
	char dir[64];
	struct engine *e;
	struct engine_config config;
	struct engine_open_report report;
};

/* A new empty folder; the engine is not open yet. */
void kit_init(struct kit *k, unsigned helper_threads);
/* Closes, removes the folder. */
void kit_done(struct kit *k);
void kit_open(struct kit *k); /* dies when it cannot */
void kit_close(struct kit *k);
/* Close the way a crash does: what is only in memory is lost. */
void kit_rmdir(const char *dir);

/* Until *flag is set; dies after some seconds. */
void kit_wait(struct kit *k, const int *flag);
/* Commit and wait until durable; the answer of the commit. */
int kit_commit(struct kit *k, struct engine_batch *b);
int kit_put(
    struct kit *k, struct engine_shard shard, const char *key, struct str val);
struct engine_ticket *kit_ticket(struct kit *k, struct str raw);
/* The same for what is gone soon. */
struct engine_ticket *kit_brief_ticket(struct kit *k, struct str raw);
/* Store as a blob of its own, with one reference; its id. */
uint64_t kit_blob(struct kit *k, struct str raw);
/* Raw bytes [off, off + n) of a blob appended to b; what got[] said. */
int64_t kit_read(
    struct kit *k, uint64_t blob, uint64_t off, uint64_t n, struct buf *b);
/* Text that packs like mail, or bytes that do not pack at all. */
void kit_text(struct buf *b, uint64_t seed, size_t n);
void kit_noise(struct buf *b, uint64_t seed, size_t n);
uint64_t kit_random(uint64_t *state);
