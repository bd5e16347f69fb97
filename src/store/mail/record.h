/* SPDX-License-Identifier: ISC */
/*
 * record.h - keys and records of an account's shard, as they lie on disk.
 *
 *   A                          account: limits, usage, counters
 *   B mailbox                  mailbox: name, counters, keyword names
 *   C mailbox modseq uid       change index: empty value
 *   D week text                de-duplication of imports: empty value
 *   E mailbox uid              entry: a message in a mailbox
 *   G mailbox                  grave: name and keywords of a removed mailbox
 *   L time mailbox uid         lost: an expunged message that can come back
 *   M message                  message: blob, prefix, structure
 *   P message part             the rest of a structure over one value
 *   R message                  references, only when there is not just one
 *   S number                   subscription: a name
 *   X mailbox modseq uid       expunge log: a set of UIDs
 *
 * Numbers in keys are big-endian, so that byte order is their order. A record
 * starts with its version. A message is referred to by entries and by lost
 * messages; R is absent for the usual one reference, so that a delivery and
 * an expunge never write it.
 *
 * Pure: decoders take bytes from disk and check all of them; a record that
 * does not decode is reported as corrupt, never guessed at.
 */
#pragma once

#include "base/wire.h"

#define RECORD_VERSION      1
#define RECORD_KEYWORDS_MAX 128
#define RECORD_INLINE_MAX   KIB(40) /* bytes of structure in M itself */
#define RECORD_PART_MAX     KIB(60) /* and in each P */
#define RECORD_PARTS_MAX    64

struct mail_key {
	uint8_t n;
	char b[23];
};

/* The key as a string that lives to the end of the block. */
#define KEY(k) key_str((struct mail_key[]){ (k) })

static inline struct str
key_str(const struct mail_key *k)
{
	return (struct str){ k->b, k->n };
}

struct mail_key key_kind(char kind); /* A; also the start of a range */
struct mail_key key_mailbox(uint32_t mailbox);
struct mail_key key_change(uint32_t mailbox, uint64_t modseq, uint32_t uid);
struct mail_key key_week(uint32_t week); /* start of D */
struct mail_key key_entry(uint32_t mailbox, uint32_t uid);
struct mail_key key_grave(uint32_t mailbox);
struct mail_key key_lost(uint64_t time, uint32_t mailbox, uint32_t uid);
struct mail_key key_message(uint64_t msgid);
struct mail_key key_part(uint64_t msgid, uint8_t part);
struct mail_key key_refs(uint64_t msgid);
struct mail_key key_subscription(uint32_t number);
struct mail_key key_expunged(uint32_t mailbox, uint64_t modseq, uint32_t uid);

/* Take a key apart. False: not a key of that kind. */
bool key_read_id(struct str key, char kind, uint32_t *ret); /* B G S */
bool key_read_change(struct str key, uint32_t *ret_mailbox,
    uint64_t *ret_modseq, uint32_t *ret_uid); /* C X */
bool key_read_entry(struct str key, uint32_t *ret_mailbox, uint32_t *ret_uid);
bool key_read_lost(struct str key, uint64_t *ret_time, uint32_t *ret_mailbox,
    uint32_t *ret_uid);
bool key_read_msgid(struct str key, char kind, uint64_t *ret); /* M R */

struct account_record {
	uint64_t bytes_limit, messages_limit; /* 0: none */
	uint64_t bytes, messages;
	uint64_t modseq; /* highest ever given */
	uint64_t next_msgid;
	uint32_t next_id;     /* of mailboxes and subscriptions */
	uint32_t uidvalidity; /* highest ever given */
	uint64_t created;
};

struct mailbox_record {
	struct str name; /* decoded: points into the value */
	uint32_t special;
	uint32_t uidvalidity, uidnext, recent_from;
	uint64_t modseq;
	uint32_t messages, unseen, deleted;
	uint64_t bytes;
	uint64_t log_floor; /* the expunge log is complete above this modseq */
	uint32_t log_count;
	uint64_t created;
	uint32_t n_keywords;
	struct str keywords; /* n_keywords vstrs */
};

/* A message in a mailbox; also a lost one. */
struct entry_record {
	uint32_t flags; /* IMAP_FLAG_* bits */
	uint64_t msgid, modseq;
	uint64_t internaldate, savedate;
	uint64_t size;       /* prefix and shared bytes */
	uint64_t crlf_extra; /* bytes more with all line ends CRLF */
	uint64_t keywords[2];
};

struct message_record {
	uint64_t blob; /* 0: no shared bytes */
	uint64_t blob_size;
	struct str trace; /* what delivered or imported it */
	struct str prefix;
	uint32_t structure_size; /* in all */
	struct str structure;    /* its first RECORD_INLINE_MAX bytes */
};

struct grave_record {
	uint64_t removed;
	struct str name;
	uint32_t n_keywords;
	struct str keywords;
};

void account_record_encode(struct buf *b, const struct account_record *r);
void mailbox_record_encode(struct buf *b, const struct mailbox_record *r);
void entry_record_encode(struct buf *b, const struct entry_record *r);
/* Writes the first part of the structure that r->structure holds whole. */
void message_record_encode(struct buf *b, const struct message_record *r);
void grave_record_encode(struct buf *b, const struct grave_record *r);

/* Strings point into val. On false *ret is untouched: the record is damaged. */
bool account_record_decode(
    struct str val, struct account_record *ret) WARN_UNUSED;
bool mailbox_record_decode(
    struct str val, struct mailbox_record *ret) WARN_UNUSED;
bool entry_record_decode(struct str val, struct entry_record *ret) WARN_UNUSED;
bool message_record_decode(
    struct str val, struct message_record *ret) WARN_UNUSED;
bool grave_record_decode(struct str val, struct grave_record *ret) WARN_UNUSED;

void refs_encode(struct buf *b, uint64_t refs);
bool refs_decode(struct str val, uint64_t *ret) WARN_UNUSED;
