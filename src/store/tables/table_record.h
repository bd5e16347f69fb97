/* SPDX-License-Identifier: ISC */
/*
 * table_record.h - keys and values of the ledger's shard.
 *
 *   R table key         row: when it ends, and its value
 *   T time table key    it ends then; no value
 *
 * table is one byte, time 8 bytes, big-endian, in seconds.
 *
 * Pure. Decoders give false for anything that an encoder did not write.
 */
#pragma once

#include "base/buf.h"
#include "proc/ledger.h"

#define TABLES_SHARD ((struct engine_shard){ 'l', 1 })

#define TABLE_RECORD_VERSION 1

struct table_key {
	uint8_t n;
	char p[1 + 8 + 1 + LEDGER_KEY_MAX + 1];
};

static inline struct str
table_key_str(const struct table_key *k)
{
	return (struct str){ k->p, k->n };
}

/* The first key of a kind. */
struct table_key table_key_kind(char kind);
/* key: at most LEDGER_KEY_MAX bytes. */
struct table_key table_key_row(uint8_t table, struct str key);
struct table_key table_key_end(uint64_t until, uint8_t table, struct str key);
/* The first key behind all that begin with k. */
struct table_key table_key_behind(struct table_key k);
/* The first key behind k. */
struct table_key table_key_next(struct table_key k);

/* What a key names; *ret_key points into it. */
bool table_key_read_row(
    struct str in, uint8_t *ret_table, struct str *ret_key) WARN_UNUSED;
bool table_key_read_end(struct str in, uint64_t *ret_until, uint8_t *ret_table,
    struct str *ret_key) WARN_UNUSED;

struct table_record {
	uint64_t until; /* 0: it stays */
	struct str value;
};

void table_record_encode(struct buf *b, const struct table_record *r);
bool table_record_decode(struct str val, struct table_record *ret) WARN_UNUSED;
