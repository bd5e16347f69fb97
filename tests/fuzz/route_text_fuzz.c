/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/conf/route_text.c src/conf/route_row.c src/send/route/route.c src/send/route/plan.c src/proto/provider/provider.c
 *
 * route_text_fuzz.c - routes: one that parses gives the same route when it is
 * written again from its parts, only what fits its pattern finds it, and of its
 * ways one that is free is taken, none that is shut. The first byte of the
 * input says which are. The rest is read as a row of the ledger as well.
 */
#include "send/route/plan.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_targets(struct buf *b, const struct route_way *w)
{
	if (w->kind != ROUTE_RELAY)
		buf_put_c(b, w->kind == ROUTE_DIRECT ? "direct" : "hold");
	for (size_t i = 0; i < w->n_targets; i++) {
		const struct route_target *t = &w->targets[i];
		bool is_v6 = str_find(t->host, ':') >= 0;

		buf_printf(b, "%s%s%.*s%s:%u", i > 0 ? "," : "",
		    is_v6 ? "[" : "", STR_ARG(t->host), is_v6 ? "]" : "",
		    t->port);
	}
}

static void
put_option(struct buf *b, const char *key, struct str value)
{
	if (value.n > 0)
		buf_printf(b, " %s=%.*s", key, STR_ARG(value));
}

static void
put_way(struct buf *b, const struct route_way *w)
{
	static const char *const tls[] = { "may", "must", "never", "implicit",
		"verify" };

	put_targets(b, w);
	if (w->tls != ROUTE_TLS_MAY)
		buf_printf(b, " tls=%s", tls[w->tls]);
	put_option(b, "source", w->source6);
	put_option(b, "source", w->source4);
	put_option(b, "helo", w->helo);
	put_option(b, "helo6", w->helo6);
	put_option(b, "helo4", w->helo4);
	put_option(b, "user", w->login);
	if (w->allows_cleartext)
		buf_put_c(b, " cleartext=yes");
	if (w->ignores_spf)
		buf_put_c(b, " spf=ignore");
	buf_printf(b, " weight=%u", w->weight);
}

static void
put_route(struct buf *b, const struct route *r)
{
	static const char *const kinds[] = { "*", "",
		"from:", "from:", "account:", "mx:", "group:", "fallback" };

	buf_printf(b, "%s%s%.*s", kinds[r->pattern], r->is_suffix ? "." : "",
	    STR_ARG(r->name));
	for (size_t i = 0; i < r->n_ways; i++) {
		bool is_same =
		    i > 0 && r->ways[i].order == r->ways[i - 1].order;

		buf_put_c(b, i == 0 ? " " : is_same ? " or " : " then ");
		put_way(b, &r->ways[i]);
	}
}

static void
check_same_way(const struct route_way *a, const struct route_way *b)
{
	ASSERT(a->kind == b->kind && a->n_targets == b->n_targets);
	ASSERT(a->order == b->order && a->weight == b->weight);
	ASSERT(a->tls == b->tls && str_eq(a->helo, b->helo));
	ASSERT(str_eq(a->helo4, b->helo4) && str_eq(a->helo6, b->helo6));
	ASSERT(str_eq(a->source4, b->source4));
	ASSERT(str_eq(a->source6, b->source6));
	ASSERT(str_eq(a->login, b->login));
	ASSERT(a->allows_cleartext == b->allows_cleartext);
	ASSERT(a->ignores_spf == b->ignores_spf);
	for (size_t i = 0; i < a->n_targets; i++) {
		ASSERT(a->targets[i].port == b->targets[i].port);
		ASSERT(str_eq(a->targets[i].host, b->targets[i].host));
	}
}

static void
check_same(const struct route *a, const struct route *b)
{
	ASSERT(a->pattern == b->pattern && str_eq(a->name, b->name));
	ASSERT(a->is_suffix == b->is_suffix && a->n_ways == b->n_ways);
	for (size_t i = 0; i < a->n_ways; i++)
		check_same_way(&a->ways[i], &b->ways[i]);
}

/* The route by itself, asked about its own name and one below it. */
static void
check_finding(struct str text, const struct route *r)
{
	struct buf sender = BUF_INIT(KIB(2)), below = BUF_INIT(KIB(2));
	struct route_query q = {
		.domain = r->name, .knows_mx = true, .mx = &q.domain, .n_mx = 1
	};
	const struct route_item *found = NULL;
	struct routes routes = { .is_direct = true };
	bool is_never =
	    r->pattern == ROUTE_FALLBACK || r->pattern == ROUTE_GROUP;
	bool is_address =
	    r->pattern == ROUTE_ADDRESS || r->pattern == ROUTE_ACCOUNT;

	ASSERT(routes_write(&routes, text));
	buf_printf(&sender, "%s%.*s", is_address ? "" : "x@", STR_ARG(r->name));
	q.sender = q.login = buf_str(&sender);
	ASSERT((route_find(&routes, &q, &found) == ROUTE_FOUND) ==
	       (!r->is_suffix && !is_never));
	buf_printf(&below, "x.%.*s", STR_ARG(r->name));
	buf_reset(&sender, sender.cap);
	buf_printf(&sender, "x@%.*s", STR_ARG(buf_str(&below)));
	q.domain = buf_str(&below);
	q.sender = q.login = buf_str(&sender);
	ASSERT((route_find(&routes, &q, &found) == ROUTE_FOUND) ==
	       (r->is_suffix || r->pattern == ROUTE_ANY));
	routes_done(&routes);
	buf_done(&sender);
	buf_done(&below);
}

static void
check_ways(const struct route *r, uint8_t bits)
{
	enum way_state states[PLAN_WAYS_MAX] = { WAY_FREE };
	struct plan p;
	size_t way = 99;
	enum plan_answer a;

	plan_make_own(r, &p);
	ASSERT(p.n == r->n_ways);
	for (size_t i = 0; i < p.n; i++)
		states[i] = bits & (1U << (i % 8)) ? WAY_SHUT : WAY_FREE;
	a = plan_pick(&p, states, bits * 2654435761U, &way);
	ASSERT(a != PLAN_CANARY);
	if (a == PLAN_WAIT) {
		for (size_t i = 0; i < p.n; i++)
			ASSERT(states[i] == WAY_SHUT);
		return;
	}
	ASSERT(way < p.n && states[way] == WAY_FREE);
	for (size_t i = 0; i < p.n; i++)
		ASSERT(p.ways[i].way.order >= p.ways[way].way.order ||
		       states[i] == WAY_SHUT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data + (size > 0), size - (size > 0));
	struct buf again = BUF_INIT(KIB(32));
	struct route_row row;
	struct route a, b;

	(void)!route_row_get(str_make(data, size), &row);
	if (!route_text_parse(text, &a))
		return 0;
	ASSERT(text.n <= ROUTE_TEXT_MAX && a.n_ways > 0);
	ASSERT(a.n_ways <= ROUTE_WAYS_MAX);
	check_ways(&a, data[0]);
	put_route(&again, &a);
	if (again.n <= ROUTE_TEXT_MAX) {
		ASSERT(route_text_parse(buf_str(&again), &b));
		check_same(&a, &b);
		check_finding(buf_str(&again), &a);
	}
	buf_done(&again);
	return 0;
}
