/* SPDX-License-Identifier: ISC */
/*
 * dispatch_mail.c - a mail over its ways, one after the other:
 *
 *	relays of the configuration -> the receiver's servers -> relays that are
 *	known to be down -> our own queue, after some rounds
 *
 * The first that takes it ends the round. An alert waits for none of them for long
 * (way_limits): it may go twice where a server takes its time over it, with the same
 * Message-ID. What a relay refuses may be its own
 * opinion, so the next way is tried; of the receiver's servers a refusal is the last
 * word about the receiver, once no other way took it.
 */
#include "proc/submit.h"
#include "proto/mx/mx.h"
#include "watch/news/bounces.h"
#include "watch/outbox/dispatch.h"
#include "watch/outbox/relays.h"
#include "watch/outbox/smtp_try.h"

#define MX_TRIED_MAX 4
/* A stranger chooses whom it goes to: slow servers shall not keep the places. */
#define CONFIRM_MS 30000
/* The library tries for minutes when no name server answers. */
#define LOOKUP_MS 30000

static void next_way(struct dispatch *d);

static bool
is_urgent(const struct dispatch *d)
{
	return !author_is_for_readers(d->w.message->purpose);
}

/* Of the round, or of this way. */
static bool
is_late(uint64_t until_ms)
{
	return until_ms != 0 && server_now_ms() >= until_ms;
}

/* Of the time of this way; at least 1, and 0: as long as it takes. */
static uint32_t
left_ms(const struct dispatch *d)
{
	uint64_t now = server_now_ms();

	if (d->way_until_ms == 0)
		return 0;
	return now < d->way_until_ms ? (uint32_t)(d->way_until_ms - now) : 1;
}

static uint32_t
lookup_ms(const struct dispatch *d)
{
	return is_urgent(d) ? way_limits(d->w.message->rounds).lookup_ms
	                    : LOOKUP_MS;
}

/* A way begins. */
static void
set_limit(struct dispatch *d)
{
	uint32_t whole = way_limits(d->w.message->rounds).whole_ms;

	d->way_until_ms = is_urgent(d) ? server_now_ms() + whole : d->until_ms;
}

/* Does that say that the receiver does not exist? */
static bool
note_dead(struct dispatch *d, const char *said)
{
	if (!bounces_is_dead(d->w.sv->bounces, str_c(said)))
		return false;
	(void)snprintf(d->dead, sizeof(d->dead), "%s", said);
	return true;
}

/* --- to one host --------------------------------------------------------------------- */

/* n: hosts of this way that are left, with this one. */
static void
try_host(struct dispatch *d, const char *host, uint16_t port, size_t n,
    smtp_try_fn fn)
{
	const struct way *w = &d->ways[d->at];
	struct smtp_try_wish wish = { .sv = d->w.sv,
		.host = host,
		.port = port,
		.is_relay = w->kind == WAY_RELAY,
		.from = buf_str(&d->path),
		.to = d->w.message->to,
		.letter = buf_str(&d->letter),
		.lookup_ms = lookup_ms(d) };

	if (d->way_until_ms != 0)
		wish.limit_ms = way_share_ms(left_ms(d), n);
	dispatch_begin(d, "%s:%u", host, port);
	if (wish.is_relay)
		relays_login(d->w.sv->relays, w->host, w->port, &wish.login,
		    &wish.password);
	smtp_try_start(&wish, fn, d);
}

static void
on_relay(void *arg, const struct smtp_try_result *r)
{
	struct dispatch *d = arg;

	dispatch_note(d, r->outcome, r->said);
	if (r->outcome == DONE) {
		dispatch_end(d, DONE);
		return;
	}
	/* Of what a relay says, that counts: it would not say so of itself. But another
	 * way may know better. An operator's address is tried on. */
	if (r->outcome == PERMFAIL && r->is_about_mail &&
	    author_is_for_readers(d->w.message->purpose))
		d->has_refusal |= note_dead(d, r->said);
	d->at++;
	next_way(d);
}

static void
try_relay(struct dispatch *d, const struct way *w)
{
	char host[DNS_NAME_MAX + 1];

	(void)snprintf(host, sizeof(host), "%.*s", STR_ARG(w->host));
	try_host(d, host, w->port, 1, on_relay);
}

/* --- to the receiver's servers ------------------------------------------------------------- */

static void
leave_direct(struct dispatch *d)
{
	free(TAKE_PTR(d->mx));
	d->at++;
	next_way(d);
}

static void try_mx(struct dispatch *d);

static void
on_mx_host(void *arg, const struct smtp_try_result *r)
{
	struct dispatch *d = arg;

	dispatch_note(d, r->outcome, r->said);
	if (r->outcome == DONE) {
		dispatch_end(d, DONE);
		return;
	}
	/* The others would say the same. */
	if (r->outcome == PERMFAIL && r->is_about_mail) {
		d->has_refusal = true;
		(void)note_dead(d, r->said);
		leave_direct(d);
		return;
	}
	d->mx_at++;
	try_mx(d);
}

static void
try_mx(struct dispatch *d)
{
	size_t n = MIN(d->mx->n, MX_TRIED_MAX);

	if (d->mx_at >= n || is_late(d->way_until_ms)) {
		leave_direct(d);
		return;
	}
	try_host(d, d->mx->hosts[d->mx_at], (uint16_t)d->w.sv->conf->send_port,
	    n - d->mx_at, on_mx_host);
}

/* There is no host to try. */
static void
no_mx(struct dispatch *d, enum outcome outcome, const char *why)
{
	dispatch_note(d, outcome, why);
	d->has_refusal |= outcome == PERMFAIL;
	if (outcome == PERMFAIL)
		(void)snprintf(d->dead, sizeof(d->dead), "%s", why);
	leave_direct(d);
}

static size_t
read_mx(const struct dns_answer *a, struct mx_record *records)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n && n < MX_RECORDS_MAX; i++)
		if (dns_read_mx(
			a->data[i], &records[n].preference, records[n].host))
			n++;
	return n;
}

static void
on_mx(void *arg, const struct dns_answer *a)
{
	struct dispatch *d = arg;
	struct mx_record records[MX_RECORDS_MAX];
	struct str domain = str_c(d->by);
	size_t n;

	if (a->status == DNS_NO_NAME) {
		no_mx(d, PERMFAIL, "the domain does not exist");
		return;
	}
	n = read_mx(a, records);
	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS ||
	    (a->n > 0 && n == 0)) {
		no_mx(d, TEMPFAIL, "its mail servers could not be looked up");
		return;
	}
	d->mx = X_NEW(struct mx_list);
	d->mx_at = 0;
	switch (mx_order(records, n, domain, str_c(d->w.sv->conf->hostname),
	    server_random(UINT32_MAX), d->mx)) {
	case MX_OK:
		try_mx(d);
		return;
	case MX_NULL:
		no_mx(d, PERMFAIL, "the domain accepts no mail (null MX)");
		return;
	case MX_LOOP:
		no_mx(d, TEMPFAIL,
		    "the best mail server of the domain is "
		    "this one");
		return;
	}
}

static void
try_direct(struct dispatch *d)
{
	const struct status_message *m = d->w.message;
	struct str domain = str_from(m->to, (size_t)str_rfind(m->to, '@') + 1);

	dispatch_begin(d, "%.*s", STR_ARG(domain));
	(void)resolver_ask_within(d->w.sv->resolver, d->by, DNS_MX,
	    d->until_ms != 0 ? MIN(left_ms(d), lookup_ms(d)) : lookup_ms(d),
	    on_mx, d);
}

/* --- through our own queue ------------------------------------------------------------------ */

static void
on_submitted(void *arg, enum outcome outcome, const char *why)
{
	struct dispatch *d = arg;

	dispatch_note(d, outcome, outcome == DONE ? "queued" : why);
	d->has_refusal |= outcome == PERMFAIL || outcome == NOT_FOUND;
	if (outcome == DONE) {
		dispatch_end(d, DONE);
		return;
	}
	d->at++;
	next_way(d);
}

static void
try_queue(struct dispatch *d)
{
	struct submit mail = { .trace = str_c(d->w.id),
		.to = d->w.message->to,
		.text = BUF_INIT(LETTER_MAX),
		.priority = DELIVER_PRIORITY_NORMAL };

	dispatch_begin(d, "own queue");
	/* That somebody refused will not become better by another road. */
	if (d->has_refusal) {
		d->at++;
		next_way(d);
		return;
	}
	buf_put_str(&mail.text, buf_str(&d->letter));
	submit_mail(d->w.sv->rt, &mail, on_submitted, d);
}

/* --- all of them --------------------------------------------------------------------------------- */

static void
next_way(struct dispatch *d)
{
	const struct way *w = &d->ways[d->at];

	if (d->at >= d->n_ways || is_late(d->until_ms)) {
		dispatch_end(d, d->has_refusal ? PERMFAIL : TEMPFAIL);
		return;
	}
	set_limit(d);
	switch (w->kind) {
	case WAY_RELAY:
		try_relay(d, w);
		break;
	case WAY_DIRECT:
		try_direct(d);
		break;
	case WAY_QUEUE:
		try_queue(d);
		break;
	}
}

void
dispatch_mail(struct dispatch *d)
{
	struct server *sv = d->w.sv;
	const struct conf *c = sv->conf;
	struct way relays[WAY_RELAYS_MAX];
	struct letter_stamp stamp;
	size_t n;

	if (d->w.message->purpose == STATUS_FOR_CONFIRM)
		d->until_ms = server_now_ms() + CONFIRM_MS;
	author_init(&d->author, c, d->w.message->purpose);
	stamp = author_stamp(&d->author, c, d->w.id);
	d->path = BUF_INIT(STATUS_URL_MAX);
	bounces_put_path(
	    sv->bounces, d->w.message, str_c(d->author.from), &d->path);
	d->letter = BUF_INIT(LETTER_MAX);
	letter_write(d->w.message, &stamp, &d->letter);
	ASSERT(!d->letter.failed);
	/* A reload must not take it away from us. */
	d->relays = x_strdup(c->watch_relays);
	n = relays_list(sv, str_c(d->relays), relays);
	d->n_ways = way_order(
	    &(struct way_wish){ .relays = relays,
		.n = n,
		.is_direct = c->watch_direct,
		.is_blind = resolver_is_silent(sv->resolver, WAY_SILENT_MS),
		.round = d->w.message->rounds },
	    d->ways);
	next_way(d);
}
