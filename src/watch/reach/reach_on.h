/* SPDX-License-Identifier: ISC */
/*
 * reach_on.h - the signals that are on, for the files that tell of them:
 * reach_told.c strangers, reach_told_rows.c operators.
 */
#pragma once

#include "watch/reach/reach_internal.h"

#include "conf/breaker_row.h"
#include "proto/provider/provider.h"

#define REACH_ROW_SERVICES 255 /* no service: it is not of a network */

struct reach_told {
	struct reach *r;
	struct ledger_mirror *mirror;
	struct provider_table *providers; /* NULL: the operator has his own */
	uint64_t hash;                    /* of what strangers are told */
};

/* A signal that is on. */
struct reach_on {
	enum reach_signal_kind kind;
	/* One of them: of a network, of a receiver, of who refuses our address. */
	const struct series *series;
	const struct sent_on *sent;
	const struct breaker_row *breaker;
	struct str id;
	uint64_t since, raised;
	enum reach_decision decision;
	struct str own_text; /* of who approved it */
};
typedef void (*reach_on_fn)(
    void *arg, struct reach *r, const struct reach_on *o);

/* Each of them, with what was decided; what o points to lives until fn is back. */
void reach_on_each(struct reach *r, reach_on_fn fn, void *arg);
/* It tells of a provider or of enough customers: nobody is recognised by it. */
bool reach_on_is_many(const struct reach *r, const struct reach_on *o);
/* Strangers may hear of it. */
bool reach_on_may_tell(const struct reach *r, const struct reach_on *o);
/* Of one network: not of all of them, nor of a receiver. */
bool reach_on_is_of_network(const struct reach_on *o);
/* The provider, when there is one: not a host, nor a customer's domain. */
struct str reach_on_provider(const struct reach *r, const struct reach_on *o);
