/* SPDX-License-Identifier: ISC */
/*
 * mail_internal.h - cached accounts and the transaction, for store/mail only.
 *
 * An account in memory is a copy of its records, written through: a
 * transaction changes it in place and commits; when the commit is refused
 * the copy is dropped and read again. So a pointer to an account or mailbox
 * is valid until the transaction's end, or the next account_get().
 */
#pragma once

#include "store/mail/mail.h"
#include "store/mail/record.h"
#include "store/map.h"

struct mailbox {
	uint32_t id;
	struct mailbox_record r; /* name and keywords are owned */
	bool is_dirty;
	/* Number of recent messages, counted at this mod-sequence. */
	uint32_t recent, recent_from;
	uint64_t recent_modseq;
};

struct subscription {
	uint32_t id;
	struct str name; /* owned */
};

struct account {
	uint64_t id;
	struct account_record r;
	struct mailbox **by_name, **by_id; /* ascending, the same ones */
	size_t n, cap_name, cap_id;
	struct subscription *subs; /* by name */
	size_t n_subs, cap_subs;
	bool has_subs;       /* subs were read */
	uint64_t position;   /* of its last commit */
	uint64_t new_modseq; /* of the transaction under way */
	bool is_in_tx;
	struct account *older, *newer; /* by last use */
};

struct mail {
	struct mail_config config;
	struct engine *engine;
	struct map accounts;
	struct account *oldest, *newest;
	uint64_t purge_after; /* the account visited last */
};

static inline struct engine_shard
account_shard(uint64_t account)
{
	return (struct engine_shard){ 'a', account };
}

static inline uint64_t
mail_now(const struct mail *m)
{
	return m->config.now(m->config.arg);
}

/* --- account.c ---------------------------------------------------------------- */

/* NOT_FOUND REASON_NO_USER when there is no such account. */
struct verdict account_get(
    struct mail *m, uint64_t id, struct account **ret) WARN_UNUSED;
void account_forget(struct mail *m, struct account *a);
struct mailbox *account_mailbox(const struct account *a, uint32_t id);
/* name as in mailbox_name_clean(). */
struct mailbox *account_find(const struct account *a, struct str name);
/* Index of the first name >= this one. */
size_t account_name_index(const struct account *a, struct str name);
/* Takes mb; its name is not there yet, its id is the highest. */
void account_add_mailbox(struct account *a, struct mailbox *mb);
/* Takes it out and frees it. */
void account_remove_mailbox(struct account *a, struct mailbox *mb);
void account_rename_mailbox(
    struct account *a, struct mailbox *mb, struct str name);
/* Both by id; NOT_FOUND REASON_NO_MAILBOX when the mailbox is not there. */
struct verdict mailbox_get(struct mail *m, uint64_t account, uint32_t mailbox,
    struct account **ret_a, struct mailbox **ret_mb) WARN_UNUSED;

/*
 * A legal name, one slash at the end removed, INBOX in capitals, into out.
 * False: it is not one.
 */
bool mailbox_name_clean(struct str name, struct buf *out) WARN_UNUSED;

/* --- tx.c ------------------------------------------------------------------------ */

struct tx {
	struct mail *m;
	struct engine_batch *b;
	struct account **accounts; /* touched ones */
	size_t n, cap;
	struct buf val; /* scratch for one value */
};

void tx_begin(struct tx *t, struct mail *m);
/* From now on the account is written at commit; gives the transaction's
 * mod-sequence of the account. */
uint64_t tx_account(struct tx *t, struct account *a);
/* The mailbox is written too, and has changed at that mod-sequence. */
uint64_t tx_mailbox(struct tx *t, struct account *a, struct mailbox *mb);
/* Encode with fn into the scratch buffer and put. */
void tx_put(struct tx *t, struct account *a, struct mail_key key);
void tx_del(struct tx *t, struct account *a, struct mail_key key);
/*
 * Write the touched accounts and mailboxes and commit. When that is refused
 * the touched accounts are forgotten: no pointer to them is valid any more.
 */
struct verdict tx_commit(struct tx *t) WARN_UNUSED;
/* Forget the touched accounts, commit nothing. */
void tx_abort(struct tx *t);
/* Commit when v says that all went well, else abort; what came of both. */
struct verdict tx_end(struct tx *t, struct verdict v);

/* A new entry at uidnext: counts, quota, change index; gives its UID. */
uint32_t tx_entry_add(struct tx *t, struct account *a, struct mailbox *mb,
    struct entry_record *e);
/* The entry is replaced by one with other flags or keywords. */
struct uid_entry {
	uint32_t uid;
	struct entry_record e;
};
void tx_entry_change(struct tx *t, struct account *a, struct mailbox *mb,
    const struct uid_entry *old, const struct entry_record *now);
/* The entry leaves the mailbox; expunge log apart (tx_log_expunged). */
void tx_entry_remove(struct tx *t, struct account *a, struct mailbox *mb,
    const struct uid_entry *ue);
/* Write the expunge log of these UIDs. Trims it when it has grown long. */
struct verdict tx_log_expunged(struct tx *t, struct account *a,
    struct mailbox *mb, struct str uids) WARN_UNUSED;
/* Each of msgids (may repeat; gets sorted) has delta references more, or
 * fewer; a message without references is removed. */
struct verdict tx_refs(struct tx *t, struct account *a, uint64_t *msgids,
    size_t n, int delta) WARN_UNUSED;
/* A message record and the rest of its structure. */
void tx_message_add(struct tx *t, struct account *a, uint64_t msgid,
    const struct message_record *r);

/* --- scan.c ------------------------------------------------------------------------ */

/* The entries of a UID set (empty: all), at most max, in order of UID. */
struct entry_list {
	struct uid_entry *v;
	size_t n, cap;
	uint32_t next_uid; /* where to go on; 0: that was all */
};
struct entry_query {
	uint64_t account;
	uint32_t mailbox;
	struct str uids; /* valid set; empty: every one */
	uint32_t from_uid;
	size_t max;
};
struct verdict entries_read(struct mail *m, const struct entry_query *q,
    struct entry_list *ret) WARN_UNUSED;
void entry_list_done(struct entry_list *l);
/* The record points into the engine: valid until the next engine call.
 * NOT_FOUND when it is not there. */
struct verdict message_read(struct mail *m, uint64_t account, uint64_t msgid,
    struct message_record *ret) WARN_UNUSED;
/* The whole structure of a record just read, appended to out. */
struct verdict structure_read(struct mail *m, uint64_t account, uint64_t msgid,
    const struct message_record *r, struct buf *out) WARN_UNUSED;

/* --- keyword.c ------------------------------------------------------------------------ */

/* The bits of the named keywords (list of msg_text), new names are added to
 * the mailbox (then *ret_is_new). PERMFAIL REASON_LIMIT when it is full. */
struct verdict keywords_bits(struct mailbox *mb, struct str names, bool may_add,
    uint64_t ret[2], bool *ret_is_new) WARN_UNUSED;
/* The names as a list of msg_text. */
void keywords_put(struct buf *b, const struct mailbox *mb);
/*
 * Translate bits between mailboxes: map[i] is the bit in to of keyword i of
 * from, added as needed; -1: no room, the keyword is lost in the copy.
 */
struct keyword_map {
	int16_t to[RECORD_KEYWORDS_MAX];
	bool is_known[RECORD_KEYWORDS_MAX];
};
void keywords_translate(struct keyword_map *map, struct str from_names,
    struct mailbox *to, uint64_t bits[2]);

/* --- shared by several files ------------------------------------------------------------ */

/* In mailbox_state.c: the mailbox called name as a client wrote it, the
 * account with its subscriptions; NOT_FOUND REASON_NO_MAILBOX. */
struct verdict mailbox_find(struct mail *m, uint64_t account, struct str name,
    struct account **ret_a, struct mailbox **ret_mb) WARN_UNUSED;
/* In subscription.c: the account with its subscriptions. */
struct verdict account_get_with_subs(
    struct mail *m, uint64_t id, struct account **ret) WARN_UNUSED;
bool account_is_subscribed(const struct account *a, struct str name);
/* In mailbox.c: the mailbox called name (clean), made with its parents. */
struct verdict mailbox_make(struct tx *t, struct account *a, struct str name,
    uint32_t special, struct mailbox **ret) WARN_UNUSED;
/* In expunge.c: these entries of one mailbox go, in this transaction. With
 * is_lost they can come back; without, their references are dropped. */
struct verdict expunge_entries(struct tx *t, struct account *a,
    struct mailbox *mb, const struct entry_list *l, bool is_lost) WARN_UNUSED;
/* In copy.c: move all messages of a mailbox to another one. */
struct verdict move_all(
    struct mail *m, uint64_t account, uint32_t from, uint32_t to) WARN_UNUSED;
