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
#include "proc/runtime.h"

#include <sys/queue.h>

struct session;
struct pop3;
struct front;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	struct tls_context *tls; /* NULL: no certificate, no TLS */
	struct fronts *fronts;   /* listeners and limits: front.h */
	uint32_t next_session;   /* ids on the internal protocol; never 0 */
	LIST_HEAD(, session) sessions;
	LIST_HEAD(, pop3) pop3_sessions;
	uint64_t session_count;
	bool is_stopping;
};

/* A fresh internal session id. */
uint32_t imap_server_session_id(struct server *sv);
/* Largest message that APPEND takes, in bytes. */
uint64_t server_append_max(const struct server *sv);
