/* SPDX-License-Identifier: ISC */
/*
 * pop3.h - POP3 connections (RFC 1939, 2449, 2595, 3206, 5034).
 */
#pragma once

#include "imap/server.h"

struct pop3;

/* A new connection, taken; to that port of ours. */
void pop3_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port);
/* The store went away: the grant is lost. */
void pop3_store_gone(struct pop3 *p);
void pop3_shutdown(struct pop3 *p);
struct pop3 *pop3_next(struct pop3 *p); /* in the server's list */
