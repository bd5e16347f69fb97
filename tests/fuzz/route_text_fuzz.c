/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/conf/route_text.c src/send/route.c
 *
 * route_text_fuzz.c - static routes: one that parses gives the same route when
 * it is written again from its parts, and only names that fit its pattern find
 * it.
 */
#include "send/route.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_target(struct buf *b, const struct route_target *t)
{
	bool is_v6 = str_find(t->host, ':') >= 0;

	if (t->kind == ROUTE_DIRECT)
		buf_put_c(b, "direct");
	else if (t->kind == ROUTE_HOLD)
		buf_put_c(b, "hold");
	else
		buf_printf(b, "%s%.*s%s:%u", is_v6 ? "[" : "", STR_ARG(t->host),
		    is_v6 ? "]" : "", t->port);
}

static void
put_route(struct buf *b, const struct route *r)
{
	static const char *const tls[] = { "may", "must", "never", "implicit" };
	static const char *const kinds[] = { "*", "", "from:", "mx:" };

	buf_printf(b, "%s%s%.*s ", kinds[r->pattern], r->is_suffix ? "." : "",
	    STR_ARG(r->name));
	for (size_t i = 0; i < r->n_targets; i++) {
		if (i > 0)
			buf_put_char(b, ',');
		put_target(b, &r->targets[i]);
	}
	buf_printf(b, " tls=%s", tls[r->tls]);
}

static void
check_same(const struct route *a, const struct route *b)
{
	ASSERT(a->pattern == b->pattern && str_eq(a->name, b->name));
	ASSERT(a->is_suffix == b->is_suffix && a->tls == b->tls);
	ASSERT(a->n_targets == b->n_targets);
	for (size_t i = 0; i < a->n_targets; i++) {
		ASSERT(a->targets[i].kind == b->targets[i].kind);
		ASSERT(a->targets[i].port == b->targets[i].port);
		ASSERT(str_eq(a->targets[i].host, b->targets[i].host));
	}
}

/* The route by itself, asked about its own name and one below it. */
static void
check_finding(struct str text, const struct route *r)
{
	struct buf below = BUF_INIT(KIB(2));
	struct route_query q = { .domain = r->name,
		.sender = r->name,
		.knows_mx = true,
		.mx = &q.domain,
		.n_mx = 1 };
	const struct route *found = NULL;
	struct routes routes;

	ASSERT(routes_init(&routes, text, true));
	ASSERT(
	    (route_find(&routes, &q, &found) == ROUTE_FOUND) == !r->is_suffix);
	buf_put_c(&below, "x.");
	buf_put_str(&below, r->name);
	q.domain = q.sender = buf_str(&below);
	ASSERT((route_find(&routes, &q, &found) == ROUTE_FOUND) ==
	       (r->is_suffix || r->pattern == ROUTE_ANY));
	routes_done(&routes);
	buf_done(&below);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct buf again = BUF_INIT(KIB(16));
	struct route a, b;

	if (!route_text_parse(text, &a))
		return 0;
	ASSERT(size <= ROUTE_TEXT_MAX && a.n_targets > 0);
	put_route(&again, &a);
	if (again.n <= ROUTE_TEXT_MAX) {
		ASSERT(route_text_parse(buf_str(&again), &b));
		check_same(&a, &b);
		check_finding(buf_str(&again), &a);
	}
	buf_done(&again);
	return 0;
}
