/* SPDX-License-Identifier: ISC */
/*
 * view.h - the selected mailbox as one session sees it.
 *
 * Message numbers are positions in the array of entries. The store is ahead
 * of the view; view_apply() takes over what changed and writes the untagged
 * responses in legal order: EXPUNGE (or held back, RFC 3501 7.4.1), EXISTS and
 * RECENT, then FETCH with the flags of what changed.
 */
#pragma once

#include "base/arena.h"
#include "proc/ipc_msgs.h"
#include "proto/imap/imap_flags.h"
#include "proto/imap/imap_set.h"

/* Messages of one mailbox that a session can open: 32 bytes of memory each. */
#define VIEW_MESSAGES_MAX 4000000U

struct view {
	uint32_t mailbox;
	char *name;
	bool is_readonly;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t modseq;      /* what the entries are true for */
	uint32_t recent_from; /* UIDs from here on are recent for us */
	struct ipc_entry *entries;
	size_t n, cap;
	uint32_t told_exists; /* what the client was told last */
	uint32_t told_recent;
	struct str *keywords; /* heap copies */
	size_t n_keywords;
	size_t told_keywords;
	struct buf gone;  /* UID set: expunged, the client does not know */
	struct buf saved; /* SEARCHRES: UID set of "$" */
};

/* Merge a UID set into another one. */
void uid_set_merge(struct buf *into, struct str more);

struct view *view_new(const struct msg_mailbox *mb, bool is_readonly);
void view_free(struct view *v);
void view_rename(struct view *v, struct str name);

/* Number of the message with that UID (from 1); 0: none. */
uint32_t view_seq(const struct view *v, uint32_t uid);
/* Position of the first entry with UID >= uid. */
size_t view_lower(const struct view *v, uint32_t uid);
static inline bool
view_is_recent(const struct view *v, const struct ipc_entry *e)
{
	return v->recent_from && e->uid >= v->recent_from;
}
uint32_t view_count_recent(const struct view *v);
/* Number of the first message without \Seen; 0: none. */
uint32_t view_first_unseen(const struct view *v);

/* Take over the names of keywords when there are more than we know. */
bool view_set_keywords(struct view *v, struct str list);
/* The keyword names an entry carries; out has room for IPC_KEYWORDS_MAX. */
size_t view_keywords(
    const struct view *v, const struct ipc_entry *e, struct str *out);
/* Number of a keyword (without case), or -1. */
int view_keyword_index(const struct view *v, struct str name);

/* Append entries while opening (ascending UIDs). False: malformed. */
bool view_load(struct view *v, struct str packed);

struct view_apply_options {
	bool allow_expunge;
	bool with_modseq;   /* CONDSTORE: FETCH carries MODSEQ */
	bool with_vanished; /* QRESYNC: VANISHED in place of EXPUNGE */
	bool with_uid;      /* FETCH carries UID */
	/* STORE .SILENT: these UIDs are not told (unless with_modseq). */
	struct str silent;
};
/* Take over an ENTRIES reply and write the untagged responses. False: the
 * reply is malformed. */
bool view_apply(struct view *v, const struct msg_entries_reply *r,
    const struct view_apply_options *o, struct buf *out);

/* "* VANISHED [(EARLIER) ]set": nothing for an empty set. */
void view_put_vanished(struct str uids, bool is_earlier, struct buf *out);
/*
 * The UIDs of known (a normal set; NULL: every one up to uidnext) that are
 * not in the view: all of them, or those in among.
 */
void view_missing(const struct view *v, const struct imap_set *known,
    const struct str *among, struct buf *ret_uids);
/* "* 1 FETCH (UID 7 FLAGS (...))" of an entry, with what o asks for. */
void view_put_entry(struct view *v, size_t i,
    const struct view_apply_options *o, struct buf *out);

/*
 * The UIDs (as UID set, for the store) of a sequence set or UID set of a
 * command. A run of messages is one range, whatever UIDs are missing in it:
 * nothing can appear there any more. So the set has no more ranges than the
 * client wrote (but for "$"), and may name UIDs that do not exist. False: a
 * message number that does not exist (answer BAD).
 */
bool view_resolve(struct view *v, struct arena *a, const struct imap_set *set,
    bool is_uid, struct buf *ret_uids) WARN_UNUSED;

/* "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)] " lines. */
void view_put_flags_lines(const struct view *v, struct buf *out);
/* "FLAGS (...)" of an entry, \Recent included. */
void view_put_flags(
    const struct view *v, const struct ipc_entry *e, struct buf *out);
