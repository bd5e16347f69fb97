/* SPDX-License-Identifier: ISC */
/*
 * mail.h - what mailboxes mean: UIDs, mod-sequences, flags, quotas, undelete.
 *
 * Written once, above engine.h. Each call runs to its end: it reads, decides,
 * and commits at most a few batches; nobody sees a state in between. What a
 * call answers may not be durable yet: the caller waits for mail_position()
 * of the account before it shows the answer to anybody.
 *
 * Requests and replies are the structs of proc/ipc_structs.def. Requests are
 * from a front that nobody trusts: every number in them is checked here.
 * Unless said otherwise a call appends its encoded reply to out when the
 * verdict is DONE, and leaves everything as it was when it is not.
 *
 * The engine is called from the store's main thread only.
 */
#pragma once

#include "store/engine.h"
#include "store/verdict.h"

/* Limits. */
#define MAIL_NAME_MAX      1000  /* bytes of a mailbox name */
#define MAIL_DEPTH_MAX     32    /* levels of it */
#define MAIL_MAILBOXES_MAX 10000 /* of an account; also of subscriptions */
#define MAIL_PREFIX_MAX    KIB(16)
#define MAIL_STRUCTURE_MAX MIB(2)
#define MAIL_APPEND_MAX    1000    /* messages of one APPEND */
#define MAIL_DEDUPE_MAX    128     /* bytes of its de-duplication text */
#define MAIL_TRACE_MAX     64      /* bytes of a trace id */
#define MAIL_KEYWORD_MAX   64      /* bytes of a keyword's name */
#define MAIL_BATCH_MAX     10000   /* messages that change in one batch */
#define MAIL_RETRY_SCAN    20000   /* messages looked through for a trace */
#define MAIL_PORTION       32768   /* entries of one reply */
#define MAIL_REPLY_MAX     MIB(24) /* bytes of one reply */
#define MAIL_INBOX         1       /* the number of INBOX in every account */

struct mail;

struct mail_config {
	struct engine *engine;
	uint64_t (*now)(void *arg); /* seconds since 1970 */
	/* Entries of this mailbox changed (accepted, not yet durable). */
	void (*changed)(void *arg, uint64_t account, uint32_t mailbox);
	void *arg;
	uint32_t undelete_days;  /* 0: an expunged message is gone at once */
	uint32_t cache_accounts; /* kept in memory; 0: default */
};

struct mail *mail_new(const struct mail_config *config);
void mail_free(struct mail *m);
void mail_set_undelete_days(struct mail *m, uint32_t days);
/* Wait until this position is durable before showing this account's data. */
uint64_t mail_position(struct mail *m, uint64_t account);

/* --- accounts -------------------------------------------------------------- */

struct mail_quota {
	uint64_t bytes_limit, messages_limit; /* 0: none */
};

/* Put a new account's records into the batch: INBOX and the usual folders. */
void mail_account_create(struct mail *m, struct engine_batch *b,
    uint64_t account, struct mail_quota quota);
struct verdict mail_account_info(struct mail *m, uint64_t account,
    struct msg_quota_reply *ret, uint32_t *ret_mailboxes) WARN_UNUSED;
struct verdict mail_account_quota(
    struct mail *m, uint64_t account, struct mail_quota quota) WARN_UNUSED;
/*
 * Remove a part of an account for good; nothing else may use it any more.
 * *ret_is_gone: that was the last part.
 */
struct verdict mail_account_purge(
    struct mail *m, uint64_t account, bool *ret_is_gone) WARN_UNUSED;
/* How many bytes the account takes now; *ret_is_over: it is over its quota.
 * 0 in *ret_room: there is no limit. */
struct verdict mail_room(struct mail *m, uint64_t account, uint64_t *ret_room,
    bool *ret_is_over) WARN_UNUSED;

/* --- mailboxes -------------------------------------------------------------- */

struct verdict mail_list(struct mail *m, uint64_t account,
    const struct msg_mailbox_list *q, struct buf *out) WARN_UNUSED;
struct verdict mail_status(struct mail *m, uint64_t account,
    const struct msg_mailbox_status *q, struct buf *out) WARN_UNUSED;
struct verdict mail_create(struct mail *m, uint64_t account,
    const struct msg_mailbox_create *q, struct buf *out) WARN_UNUSED;
struct verdict mail_delete(struct mail *m, uint64_t account,
    const struct msg_mailbox_delete *q) WARN_UNUSED;
struct verdict mail_rename(struct mail *m, uint64_t account,
    const struct msg_mailbox_rename *q) WARN_UNUSED;
struct verdict mail_subscribe(struct mail *m, uint64_t account,
    const struct msg_mailbox_subscribe *q) WARN_UNUSED;
/* *ret_mailbox: its number; *ret_modseq: what is known from now on. */
struct verdict mail_open(struct mail *m, uint64_t account,
    const struct msg_mailbox_open *q, uint32_t *ret_mailbox,
    struct buf *out) WARN_UNUSED;
/* Highest mod-sequence; 0: there is no such mailbox. */
uint64_t mail_mailbox_modseq(
    struct mail *m, uint64_t account, uint32_t mailbox);

/* --- messages ---------------------------------------------------------------- */

struct verdict mail_entries(struct mail *m, uint64_t account,
    const struct msg_entries *q, struct buf *out) WARN_UNUSED;
struct verdict mail_flags(struct mail *m, uint64_t account,
    const struct msg_flags *q, struct buf *out) WARN_UNUSED;
struct verdict mail_expunge(struct mail *m, uint64_t account,
    const struct msg_expunge *q, struct buf *out) WARN_UNUSED;
struct verdict mail_copy(struct mail *m, uint64_t account,
    const struct msg_copy *q, struct buf *out) WARN_UNUSED;
struct verdict mail_quota(
    struct mail *m, uint64_t account, struct buf *out) WARN_UNUSED;

/* One item of an APPEND, its blob stored already; ticket NULL: no bytes. */
struct mail_append_item {
	struct msg_append_item msg;
	struct engine_ticket *ticket;
};
/* Check the request before its bytes are stored. */
struct verdict mail_append_check(
    struct mail *m, uint64_t account, const struct msg_append *q) WARN_UNUSED;
/* Would messages of that size be taken now? NOT_FOUND: no such mailbox. */
struct verdict mail_append_room(struct mail *m, uint64_t account,
    const struct msg_append_check *q) WARN_UNUSED;
/*
 * All items or none; uses up tickets (set to NULL) or leaves them. An item
 * whose dedupe text was seen in the last weeks is left out and not counted.
 */
struct verdict mail_append(struct mail *m, uint64_t account, struct str name,
    struct mail_append_item *items, size_t n, struct buf *out) WARN_UNUSED;

/* One copy of a message that is delivered. */
struct mail_copy_to {
	uint64_t account;
	struct str prefix;
	struct str address; /* of the recipient; for who asks here */
	bool is_skipped;    /* set here: it was there already (a retry) */
	bool is_in_junk;    /* set here: not into INBOX, but into Junk */
};
struct mail_delivery {
	struct engine_ticket *ticket; /* used up when DONE */
	uint64_t size;
	uint64_t crlf_extra;
	uint64_t received; /* becomes the internal date */
	struct str trace, structure;
	bool is_retry; /* look whether the trace is there already */
	bool is_junk;  /* not into INBOX where an account has a Junk */
	/* Puts more into the same batch: blob has a reference for it. NULL:
	 * nothing. It runs when all accounts were found. */
	void (*more)(void *arg, struct engine_batch *b, uint64_t blob);
	/* Puts a note into it, last; NULL: none. Not for the same copies once more. */
	void (*note)(void *arg, struct engine_batch *b);
	void *arg; /* of both */
};
/* Into the INBOX (or Junk) of all accounts, in one batch. Quotas are not checked. With
 * more, n may be 0. */
struct verdict mail_deliver(struct mail *m, struct mail_delivery *d,
    struct mail_copy_to *to, size_t n) WARN_UNUSED;

/*
 * FETCH in two steps: collect what the records hold, then read the bodies
 * asked for (engine_blob_read) and finish. A body of more than
 * FETCH_FD_BYTES is alone in its reply and goes to a descriptor.
 */
struct mail_fetch_item {
	size_t end; /* offset behind it in items */
	bool has_read;
};
struct mail_fetch {
	struct buf items; /* encoded, bodies empty */
	uint32_t next_uid;
	bool is_in_fd;
	struct mail_fetch_item *v;
	size_t n, cap;
	struct engine_read *reads; /* of the items that have one, in order */
	size_t n_reads, cap_reads;
};
struct verdict mail_fetch_collect(struct mail *m, uint64_t account,
    const struct msg_fetch *q, struct mail_fetch *ret) WARN_UNUSED;
/* Encode the reply; r is what came of the reads, NULL when there are none. */
void mail_fetch_finish(const struct mail_fetch *f,
    const struct engine_read_result *r, struct buf *out);
void mail_fetch_done(struct mail_fetch *f);

/* --- getting back, and letting go --------------------------------------------- */

/* Messages expunged at or after since, back into their mailbox or into the
 * one called name (made if need be). */
struct verdict mail_undelete(struct mail *m, uint64_t account, uint64_t since,
    struct str name, uint64_t *ret_count) WARN_UNUSED;
/* A small step of letting go of what was expunged before the undelete window;
 * walks through all accounts, again and again. */
struct verdict mail_purge_step(struct mail *m) WARN_UNUSED;

/* --- checking ------------------------------------------------------------------ */

struct mail_check {
	void (*problem)(void *arg, const char *text);
	void *arg;
	uint64_t messages, bytes; /* added to */
	uint64_t problems;        /* added to */
};
/* Everything in one account's shard against everything else in it. */
struct verdict mail_check_account(
    struct mail *m, uint64_t account, struct mail_check *check) WARN_UNUSED;
