/* SPDX-License-Identifier: ISC */
/*
 * server.h - one smtp worker: what its sessions share.
 *
 * One struct server a process, passed down; no mutable file-scope state. A
 * session looks things up in conf each time and keeps no pointer into it, so
 * that a new configuration counts for running sessions too.
 */
#pragma once

#include "base/arena.h"
#include "conf/conf.h"
#include "net/tls.h"
#include "proc/ports.h"
#include "proc/runtime.h"

#include <sys/queue.h>

struct session;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct tls_context *tls; /* NULL: no certificate, no TLS */
	struct ports *ports;     /* who comes in: front.h */
	LIST_HEAD(, session) sessions;
	uint32_t next_session; /* ids on the internal protocol; never 0 */
	uint32_t next_trace;
	uint32_t trace_salt;
	uint64_t spool_bytes; /* of messages that are being received */
	struct arena arena;   /* of the command that runs now */
	uint32_t retry_ms;    /* before a store that went away is asked again */
	bool is_stopping;
};

/* One that died is back in less than a second. */
#define SERVER_RETRY_MS 200

/* All messages in the memory files of one worker. Beyond that, clients are
 * told to try later: 452 4.3.1. */
#define SERVER_SPOOL_MAX (UINT64_C(1) << 30)

/* Before any id is made. */
void server_ids_init(struct server *sv);

/* A fresh internal session id. */
uint32_t server_session_id(struct server *sv);

/* Recipients of one message, as configured and as we can carry. */
uint32_t server_rcpts_max(const struct server *sv);

/*
 * A fresh id of a session or a message for all logs: 16 letters and digits
 * made of the time, the worker's number, a counter, and random bits. It must
 * be unique also when everything is killed and started again within a second:
 * the store finds out by it which messages it has already.
 */
#define TRACE_ID_LEN 16
void server_trace_id(struct server *sv, char ret[TRACE_ID_LEN + 1]);
