/* SPDX-License-Identifier: ISC */
/*
 * sent.h - how mail to others goes, by receiver, over time (docs/reach.md, "Mail that
 * leaves"): counts of five minutes, what is usual, and what is suspected.
 *
 *   sent.c       counts come in; their time; what is judged
 *   sent_file.c  both on disk, below DATA/watch/
 *   sent_stuck.c destinations whose mail only grows
 *   sent_list.c  answers to the command line
 */
#pragma once

#include "proc/ipc_msgs.h"
#include "proto/reach/sent_profile.h"
#include "watch/server.h"

struct sent;

enum { SENT_SIGNAL_SLOW, SENT_SIGNAL_REFUSALS, SENT_SIGNALS };

/* A signal that is on; all that it points to lives until the loop goes on. */
struct sent_on {
	enum reach_signal_kind kind;
	/* Of a group; "": all; SENT_OTHERS; of a backlog any destination. */
	const char *name;
	const struct reach_signal *signal;
	uint64_t p95_ms;   /* REACH_SLOW: now */
	const char *reply; /* REACH_REFUSALS, REACH_BACKLOG: the last, or "" */
	uint64_t waiting;  /* REACH_BACKLOG, and why */
	const char *cause;
};
typedef void (*sent_on_fn)(void *arg, const struct sent_on *on);

/* Does a breaker say already that it refuses us? */
typedef bool (*sent_is_refused_fn)(void *arg, struct str name);

struct sent *sent_new(
    struct server *sv, sent_is_refused_fn is_refused, void *arg);
void sent_start(struct sent *s, uint64_t now);
/* Each second. */
void sent_tick(struct sent *s, uint64_t now);
/* Write what is not written yet. */
void sent_stop(struct sent *s);
void sent_free(struct sent *s); /* NULL is fine */
/* MSG_SENT_COUNTS. False: it is malformed. */
bool sent_take(struct sent *s, struct str body) WARN_UNUSED;
/* MSG_SENT_STUCK. False: it is malformed. */
bool sent_take_stuck(struct sent *s, struct str body) WARN_UNUSED;
/* MSG_SENT_TIMES. False: it is malformed. */
bool sent_request(
    struct sent *s, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
void sent_each_signal(const struct sent *s, sent_on_fn fn, void *arg);
/* "95 in 100 messages to Microsoft 365 take 35 min, usually 4 s"; title: of the receiver, or
 * empty. */
void sent_put_text(const struct sent_on *on, struct str title, struct buf *to);
