/* SPDX-License-Identifier: ISC */
/*
 * breakers.c - the table of breakers. See breakers.h.
 *
 * What is in memory counts. It is written to the ledger when something of it
 * changes, counts at most every two seconds; what could not be written then is
 * written later.
 */
#include "send/route/breakers_internal.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "net/idn.h"

#define SWEEP_MS  60000
#define ITEMS_MAX 10000

/* --- scope and source -------------------------------------------------------------- */

static struct scope_host
host_of(const struct dest *d, size_t i)
{
	const struct dest_host *h = dest_host(d, i);

	return (struct scope_host){ .host = str_c(h->name),
		.is_relay = dest_is_relay(d),
		.port = h->port };
}

static struct breaker_item *
find_host(struct breakers *bs, const struct scope_host *h, struct str source)
{
	struct buf scope = BUF_INIT(KIB(1));
	struct breaker_item *b;

	scope_put(bs->sv->providers, h, &scope);
	b = breakers_find(bs, buf_str(&scope), source);
	buf_done(&scope);
	return b;
}

static struct breaker_item *
find_domain(struct breakers *bs, struct str domain, struct str source)
{
	struct buf scope = BUF_INIT(KIB(1));
	struct breaker_item *b;

	scope_put_domain(domain, &scope);
	b = breakers_find(bs, buf_str(&scope), source);
	buf_done(&scope);
	return b;
}

struct breaker_item *
breakers_find(struct breakers *bs, struct str scope, struct str source)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);
	struct table_item *t;

	breaker_key_put(&key, scope, source);
	t = table_find(&bs->table, buf_str(&key));
	buf_done(&key);
	return t != NULL ? CONTAINER_OF(t, struct breaker_item, item) : NULL;
}

struct breaker_item *
breakers_get(struct breakers *bs, struct str scope, struct str source)
{
	struct breaker_item *b = breakers_find(bs, scope, source);
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);

	if (b != NULL || bs->table.n >= ITEMS_MAX)
		return b;
	b = X_NEW(struct breaker_item);
	b->bs = bs;
	breaker_key_put(&key, scope, source);
	b->key = str_copy(buf_str(&key));
	b->scope = str_dup(scope);
	b->source = str_dup(source);
	table_add(&bs->table, &b->item, b->key);
	buf_done(&key);
	return b;
}

void
breaker_item_free(struct breaker_item *b)
{
	table_remove(&b->bs->table, &b->item);
	str_free(&b->key);
	free(b->scope);
	free(b->source);
	free(b->own_ip);
	free(b->mx);
	free(b->mx_ip);
	free(b->domain);
	free(b->reply);
	free(b->rule);
	free(b->link);
	free(b->instead);
	free(b->why);
	free(b);
}

/* --- opening and closing ------------------------------------------------------------- */

struct breaker_pace
breakers_pace(const struct breakers *bs)
{
	return (struct breaker_pace){
		.first_ms = bs->sv->conf->send_canary_s * 1000ULL,
		.max_ms = MAX(bs->sv->conf->send_canary_max_s,
			      bs->sv->conf->send_canary_s) *
		          1000ULL,
	};
}

void
breakers_show(struct breakers *bs)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bs->table.cap; i++)
		for (struct table_item *t = bs->table.slots[i]; t != NULL;
		     t = t->next)
			n += CONTAINER_OF(t, struct breaker_item, item)
			         ->state.is_open;
	bs->n_open = n;
	metric_set(M_SEND_BREAKERS, n);
}

void
breaker_item_log(const struct breaker_item *b, enum event_id event)
{
	log_event(event, LC("scope", b->scope), LC("source", b->source),
	    LC("ip", b->own_ip ? b->own_ip : ""), LC("mx", b->mx ? b->mx : ""),
	    LU("since", b->state.since_ms / 1000), LU("messages", b->messages),
	    LU("next", b->state.next_ms / 1000),
	    LC("link", b->link ? b->link : ""),
	    LC("reply", b->reply ? b->reply : ""));
}

void
breaker_item_close(struct breaker_item *b)
{
	breaker_close(&b->state, loop_time_ms(b->bs->sv->loop));
	breaker_item_log(b, EV_SEND_BREAKER_CLOSE);
	b->messages = 0;
	b->n_accounts = 0;
	b->has_more_accounts = false;
	breaker_item_gone(b);
	breakers_show(b->bs);
}

static void
set(char **to, struct str s)
{
	free(*to);
	*to = str_dup(s);
}

static void
note(struct breaker_item *b, const struct refusal *r)
{
	set(&b->own_ip, str_c(r->own_ip));
	set(&b->mx, str_c(r->host));
	set(&b->mx_ip, str_c(r->mx_ip));
	set(&b->reply, str_first(r->reply, BREAKER_TEXT_MAX));
	set(&b->rule, r->rule);
	set(&b->link, r->link);
	if (r->domain.n > 0)
		set(&b->domain, r->domain);
	b->code = (uint32_t)r->code;
}

static bool
is_shut_for(void *arg, const struct dest *d)
{
	struct breaker_item *b = arg;
	struct str domain = scope_domain(str_c(b->scope));
	bool is_it = false;

	if (strcmp(dest_way(d)->source, b->source) != 0)
		return false;
	if (domain.n > 0)
		return !dest_is_relay(d) && dest_waits_for(d, domain);
	for (size_t i = 0; i < dest_hosts(d) && !is_it; i++) {
		struct scope_host h = host_of(d, i);

		is_it = find_host(b->bs, &h, str_c(b->source)) == b;
	}
	return is_it;
}

void
breaker_item_move_mail(struct breaker_item *b)
{
	dests_move(b->bs->sv->dests, is_shut_for, b);
}

/* The port of a host of this destination. */
static uint16_t
port_of(const struct dest *d, const char *host)
{
	for (size_t i = 0; i < dest_hosts(d); i++)
		if (strcmp(dest_host(d, i)->name, host) == 0)
			return dest_host(d, i)->port;
	return 0;
}

static void
refused(struct breaker_item *b, const struct refusal *r)
{
	const struct breaker_pace pace = breakers_pace(b->bs);

	note(b, r);
	if (r->was_canary)
		breaker_item_log(b, EV_SEND_CANARY_REFUSED);
	if (breaker_refused(&b->state, &pace, r->was_canary,
		loop_time_ms(b->bs->sv->loop), secret_random_u32())) {
		breaker_item_log(b, EV_SEND_BREAKER_OPEN);
		breakers_show(b->bs);
		breaker_item_write(b);
		breaker_item_move_mail(b);
	} else {
		breaker_item_write(b);
	}
}

static void
refused_scope(struct breakers *bs, struct str scope, const struct refusal *r)
{
	struct breaker_item *b =
	    breakers_get(bs, scope, str_c(dest_way(r->dest)->source));

	if (b != NULL)
		refused(b, r);
}

static void
refused_domain(struct breakers *bs, const struct refusal *r)
{
	struct buf scope = BUF_INIT(KIB(1));

	scope_put_domain(r->domain, &scope);
	refused_scope(bs, buf_str(&scope), r);
	buf_done(&scope);
}

/* Is another organisation behind this provider refused as well? */
static bool
has_second(const struct breakers *bs, const struct refusal *r)
{
	const struct scope_witness one = { r->domain, str_c(r->host) };
	const char *source = dest_way(r->dest)->source;

	for (size_t i = 0; i < bs->table.cap; i++)
		for (struct table_item *t = bs->table.slots[i]; t != NULL;
		     t = t->next) {
			const struct breaker_item *b =
			    CONTAINER_OF(t, struct breaker_item, item);
			struct scope_witness other = { scope_domain(
							   str_c(b->scope)),
				str_c(b->mx ? b->mx : "") };

			if (other.domain.n > 0 && b->state.is_open &&
			    !b->state.is_forced &&
			    strcmp(b->source, source) == 0 &&
			    scope_agree(bs->sv->providers, bs->sv->suffixes,
				&one, &other))
				return true;
		}
	return false;
}

void
breakers_refused(struct breakers *bs, const struct refusal *r)
{
	const struct scope_host h = { .host = str_c(r->host),
		.is_relay = dest_is_relay(r->dest),
		.port = port_of(r->dest, r->host) };
	bool is_one_domains = r->domain.n > 0 && !r->is_of_host &&
	                      scope_is_shared(bs->sv->providers, &h);
	struct str source = str_c(dest_way(r->dest)->source);
	const struct breaker_item *b = find_host(bs, &h, source);
	struct buf scope = BUF_INIT(KIB(1));

	scope_put(bs->sv->providers, &h, &scope);
	if (is_one_domains)
		refused_domain(bs, r);
	if (!is_one_domains || (b != NULL && b->state.is_open) ||
	    has_second(bs, r))
		refused_scope(bs, buf_str(&scope), r);
	buf_done(&scope);
}

/* --- canaries -------------------------------------------------------------------------- */

typedef void (*item_fn)(struct breaker_item *b);

static void
each_canary_of(
    struct breakers *bs, const struct dest *d, struct str domain, item_fn fn)
{
	struct str source = str_c(dest_way(d)->source);
	struct breaker_item *b;

	for (size_t i = 0; i < dest_hosts(d); i++) {
		struct scope_host h = host_of(d, i);

		b = find_host(bs, &h, source);
		if (b != NULL && b->state.has_canary)
			fn(b);
	}
	b = dest_is_relay(d) ? NULL : find_domain(bs, domain, source);
	if (b != NULL && b->state.has_canary)
		fn(b);
}

void
breakers_accepted(struct breakers *bs, const struct dest *d, struct str domain)
{
	each_canary_of(bs, d, domain, breaker_item_close);
}

static void
unsure(struct breaker_item *b)
{
	const struct breaker_pace pace = breakers_pace(b->bs);

	/* Nothing was learned: not too long until the next one. */
	b->state.pause_ms = MIN(b->state.pause_ms, pace.max_ms);
	breaker_unsure(&b->state, loop_time_ms(b->bs->sv->loop));
	breaker_item_write(b);
}

void
breakers_unsure(struct breakers *bs, const struct dest *d, struct str domain)
{
	each_canary_of(bs, d, domain, unsure);
}

/* --- asking ------------------------------------------------------------------------------ */

/* The breaker of one host of the way, or behind the last that of the domain;
 * NULL: there is none. */
static struct breaker_item *
find_of(struct breakers *bs, const struct route_way *w,
    const struct route_query *q, size_t i)
{
	bool is_relay = w->kind == ROUTE_RELAY;
	bool is_domain = !is_relay && i == q->n_mx;
	struct scope_host h = { .is_relay = is_relay };
	char relay[MX_NAME_MAX + 1];
	struct buf source = BUF_INIT(KIB(1));
	struct breaker_item *b;

	if (is_relay)
		h.port = w->targets[i].port;
	if (is_relay && idn_to_ascii(w->targets[i].host, relay, sizeof(relay)))
		h.host = str_c(relay);
	else if (!is_relay && !is_domain)
		h.host = q->mx[i];
	way_source_put(bs->sv->conf, w, &source);
	b = is_domain ? find_domain(bs, q->domain, buf_str(&source))
	              : find_host(bs, &h, buf_str(&source));
	buf_done(&source);
	return b;
}

/* How many there are to ask for. */
static size_t
breakers_of(const struct route_way *w, const struct route_query *q)
{
	return w->kind == ROUTE_RELAY    ? w->n_targets
	       : w->kind == ROUTE_DIRECT ? q->n_mx + 1
	                                 : 0;
}

enum breaker_answer
breakers_ask(struct breakers *bs, const struct route_way *w,
    const struct route_query *q, struct breaker_item **ret)
{
	uint64_t now = loop_time_ms(bs->sv->loop);
	enum breaker_answer worst = BREAKER_FREE;

	for (size_t i = 0; bs->n_open > 0 && i < breakers_of(w, q); i++) {
		struct breaker_item *b = find_of(bs, w, q, i);
		enum breaker_answer a =
		    b != NULL ? breaker_ask(&b->state, now) : BREAKER_FREE;

		if (a > worst) {
			worst = a;
			*ret = b;
		}
	}
	return worst;
}

void
breakers_canary(
    struct breakers *bs, const struct route_way *w, const struct route_query *q)
{
	uint64_t now = loop_time_ms(bs->sv->loop);

	for (size_t i = 0; i < breakers_of(w, q); i++) {
		struct breaker_item *b = find_of(bs, w, q, i);

		if (b == NULL || breaker_ask(&b->state, now) != BREAKER_CANARY)
			continue;
		breaker_canary(&b->state, now);
		breaker_item_log(b, EV_SEND_CANARY);
		metric_add(M_SEND_CANARIES, 1);
		breaker_item_write(b);
	}
}

/* --- what it costs --------------------------------------------------------------------------- */

static void
count_account(struct breaker_item *b, uint64_t account)
{
	for (uint32_t i = 0; i < b->n_accounts; i++)
		if (b->accounts[i] == account)
			return;
	if (account == 0)
		return;
	if (b->n_accounts == BREAKER_ACCOUNTS_MAX)
		b->has_more_accounts = true;
	else
		b->accounts[b->n_accounts++] = account;
}

static bool
is_other(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

void
breaker_item_count(struct breaker_item *b, const struct detour *d)
{
	const struct msg_queue_item *item = mail_item(d->mail);
	bool is_new =
	    is_other(b->instead, d->instead) || is_other(b->why, d->why);

	set(&b->instead, str_c(d->instead));
	set(&b->why, str_c(d->why));
	b->is_dirty = true;
	/* Those that wait come again and again. */
	if (item->attempts == 0 || d->mail->moves > 0) {
		b->messages += d->mail->open;
		count_account(b, item->account);
	}
	if (is_new)
		breaker_item_write(b);
}

uint64_t
breaker_item_next(const struct breaker_item *b)
{
	const struct breaker_pace pace = breakers_pace(b->bs);

	if (b->state.is_forced)
		return loop_time_ms(b->bs->sv->loop) + pace.max_ms;
	return b->state.next_ms;
}

void
breaker_item_put(const struct breaker_item *b, struct buf *to)
{
	struct str domain = scope_domain(str_c(b->scope));
	struct str name = domain.n > 0 ? domain : str_c(b->scope);
	struct str title = provider_title(b->bs->sv->providers, name);
	bool has_ip = b->own_ip != NULL && b->own_ip[0];

	buf_printf(to, "%.*s refuses our address %s",
	    STR_ARG(title.n > 0 ? title : name),
	    has_ip ? b->own_ip : b->source);
	if (b->code > 0)
		buf_printf(to, " (%u %s)", b->code, b->reply);
	else if (b->state.is_forced)
		buf_put_c(to, ", says the operator");
}

/* --- life ---------------------------------------------------------------------------------------- */

/* Closed long ago: nothing has to be remembered. */
static void
sweep(void *arg)
{
	struct breakers *bs = arg;
	const struct breaker_pace pace = breakers_pace(bs);
	uint64_t now = loop_time_ms(bs->sv->loop);

	for (size_t i = 0; i < bs->table.cap; i++)
		for (struct table_item *t = bs->table.slots[i]; t != NULL;) {
			struct breaker_item *b =
			    CONTAINER_OF(t, struct breaker_item, item);

			t = t->next;
			if (breaker_is_over(&b->state, &pace, now) &&
			    b->n_gone == 0)
				breaker_item_free(b);
		}
	loop_timer_set(bs->sweep, SWEEP_MS);
}

struct breakers *
breakers_new(struct server *sv)
{
	struct breakers *bs = X_NEW(struct breakers);

	bs->sv = sv;
	table_init(&bs->table);
	bs->sweep = loop_timer_new(sv->loop, sweep, bs);
	loop_timer_set(bs->sweep, SWEEP_MS);
	breakers_keep(bs);
	return bs;
}
