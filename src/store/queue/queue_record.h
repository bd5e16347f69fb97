/* SPDX-License-Identifier: ISC */
/*
 * queue_record.h - keys and records of the queue's shard, as they lie on disk.
 *
 *   A account message                  a message that a limit of the account
 *                                      holds, or held: empty
 *   D domain 0 prio due message rcpt   due index; value: the account
 *   G message                          gone: head of a finished message
 *   H message time rcpt state          history: one event
 *   K hash message                     look-up by trace id or address: empty
 *   L lease                            lease: its items, owner and end
 *   M message                          message: envelope, blob, first prefix
 *   P message number                   further prefixes
 *   R message rcpt                     entry: one recipient
 *
 * Numbers in keys are big-endian, so that byte order is their order. Priority
 * is turned round in the key: the more important sorts first. An entry that
 * is held has the latest time there is. A record starts with its version.
 *
 * Pure: decoders take bytes from disk and check all of them; a record that
 * does not decode is reported as corrupt, never guessed at.
 */
#pragma once

#include "base/wire.h"

#define QUEUE_RECORD_VERSION 1
/* Of a message's record: 2 has via and hold_until. */
#define QUEUE_MESSAGE_VERSION 2
/* Of an entry's: 2 has freed_ms. */
#define QUEUE_ENTRY_VERSION 2

#define QUEUE_DOMAIN_MAX  170 /* bytes: it must fit into a key */
#define QUEUE_LOCAL_MAX   256 /* of UTF-8; RFC 5321 says 64 octets */
#define QUEUE_ADDRESS_MAX (QUEUE_DOMAIN_MAX + 1 + QUEUE_LOCAL_MAX)
#define QUEUE_RCPTS_MAX   4096 /* entries of one message */
#define QUEUE_LEASE_MAX   1000 /* entries of one lease */
#define QUEUE_TOGETHER    100  /* more than asked for, of one message */
#define QUEUE_PRIO_MAX    19   /* 10 is normal: RFC 6710's -9 .. 9 */
#define QUEUE_NEVER       UINT64_MAX

struct queue_key {
	uint8_t n;
	char b[199];
};

/* The key as a string that lives to the end of the block. */
#define QKEY(k) queue_key_str((struct queue_key[]){ (k) })

static inline struct str
queue_key_str(const struct queue_key *k)
{
	return (struct str){ k->b, k->n };
}

/* Where an entry stands in the due index. */
struct queue_place {
	uint8_t priority;
	uint64_t due_ms;
	uint64_t message;
	uint32_t rcpt;
};

struct queue_key qkey_kind(char kind); /* the start of a range */
/* G, L and M, and the start of all H, P and R of a message. */
struct queue_key qkey_id(char kind, uint64_t id);
struct queue_key qkey_entry(uint64_t message, uint32_t rcpt);
struct queue_key qkey_prefix(uint64_t message, uint32_t number);
struct queue_key qkey_limited(uint64_t account, uint64_t message);
struct queue_key qkey_due(struct str domain, const struct queue_place *p);
/* Before all entries of a domain with that priority (or one less urgent);
 * QUEUE_PRIO_MAX: before all of the domain. */
struct queue_key qkey_due_from(struct str domain, uint8_t priority);
/* Behind all entries of a domain, before those of the next one. */
struct queue_key qkey_due_end(struct str domain);
struct queue_key qkey_event(
    uint64_t message, uint64_t time_ms, uint32_t rcpt, uint8_t state);
/* text: a trace id or an address; letters of ASCII in any case are the same */
struct queue_key qkey_lookup(struct str text, uint64_t message);
/* That, or its like of another kind (arrival_record.h). */
typedef struct queue_key (*queue_lookup_fn)(struct str text, uint64_t message);

/* Take a key apart. False: not a key of that kind. */
bool qkey_read_id(struct str key, char kind, uint64_t *ret);
bool qkey_read_entry(struct str key, uint64_t *ret_message, uint32_t *ret_rcpt);
/* *ret_domain points into key. */
bool qkey_read_due(
    struct str key, struct str *ret_domain, struct queue_place *ret);
bool qkey_read_event(struct str key, uint64_t *ret_message,
    uint64_t *ret_time_ms, uint32_t *ret_rcpt, uint8_t *ret_state);
bool qkey_read_lookup(
    struct str key, uint64_t *ret_hash, uint64_t *ret_message);
bool qkey_read_limited(
    struct str key, uint64_t *ret_account, uint64_t *ret_message);

enum queue_message_flag {
	QUEUE_MESSAGE_SMTPUTF8 = 1,
	QUEUE_MESSAGE_REQUIRETLS = 2,
	QUEUE_MESSAGE_TLS_OPTIONAL = 4, /* TLS-Required: No */
	QUEUE_MESSAGE_LIMITED = 16,     /* it has a key A */
};

/* Decoded strings point into the value, in all of them. */
struct queue_message_record {
	uint64_t blob; /* 0: no shared bytes */
	uint64_t blob_size;
	struct str trace, mail_from;
	uint64_t account; /* who submitted it; 0: nobody (forward, bounce) */
	struct str envid;
	uint8_t ret, body, flags;
	uint64_t arrival_ms;
	uint64_t deliver_by;
	uint8_t deliver_by_mode;
	uint8_t priority;
	uint32_t n_rcpts; /* at first */
	uint32_t n_prefixes;
	struct str prefix; /* number 0 */
	struct str via;    /* domain of the alias that forwards it; or empty */
	uint64_t hold_until; /* seconds; 0: it was not held (RFC 4865) */
};

enum queue_entry_flag {
	QUEUE_ENTRY_HELD = 1,
	QUEUE_ENTRY_DELAY_TOLD = 2,
	QUEUE_ENTRY_CANCELLED = 4, /* to be returned to the sender */
	QUEUE_ENTRY_ROUTED = 8,    /* the operator has named the route */
	QUEUE_ENTRY_LIMITED = 16,  /* held by a limit of its account */
	QUEUE_ENTRY_LOCAL = 32,    /* for a user here, when it is due */
};

struct queue_entry_record {
	struct str address, orcpt;
	uint8_t notify, flags, priority;
	uint64_t account;
	uint32_t prefix; /* its number */
	uint32_t attempts;
	uint32_t leases; /* leases that ended with the entry still there */
	uint64_t due_ms;
	uint64_t tried_ms; /* 0: never */
	uint64_t freed_ms; /* when an operator released it; 0: never */
	struct str route, mx, reply;
};

struct queue_lease_item {
	uint64_t message;
	uint32_t rcpt;
	uint32_t leases; /* of the entry, when it was leased */
};

struct queue_lease_record {
	uint64_t owner, until_ms;
	struct str domain;
	uint32_t n;
	struct str items; /* n encoded ones */
};

struct queue_event_record {
	struct str address; /* only when the entry went with it */
	uint64_t due_ms;    /* of the next attempt; 0: none */
	struct str reply, mx, mx_ip, source_ip, tls, route;
};

struct queue_gone_record {
	struct str trace, mail_from;
	uint64_t account, size, arrival_ms, ended_ms;
	uint32_t n_rcpts;
};

void queue_message_record_encode(
    struct buf *b, const struct queue_message_record *r);
void queue_entry_record_encode(
    struct buf *b, const struct queue_entry_record *r);
void queue_lease_record_encode(
    struct buf *b, const struct queue_lease_record *r);
void queue_event_record_encode(
    struct buf *b, const struct queue_event_record *r);
void queue_gone_record_encode(struct buf *b, const struct queue_gone_record *r);
void queue_lease_item_put(struct buf *b, const struct queue_lease_item *i);
/* The value in the due index. */
void queue_account_encode(struct buf *b, uint64_t account);

/* On false *ret is untouched: the record is damaged. */
bool queue_message_record_decode(
    struct str val, struct queue_message_record *ret) WARN_UNUSED;
bool queue_entry_record_decode(
    struct str val, struct queue_entry_record *ret) WARN_UNUSED;
bool queue_lease_record_decode(
    struct str val, struct queue_lease_record *ret) WARN_UNUSED;
bool queue_event_record_decode(
    struct str val, struct queue_event_record *ret) WARN_UNUSED;
bool queue_gone_record_decode(
    struct str val, struct queue_gone_record *ret) WARN_UNUSED;
bool queue_lease_item_read(struct wire *w, struct queue_lease_item *ret);
bool queue_account_decode(struct str val, uint64_t *ret) WARN_UNUSED;
/* A further prefix: its version and its bytes. */
void queue_prefix_encode(struct buf *b, struct str prefix);
bool queue_prefix_decode(struct str val, struct str *ret) WARN_UNUSED;

/* local@domain that can be queued: the domain after the last @ is a name of
 * labels, in lower case; nothing in it is a control character. */
bool queue_address_is_ok(struct str address) WARN_UNUSED;
/* The address with its domain in lower case into out (emptied first); false:
 * it cannot be queued. */
bool queue_address_clean(struct str address, struct buf *out) WARN_UNUSED;
struct str queue_address_domain(struct str address);
