/* SPDX-License-Identifier: ISC */
/*
 * limit.h - what accounts may send to other servers in a day, kept in the
 * store: counts, recipients that are known, and who is held or blocked.
 *
 *   OPEN --a message over a limit--> HELD --release--> OPEN
 *     ^                               |  |
 *     |                               |  +--open--> OPEN (its mail stays held)
 *     +------------open-- BLOCKED <--block (from any)
 *
 * Counts and known recipients become durable in the batch that puts the
 * message into the queue: a crash loses both, or none. Of an account that is
 * held, whatever it sends is taken and held as well; an account that is
 * blocked sends nothing. The rules are usage.h's.
 *
 * One shard: U account: usage; W account hash: a recipient that is known;
 * F domain: limits of its accounts. The engine is called from the store's main
 * thread only.
 */
#pragma once

#include "store/dir/dir.h"
#include "store/limit/usage.h"
#include "store/queue/queue.h"

#define LIMIT_KNOWN_MAX 50000 /* recipients of one account */

struct limiter;

struct limit_config {
	struct engine *engine;
	struct dir *dir;
	uint64_t (*now)(void *arg); /* seconds */
	void *arg;
	struct usage_limits limits;
};

/* Reads who is held. An error of the engine. */
int limiter_open(
    const struct limit_config *config, struct limiter **ret) WARN_UNUSED;
void limiter_free(struct limiter *l); /* NULL is fine */
void limiter_set_limits(struct limiter *l, const struct usage_limits *limits);
/* Accounts that are held. */
uint64_t limiter_held(const struct limiter *l);

/* --- a message ------------------------------------------------------------------- */

struct limit_message;

/*
 * A message of the account, to n recipients of other servers (0 too). DONE
 * with *ret, which is to be given to limiter_added(); PERMFAIL REASON_BLOCKED.
 */
struct verdict limiter_judge(struct limiter *l, uint64_t account,
    const struct queue_rcpt *rcpts, size_t n,
    struct limit_message **ret) WARN_UNUSED;
/* Why it is to be held; empty: it is not. Lives as long as m. */
struct str limit_message_reason(const struct limit_message *m);
/* Its counts become part of the batch. */
void limiter_put(struct limit_message *m, struct engine_batch *b);
/* The batch was accepted, or not (or never made). Frees m; NULL is fine. */
void limiter_added(struct limit_message *m, bool is_accepted);

/* --- telling the operator ------------------------------------------------------------ */

/* The next account of which nobody was told that it is held, with what to
 * tell (msg_limit_tell); it stays until limiter_told(). False: none. */
bool limiter_to_tell(struct limiter *l, struct buf *out, uint64_t *ret_account);
struct verdict limiter_told(struct limiter *l, uint64_t account) WARN_UNUSED;
/* It could not be told: the others come first, then it once more. */
void limiter_not_told(struct limiter *l, uint64_t account);

/* --- for the operator: requests of the command line ------------------------------------ */

struct verdict limiter_list(struct limiter *l, const struct msg_limit_list *q,
    struct buf *out) WARN_UNUSED;
/* Reply: msg_limit_row of the account as it is then (of a domain: none). */
struct verdict limiter_change(struct limiter *l,
    const struct msg_limit_change *q, struct buf *out) WARN_UNUSED;

/* A small step of forgetting recipients of long ago, and accounts that send
 * nothing any more. */
struct verdict limiter_purge_step(struct limiter *l) WARN_UNUSED;
/* An account's records against each other. */
struct verdict limiter_check_account(
    struct limiter *l, uint64_t account, struct mail_check *check) WARN_UNUSED;
