/* SPDX-License-Identifier: ISC */
/*
 * route.h - which way a recipient's copy goes: the first static route that
 * fits, else what send.direct says.
 *
 * Pure: no look-ups. Where the answer depends on the MX hosts of the domain,
 * and they are not known yet, it says so.
 */
#pragma once

#include "conf/route_text.h"

#define ROUTES_MAX 1024

struct routes {
	struct route *items; /* strings point into the text */
	size_t n;
	bool is_direct; /* without a route */
};

/* Take over the routes of a text with one a line. False: one is malformed, or
 * there are too many. text lives as long as r. */
bool routes_init(struct routes *r, struct str text, bool is_direct) WARN_UNUSED;
void routes_done(struct routes *r);

struct route_query {
	struct str domain; /* of the recipient, lower case */
	struct str sender; /* domain of the sender; empty: null sender */
	bool knows_mx;
	const struct str *mx; /* host names, lower case */
	size_t n_mx;
};

enum route_answer {
	ROUTE_FOUND,    /* *ret */
	ROUTE_NONE,     /* straight to the MX hosts */
	ROUTE_NOWHERE,  /* it has to wait */
	ROUTE_NEEDS_MX, /* ask again when they are known */
};

enum route_answer route_find(const struct routes *r,
    const struct route_query *q, const struct route **ret) WARN_UNUSED;
