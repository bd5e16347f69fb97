/* SPDX-License-Identifier: ISC */
/*
 * server.h - one imap worker: what its IMAP and POP3 sessions share.
 *
 * One struct server a process, passed down; no mutable file-scope state.
 */
#pragma once

#include "base/log.h"
#include "base/metrics.h"
#include "conf/conf.h"
#include "net/conn.h"
#include "proc/ports.h"
#include "proc/runtime.h"

#include <sys/queue.h>

struct client;
struct session;

#define SERVER_ID_BUCKETS 4096U /* a power of two */
/* Bytes of all messages that clients are just appending. */
#define SERVER_APPEND_MAX MIB(1024)
/* Bytes of large messages that are kept for the next partial FETCH. */
#define SERVER_KEPT_MAX MIB(128)
/* Bytes of all large messages that are mapped, also those that slow clients
 * read: of all accounts, and of one. A single message is always let through. */
#define SERVER_MAPS_MAX         MIB(1024)
#define SERVER_MAPS_ACCOUNT_MAX MIB(256)

struct kept_body;
struct body_map;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct tls_context *tls; /* NULL: no certificate, no TLS */
	struct ports *ports;     /* who comes in: front.h */
	uint32_t next_session;   /* ids on the internal protocol; never 0 */
	LIST_HEAD(, client) clients;
	LIST_HEAD(, session) by_id[SERVER_ID_BUCKETS];
	uint64_t append_bytes;
	TAILQ_HEAD(kept_list, kept_body)
	kept; /* the one used last comes first */
	size_t kept_bytes;
	LIST_HEAD(, body_map) maps; /* kept.h */
	bool is_stopping;
};

/* A fresh internal session id. */
uint32_t imap_server_session_id(struct server *sv);
/* Largest message that APPEND takes, in bytes. */
uint64_t server_append_max(const struct server *sv);
