/* SPDX-License-Identifier: ISC */
/*
 * order.c - from a line of acme.hosts to a certificate that is in use (RFC 8555
 * section 7.4).
 *
 *   account -> new order (or the one that an earlier process began)
 *   PENDING     each authorization: what it wants, role web answers, say so,
 *               wait until it is valid; then look at the order again
 *   READY       send the request with the key (finalize), once; who is as ready
 *               behind it is looked at again
 *   PROCESSING  wait
 *   VALID       fetch the certificate, look at it, save it, tell the supervisor
 *   INVALID     the end
 *
 * The address of the order and the key are on disk from the moment that the
 * order exists until the certificate is in use: a process that is killed at any
 * point goes on where it was, and costs the authority nothing.
 */
#include "acme/order_internal.h"

#define POLL_FIRST_MS 500
#define POLL_MAX_MS   15000
#define ORDER_MS      (15 * 60 * 1000ULL)

void
order_step(struct order *o, const char *fmt, ...)
{
	char text[ORDER_STEP_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(EV_ACME_STEP, LC("host", o->host), LC("step", text));
	o->config.step(o->config.arg, text);
}

/* --- the end ---------------------------------------------------------------------- */

static void
free_now(void *arg)
{
	struct order *o = arg;

	files_order_done(&o->kept);
	free(o->names);
	free(o->host);
	free(o);
}

static void
close_order(struct order *o)
{
	o->is_dead = true;
	loop_timer_free(o->timer);
	challenges_drop(o->sv);
	if (!o->is_asking)
		loop_defer(o->sv->loop, free_now, o);
}

bool
order_answered(struct order *o)
{
	bool is_dead = o->is_dead;

	o->is_asking = false;
	if (is_dead)
		free_now(o);
	return !is_dead;
}

void
order_cancel(struct order *o)
{
	call_cancel(o->sv);
	close_order(o);
}

void
order_end(struct order *o, const struct failure *f)
{
	struct order_config config = o->config;

	close_order(o);
	config.done(config.arg, f);
}

void
order_fail(struct order *o, const char *fmt, ...)
{
	struct failure f = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	order_end(o, &f);
}

/* --- waiting ----------------------------------------------------------------------- */

void
order_wait(struct order *o, uint32_t retry_after_s, loop_fn fn)
{
	uint64_t ms = POLL_FIRST_MS << MIN(o->polls, 6U);
	struct failure late;

	/* Others wait for their turn: this one goes on when it is wanted. */
	if (loop_now_ms(o->sv->loop) + retry_after_s * 1000ULL >
	    o->deadline_ms) {
		failure_set(&late,
		    "the authority did not come to an end within "
		    "15 minutes, or wants to be asked later; it goes on "
		    "next time");
		late.retry_after_s = retry_after_s;
		order_end(o, &late);
		return;
	}
	o->polls++;
	ms = MAX(MIN(ms, (uint64_t)POLL_MAX_MS), retry_after_s * 1000ULL);
	o->due = fn;
	loop_timer_set(o->timer, ms);
}

static void
on_timer(void *arg)
{
	struct order *o = arg;

	o->due(o);
}

/* --- the order ------------------------------------------------------------------------ */

static void
on_finalized(void *arg, const struct call_result *r)
{
	order_take(arg, r);
}

/* The request for all names, with the key that was kept. */
static void
finalize(struct order *o)
{
	struct buf der = BUF_INIT(KIB(32)), payload = BUF_INIT(KIB(64));

	order_step(o, "sending the request");
	if (!certificate_request(
		secret_str(&o->kept.key), str_c(o->names), &der)) {
		order_fail(o, "the request cannot be made");
	} else {
		acme_put_finalize(&payload, buf_str(&der));
		call_post(o->sv,
		    &(struct call_request){ .url = o->order.finalize,
			.payload = buf_str(&payload) },
		    on_finalized, o);
	}
	buf_done(&der);
	buf_done(&payload);
}

static void
on_order(void *arg, const struct call_result *r)
{
	order_take(arg, r);
}

void
order_look(void *arg)
{
	struct order *o = arg;

	call_post(
	    o->sv, &(struct call_request){ .url = o->kept.url }, on_order, o);
}

/* One that is of no use: from the beginning, once. */
static void
begin_anew(struct order *o)
{
	files_order_drop(o->sv, o->host);
	files_order_done(&o->kept);
	o->is_resumed = o->is_finalized = false;
	o->at = 0;
	challenges_drop(o->sv);
	order_begin(o);
}

static void
take_invalid(struct order *o)
{
	files_order_drop(o->sv, o->host);
	order_fail(o, "%s%s%s",
	    o->order.problem.text[0] ? o->order.problem.text
				     : "the authority has given the order up",
	    o->order.problem.type[0] ? " " : "", o->order.problem.type);
}

void
order_take(struct order *o, const struct call_result *r)
{
	if (r->failure != NULL) {
		if (o->is_resumed && r->problem != NULL)
			begin_anew(o);
		else
			order_end(o, r->failure);
		return;
	}
	if (!acme_order_read(r->body, &o->order)) {
		order_fail(o, "the authority's order is none");
		return;
	}
	switch (o->order.status) {
	case ACME_PENDING:
		order_authorize(o);
		return;
	case ACME_READY:
		if (o->is_finalized) {
			order_wait(o, r->retry_after_s, order_look);
			return;
		}
		o->is_finalized = true;
		finalize(o);
		return;
	case ACME_PROCESSING:
		order_step(o, "waiting for the certificate");
		order_wait(o, r->retry_after_s, order_look);
		return;
	case ACME_VALID:
		order_fetch(o);
		return;
	case ACME_INVALID:
		if (o->is_resumed)
			begin_anew(o);
		else
			take_invalid(o);
		return;
	}
}

/* --- the beginning ------------------------------------------------------------------------ */

/* The one that is in use, or a new one. */
static bool
choose_key(struct order *o)
{
	struct buf fresh = BUF_INIT(CERTIFICATE_KEY_MAX);
	bool ok;

	if (!o->config.has_new_key &&
	    files_certificate(o->sv, o->host, NULL, &o->kept.key))
		return true;
	ok = certificate_make_key(CERTIFICATE_EC, &fresh);
	secret_set(&o->kept.key, buf_str(&fresh));
	buf_done_secret(&fresh);
	return ok;
}

static void
on_new_order(void *arg, const struct call_result *r)
{
	struct order *o = arg;
	struct acme_url url;
	int e;

	if (r->failure != NULL) {
		/* A CA that has lost us: a new account, and once more. */
		if (r->problem != NULL && !o->has_new_account &&
		    acme_problem_is(r->problem, "accountDoesNotExist")) {
			o->has_new_account = true;
			account_forget(o->sv);
			order_begin(o);
			return;
		}
		order_end(o, r->failure);
		return;
	}
	if (!acme_url_parse(r->location, &url)) {
		order_fail(o, "the authority's new order has no address");
		return;
	}
	memcpy(o->kept.url, r->location.p, r->location.n);
	o->kept.url[r->location.n] = '\0';
	o->kept.names = x_strdup(o->names);
	if (!choose_key(o)) {
		order_fail(o, "a key cannot be made");
		return;
	}
	e = files_order_write(o->sv, o->host, &o->kept);
	if (e < 0)
		order_fail(o, "%s/orders: %s", o->sv->path, strerror(-e));
	else
		order_take(o, r);
}

static void
on_account(void *arg, const struct failure *f)
{
	struct order *o = arg;
	struct buf payload = BUF_INIT(KIB(64));

	if (f != NULL) {
		order_end(o, f);
		return;
	}
	if (o->is_resumed) {
		order_step(o, "going on with an order");
		order_look(o);
		return;
	}
	order_step(o, "ordering");
	acme_put_order(&payload, str_c(o->names));
	call_post(o->sv,
	    &(struct call_request){ .url = call_directory(o->sv)->order,
		.payload = buf_str(&payload) },
	    on_new_order, o);
	buf_done(&payload);
}

void
order_begin(struct order *o)
{
	order_step(o, "asking the authority");
	account_ensure(o->sv, on_account, o);
}

struct order *
order_start(struct server *sv, const struct order_config *config)
{
	struct order *o = X_NEW(struct order);

	o->sv = sv;
	o->config = *config;
	o->host = x_strdup(config->host);
	o->names = x_strdup(config->names);
	o->timer = loop_timer_new(sv->loop, on_timer, o);
	o->deadline_ms = loop_now_ms(sv->loop) + ORDER_MS;
	log_event(EV_ACME_BEGIN, LC("host", o->host));
	o->is_resumed = files_order_read(sv, o->host, &o->kept);
	/* Other names, or another key than it was begun for. */
	if (o->is_resumed &&
	    (strcmp(o->kept.names, o->names) != 0 || config->has_new_key)) {
		files_order_drop(sv, o->host);
		files_order_done(&o->kept);
		o->is_resumed = false;
	}
	order_begin(o);
	return o;
}
