/* SPDX-License-Identifier: ISC */
/*
 * reach.h - who reaches this server, by network (docs/reach.md).
 *
 *   reach.c         events of the fronts become counts of five minutes
 *   reach_step.c    what is judged of five minutes
 *   reach_series.c  what is usual, and what is suspected
 *   reach_file.c    both on disk, below DATA/watch/
 *   reach_nets.c    the network of an address: data base, DNS, prefix
 *   reach_asdb.c    the data base
 *   reach_sum.c     counts of a longer time
 *   reach_told.c    signals as people hear of them, and what they decide
 *   reach_tls.c     handshakes by version and alert
 *   reach_listed.c  block lists that a reply quotes
 *   sent*.c         how mail to others goes (sent.h)
 *   reach_list.c    answers to the command line and to role web
 */
#pragma once

#include "watch/server.h"

struct reach;

/* Before the sandbox: opens the data base of networks. */
struct reach *reach_new(struct server *sv);
/* Behind it: read what is on disk. */
void reach_start(struct reach *r);
/* Each second. */
void reach_tick(struct reach *r);
/* Write what is not written yet. */
void reach_stop(struct reach *r);
/* Behind reach_stop(); nothing that it asked for may be under way. */
void reach_free(struct reach *r);
/* The configuration may be another. */
void reach_configure(struct reach *r);
/* The store is there (again); rows of the tables SIGNAL and BREAKER changed. */
void reach_load(struct reach *r);
bool reach_changed(struct reach *r, struct str body) WARN_UNUSED;
/* msg_watch_suspected, of what strangers may be told. */
void reach_told_put(struct reach *r, struct buf *to);
/* One of its messages. False: it is malformed. */
bool reach_message(
    struct reach *r, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
/* Is this type of message for reach_message()? */
bool reach_is_message(enum msg_type type);
