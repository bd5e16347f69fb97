/* SPDX-License-Identifier: ISC */
/*
 * order_fetch.c - the certificate is there (RFC 8555 section 7.4.2): fetch it,
 * see that it is what was ordered, save it, have it put to use.
 */
#include "acme/order_internal.h"

/* Is each name that was ordered in it? */
static bool
has_all_names(const struct order *o, const char *names)
{
	struct str rest = str_c(o->names), one, all, have;

	while (rest.n > 0) {
		bool is_there = false;

		rest = str_split(rest, '\n', &one);
		for (all = str_c(names); all.n > 0 && !is_there;) {
			all = str_split(all, '\n', &have);
			is_there = str_eq(have, one);
		}
		if (!is_there)
			return false;
	}
	return true;
}

static const char *
fault_of(const struct order *o, struct str chain)
{
	const char *fault = certificate_fault(chain, secret_str(&o->kept.key));
	struct certificate_facts f;

	if (fault != NULL)
		return fault;
	if (!certificate_read(chain, &f))
		return "its dates cannot be read";
	if (!has_all_names(o, f.names))
		fault = "it is not for the names that were ordered";
	else if (f.ends <= loop_time(o->sv->loop))
		fault = "it has ended already (is this machine's clock right?)";
	certificate_facts_done(&f);
	return fault;
}

static void
on_in_use(void *arg, struct ipc_msg *m)
{
	struct order *o = arg;

	if (!order_answered(o))
		return;
	if (m->outcome != DONE) {
		order_fail(o,
		    "the certificate is saved, but cannot be used: "
		    "%.*s",
		    STR_ARG(ipc_error_text(m)));
		return;
	}
	files_order_drop(o->sv, o->host);
	order_end(o, NULL);
}

static void
put_to_use(struct order *o)
{
	struct buf body = BUF_INIT(KIB(1));

	order_step(o, "handing the certificate out");
	msg_acme_new_put(
	    &body, &(struct msg_acme_new){ .host = str_c(o->host) });
	o->is_asking = true;
	runtime_ask_supervisor(
	    o->sv->rt, MSG_ACME_NEW, buf_str(&body), on_in_use, o);
	buf_done(&body);
}

static void
on_fetched(void *arg, const struct call_result *r)
{
	struct order *o = arg;
	const char *fault;
	int e;

	if (r->failure != NULL) {
		order_end(o, r->failure);
		return;
	}
	fault = fault_of(o, r->body);
	if (fault != NULL) {
		files_order_drop(o->sv, o->host);
		order_fail(o, "the authority's certificate: %s", fault);
		return;
	}
	e = files_save(o->sv, o->host, r->body, secret_str(&o->kept.key));
	if (e < 0)
		order_fail(
		    o, "%s/certs/%s: %s", o->sv->path, o->host, strerror(-e));
	else
		put_to_use(o);
}

void
order_fetch(struct order *o)
{
	order_step(o, "fetching the certificate");
	call_post(o->sv,
	    &(struct call_request){ .url = o->order.certificate,
		.reply_max = CERTIFICATE_CHAIN_MAX },
	    on_fetched, o);
}
