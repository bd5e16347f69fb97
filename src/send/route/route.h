/* SPDX-License-Identifier: ISC */
/*
 * route.h - which route a recipient's copy takes: the first that fits. Those
 * that the operator made ('mailstead route', the ledger) come first, in the
 * order of their numbers, then those of the configuration, in theirs; else
 * what send.direct says.
 *
 * Pure: no look-ups. Where the answer depends on the MX hosts of the domain,
 * and they are not known yet, it says so.
 */
#pragma once

#include "conf/route_row.h"
#include "proto/provider/provider.h"

#define ROUTES_MAX 10000 /* made, and written, each */

/* One route of the table. text owns the strings of pattern. */
struct route_item {
	uint32_t number;      /* of those made; of those written: their line */
	bool is_written;      /* in the configuration */
	struct route pattern; /* without its ways */
	char *text, *password;
};

struct route_list {
	struct route_item **items;
	size_t n, cap;
};

struct routes {
	struct route_list made, written;
	bool is_direct; /* without a route */
	/* Rises with each change: who keeps a way compares it. */
	uint32_t generation;
};

void routes_done(struct routes *r);
/* Those of the configuration, one a line, in place of the former. False: one is
 * malformed or there are too many, and all is as it was. */
bool routes_write(struct routes *r, struct str text) WARN_UNUSED;
/* Make, or change, one that the operator made. False: too many, or none. */
bool routes_make(
    struct routes *r, uint32_t number, const struct route_row *row) WARN_UNUSED;
void routes_unmake(struct routes *r, uint32_t number);
/* In the order in which they count; NULL behind the last. */
const struct route_item *routes_at(const struct routes *r, size_t i);

struct route_query {
	struct str domain; /* of the recipient, lower case */
	struct str sender; /* its address; empty: null sender */
	struct str login;  /* of the account that sent it; empty: none did */
	bool knows_mx;
	const struct str *mx; /* host names, lower case, the best first */
	size_t n_mx;
	const struct provider_table *providers;
};

/* Does the pattern of this route fit? */
bool route_fits(const struct route_item *item, const struct route_query *q);
/* Does that depend on the MX hosts? */
bool route_needs_mx(const struct route_item *item);

enum route_answer {
	ROUTE_FOUND,    /* *ret */
	ROUTE_NONE,     /* straight to the MX hosts */
	ROUTE_NOWHERE,  /* it has to wait */
	ROUTE_NEEDS_MX, /* ask again when they are known */
};

/* *ret lives until the routes change. */
enum route_answer route_find(const struct routes *r,
    const struct route_query *q, const struct route_item **ret) WARN_UNUSED;
/* The operator's fall-back for everybody; NULL: none. */
const struct route_item *route_fallback(const struct routes *r);

/* "direct from 192.0.2.1", "relay.example.net:587", "hold": for people. */
void route_way_put(const struct route_way *w, struct buf *to);
