/* SPDX-License-Identifier: ISC */
/*
 * ipc_msgs.h - internal messages as types: made from the two .def tables.
 *
 * For each STRUCT(x, ...): struct msg_x; msg_x_put() appends its encoding to
 * a buf; msg_x_read() reads one from a cursor (for lists); msg_x_get() reads
 * a whole body and refuses bytes that are left over.
 */
#pragma once

#include "base/wire.h"
#include "proc/role.h"

enum msg_type {
#define MSG(name, from, to, flags, max) MSG_##name,
#include "proc/ipc_msgs.def"
#undef MSG
};

enum msg_flag {
	MSG_ASK = 1,
	MSG_FD = 2,
	MSG_GRANT = 4,
	MSG_REPLY_FD = 8,
	MSG_LOOK = 16,
};

/* One row of the table; NULL when type is none. */
struct msg_rule {
	const char *name;
	unsigned from, to; /* ROLE_BIT()s */
	unsigned flags;
	size_t max_body;
};
const struct msg_rule *msg_rule(unsigned type);

/* Why an outcome is what it is. Numbers are internal to one build. */
enum reason {
	REASON_NONE,
	REASON_INTERNAL,   /* a bug or a broken peer; tempfail */
	REASON_GONE,       /* the other process died; tempfail */
	REASON_IO,         /* disk error; tempfail */
	REASON_DISK_FULL,  /* tempfail: 452 4.3.1, [UNAVAILABLE] */
	REASON_OVERQUOTA,  /* 452 4.2.2 / 552 5.2.2, [OVERQUOTA] */
	REASON_TOO_BIG,    /* over a limit of size */
	REASON_LIMIT,      /* over another limit, e.g. mailboxes */
	REASON_NO_MAILBOX, /* [NONEXISTENT], [TRYCREATE] */
	REASON_EXISTS,     /* [ALREADYEXISTS] */
	REASON_NAME,       /* not a legal name */
	REASON_HAS_CHILDREN,
	REASON_FORBIDDEN, /* e.g. deleting INBOX: [CANNOT] */
	REASON_NOT_LOCAL, /* not our domain */
	REASON_NO_USER,
	REASON_NO_DOMAIN,
	REASON_IN_USE,      /* domain with users */
	REASON_LOOP,        /* alias loop */
	REASON_NOT_GRANTED, /* session without account */
	REASON_AUTH,        /* wrong user or password */
	REASON_AUTH_KNOWN, /* the same, from where that login was right lately */
	REASON_AUTH_MECHANISM, /* not offered, or not without TLS */
	REASON_AUTH_SYNTAX,
	REASON_BANNED,  /* too many failures: wait */
	REASON_CORRUPT, /* damaged on disk */
	REASON_CONFLICT,
	REASON_QUEUE_LIMIT, /* too much of the account waits to be sent */
	REASON_BLOCKED,     /* the operator has stopped the account */
};
const char *reason_str(enum reason r);
/* Of all messages and their fields: another number, another layout. */
uint64_t ipc_layout(void);

/* msg_auth_client_reply.state */
enum auth_client_state {
	AUTH_CLIENT_FREE,   /* nothing is known against it */
	AUTH_CLIENT_SLOWED, /* sign-ins failed lately: answers come later */
	AUTH_CLIENT_BANNED, /* it must wait */
};

/* msg_analyse_reply.verdict */
enum analyse_verdict {
	ANALYSE_ACCEPT,
	ANALYSE_REJECT,    /* for good */
	ANALYSE_LATER,     /* it could not be found out now */
	ANALYSE_NO_REPORT, /* for good: and nobody else was to get it */
};

/* msg_deliver.priority is the value of MT-PRIORITY plus this (RFC 6710). */
#define DELIVER_PRIORITY_NORMAL 10

/* What becomes of an entry of the queue (msg_queue_result.state). */
enum queue_state {
	QUEUE_RELEASED,  /* not tried: due again at due_ms */
	QUEUE_DEFERRED,  /* tried; once more at due_ms */
	QUEUE_DELIVERED, /* accepted by the next server */
	QUEUE_FAILED,    /* for good; the bounce is delivered already */
	QUEUE_HELD,      /* until the operator says */
};

/* What else is in an entry's history (msg_queue_event.state), from here on. */
enum queue_history {
	QUEUE_WAS_CANCELLED = 16, /* by the operator, like all of these */
	QUEUE_WAS_RETURNED,
	QUEUE_WAS_HELD,
	QUEUE_WAS_FREED,   /* no longer held */
	QUEUE_WAS_HURRIED, /* due at once */
	QUEUE_WAS_ROUTED,
	QUEUE_WAS_LIMITED, /* held from the start, by a limit of the account */
};

/* Which entries are meant, and how they are shown (msg_queue_filter.state,
 * msg_queue_row.state). */
enum queue_show {
	QUEUE_SHOW_ALL,
	QUEUE_SHOW_WAITING,  /* not tried yet */
	QUEUE_SHOW_DEFERRED, /* tried, and waits again */
	QUEUE_SHOW_ACTIVE,   /* is being delivered */
	QUEUE_SHOW_HELD,
};

/* msg_route_line.kind */
enum route_line {
	ROUTE_LINE_ROUTE,  /* one of the routes: number, fits, text */
	ROUTE_LINE_MX,     /* a mail server of the domain: text, group in why */
	ROUTE_LINE_WAY,    /* of the route that counts: order, weight, state */
	ROUTE_LINE_ANSWER, /* where mail goes now: text, why */
};

/* Domains of one MX_ASK, and how long it waits for DNS at most. */
#define MX_ASK_MAX 200
#define MX_ASK_MS  5000
/* Likewise of one ROUTE_ASK, of all that it looks up. */
#define ROUTE_ASK_MS 5000
/* Keys of one DKIM_LOOK, and how long it waits. */
#define DKIM_LOOK_MAX 200
#define DKIM_LOOK_MS  10000

enum queue_action {
	QUEUE_RETRY, /* due now; held ones stay held */
	QUEUE_HOLD,
	QUEUE_RELEASE,
	QUEUE_CANCEL,  /* gone, without a word to the sender */
	QUEUE_RETURN,  /* to the sender, as undeliverable */
	QUEUE_REROUTE, /* by the named route, due now; "-": by none */
};

/* Of a line of acme.hosts (msg_acme_row.state). */
enum acme_state {
	ACME_STATE_WAITING, /* for its time */
	ACME_STATE_QUEUED,  /* due; another one is at it */
	ACME_STATE_RUNNING,
	ACME_STATE_BLOCKED, /* the configuration lacks something: see error */
};

/* Of an account (msg_limit_row.state). */
enum limit_state {
	LIMIT_STATE_OPEN,
	LIMIT_STATE_HELD,
	LIMIT_STATE_BLOCKED,
};

enum limit_action {
	LIMIT_RELEASE, /* it is open, and what it sent was right */
	LIMIT_BLOCK,   /* it sends nothing more */
	LIMIT_OPEN,    /* it is open, and what it sent was not its owner's */
	LIMIT_SET,     /* limits of its own */
};

/* msg_cli_process.state: where a process is in its life. DOWN: it ended and
 * waits to be started again. */
enum process_state {
	PROCESS_DOWN,
	PROCESS_STARTING,
	PROCESS_SERVING,
	PROCESS_STOPPING,
	PROCESS_SILENT, /* it serves, and does not answer */
};

/* Where a DKIM key is in its life (msg_dkim_row.state). All belong into DNS. */
enum dkim_state {
	DKIM_STATE_PUBLISHED, /* does not sign yet */
	DKIM_STATE_ACTIVE,
	DKIM_STATE_RETIRED, /* signs no more; its signatures are under way */
	DKIM_STATE_PENDING, /* signs by itself some time after DNS has it */
};

/* What DNS has of a key's record. */
enum dkim_found {
	DKIM_FOUND_UNKNOWN, /* nobody could tell */
	DKIM_FOUND_SAME,
	DKIM_FOUND_NONE,
	DKIM_FOUND_OTHER, /* one with which its signatures do not verify */
};

/* What of a store is checked (msg_store_check.part). */
enum store_part {
	STORE_ACCOUNTS, /* and the directory */
	STORE_QUEUE,
	STORE_LEDGER,
};

/* States of an agent_row. */
enum {
	AGENT_WAITS, /* for somebody with its token */
	AGENT_OVER,  /* nobody came with the token in time */
	AGENT_HEARD,
	AGENT_SILENT,
	AGENT_REVOKED,
	AGENT_TOO_MANY, /* there are as many before it as a check can have */
};

/* Flags of a watch_row. */
enum {
	WATCH_ROW_MAINTAINED = 1 << 0, /* planned work is going on */
	WATCH_ROW_MASKED = 1 << 1,     /* what it depends on is down */
	WATCH_ROW_UNSTABLE = 1 << 2,
	WATCH_ROW_SUSPECTED = 1 << 3,  /* a failure is being confirmed */
	WATCH_ROW_NO_HISTORY = 1 << 4, /* there is no room for its file */
	WATCH_ROW_UPTIME = 1 << 5,     /* uptime_ppm is known */
};

/* Where the time of a watch_stage is from. */
enum watch_stage_how {
	WATCH_STAGE_DONE, /* measured by who probes */
	WATCH_STAGE_OPEN, /* likewise, and it was not over when the probe ended */
	/* By the clocks of others, in whole seconds. */
	WATCH_STAGE_TOLD,
	/* Likewise, and it cannot be: longer than the whole took. */
	WATCH_STAGE_ABSURD,
	/* Likewise: so long before the one in front of it. */
	WATCH_STAGE_BEFORE,
};

/* Flags of a watch_system and watch_service. */
enum {
	WATCH_SITE_INTERNAL = 1 << 0,
	WATCH_SITE_PLANNED = 1 << 1,  /* planned work is going on */
	WATCH_SITE_UNSTABLE = 1 << 2, /* one of its checks is */
	WATCH_SITE_CHECKED = 1 << 3,  /* there are checks at all */
	WATCH_SITE_UPTIME = 1 << 4,   /* uptime_ppm is known */
	WATCH_SITE_EXCUSED = 1 << 5,  /* all that is wrong is planned */
};
#define WATCH_SITE_DAYS 90
#define WATCH_SITE_DAY  16

enum watch_span {
	WATCH_SPAN_2_DAYS,  /* a point for each 15 minutes */
	WATCH_SPAN_90_DAYS, /* for each 12 hours */
	WATCH_SPAN_5_YEARS, /* for each 10 days */
	WATCH_SPANS
};

enum dkim_action {
	DKIM_ACTIVATE,
	DKIM_REMOVE,
};

/* Bits of msg_mailbox.special (RFC 6154). */
enum {
	MAILBOX_ALL = 1,
	MAILBOX_ARCHIVE = 2,
	MAILBOX_DRAFTS = 4,
	MAILBOX_FLAGGED = 8,
	MAILBOX_JUNK = 16,
	MAILBOX_SENT = 32,
	MAILBOX_TRASH = 64,
	MAILBOX_IMPORTANT = 128,
};

/* Bits of msg_fetch.want; uid always comes. */
enum {
	FETCH_DATES = 1, /* internaldate, savedate */
	FETCH_SIZE = 2,  /* size: prefix and shared bytes */
	FETCH_MSGID = 4,
	FETCH_PREFIX = 8,
	FETCH_STRUCTURE = 16,
	FETCH_BODY = 32,
};
/* A message up to this size travels in ANALYSE and DELIVER themselves. */
#define INLINE_MESSAGE_MAX KIB(64)

/* CTL_KEEP: 65 536 results of role send (slate.h). */
#define CTL_KEEP_BYTES MIB(2)

#define FETCH_FD_BYTES  MIB(1)
#define FETCH_MAX_BYTES MIB(1)

/* A message of a mailbox as it travels and as fronts keep it: 32 bytes,
 * little-endian, no padding. */
struct ipc_entry {
	uint32_t uid;
	uint32_t flags; /* IMAP_FLAG_* bits, never \Recent */
	uint64_t modseq;
	uint64_t keywords[2]; /* bit i: keyword number i of the mailbox */
};
#define IPC_KEYWORDS_MAX 128
_Static_assert(sizeof(struct ipc_entry) == 32, "travels as it is");

#define IPC_CTYPE_u8  uint8_t
#define IPC_CTYPE_u16 uint16_t
#define IPC_CTYPE_u32 uint32_t
#define IPC_CTYPE_u64 uint64_t
#define IPC_CTYPE_str struct str

#define F(type, field) IPC_CTYPE_##type field;
#define STRUCT(name, fields) \
	struct msg_##name { \
		fields \
	}; \
	void msg_##name##_put(struct buf *b, const struct msg_##name *m); \
	bool msg_##name##_read(struct wire *w, struct msg_##name *ret); \
	bool msg_##name##_get(struct str body, struct msg_##name *ret) \
	    WARN_UNUSED;
#include "proc/ipc_structs.def"
#undef STRUCT
#undef F

/* UID sets: append a range (merging with the last one); iterate. */
void uid_set_add(struct buf *b, uint32_t first, uint32_t last);
/* False at the end. A malformed set (odd length, not ascending) ends early;
 * check it once with uid_set_is_valid(). */
bool uid_set_next(struct str *set, uint32_t *ret_first, uint32_t *ret_last);
bool uid_set_is_valid(struct str set);
bool uid_set_has(struct str set, uint32_t uid); /* binary search */
/*
 * Where to go on in a set that is read in portions: all is the whole set, left
 * (in it) was what is still open, of which the first asked bytes were asked
 * for and done up to, and without, next_uid (0: all of them). A range in
 * which next_uid lies is cut in place. The answer is what is left now.
 */
struct str uid_set_after(
    struct buf *all, struct str left, size_t asked, uint32_t next_uid);
