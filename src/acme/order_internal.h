/* SPDX-License-Identifier: ISC */
/*
 * order_internal.h - the inside of an order:
 *
 *   order.c            its beginning, its states, its end
 *   order_authorize.c  each name: the challenge, and waiting for the authority
 *   order_fetch.c      the certificate: fetched, looked at, saved, in use
 */
#pragma once

#include "acme/server.h"
#include "base/certificate.h"

#define ORDER_STEP_MAX 400

struct order {
	struct server *sv;
	struct order_config config;
	char *host, *names;
	struct files_order kept; /* as on disk */
	struct acme_order order; /* as the authority has it */
	struct acme_authorization authorization;
	size_t at; /* in order.authorizations */
	enum acme_kind kind;
	unsigned polls;
	uint64_t deadline_ms;
	struct loop_timer *timer;
	loop_fn due;
	bool is_resumed; /* begun by an earlier process */
	bool has_new_account;
	bool is_finalized; /* the request was sent */
	/* The supervisor was asked: its answer comes, whatever happens. */
	bool is_asking, is_dead;
};

/* What is being done, for people. */
void order_step(struct order *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The end; o is gone. */
void order_end(struct order *o, const struct failure *f);
void order_fail(struct order *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The supervisor answered. False: o is dead, and freed now. */
bool order_answered(struct order *o) WARN_UNUSED;
/* fn(o) in a while that grows, or when the authority wants to be asked. */
void order_wait(struct order *o, uint32_t retry_after_s, loop_fn fn);
void order_begin(struct order *o);
/* Ask for the order, and go on by its state. */
void order_look(void *o);
void order_take(struct order *o, const struct call_result *r);

/* Go through the authorizations, from the first on. */
void order_authorize(struct order *o);
void order_fetch(struct order *o);
