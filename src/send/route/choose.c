/* SPDX-License-Identifier: ISC */
/*
 * choose.c - from a mail to a destination. See choose.h.
 *
 *   plan.h   the ways of its route in order, then everybody's fall-back
 *   breakers which of them refuse us; one mail now and then tries nevertheless
 *   permit.h whether the sender's domain allows a detour
 *
 * A mail that a way refused comes here again and takes the next one. Since
 * each refusal shuts its way, and a mail counts how often that happened to it,
 * it cannot go round in circles.
 */
#include "send/route/choose.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "net/idn.h"
#include "send/queue/flows.h"
#include "send/route/breakers.h"
#include "send/dns/lookup.h"
#include "send/route/permit.h"

/* Ways that may refuse one mail in one lease. */
#define MOVES_MAX 8

struct choosing {
	struct server *sv;
	struct lookup *l;
	struct mail *m;
	struct str mx[MX_HOSTS_MAX];
	struct route_query q;
	struct plan plan;
	enum way_state states[PLAN_WAYS_MAX];
	struct breaker_item *shut; /* the first that is in the way */
	char why[300];             /* what is wrong with the other ways */
	bool is_unknown;           /* one may be allowed, a little later */
	bool is_own;               /* the operator sent this mail its way */
};

/* --- ways that lead nowhere --------------------------------------------------------- */

static void
hold(struct choosing *c)
{
	const struct judgement j = {
		.outcome = TEMPFAIL,
		.is_held = true,
		.is_local = true,
		.status = { 4, 3, 5 },
		.text = c->plan.n > 0
		            ? STR("held: a route says so")
		            : STR("held: the configuration has no way to this "
				  "domain (send.direct is no, and no route "
				  "leads there)"),
	};
	const struct trip none = { .route = STR("hold") };

	settle_all(c->sv, c->m, &j, &none);
}

static uint64_t
when_to_try(const struct choosing *c)
{
	uint64_t now = loop_time_ms(c->sv->loop), at = now;

	if (c->is_unknown || c->shut == NULL)
		return 0; /* as the schedule says */
	at = MAX(at, breaker_item_next(c->shut));
	/* One of them will be the canary, the others come after it. */
	return at + (uint64_t)(secret_random_u32() % 60000) *
	                MIN(at - now, 60000) / 60000;
}

/* The host that mail waits for, by which an operator finds it in the queue. */
static struct str
awaited_host(const struct choosing *c)
{
	for (size_t i = 0; i < c->plan.n && c->q.n_mx > 0; i++)
		if (c->plan.ways[i].way.kind == ROUTE_DIRECT)
			return c->q.mx[0];
	return STR("");
}

/* It waits in the queue. */
static void
let_wait(struct choosing *c)
{
	struct buf text = BUF_INIT(VERDICT_TEXT_MAX);
	const struct trip trip = { .route = STR("waits: refused here"),
		.mx = awaited_host(c) };
	struct judgement j = {
		.outcome = TEMPFAIL,
		.is_local = true,
		.status = { 4, 7, 1 },
		.not_before_ms = when_to_try(c),
	};

	if (c->shut != NULL)
		breaker_item_put(c->shut, &text);
	else
		buf_put_c(&text, "no way is open to this domain");
	buf_printf(&text, "; %s; see 'mailstead route status'",
	    c->why[0] ? c->why : "and no route has another way");
	j.text = buf_str(&text);
	if (c->shut != NULL) {
		const struct detour d = { c->m, NULL,
			c->why[0] ? c->why : "no route has another way" };

		breaker_item_count(c->shut, &d);
	}
	settle_all(c->sv, c->m, &j, &trip);
	buf_done(&text);
}

/* --- ways that lead somewhere ---------------------------------------------------------- */

static void
put_relay(const struct route_way *w, struct dest_spec *spec,
    char (*names)[MX_NAME_MAX + 1], struct buf *key)
{
	for (size_t i = 0; i < w->n_targets; i++) {
		const struct route_target *t = &w->targets[i];

		if (!idn_to_ascii(t->host, names[spec->n], MX_NAME_MAX + 1))
			continue;
		buf_printf(key, "%s:%u>", names[spec->n], t->port);
		spec->hosts[spec->n] =
		    (struct dest_host){ .name = names[spec->n],
			    .port = t->port };
		spec->n++;
	}
	spec->key = buf_str(key);
	spec->is_relay = true;
}

/* RFC 8689 section 3: its sender wants it to arrive rather than be safe. What
 * the operator asks for stays. */
static void
drop_tls_policy(struct dest_spec *spec)
{
	for (size_t i = 0; i < spec->n; i++)
		if (spec->hosts[i].rule == TLS_RULE_AUTO)
			spec->hosts[i].rule = TLS_RULE_MAY;
}

/* RFC 8689 section 4.2.1: the other hosts have their turn. */
static void
drop_unfit(const struct mail *m, struct dest_spec *spec)
{
	size_t n = 0;

	for (size_t i = 0; m->unfit.n > 0 && i < spec->n; i++)
		if (!mail_is_unfit(m, str_c(spec->hosts[i].name)))
			spec->hosts[n++] = spec->hosts[i];
	/* The domain has other hosts by now: all of them are tried. */
	if (n > 0)
		spec->n = n;
}

/* The destination of a way, with a reference; NULL: there is none. */
static struct dest *
get_dest(const struct choosing *c, const struct plan_way *w)
{
	char names[ROUTE_TARGETS_MAX][MX_NAME_MAX + 1];
	struct buf key = BUF_INIT(KIB(8));
	struct dest_spec spec = { .tls = w->way.tls,
		.way = &w->way,
		.password = w->password,
		.generation = c->sv->routes.generation };
	struct dest *d = NULL;

	if (w->way.kind == ROUTE_RELAY)
		put_relay(&w->way, &spec, names, &key);
	else
		lookup_spec(c->l, &spec);
	if (w->way.kind != ROUTE_RELAY && mail_item(c->m)->is_tls_optional)
		drop_tls_policy(&spec);
	drop_unfit(c->m, &spec);
	if (spec.n > 0)
		d = dest_get(c->sv, &spec);
	buf_done(&key);
	return d;
}

/* Straight ways need the MX hosts, and these may not exist. False: the mail is
 * elsewhere now. */
static bool
has_hosts(struct choosing *c)
{
	const struct trip none = { 0 };

	if (!c->q.knows_mx) {
		lookup_wait(c->l, c->m);
		return false;
	}
	if (lookup_dest(c->l) != NULL)
		return true;
	settle_all(c->sv, c->m, lookup_verdict(c->l), &none);
	return false;
}

/* The configuration still says so. */
static bool
is_as_configured(const struct server *sv, const struct way *w)
{
	return strcmp(w->source, sv->source) == 0 &&
	       str_eq(str_c(w->helo4), way_helo(sv->conf, NULL, AF_INET)) &&
	       str_eq(str_c(w->helo6), way_helo(sv->conf, NULL, AF_INET6));
}

/* What most mail takes, without a look into the table. */
static bool
is_usual(const struct choosing *c, const struct route_way *w)
{
	return w->kind == ROUTE_DIRECT && w->tls == ROUTE_TLS_MAY &&
	       w->source4.n + w->source6.n == 0 &&
	       w->helo.n + w->helo4.n + w->helo6.n == 0 &&
	       !mail_item(c->m)->is_tls_optional && c->m->unfit.n == 0 &&
	       is_as_configured(c->sv, dest_way(lookup_dest(c->l)));
}

static void
go(struct choosing *c, const struct plan_way *w)
{
	struct dest *d;

	if (w->way.kind == ROUTE_DIRECT && !has_hosts(c))
		return;
	if (w->way.kind == ROUTE_DIRECT && is_usual(c, &w->way)) {
		flows_place(c->sv->flows, c->q.domain, lookup_dest(c->l));
		dest_add(lookup_dest(c->l), c->m);
		return;
	}
	d = get_dest(c, w);
	if (d == NULL) {
		hold(c);
		return;
	}
	flows_place(c->sv->flows, c->q.domain, d);
	dest_add(d, c->m);
	dest_unref(d);
}

/* What the operator reads in queue and trace. */
static void
note_detour(struct choosing *c, const struct plan_way *w)
{
	struct buf label = BUF_INIT(KIB(8)), reason = BUF_INIT(KIB(2));
	const struct msg_queue_item *item = mail_item(c->m);

	route_way_put(&w->way, &label);
	breaker_item_put(c->shut, &reason);
	free(c->m->via);
	c->m->via = x_asprintf("%s: %s", buf_c(&label), buf_c(&reason));
	breaker_item_count(
	    c->shut, &(struct detour){ c->m, buf_c(&label), NULL });
	log_event(EV_SEND_DETOUR, LS("id", item->trace_id),
	    LS("from", item->mail_from), LS("domain", c->q.domain),
	    LU("rcpts", c->m->open), LS("route", buf_str(&label)),
	    LS("reason", buf_str(&reason)));
	metric_add(M_SEND_DETOURS, c->m->open);
	buf_done(&label);
	buf_done(&reason);
}

/* One recipient tries the shut way; the others look again. */
static void
send_canary(struct choosing *c, size_t way)
{
	struct mail *one = mail_new(c->m->domain, c->m->until_ms);
	struct mail *rest = c->m;

	for (size_t i = 0; i < rest->n && one->open == 0; i++)
		if (rest->entries[i] != NULL)
			mail_add(one, mail_take(rest, i));
	breakers_canary(c->sv->breakers, &c->plan.ways[way].way, &c->q);
	one->is_canary = true;
	c->m = one;
	go(c, &c->plan.ways[way]);
	if (rest->open > 0)
		choose_way(c->sv, c->l, rest);
	else
		mail_free(rest);
}

/* --- choosing ------------------------------------------------------------------------------- */

static enum way_state
state_of(struct choosing *c, const struct route_way *w)
{
	struct breaker_item *b = NULL;

	if (c->is_own && c->m->moves == 0)
		return WAY_FREE;
	switch (breakers_ask(c->sv->breakers, w, &c->q, &b)) {
	case BREAKER_FREE:
		return WAY_FREE;
	case BREAKER_CANARY:
		if (c->m->moves == 0)
			return WAY_CANARY;
		break;
	case BREAKER_SHUT:
		break;
	}
	if (c->shut == NULL)
		c->shut = b;
	return WAY_SHUT;
}

/* May it make this detour? True: the mail is elsewhere now. */
static bool
check_detour(struct choosing *c, size_t way, bool *ret_may)
{
	const struct permit_question q = { &c->plan.ways[way].way,
		mail_item(c->m)->mail_from };
	const char *why = "";
	struct buf label = BUF_INIT(KIB(8));

	enum permit answer = permits_ask(c->sv->permits, &q, c->m, &why);

	switch (answer) {
	case PERMIT_YES:
		*ret_may = true;
		break;
	case PERMIT_PENDING:
		buf_done(&label);
		return true;
	case PERMIT_UNKNOWN:
	case PERMIT_NO:
		c->is_unknown |= answer == PERMIT_UNKNOWN;
		*ret_may = false;
		route_way_put(&c->plan.ways[way].way, &label);
		snprintf(c->why, sizeof(c->why), "%s is no way for it: %s",
		    buf_c(&label), why);
		break;
	}
	buf_done(&label);
	return false;
}

static void
pick(struct choosing *c)
{
	size_t way = 0;
	bool may = false;

	for (;;) {
		switch (
		    plan_pick(&c->plan, c->states, secret_random_u32(), &way)) {
		case PLAN_GO:
			go(c, &c->plan.ways[way]);
			return;
		case PLAN_CANARY:
			send_canary(c, way);
			return;
		case PLAN_WAIT:
			let_wait(c);
			return;
		case PLAN_DETOUR:
			if (check_detour(c, way, &may))
				return;
			if (may) {
				note_detour(c, &c->plan.ways[way]);
				go(c, &c->plan.ways[way]);
				return;
			}
			c->states[way] = WAY_FORBIDDEN;
		}
	}
}

static void
follow_plan(struct choosing *c)
{
	if (c->plan.n == 0 || c->plan.ways[0].way.kind == ROUTE_HOLD) {
		hold(c);
		return;
	}
	for (size_t i = 0; i < c->plan.n; i++)
		c->states[i] = state_of(c, &c->plan.ways[i].way);
	if (c->m->moves > MOVES_MAX)
		let_wait(c);
	else
		pick(c);
}

/* Where the operator said that this one goes. */
static bool
plan_own(struct choosing *c, struct str text, char **line)
{
	struct route r;

	if (text.n == 0)
		return false;
	*line = x_asprintf("* %.*s", STR_ARG(text));
	if (!route_text_parse(str_c(*line), &r))
		return false;
	plan_make_own(&r, &c->plan);
	c->is_own = true;
	return true;
}

static void
ask_routes(struct choosing *c)
{
	struct dest *d = lookup_dest(c->l);

	c->q = (struct route_query){
		.domain = domain_name(c->m->domain),
		.sender = mail_item(c->m)->mail_from,
		.login = mail_item(c->m)->login,
		.knows_mx = lookup_is_known(c->l),
		.mx = c->mx,
		.providers = c->sv->providers,
	};
	for (size_t i = 0; d != NULL && i < dest_hosts(d); i++)
		c->mx[c->q.n_mx++] = str_c(dest_host(d, i)->name);
}

void
choose_way(struct server *sv, struct lookup *l, struct mail *m)
{
	struct choosing c = { .sv = sv, .l = l, .m = m };
	CLEANUP(freep) char *line = NULL;

	ask_routes(&c);
	if (plan_own(&c, mail_item(m)->route, &line) ||
	    plan_make(&sv->routes, &c.q, &c.plan) != ROUTE_NEEDS_MX)
		follow_plan(&c);
	else
		lookup_wait(l, m);
}
