/* SPDX-License-Identifier: ISC */
/*
 * flows.h - what waits for whom, and why: a flow (flow.h) for each destination.
 *
 * A destination is a provider group, "relay:HOST:PORT", or a domain. The store tells how much
 * waits for each domain when that changes, so nothing here looks through the queue; where a
 * domain's mail goes is known when its first mail looked for a way.
 *
 * Strangers decide how many domains there are: there is room for FLOWS_MAX destinations and
 * FLOWS_DOMAINS_MAX domains, and what has none is counted as "others".
 */
#pragma once

#include "send/queue/entry.h"

#define FLOWS_MAX         1024
#define FLOWS_DOMAINS_MAX 100000

struct dest;
struct flows;
struct ipc_peer;
struct ipc_msg;
struct server;

struct flows *flows_new(struct server *sv);
void flows_free(struct flows *fs); /* NULL is fine */
/* MSG_QUEUE_COUNTS. False: it is malformed. now_ms: wall clock. */
bool flows_counts(
    struct flows *fs, struct str body, uint64_t now_ms) WARN_UNUSED;
/* Each minute: what is stuck, as msg_sent_stuck; what is long empty is forgotten. */
void flows_look(struct flows *fs, uint64_t now_ms, struct buf *ret_stuck);
/* Mail to this domain goes to that destination. */
void flows_place(struct flows *fs, struct str domain, const struct dest *d);
/* A recipient of it has to wait on: why. */
void flows_deferred(
    struct flows *fs, struct str domain, const struct judgement *j);
/* How many wait for a destination; "": for all together. */
uint64_t flows_waiting(const struct flows *fs, struct str name);
/* msg_queue_destination of all that mail waits for, those of most first. */
void flows_put(struct flows *fs, struct buf *to);
/* MSG_QUEUE_DESTINATIONS. False: it is malformed. */
bool flows_request(
    struct flows *fs, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
