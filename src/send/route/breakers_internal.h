/* SPDX-License-Identifier: ISC */
/*
 * breakers_internal.h - a breaker with all that is known of it, for
 * breakers.c (what happens) and breakers_keep.c (the ledger).
 */
#pragma once

#include "base/log.h"
#include "conf/breaker_row.h"
#include "proc/ledger.h"
#include "send/route/breakers.h"
#include "send/route/scope.h"

struct breaker_item {
	struct table_item item;
	struct breakers *bs;
	struct str key; /* of the ledger */
	char *scope, *source;
	struct breaker state;
	uint64_t messages;
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	uint32_t n_accounts;
	bool has_more_accounts;
	char *own_ip, *mx, *mx_ip, *domain, *reply, *rule, *link;
	uint32_t code;
	char *instead, *why;
	bool is_dirty;   /* the ledger has something else */
	unsigned n_gone; /* removals of ours that were not told back yet */
};

struct breakers {
	struct server *sv;
	struct table table;
	uint64_t n_open;
	struct loop_timer *sweep, *flush;
	bool is_loaded;
	/* while it is read */
	loop_fn done;
	void *done_arg;
	struct loop_timer *again;
};

/* --- breakers.c --- */

/* NULL: there is none (or there are too many). */
struct breaker_item *breakers_find(
    struct breakers *bs, struct str scope, struct str source);
struct breaker_item *breakers_get(
    struct breakers *bs, struct str scope, struct str source);
void breaker_item_free(struct breaker_item *b);
void breaker_item_close(struct breaker_item *b);
void breaker_item_log(const struct breaker_item *b, enum event_id event);
/* What waits for the way that it shuts looks for another one. */
void breaker_item_move_mail(struct breaker_item *b);
struct breaker_pace breakers_pace(const struct breakers *bs);
/* Count those that are open, for the metric. */
void breakers_show(struct breakers *bs);

/* --- breakers_keep.c --- */

void breakers_keep(struct breakers *bs);
/* To the ledger, now. */
void breaker_item_write(struct breaker_item *b);
/* Out of the ledger. */
void breaker_item_gone(struct breaker_item *b);
