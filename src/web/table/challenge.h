/* SPDX-License-Identifier: ISC */
/*
 * challenge.h - what an authority looks for at our host names (RFC 8555 section
 * 8.3, RFC 8737): role acme says what to answer, until it says that it is over
 * or its process ends for good.
 */
#pragma once

#include "web/server.h"

struct challenges *challenges_new(struct server *sv);
void challenges_free(struct challenges *c);

/* MSG_ACME_CHALLENGE. False: it is malformed. */
bool challenge_message(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
/* That process of role acme is gone: its successor goes on, and the authority may
 * look meanwhile, so its challenges are answered for a few minutes more. */
void challenges_orphan(struct server *sv, uint32_t owner);
/* sv->tls is a new context: it answers what the former one did. */
void challenges_renew_tls(struct server *sv);
/* The answer to a token of http-01; false: there is no such token. */
bool challenge_find(
    const struct server *sv, struct str token, struct str *ret) WARN_UNUSED;
