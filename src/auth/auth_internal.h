/* SPDX-License-Identifier: ISC */
/* auth_internal.h - shared by auth.c and exchange.c only. */
#pragma once

#include "auth/auth.h"
#include "auth/auth_cache.h"
#include "auth/gsasl_wrap.h"
#include "auth/hasher.h"
#include "auth/password.h"

#define EXCHANGE_BUCKETS 4096

struct exchange;

struct auth {
	struct loop *loop;
	struct auth_config config;
	struct ipc_peer *store; /* a reference, or NULL */
	struct throttle *throttle;
	struct auth_cache *cache;
	struct hasher *hasher;
	struct loop_timer *sweep;
	uint8_t fake_key[PASSWORD_KEY_BYTES]; /* of salts of unknown users */
	uint32_t key_request;                 /* for it; 0: none is under way */
	struct exchange *buckets[EXCHANGE_BUCKETS];
	struct exchange *oldest, *newest; /* by time of start */
	size_t exchanges;
};

/* Begin, go on with, or end the exchange of a session. */
void exchange_step(struct auth *a, struct ipc_peer *p, const struct ipc_msg *m);
void exchange_cancel(struct auth *a, struct ipc_peer *p, uint32_t session);
void exchange_cancel_all(struct auth *a, struct ipc_peer *p);
/* End those that are too old; the answer is when to look again, 0: never. */
uint64_t exchange_sweep(struct auth *a, uint64_t now_ms);
