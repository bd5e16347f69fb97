/* SPDX-License-Identifier: ISC */
/*
 * record.h - the records of the log, as bytes.
 *
 * header (40 bytes) | ops | data | zeros up to a multiple of 8
 *
 * The header's checksum covers header and ops; each blob op carries the
 * checksum of its part of the data, so that nobody has to read blob bytes
 * twice. Sequence numbers rise by exactly one from record to record. durable
 * is the last sequence that had reached the disk when the record was made:
 * it tells a torn group of a crash (nobody was promised anything) from a
 * damaged record (somebody was).
 *
 * The checksum of header and ops is seeded with a secret of the store. After
 * damage, records are looked for at every offset, also inside of blobs; and
 * a blob is mail, which anybody may have written.
 *
 * Pure: no I/O, no clock, no globals.
 */
#pragma once

#include "base/wire.h"
#include "store/engine.h"

#define RECORD_HEADER   40
#define RECORD_OPS_MAX  (ENGINE_BATCH_MAX + MIB(1))
#define RECORD_DATA_MAX MIB(512)
#define RECORD_BLOBS    1024 /* new blobs in one batch */

enum record_kind {
	RECORD_BATCH = 1,  /* one commit: its ops have the record's sequence */
	RECORD_RELOC = 2,  /* moved by garbage collection: own sequences */
	RECORD_EXPORT = 3, /* part of an export: not in a log */
};

struct record {
	enum record_kind kind;
	uint64_t seq, durable;
	struct str ops, data; /* borrowed */
	size_t size;          /* all of it, padding included */
};

enum record_verdict {
	RECORD_OK,
	RECORD_MORE, /* ret->size says how many bytes are needed */
	RECORD_END,  /* nothing but zeros in the header: no record here */
	RECORD_BAD,
};

/*
 * Look at the record at the start of in. The checksum of header and ops is
 * verified; the data is not (record_data_is_good()).
 */
enum record_verdict record_parse(
    struct str in, uint64_t seed, struct record *ret);
/* Fill in the 40 bytes in front of ops and data. */
void record_header_put(char to[RECORD_HEADER], const struct record *r,
    uint64_t data_len, uint64_t seed);
/* Bytes of a record with padding. */
size_t record_size(size_t ops_len, uint64_t data_len);

enum op_kind {
	OP_PUT = 1,
	OP_DEL = 2,
	OP_DEL_RANGE = 3,
	OP_BLOB = 4, /* bytes in the data part, and the number of references */
	OP_REFS = 5, /* the number of references; 0: gone */
};

struct op {
	enum op_kind kind;
	uint64_t seq; /* of the batch that wrote it */
	struct engine_shard shard;
	struct str key, val; /* of a range: from, to */
	uint64_t blob, sum;
	uint32_t refs, raw, stored;
	uint8_t codec;
	uint64_t data_off; /* of the blob, from the start of the record */
	size_t size;       /* encoded */
};

/* Append one op; kind of the record decides whether seq is written. */
void op_put(struct buf *b, enum record_kind kind, const struct op *op);

struct op_reader {
	struct wire in;
	enum record_kind kind;
	uint64_t seq, data_off, data_end;
};
struct op_reader op_read(const struct record *r);
/* 1 an op, 0 the end, -1 the record makes no sense. */
int op_next(struct op_reader *o, struct op *ret);

/* Every op decodes, and every blob's checksum fits. */
bool record_is_sound(const struct record *r) WARN_UNUSED;

/* What an op counts for in the accounts of its segment. */
uint64_t op_cost_kv(size_t key_len, size_t val_len);
uint64_t op_cost_blob(uint64_t stored);
