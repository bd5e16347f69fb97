/* SPDX-License-Identifier: ISC */
/*
 * pop3.h - POP3 connections (RFC 1939, 2449, 2595, 3206, 5034).
 */
#pragma once

#include "imap/server.h"

/* A new connection, taken; to that port of ours. */
void pop3_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port);
