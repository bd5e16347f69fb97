/* SPDX-License-Identifier: ISC */
/*
 * server.h - the store process: who is connected, which sessions they have,
 * and requests on their way from a message to a durable answer.
 *
 * Fronts are not trusted. A session may touch the account that auth granted
 * to it and nothing else; what a front asks for at once is bounded by the
 * back-pressure of its own connection (struct peer).
 */
#pragma once

#include "conf/conf.h"
#include "proc/runtime.h"
#include "store/dir/dir.h"
#include "store/limit/limit.h"
#include "store/queue/queue.h"
#include "store/tables/tables.h"
#include "store/map.h"

#define SERVER_SESSIONS_MAX 200000  /* of one front */
#define SERVER_QUEUE_BYTES  MIB(64) /* requests of one front that wait */
#define SERVER_QUEUE_MAX    50000
#define SERVER_READS_MAX    32 /* body reads under way */

struct session;
struct queued;

/* Another process that is connected. */
struct peer {
	struct server *s;
	struct ipc_peer *ipc; /* a reference */
	uint32_t worker;
	enum role role;
	struct session *sessions;
	size_t n_sessions;
	/* Requests that wait until the answers before them were taken. */
	struct queued *first, **last;
	size_t queued, queued_bytes;
	struct peer *next, **prev;
};

struct session {
	struct peer *peer;
	uint32_t id;
	uint64_t account;
	struct session *next, **prev; /* of the peer */
	/* The mailbox it watches, 0: none. */
	uint32_t mailbox;
	uint64_t seen; /* mod-sequence up to which it knows it */
	bool is_armed; /* it hears of the next change */
	struct session *next_watch, **prev_watch; /* of the account */
};

/* A mailbox that changed in this round of the loop. */
struct changed {
	uint64_t account;
	uint32_t mailbox;
};

struct server {
	struct runtime *rt;
	uint64_t life; /* runtime_life() */
	struct loop *loop;
	struct engine *engine;
	struct mail *mail;
	struct dir *dir;
	struct queue *queue;
	struct tables *tables;
	struct limiter *limiter;
	bool is_telling; /* role send is asked to tell of an account */
	struct loop_fd *engine_watch;
	struct loop_timer *tick;
	uint64_t ticked_ms, tick_at_ms; /* the last one and the next one */
	uint64_t idle_at_ms;            /* what is done once a second */
	/* From the configuration. */
	char *data_dir, *engine_dir, *user;
	uint64_t segment_bytes, reserve_bytes;
	uint32_t undelete_days, threads;
	struct mail_quota quota;
	struct queue_limits queue_limits;
	struct usage_limits usage_limits;
	struct dir_dkim_times dkim;
	/* When the operator was told of such keys; 0: never. */
	uint64_t old_told, unpublished_told;
	bool is_looking; /* role send is asked what DNS has of keys */
	/* Who is connected. */
	struct peer *peers;
	struct map workers;  /* worker number: struct peer */
	struct map sessions; /* worker and session: struct session */
	struct map watchers; /* account: first struct session */
	struct changed *changed;
	size_t n_changed, cap_changed;
	size_t reads; /* body reads under way */
	bool was_full;
	struct engine_stats stats; /* as last told to the metrics */
};

/* --- session.c ------------------------------------------------------------------ */

struct peer *peer_add(struct server *s, struct ipc_peer *ipc);
void peer_remove(struct server *s, struct ipc_peer *ipc);
struct peer *peer_find(const struct server *s, uint32_t worker);
/* NULL when it was not granted. */
struct session *store_session_find(
    const struct server *s, uint32_t worker, uint32_t id);
/* False: the peer has too many. An older grant of that number is replaced. */
bool store_session_grant(struct server *s, struct peer *p, uint32_t id,
    uint64_t account) WARN_UNUSED;
void store_session_close(struct server *s, struct session *ss);
/* The account is no longer there: nobody may go on with it. */
void sessions_drop_account(struct server *s, uint64_t account);
/* Watch a mailbox that is known up to seen, or none (0). */
void store_session_watch(
    struct server *s, struct session *ss, uint32_t mailbox, uint64_t seen);

/* --- notify.c --------------------------------------------------------------------- */

/* For struct mail_config. */
void notify_changed(void *arg, uint64_t account, uint32_t mailbox);
/* For struct dir_config. */
void notify_keys(void *arg, struct str domain);
/* Once a round: whoever watches what changed hears of it when it is durable. */
void notify_flush(struct server *s);

/* --- look_keys.c ------------------------------------------------------------------ */

/* For struct dir_config. */
void log_key(void *arg, struct str domain, struct str selector,
    enum dkim_turn turn, uint8_t found);
/* Once a second: role send is asked what DNS has of the keys whose turn it is. */
void look_for_keys(struct server *s);

/* --- req_queue.c ------------------------------------------------------------------- */

/* Role send; NULL while it is away. */
const struct peer *store_sender(const struct server *s);
/* Once a round: send hears of what is due earlier than it knows. */
void queue_flush(struct server *s);
/* Once a second: send hears how much waits for whom. */
void queue_tell_counts(struct server *s);

/* --- req_tables.c ------------------------------------------------------------------ */

/* For struct tables_config: who is to hear of it does so when it is durable. */
void tables_changed(void *arg, enum ledger_table table, struct str rows);
/* --- req_limit.c -------------------------------------------------------------------- */

/* Once a second: the next account of which the operator is to be told. */
void limit_tell(struct server *s);

/* --- reply.c ---------------------------------------------------------------------- */

/* Answers once position is durable. body is taken (and may be NULL); fd too. */
void reply_at(struct server *s, uint64_t position, struct ipc_return ret,
    struct verdict v, struct buf *body, int fd);
/* At once: for requests that were never looked at. */
void reply_error(struct ipc_return ret, struct verdict v);

/* --- request.c, and the handlers by what they are about ----------------------------- */

struct request {
	struct server *s;
	struct peer *peer;
	struct session *session; /* of a GRANT message */
	struct ipc_msg *msg;
	struct buf out; /* body of the reply */
};
/* A message, now or when the peer has taken the answers before it. */
void request_message(struct server *s, struct ipc_peer *ipc, struct ipc_msg *m);
/* Once a round: go on with what waits. */
void request_resume(struct server *s);
/* The peer is gone: forget what waits. */
void request_drop_queue(struct peer *p);

/* These answer by themselves. */
void req_deliver(struct request *r);
void req_append(struct request *r);
void req_fetch(struct request *r);
void req_queue_read(struct request *r);
/* These give a verdict; out is the reply. */
struct verdict req_open(struct request *r);
struct verdict req_unwatch(struct request *r);
struct verdict req_entries(struct request *r);
struct verdict req_session_grant(struct request *r);
struct verdict req_admin_session(struct request *r);
struct verdict req_session_close(struct request *r);
struct verdict req_sender_check(struct request *r);
struct verdict req_user_passwd(struct request *r);
struct verdict req_user_remove(struct request *r);
struct verdict req_mail_undelete(struct request *r);
struct verdict req_status(struct request *r);
struct verdict req_check(struct request *r);
struct verdict req_queue_take(struct request *r);
struct verdict req_queue_lease(struct request *r);
struct verdict req_queue_change(struct request *r);
struct verdict req_ledger_put(struct request *r);
struct verdict req_ledger_list(struct request *r);
struct verdict req_ledger_tag(struct request *r);
struct verdict req_trace_account(struct request *r);
struct verdict req_limit_list(struct request *r);
struct verdict req_limit_change(struct request *r);
/* A regular file that holds so many bytes? */
bool req_fd_holds(int fd, uint64_t size);
