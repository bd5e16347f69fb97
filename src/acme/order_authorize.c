/* SPDX-License-Identifier: ISC */
/*
 * order_authorize.c - show that a name is ours (RFC 8555 section 7.5). One name
 * after the other; one that the authority knows from before is passed over.
 */
#include "acme/order_internal.h"

static void ask_for_one(struct order *o);
static void check(void *arg);

static void
next_one(struct order *o)
{
	o->polls = 0;
	if (++o->at < o->order.n)
		ask_for_one(o);
	else
		order_look(o);
}

/* --- waiting for the authority -------------------------------------------------------- */

static void
on_checked(void *arg, const struct call_result *r)
{
	struct order *o = arg;
	const struct acme_authorization *a = &o->authorization;

	if (r->failure != NULL) {
		order_end(o, r->failure);
		return;
	}
	if (!acme_authorization_read(r->body, &o->authorization)) {
		order_fail(o, "the authority's authorization is none");
		return;
	}
	if (a->status == ACME_PENDING || a->status == ACME_PROCESSING) {
		order_wait(o, r->retry_after_s, check);
	} else if (a->status == ACME_VALID) {
		next_one(o);
	} else {
		files_order_drop(o->sv, o->host);
		order_fail(o, "%s (%s): %s%s%s", a->name,
		    acme_kind_str(o->kind),
		    a->problem.text[0] ? a->problem.text : "refused",
		    a->problem.type[0] ? " " : "", a->problem.type);
	}
}

static void
check(void *arg)
{
	struct order *o = arg;

	call_post(o->sv,
	    &(struct call_request){ .url = o->order.authorizations[o->at] },
	    on_checked, o);
}

/* --- the challenge ------------------------------------------------------------------------ */

static void
on_told(void *arg, const struct call_result *r)
{
	struct order *o = arg;
	/* An earlier process may have said so, and the authority is at it. */
	bool is_known = o->is_resumed && r->problem != NULL;

	if (r->failure != NULL && !is_known) {
		order_end(o, r->failure);
		return;
	}
	order_step(o, "waiting until the authority has looked at %s (%s)",
	    o->authorization.name, acme_kind_str(o->kind));
	order_wait(o, r->retry_after_s, check);
}

/* Role web answers: let the authority look. */
static void
on_put(void *arg, const struct failure *f)
{
	struct order *o = arg;

	if (f != NULL) {
		order_end(o, f);
		return;
	}
	call_post(o->sv,
	    &(struct call_request){
		.url = o->authorization.challenges[o->kind].url,
		.payload = STR("{}") },
	    on_told, o);
}

/* The one that is wanted first, if it is there and can be answered. */
static bool
choose_kind(struct order *o)
{
	const struct acme_authorization *a = &o->authorization;

	for (unsigned i = 0; i < ACME_KINDS; i++) {
		unsigned k = ((unsigned)o->config.first + i) % ACME_KINDS;

		if (!a->challenges[k].is_there || !o->config.kinds[k])
			continue;
		o->kind = (enum acme_kind)k;
		return true;
	}
	return false;
}

static bool
is_ordered(const struct order *o, const char *name)
{
	struct str rest = str_c(o->names), one;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &one);
		if (str_eq(one, str_c(name)))
			return true;
	}
	return false;
}

static void
on_one(void *arg, const struct call_result *r)
{
	struct order *o = arg;
	const struct acme_authorization *a = &o->authorization;

	if (r->failure != NULL) {
		order_end(o, r->failure);
		return;
	}
	if (!acme_authorization_read(r->body, &o->authorization)) {
		order_fail(o, "the authority's authorization is none");
		return;
	}
	if (!is_ordered(o, a->name)) {
		order_fail(o,
		    "%s: the authority asks about a name that was not "
		    "ordered",
		    a->name);
		return;
	}
	if (a->status == ACME_VALID) {
		next_one(o);
		return;
	}
	if (a->status == ACME_INVALID) {
		files_order_drop(o->sv, o->host);
		order_fail(o, "%s: the authority has given it up", a->name);
		return;
	}
	if (!choose_kind(o)) {
		order_fail(o,
		    "%s: the authority offers no challenge that this "
		    "server can answer",
		    a->name);
		return;
	}
	order_step(o, "answering for %s (%s)", a->name, acme_kind_str(o->kind));
	challenge_put(
	    o->sv, o->kind, a->name, a->challenges[o->kind].token, on_put, o);
}

static void
ask_for_one(struct order *o)
{
	call_post(o->sv,
	    &(struct call_request){ .url = o->order.authorizations[o->at] },
	    on_one, o);
}

void
order_authorize(struct order *o)
{
	/* All were valid, and the order does not know yet. */
	if (o->at >= o->order.n && o->order.n > 0) {
		order_wait(o, 0, order_look);
		return;
	}
	ask_for_one(o);
}
