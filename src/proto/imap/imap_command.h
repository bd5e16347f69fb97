/* SPDX-License-Identifier: ISC */
/*
 * imap_command.h - one framed command as a struct.
 *
 * RFC 3501 with: LITERAL+, BINARY (FETCH), ID, ENABLE, SASL-IR, NAMESPACE,
 * UIDPLUS, MULTIAPPEND, UNSELECT, IDLE, QUOTA, LIST-EXTENDED, LIST-STATUS,
 * SPECIAL-USE, CREATE-SPECIAL-USE, CONDSTORE, QRESYNC, ESEARCH, SEARCHRES,
 * WITHIN, MOVE, STATUS=SIZE, APPENDLIMIT.
 *
 * Everything in the result lives in the arena or points into the command
 * text, and dies with the shorter-lived of the two. The size of the arena is
 * the limit for the memory of a command.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/imap/imap_date.h"
#include "proto/imap/imap_fetch.h"
#include "proto/imap/imap_flags.h"
#include "proto/imap/imap_search.h"

#define IMAP_MAX_TAG_BYTES      64
#define IMAP_MAX_PATTERNS       32
#define IMAP_MAX_APPENDS        64 /* messages in one APPEND */
#define IMAP_MAX_ID_PAIRS       30 /* RFC 2971 3.3 */
#define IMAP_MAX_ID_KEY         30
#define IMAP_MAX_ID_VALUE       1024
#define IMAP_MAX_CAPABILITIES   32 /* of one ENABLE */
#define IMAP_MAX_RESOURCES      8  /* of one SETQUOTA */
#define IMAP_MAX_USER_BYTES     1024
#define IMAP_MAX_PASSWORD_BYTES 1024
#define IMAP_MOD_SEQ_MAX        ((uint64_t)INT64_MAX) /* RFC 7162 7 */
/* Enough for every command of 256 KiB that is not all sequence sets. */
#define IMAP_COMMAND_ARENA MIB(1)

enum imap_verb {
	IMAP_NONE, /* no or unknown verb */
	IMAP_CAPABILITY,
	IMAP_NOOP,
	IMAP_LOGOUT,
	IMAP_ID,
	IMAP_STARTTLS,
	IMAP_AUTHENTICATE,
	IMAP_LOGIN,
	IMAP_ENABLE,
	IMAP_SELECT,
	IMAP_EXAMINE,
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_RENAME,
	IMAP_SUBSCRIBE,
	IMAP_UNSUBSCRIBE,
	IMAP_LIST,
	IMAP_LSUB,
	IMAP_NAMESPACE,
	IMAP_STATUS,
	IMAP_APPEND,
	IMAP_IDLE,
	IMAP_GETQUOTA,
	IMAP_GETQUOTAROOT,
	IMAP_SETQUOTA,
	IMAP_CHECK,
	IMAP_CLOSE,
	IMAP_UNSELECT,
	IMAP_EXPUNGE,
	IMAP_SEARCH,
	IMAP_FETCH,
	IMAP_STORE,
	IMAP_COPY,
	IMAP_MOVE,
};

/* Properties of a verb: imap_verb_flags(). */
enum imap_verb_flag {
	/* States in which it is legal (RFC 3501 3). */
	IMAP_IN_NOT_AUTHENTICATED = 1 << 0,
	IMAP_IN_AUTHENTICATED = 1 << 1,
	IMAP_IN_SELECTED = 1 << 2,
	IMAP_IN_ANY = 7,
	IMAP_HAS_UID = 1 << 3, /* may stand behind "UID" */
	/* Carries a secret: never log the arguments. */
	IMAP_HAS_SECRET = 1 << 4,
	/*
	 * Without UID no EXPUNGE may be sent before it is completed, for it
	 * would shift message numbers (RFC 3501 7.4.1).
	 */
	IMAP_NO_EXPUNGE = 1 << 5,
};

/* A mailbox argument, as UTF-8, INBOX in capitals. */
struct imap_mailbox {
	struct str name;
	bool has_trailing_separator; /* CREATE "a/": removed from name */
};

struct imap_login {
	struct str user, password; /* any bytes but NUL */
};

struct imap_authenticate {
	struct str mechanism;
	bool has_initial;   /* SASL-IR (RFC 4959) */
	struct str initial; /* base64 as sent; empty for "=" */
};

struct imap_id_pair {
	struct str key;
	bool is_nil;
	struct str value;
};

struct imap_id {
	const struct imap_id_pair *pairs;
	size_t n;
};

struct imap_words {
	const struct str *words;
	size_t n;
};

struct imap_select {
	struct imap_mailbox mailbox;
	bool condstore;
	bool qresync; /* the rest is set */
	uint32_t uid_validity;
	uint64_t mod_seq;
	bool has_known_uids, has_match;
	struct imap_set known_uids;             /* no stars */
	struct imap_set match_seqs, match_uids; /* no stars, equal counts */
};

enum imap_special_use {
	IMAP_USE_ALL = 1 << 0,
	IMAP_USE_ARCHIVE = 1 << 1,
	IMAP_USE_DRAFTS = 1 << 2,
	IMAP_USE_FLAGGED = 1 << 3,
	IMAP_USE_JUNK = 1 << 4,
	IMAP_USE_SENT = 1 << 5,
	IMAP_USE_TRASH = 1 << 6,
	IMAP_USE_UNKNOWN = 1 << 7, /* answer NO [USEATTR] (RFC 6154 3) */
};

struct imap_create {
	struct imap_mailbox mailbox;
	unsigned use; /* of enum imap_special_use */
};

struct imap_rename {
	struct imap_mailbox from, to;
};

enum imap_list_select {
	IMAP_LIST_SUBSCRIBED = 1 << 0,
	IMAP_LIST_REMOTE = 1 << 1,
	IMAP_LIST_RECURSIVE = 1 << 2,
	IMAP_LIST_SPECIAL_USE = 1 << 3,
};

enum imap_list_return {
	IMAP_LIST_RETURN_SUBSCRIBED = 1 << 0,
	IMAP_LIST_RETURN_CHILDREN = 1 << 1,
	IMAP_LIST_RETURN_SPECIAL_USE = 1 << 2,
	IMAP_LIST_RETURN_STATUS = 1 << 3, /* status_items is set */
};

struct imap_list {
	bool is_extended; /* RFC 5258 syntax: attributes may be added */
	bool is_root;     /* LIST "" "": only asks for the separator */
	unsigned select;  /* of enum imap_list_select */
	unsigned returns; /* of enum imap_list_return */
	unsigned status_items;
	struct str reference; /* UTF-8 */
	/* For imap_match(); the reference is already joined. A pattern that
	 * cannot match any name has been left out. */
	const struct str *patterns;
	size_t n_patterns;
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UIDNEXT = 1 << 2,
	IMAP_STATUS_UIDVALIDITY = 1 << 3,
	IMAP_STATUS_UNSEEN = 1 << 4,
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 5,
	IMAP_STATUS_SIZE = 1 << 6,
	IMAP_STATUS_DELETED = 1 << 7,
	IMAP_STATUS_APPENDLIMIT = 1 << 8,
	IMAP_STATUS_DELETED_STORAGE = 1 << 9, /* RFC 9208 */
};

struct imap_status {
	struct imap_mailbox mailbox;
	unsigned items; /* of enum imap_status_item */
};

struct imap_append_message {
	struct imap_flags flags;
	bool has_date;
	struct imap_time date;
	uint64_t size;
	bool is_binary;   /* literal8 */
	bool is_streamed; /* data is empty: the framer has delivered it */
	struct str data;
};

struct imap_append {
	struct imap_mailbox mailbox;
	const struct imap_append_message *messages;
	size_t n;
};

struct imap_quota_limit {
	struct str resource;
	uint64_t limit;
};

struct imap_quota {
	struct str root;             /* GETQUOTA, SETQUOTA */
	struct imap_mailbox mailbox; /* GETQUOTAROOT */
	const struct imap_quota_limit *limits;
	size_t n;
};

enum imap_store_op {
	IMAP_STORE_REPLACE,
	IMAP_STORE_ADD,
	IMAP_STORE_REMOVE,
};

struct imap_store {
	struct imap_set set;
	enum imap_store_op op;
	bool is_silent;
	bool has_unchanged_since;
	uint64_t unchanged_since;
	struct imap_flags flags;
};

struct imap_copy {
	struct imap_set set;
	struct imap_mailbox mailbox;
};

struct imap_command {
	struct str tag; /* empty when none could be read */
	enum imap_verb verb;
	bool is_uid;       /* UID FETCH and so on */
	const char *error; /* unless OK: English, for the reply's text */
	union {
		struct imap_login login;
		struct imap_authenticate authenticate;
		struct imap_id id;
		struct imap_words enable;
		struct imap_select select; /* EXAMINE too */
		struct imap_create create;
		struct imap_mailbox mailbox; /* DELETE, (UN)SUBSCRIBE */
		struct imap_rename rename;
		struct imap_list list; /* LSUB too */
		struct imap_status status;
		struct imap_append append;
		struct imap_quota quota;
		struct imap_set expunge; /* only when is_uid */
		struct imap_search search;
		struct imap_fetch fetch;
		struct imap_store store;
		struct imap_copy copy; /* MOVE too */
	} u;
};

enum imap_parse {
	IMAP_PARSE_OK,
	IMAP_PARSE_BAD,         /* syntax, or a limit: tagged BAD */
	IMAP_PARSE_UNKNOWN,     /* no such command: tagged BAD */
	IMAP_PARSE_BAD_NAME,    /* mailbox name: NO [CANNOT] */
	IMAP_PARSE_BAD_CHARSET, /* NO [BADCHARSET (US-ASCII UTF-8)] */
};

/*
 * Parse what the framer returned with COMMAND. *ret is always set, as far as
 * the input was understood; ret->tag is empty when it had none, and the
 * reply is then untagged ("* BAD"). utf8_names: the client has enabled
 * UTF8=ACCEPT or IMAP4rev2, so names are UTF-8 and not modified UTF-7.
 */
enum imap_parse imap_command_parse(struct arena *a, struct str text,
    bool utf8_names, struct imap_command *ret) WARN_UNUSED;

/*
 * Parse the beginning of an APPEND that the framer returned with LITERAL and
 * can_stream: the last message is the one announced, with its size, and no
 * data yet. Ask before deciding to stream.
 */
enum imap_parse imap_command_parse_append(struct arena *a, struct str text,
    bool utf8_names, struct imap_command *ret) WARN_UNUSED;

/* The tag at the start of text, or an empty str. For framer errors. */
struct str imap_command_tag(struct str text);

/* "DONE", the end of IDLE, in any case. */
bool imap_is_done(struct str text);

const char *imap_verb_name(enum imap_verb verb); /* in capitals */
unsigned imap_verb_flags(enum imap_verb verb);   /* of imap_verb_flag */
/* "\\Drafts" and so on; NULL for anything but one known bit. */
const char *imap_special_use_name(enum imap_special_use use);
