/* SPDX-License-Identifier: ISC */
/*
 * breakers.c - the table of breakers. See breakers.h.
 *
 * What is in memory counts. It is written to the ledger when something of it
 * changes, counts at most every two seconds; what could not be written then is
 * written later.
 */
#include "send/breakers_internal.h"

#include "base/log.h"
#include "base/metrics.h"
#include "net/idn.h"

#define SWEEP_MS  60000
#define ITEMS_MAX 10000

/* --- scope and source -------------------------------------------------------------- */

static void
put_scope(struct breakers *bs, bool is_relay, struct str host, uint16_t port,
    struct buf *to)
{
	struct str group = STR_NONE;

	if (!is_relay)
		group = provider_of(bs->sv->providers, host);
	if (is_relay)
		buf_printf(to, "relay:%.*s:%u", STR_ARG(host), port);
	else if (group.n > 0)
		buf_put_str(to, group);
	else
		buf_printf(to, "mx:%.*s", STR_ARG(host));
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
	struct buf scope = BUF_INIT(KIB(1));
	bool is_it = false;

	if (strcmp(dest_way(d)->source, b->source) != 0)
		return false;
	for (size_t i = 0; i < dest_hosts(d) && !is_it; i++) {
		const struct dest_host *h = dest_host(d, i);

		buf_reset(&scope, scope.cap);
		put_scope(
		    b->bs, dest_is_relay(d), str_c(h->name), h->port, &scope);
		is_it = str_eq(buf_str(&scope), str_c(b->scope));
	}
	buf_done(&scope);
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
		loop_time_ms(b->bs->sv->loop), server_random())) {
		breaker_item_log(b, EV_SEND_BREAKER_OPEN);
		breakers_show(b->bs);
		breaker_item_write(b);
		breaker_item_move_mail(b);
	} else {
		breaker_item_write(b);
	}
}

void
breakers_refused(struct breakers *bs, const struct refusal *r)
{
	struct buf scope = BUF_INIT(KIB(1));
	struct breaker_item *b;

	put_scope(bs, dest_is_relay(r->dest), str_c(r->host),
	    port_of(r->dest, r->host), &scope);
	b = breakers_get(bs, buf_str(&scope), str_c(dest_way(r->dest)->source));
	if (b != NULL)
		refused(b, r);
	buf_done(&scope);
}

/* --- canaries -------------------------------------------------------------------------- */

typedef void (*item_fn)(struct breaker_item *b);

static void
each_canary_of(struct breakers *bs, const struct dest *d, item_fn fn)
{
	struct buf scope = BUF_INIT(KIB(1));

	for (size_t i = 0; i < dest_hosts(d); i++) {
		const struct dest_host *h = dest_host(d, i);
		struct breaker_item *b;

		buf_reset(&scope, scope.cap);
		put_scope(
		    bs, dest_is_relay(d), str_c(h->name), h->port, &scope);
		b = breakers_find(
		    bs, buf_str(&scope), str_c(dest_way(d)->source));
		if (b != NULL && b->state.has_canary)
			fn(b);
	}
	buf_done(&scope);
}

void
breakers_accepted(struct breakers *bs, const struct dest *d)
{
	each_canary_of(bs, d, breaker_item_close);
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
breakers_unsure(struct breakers *bs, const struct dest *d)
{
	each_canary_of(bs, d, unsure);
}

/* --- asking ------------------------------------------------------------------------------ */

/* The breaker of one host of the way; NULL: there is none. */
static struct breaker_item *
find_of(struct breakers *bs, const struct route_way *w,
    const struct route_query *q, size_t i)
{
	bool is_relay = w->kind == ROUTE_RELAY;
	struct str host = is_relay ? STR_NONE : q->mx[i];
	char relay[MX_NAME_MAX + 1];
	struct buf scope = BUF_INIT(KIB(1)), source = BUF_INIT(KIB(1));
	struct breaker_item *b;

	if (is_relay && idn_to_ascii(w->targets[i].host, relay, sizeof(relay)))
		host = str_c(relay);
	put_scope(
	    bs, is_relay, host, is_relay ? w->targets[i].port : 0, &scope);
	way_source_put(bs->sv->conf, w, &source);
	b = breakers_find(bs, buf_str(&scope), buf_str(&source));
	buf_done(&scope);
	buf_done(&source);
	return b;
}

static size_t
hosts_of(const struct route_way *w, const struct route_query *q)
{
	return w->kind == ROUTE_RELAY    ? w->n_targets
	       : w->kind == ROUTE_DIRECT ? q->n_mx
	                                 : 0;
}

enum breaker_answer
breakers_ask(struct breakers *bs, const struct route_way *w,
    const struct route_query *q, struct breaker_item **ret)
{
	uint64_t now = loop_time_ms(bs->sv->loop);
	enum breaker_answer worst = BREAKER_FREE;

	for (size_t i = 0; bs->n_open > 0 && i < hosts_of(w, q); i++) {
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

	for (size_t i = 0; i < hosts_of(w, q); i++) {
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
	struct str title =
	    provider_title(b->bs->sv->providers, str_c(b->scope));
	bool has_ip = b->own_ip != NULL && b->own_ip[0];

	buf_printf(to, "%.*s refuses our address %s",
	    STR_ARG(title.n > 0 ? title : str_c(b->scope)),
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
