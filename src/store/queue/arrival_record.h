/* SPDX-License-Identifier: ISC */
/*
 * arrival_record.h - how a message came and whose mailboxes it went into, as
 * it lies on disk in the queue's shard.
 *
 *   I message part         part 0 is the head and the first copies; further
 *                          parts are copies alone
 *   J hash message         look-up by trace id or address, of a message that
 *                          nothing was queued of: empty
 *
 * message is the number that its part in the queue has as well (records M, G,
 * H, ..., queue_record.h), when it has one; then K looks it up.
 *
 * Pure: decoders take bytes from disk and check all of them.
 */
#pragma once

#include "store/queue/queue_record.h"

#define ARRIVAL_VERSION    1
#define ARRIVAL_NAME_MAX   255  /* of a client's name, and of its TLS */
#define ARRIVAL_RESULT_MAX 600  /* of what was found out about it */
#define ARRIVAL_COPIES_MAX 4096 /* noted of one message; others are counted */
#define ARRIVAL_PART_BYTES KIB(16)

enum arrival_flag {
	ARRIVAL_IS_ALL = 1, /* nothing of it was queued: J looks it up */
};

/* Strings point into the value. */
struct arrival_record {
	struct str trace, mail_from;
	struct str login; /* of who had signed in; empty: nobody */
	uint64_t size, arrival_ms;
	uint32_t n_copies; /* mailboxes that it went into, in all parts */
	uint8_t flags;
	struct str service, client, ip, tls, results;
	struct str copies; /* encoded */
};

enum arrival_copy_flag {
	ARRIVAL_COPY_JUNK = 1, /* not into INBOX, but into Junk */
	ARRIVAL_COPY_FORWARDED =
	    2, /* to another server: login is its address there */
};

struct arrival_copy {
	struct str address; /* of the recipient */
	struct str login;   /* whose mailbox it is; empty: it is the address */
	uint8_t flags;
};

struct queue_key akey_part(uint64_t message, uint32_t part);
/* All parts of a message, and all messages, lie from here. */
struct queue_key akey_from(uint64_t message);
struct queue_key akey_lookup(struct str text, uint64_t message);
/* The look-up of a message that came with these flags: J, or K of its part in
 * the queue. */
struct queue_key akey_lookup_of(
    uint8_t flags, struct str text, uint64_t message);
/* False: not a key of that kind. */
bool akey_read_part(struct str key, uint64_t *ret_message, uint32_t *ret_part);
bool akey_read_lookup(
    struct str key, uint64_t *ret_hash, uint64_t *ret_message);

void arrival_record_encode(struct buf *b, const struct arrival_record *r);
/* On false *ret is untouched: the record is damaged. */
bool arrival_record_decode(
    struct str val, struct arrival_record *ret) WARN_UNUSED;
/* A further part: its version, and copies. */
void arrival_part_encode(struct buf *b, struct str copies);
bool arrival_part_decode(struct str val, struct str *ret_copies) WARN_UNUSED;
void arrival_copy_put(struct buf *b, const struct arrival_copy *c);
/* False: that was the last one, or it is damaged. */
bool arrival_copy_read(struct wire *w, struct arrival_copy *ret);
