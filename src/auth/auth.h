/* SPDX-License-Identifier: ISC */
/*
 * auth.h - sign-ins: the part of the auth role that is not start-up.
 *
 * Fronts send AUTH_STEP; verifiers and grants are the store's. One exchange
 * for each session of a front, bounded in number, steps and time; it ends
 * with its front's connection. See exchange.c for its states.
 */
#pragma once

#include "auth/throttle.h"
#include "proc/ipc.h"

struct auth;

#define AUTH_EXCHANGES_MAX       16384 /* of all fronts together */
#define AUTH_EXCHANGE_TIMEOUT_MS UINT64_C(120000)

struct auth_config {
	struct throttle_limits limits;
	uint32_t cache_s;
	uint32_t threads;     /* fixed at start */
	bool allow_plaintext; /* passwords outside of TLS, too */
};

struct auth *auth_new(struct loop *loop, const struct auth_config *config);
void auth_free(struct auth *a);
void auth_configure(struct auth *a, const struct auth_config *config);
/* A (new) connection to the store, or NULL. What was cached is forgotten:
 * news about changed passwords may have been missed. */
void auth_set_store(struct auth *a, struct ipc_peer *store);
/* AUTH_STEP and AUTH_CANCEL of fronts, AUTH_FORGET of the store. */
void auth_message(struct auth *a, struct ipc_peer *p, struct ipc_msg *m);
/* A front's or the store's connection ended. */
void auth_peer_closed(struct auth *a, struct ipc_peer *p);
size_t auth_exchanges(const struct auth *a);

/* The process. */
int auth_main(void);
