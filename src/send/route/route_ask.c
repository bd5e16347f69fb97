/* SPDX-License-Identifier: ISC */
/* route_ask.c - what would happen. See route_ask.h. */
#include "send/route/route_ask.h"

#include "base/secret.h"
#include "net/idn.h"
#include "proto/mx/mx.h"
#include "send/route/breakers.h"
#include "send/route/permit.h"
#include "send/route/plan.h"

#define AGAIN_MS  100 /* is known meanwhile what SPF says? */
#define LINES_MAX MIB(8)

struct asking {
	struct server *sv;
	struct ipc_return reply;
	char *sender, *recipient;
	struct loop_timer *again;
	uint64_t until_ms; /* by the loop's clock: then it is answered */
	struct mx_list mx;
	bool is_unknown;   /* DNS did not say which hosts these are */
	char trouble[200]; /* with the MX records; empty: none */
};

/* --- lines ------------------------------------------------------------------------ */

static void
put_routes(struct asking *a, const struct route_query *q, struct buf *to)
{
	const struct route_item *item;
	bool is_found = false;

	for (size_t i = 0; (item = routes_at(&a->sv->routes, i)) != NULL; i++) {
		bool fits = q->domain.n > 0 && route_fits(item, q);
		struct msg_route_line line = {
			.kind = ROUTE_LINE_ROUTE,
			.number = item->number,
			.is_written = item->is_written,
			.has_password = item->password[0] != '\0',
			.fits = fits,
			.text = str_c(item->text),
			.why = fits && is_found
			           ? STR("fits, but one before it counts")
			       : fits ? STR("counts")
			              : STR_NONE,
		};

		is_found |= fits;
		msg_route_line_put(to, &line);
	}
}

static void
put_hosts(struct asking *a, const struct route_query *q, struct buf *to)
{
	for (size_t i = 0; i < q->n_mx; i++)
		msg_route_line_put(
		    to, &(struct msg_route_line){ .kind = ROUTE_LINE_MX,
			    .order = a->mx.preferences[i],
			    .text = q->mx[i],
			    .why = provider_of(a->sv->providers, q->mx[i]) });
}

struct answer {
	struct asking *a;
	struct route_query q;
	struct plan plan;
	enum way_state states[PLAN_WAYS_MAX];
	char whys[PLAN_WAYS_MAX][300];
	bool is_pending;
};

static void
look_at_breakers(struct answer *an, size_t i)
{
	struct buf why = BUF_INIT(KIB(2));
	struct breaker_item *b = NULL;

	an->whys[i][0] = '\0';
	switch (breakers_ask(
	    an->a->sv->breakers, &an->plan.ways[i].way, &an->q, &b)) {
	case BREAKER_FREE:
		an->states[i] = WAY_FREE;
		break;
	case BREAKER_CANARY:
		an->states[i] = WAY_CANARY;
		break;
	case BREAKER_SHUT:
		an->states[i] = WAY_SHUT;
		break;
	}
	if (b != NULL) {
		breaker_item_put(b, &why);
		snprintf(an->whys[i], sizeof(an->whys[i]), "%s", buf_c(&why));
	}
	buf_done(&why);
}

static void
look_at_sender(struct answer *an, size_t i)
{
	const struct permit_question q = { &an->plan.ways[i].way,
		an->q.sender };
	const char *why = "";

	switch (permits_ask(an->a->sv->permits, &q, NULL, &why)) {
	case PERMIT_YES:
		return;
	case PERMIT_PENDING:
		an->is_pending = true;
		why = "its SPF record is not known yet";
		break;
	case PERMIT_NO:
	case PERMIT_UNKNOWN:
		break;
	}
	an->states[i] = WAY_FORBIDDEN;
	snprintf(an->whys[i], sizeof(an->whys[i]), "%s", why);
}

/* Everything about every way. */
static void
look_at_ways(struct answer *an)
{
	bool is_detour = false;

	for (size_t i = 0; i < an->plan.n; i++) {
		look_at_breakers(an, i);
		if (is_detour && an->states[i] == WAY_FREE)
			look_at_sender(an, i);
		is_detour |=
		    an->states[i] == WAY_SHUT || an->states[i] == WAY_CANARY;
	}
}

static void
put_ways(const struct answer *an, struct buf *to)
{
	static const char *const states[] = {
		[WAY_FREE] = "open",
		[WAY_CANARY] = "canary",
		[WAY_SHUT] = "refused",
		[WAY_FORBIDDEN] = "forbidden",
	};

	for (size_t i = 0; i < an->plan.n; i++) {
		const struct route_way *w = &an->plan.ways[i].way;
		struct buf text = BUF_INIT(KIB(8));

		route_way_put(w, &text);
		msg_route_line_put(
		    to, &(struct msg_route_line){ .kind = ROUTE_LINE_WAY,
			    .order = w->order + 1u,
			    .weight = w->weight,
			    .state = str_c(states[an->states[i]]),
			    .text = buf_str(&text),
			    .why = str_c(an->whys[i]) });
		buf_done(&text);
	}
}

/* --- the answer ---------------------------------------------------------------------- */

static void
say(struct buf *to, const char *text, const char *why)
{
	msg_route_line_put(
	    to, &(struct msg_route_line){ .kind = ROUTE_LINE_ANSWER,
		    .text = str_c(text),
		    .why = str_c(why) });
}

static void
put_way(const struct answer *an, size_t way, const char *why, struct buf *to)
{
	struct buf text = BUF_INIT(KIB(8));

	route_way_put(&an->plan.ways[way].way, &text);
	say(to, buf_c(&text), why);
	buf_done(&text);
}

/* DNS did not say in time what it depends on. */
static void
say_unknown(struct buf *to, const char *why)
{
	msg_route_line_put(
	    to, &(struct msg_route_line){ .kind = ROUTE_LINE_ANSWER,
		    .state = STR("unknown"),
		    .text = STR("unknown"),
		    .why = str_c(why) });
}

/* Straight ways need hosts. */
static bool
lacks_hosts(const struct answer *an, size_t way)
{
	return an->plan.ways[way].way.kind == ROUTE_DIRECT && an->q.n_mx == 0;
}

static void
put_choice(struct answer *an, struct buf *to)
{
	size_t way = 0;
	enum plan_answer what =
	    plan_pick(&an->plan, an->states, secret_random_u32(), &way);

	/* One that is asked about might be open, and before that one. */
	if (an->is_pending && (what == PLAN_DETOUR || what == PLAN_WAIT)) {
		say_unknown(to, "the SPF record of the sender's domain could "
				"not be looked up");
		return;
	}
	if (what != PLAN_WAIT && lacks_hosts(an, way) && an->a->is_unknown) {
		say_unknown(to, an->a->trouble);
		return;
	}
	if (what != PLAN_WAIT && lacks_hosts(an, way)) {
		say(to, "nowhere", an->a->trouble);
		return;
	}
	switch (what) {
	case PLAN_GO:
		put_way(an, way,
		    an->plan.item ? "by the route that counts"
				  : "no route fits: to the domain's servers",
		    to);
		break;
	case PLAN_DETOUR:
		put_way(an, way, "the usual way is refused", to);
		break;
	case PLAN_CANARY:
		put_way(an, way,
		    "one message, to see whether it is still refused", to);
		break;
	case PLAN_WAIT:
		say(to, "waits", "no way is open for this sender");
		break;
	}
}

static void
put_answer(struct answer *an, enum route_answer found, struct buf *to)
{
	put_hosts(an->a, &an->q, to);
	put_routes(an->a, &an->q, to);
	put_ways(an, to);
	if (found == ROUTE_NEEDS_MX)
		say_unknown(to, an->a->trouble);
	else if (found == ROUTE_NOWHERE)
		say(to, "hold", "send.direct is no, and no route leads there");
	else if (an->plan.n > 0 && an->plan.ways[0].way.kind == ROUTE_HOLD)
		say(to, "hold", "the route that counts says so");
	else
		put_choice(an, to);
}

static void
finish(struct asking *a, struct buf *lines)
{
	struct buf body = BUF_INIT(LINES_MAX + KIB(1));

	msg_route_ask_reply_put(
	    &body, &(struct msg_route_ask_reply){ buf_str(lines) });
	if (lines->failed || body.failed)
		ipc_reply_error(&a->reply, PERMFAIL, REASON_TOO_BIG,
		    "there are too many routes to show");
	else
		ipc_reply(&a->reply, buf_str(&body), -1);
	buf_done(&body);
	loop_timer_free(a->again);
	free(a->sender);
	free(a->recipient);
	free(a);
}

static void
answer(void *arg)
{
	struct asking *a = arg;
	struct answer *an = X_NEW(struct answer);
	struct buf lines = BUF_INIT(LINES_MAX);
	struct str mx[MX_HOSTS_MAX];
	enum route_answer found;

	an->a = a;
	an->q =
	    (struct route_query){ .domain = address_domain(str_c(a->recipient)),
		    .sender = str_c(a->sender),
		    /* Who writes as himself. */
		    .login = str_c(a->sender),
		    .knows_mx = !a->is_unknown,
		    .mx = mx,
		    .n_mx = a->mx.n,
		    .providers = a->sv->providers };
	for (size_t i = 0; i < a->mx.n; i++)
		mx[i] = str_c(a->mx.hosts[i]);
	found = plan_make(&a->sv->routes, &an->q, &an->plan);
	look_at_ways(an);
	if (an->is_pending && loop_now_ms(a->sv->loop) < a->until_ms) {
		loop_timer_set(a->again, AGAIN_MS);
	} else {
		put_answer(an, found, &lines);
		finish(a, &lines);
	}
	buf_done(&lines);
	free(an);
}

/* --- the MX hosts ----------------------------------------------------------------------- */

static void
order_hosts(struct asking *a, struct mx_record *records, size_t n)
{
	char ascii[MX_NAME_MAX + 1];
	uint64_t seed;

	secret_random(&seed, sizeof(seed));
	if (!idn_to_ascii(
		address_domain(str_c(a->recipient)), ascii, sizeof(ascii)))
		return;
	switch (mx_order(records, n, str_c(ascii), str_c(a->sv->conf->hostname),
	    seed, &a->mx)) {
	case MX_OK:
		a->trouble[0] = '\0';
		break;
	case MX_NULL:
		snprintf(a->trouble, sizeof(a->trouble),
		    "the domain accepts no mail (null MX)");
		a->mx.n = 0;
		break;
	case MX_LOOP:
		snprintf(a->trouble, sizeof(a->trouble),
		    "the best mail server of the domain is this one");
		a->mx.n = 0;
		break;
	}
}

static void
on_mx(void *arg, const struct dns_answer *dns)
{
	struct mx_record records[MX_RECORDS_MAX];
	struct asking *a = arg;
	size_t n = 0;

	a->is_unknown = dns->status == DNS_TEMPFAIL || dns->status == DNS_BOGUS;
	snprintf(a->trouble, sizeof(a->trouble), "%s",
	    dns->status == DNS_NO_NAME ? "the domain does not exist"
	    : dns->why != NULL         ? dns->why
				       : "its MX records are malformed");
	for (size_t i = 0; i < dns->n && n < MX_RECORDS_MAX; i++)
		if (dns_read_mx(
			dns->data[i], &records[n].preference, records[n].host))
			n++;
	if (n > 0 || dns->status == DNS_NO_DATA)
		order_hosts(a, records, n);
	answer(a);
}

static void
look_up(struct asking *a)
{
	char name[MX_NAME_MAX + 1];

	if (idn_to_ascii(
		address_domain(str_c(a->recipient)), name, sizeof(name))) {
		resolver_ask_within(
		    a->sv->resolver, name, DNS_MX, ROUTE_ASK_MS, on_mx, a);
		return;
	}
	snprintf(a->trouble, sizeof(a->trouble),
	    "the domain is not a possible host name");
	answer(a);
}

bool
route_ask(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_route_ask ask;
	struct buf lines = BUF_INIT(LINES_MAX);
	struct asking *a;

	if (!msg_route_ask_get(m->body, &ask))
		return false;
	a = X_NEW(struct asking);
	a->sv = sv;
	a->reply = ipc_return_new(p, m);
	a->sender = str_dup(ask.sender);
	a->recipient = str_dup(ask.recipient);
	a->again = loop_timer_new(sv->loop, answer, a);
	a->until_ms = loop_now_ms(sv->loop) + ROUTE_ASK_MS;
	if (ask.recipient.n > 0) {
		look_up(a);
	} else {
		put_routes(a, &(struct route_query){ 0 }, &lines);
		finish(a, &lines);
	}
	buf_done(&lines);
	return true;
}
