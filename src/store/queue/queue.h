/* SPDX-License-Identifier: ISC */
/*
 * queue.h - what leaves this machine: messages and their recipients until
 * each of them is delivered, has failed, or was cancelled.
 *
 * The queue keeps the truth; role send decides when and where to. An entry is
 * one recipient. It lies in the due index of its domain, and is lent to send
 * by a lease, whose number is the proof that a result is about this attempt.
 *
 *   WAITING --lease--> LEASED --DELIVERED, FAILED--> gone
 *      ^  |               |
 *      |  +--hold--> HELD <--HELD
 *      |               |  |
 *      +---release-----+  |
 *      +--DEFERRED, RELEASED, the lease's end--+
 *
 * A lease is durable before send sees it, and a result before send is told
 * so. Leases outlive the store's process and send's; they end with their
 * results, when their time is over and somebody asks, or when a send process
 * takes over and does not know them. In memory are a summary of each domain and the
 * entries that are leased; nothing of the others.
 *
 * All of it lies in one shard. The local engine joins any shards in a batch,
 * so that a message's local copies and its entries are one. The engine is
 * called from the store's main thread only. As in mail.h, what a call answers
 * may not be durable yet: wait for engine_position() before showing it.
 */
#pragma once

#include "store/engine.h"
#include "store/queue/queue_record.h"
#include "store/verdict.h"

#define QUEUE_TEXT_MAX    1000 /* bytes kept of a reply */
#define QUEUE_NAME_MAX    255  /* of host names and route names */
#define QUEUE_REPLY_MAX   MIB(8)
#define QUEUE_PREFIX_MAX  KIB(16)
#define QUEUE_ORCPT_MAX   600
#define QUEUE_ENVID_MAX   200
#define QUEUE_TRACE_MAX   64
#define QUEUE_RESULTS_MAX 4096 /* of one request */

struct queue;

struct queue_limits {
	uint64_t entries;         /* in all; 0: none */
	uint64_t account_entries; /* of one account; 0: none */
	uint32_t history_days;
};

struct queue_config {
	struct engine *engine;
	uint64_t (*now_ms)(void *arg);
	void *arg;
	struct queue_limits limits;
	/* The login of an account into out, which is empty; nothing when there
	 * is none. May be NULL. */
	void (*login)(void *arg, uint64_t account, struct buf *out);
};

/*
 * Reads the due index and the leases. An error of the engine; but when its
 * bytes are damaged, the queue is open and answers TEMPFAIL REASON_CORRUPT:
 * mailboxes have nothing to do with it.
 */
int queue_open(
    const struct queue_config *config, struct queue **ret) WARN_UNUSED;
void queue_free(struct queue *q); /* NULL is fine */
void queue_set_limits(struct queue *q, const struct queue_limits *limits);

/* --- in ------------------------------------------------------------------------ */

struct queue_message {
	struct str trace, mail_from, envid;
	struct str
	    via;       /* domain of the alias that forwards it for a stranger */
	uint64_t size; /* of the shared bytes */
	uint64_t account;
	uint8_t ret, body, flags; /* enum queue_message_flag */
	uint64_t arrival_ms;
	uint64_t hold_until; /* seconds; RFC 4865 */
	uint64_t deliver_by;
	uint8_t deliver_by_mode, priority;
	bool is_unlimited; /* a bounce is taken when the queue is full */
	struct str held;   /* it is held from the start, for this reason */
};
/* Return-Path and Delivered-To at the start of prefix are left out. */
struct queue_rcpt {
	struct str address, orcpt, prefix;
	uint8_t notify;
	bool is_local; /* of a user here; it waits for its time */
};
/* What a batch adds, until it is known whether it was accepted. */
struct queue_adding;

/*
 * May so many entries of this message be added? PERMFAIL when something in
 * it is over a limit, TEMPFAIL REASON_DISK_FULL: the queue is full,
 * REASON_QUEUE_LIMIT: the account has too much in it.
 */
struct verdict queue_may_add(const struct queue *q,
    const struct queue_message *m, const struct queue_rcpt *rcpts,
    size_t n) WARN_UNUSED;
/* Put a message with one reference to blob (0: it has no bytes), which the
 * caller has made, into the batch. */
struct queue_adding *queue_add(struct queue *q, struct engine_batch *b,
    const struct queue_message *m, const struct queue_rcpt *rcpts, size_t n,
    uint64_t blob);
/* The number of that message. */
uint64_t queue_adding_number(const struct queue_adding *a);
/* The batch was accepted, or not. */
void queue_added(struct queue_adding *a, bool is_accepted);
/* Was a message with this trace and size added before, and when was it: is it
 * (partly) here, or in the history, or known to have come (arrival.h)? */
struct verdict queue_knows(
    struct queue *q, struct str trace, uint64_t size, bool *ret) WARN_UNUSED;

/* The account that sent the message with this trace; NOT_FOUND. */
struct verdict queue_account_of(
    struct queue *q, struct str trace, uint64_t *ret) WARN_UNUSED;

/* --- out: requests of role send --------------------------------------------------- */

/*
 * From now on owner (not 0) is who leases. Those leases stay that are its own
 * and that it names; all others end, so many that their number is *ret_ended.
 * After an error nothing has changed.
 */
struct verdict queue_take(struct queue *q, uint64_t owner,
    const struct msg_queue_take *m, uint32_t *ret_ended) WARN_UNUSED;
bool queue_is_owner(const struct queue *q, uint64_t owner);
struct verdict queue_domains(struct queue *q, const struct msg_queue_domains *m,
    struct buf *out) WARN_UNUSED;
struct verdict queue_lease(struct queue *q, const struct msg_queue_lease *m,
    struct buf *out) WARN_UNUSED;
struct verdict queue_results(struct queue *q, const struct msg_queue_results *m,
    struct buf *out) WARN_UNUSED;
/* What the entry's bytes are: prefix (appended to out), then blob. */
struct queue_bytes {
	uint64_t blob, blob_size;
};
struct verdict queue_read(struct queue *q, const struct msg_queue_read *m,
    struct buf *out, struct queue_bytes *ret) WARN_UNUSED;

/*
 * The domains that have become due earlier than send was told, as a list of
 * msg_queue_domain of at most max bytes; they count as told. False: none.
 */
bool queue_take_due(struct queue *q, struct buf *out, size_t max) WARN_UNUSED;

/*
 * How much waits for domains, where that changed since it was told: a list of
 * msg_queue_count of at most max bytes; it counts as told. *ret_anew: what was told before
 * does not count any more. False: nothing is to be told.
 */
bool queue_take_counts(
    struct queue *q, struct buf *out, size_t max, bool *ret_anew) WARN_UNUSED;

/* --- for the operator: requests of the command line ---------------------------------- */

struct verdict queue_list(struct queue *q, const struct msg_queue_list *m,
    struct buf *out) WARN_UNUSED;
/* All domains that have entries, for QUEUE_TARGETS. */
struct verdict queue_targets(struct queue *q, const struct msg_queue_targets *m,
    struct buf *out) WARN_UNUSED;
/*
 * The mail servers of domains, a list of mx_found: what a filter's mx is compared with. Kept
 * until the domain has no entries any more, or the store ends. PERMFAIL: it is malformed.
 */
struct verdict queue_hosts(
    struct queue *q, const struct msg_list_reply *m) WARN_UNUSED;
struct verdict queue_change(struct queue *q, const struct msg_queue_change *m,
    struct buf *out) WARN_UNUSED;
struct verdict queue_trace(struct queue *q, const struct msg_queue_trace *m,
    struct buf *out) WARN_UNUSED;

/* A small step of forgetting the history of what left long ago. */
struct verdict queue_purge_step(struct queue *q) WARN_UNUSED;

/*
 * One step of checking everything in the shard against everything else in it:
 * from that key on (empty: the first), some thousand keys. next (a buf of
 * ENGINE_KEY_MAX) becomes where to go on; empty: that was all.
 */
struct queue_check {
	void (*problem)(void *arg, const char *text);
	void *arg;
	uint64_t messages, entries, problems; /* added to */
};
struct verdict queue_check_step(struct queue *q, struct str from,
    struct queue_check *check, struct buf *next) WARN_UNUSED;

struct queue_stats {
	uint64_t entries, domains, leased, leases;
};
void queue_stats(const struct queue *q, struct queue_stats *ret);
