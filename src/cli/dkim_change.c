/* SPDX-License-Identifier: ISC */
/* dkim_change.c - a key by hand: it signs, or goes. See dkim_change.h. */
#include "cli/dkim_change.h"

#include "cli/dkim_keys.h"
#include "cli/output/output.h"

/* --- is it in DNS? ------------------------------------------------------------------ */

struct wanted {
	struct str selector;
	struct buf keys; /* dkim_sought; empty: there is no such key */
};

static void
find_key(void *arg, const struct msg_dkim_row *row)
{
	struct wanted *w = arg;

	if (str_eq(row->selector, w->selector))
		msg_dkim_sought_put(
		    &w->keys, &(struct msg_dkim_sought){
				  row->domain, row->selector, row->record });
}

static int
judge(struct admin *a, const struct wanted *w, struct str reply)
{
	struct msg_dkim_seen seen = { 0 };
	struct msg_list_reply l;
	struct wire in;

	if (!msg_list_reply_get(reply, &l))
		return admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	in = wire_read(l.items);
	if (!msg_dkim_seen_read(&in, &seen) || seen.is_off)
		return ADMIN_OK;
	switch (seen.found) {
	case DKIM_FOUND_SAME:
		return ADMIN_OK;
	case DKIM_FOUND_NONE:
	case DKIM_FOUND_OTHER:
		return admin_error(a, ADMIN_REFUSED,
		    "DNS %s the record of key %.*s, so what it signs would "
		    "fail at receivers: publish what 'mailstead dns' prints, "
		    "or use --force",
		    seen.found == DKIM_FOUND_NONE ? "does not have"
						  : "has another one than",
		    STR_ARG(w->selector));
	default:
		return admin_error(a, ADMIN_TEMPFAIL,
		    "whether DNS has the record of key %.*s could not be "
		    "looked up (%.*s): try again, or use --force",
		    STR_ARG(w->selector), STR_ARG(seen.why));
	}
}

/* ADMIN_OK: DNS has it, or nobody is to look; or the server will say that there is no such
 * key. */
static int
look(struct admin *a, struct str domain, struct str selector)
{
	struct wanted w = { .selector = selector, .keys = BUF_INIT(KIB(8)) };
	struct buf body = BUF_INIT(KIB(16)), reply = BUF_INIT(KIB(64));
	int r = dkim_keys_each(a, domain, find_key, &w);

	if (r == ADMIN_OK && w.keys.n > 0) {
		msg_dkim_look_put(
		    &body, &(struct msg_dkim_look){ buf_str(&w.keys) });
		r = admin_do_role(a, ROLE_SEND,
		    &(struct admin_call){
			.type = MSG_DKIM_LOOK, .body = buf_str(&body) },
		    "key", &reply);
		if (r == ADMIN_OK)
			r = judge(a, &w, buf_str(&reply));
	}
	buf_done(&w.keys);
	buf_done(&body);
	buf_done(&reply);
	return r;
}

/* --- the change --------------------------------------------------------------------- */

static int
send_change(struct admin *a, const struct msg_dkim_change *q)
{
	struct buf body = BUF_INIT(KIB(4)), what = BUF_INIT(KIB(4));
	struct buf reply = BUF_INIT(KIB(4));
	enum outcome o = DONE;
	int r;

	msg_dkim_change_put(&body, q);
	buf_printf(&what, "key %.*s of %.*s", STR_ARG(q->selector),
	    STR_ARG(q->domain));
	r = admin_ask(a,
	    &(struct admin_call){ MSG_DKIM_CHANGE, 0, buf_str(&body), -1 }, &o,
	    &reply, NULL);
	if (r == ADMIN_OK && o == PERMFAIL &&
	    admin_reason(buf_str(&reply)) == REASON_FORBIDDEN)
		r = admin_error(a, ADMIN_REFUSED,
		    "%s signs mail at present: rotate first, or use --force",
		    buf_c(&what));
	else if (r == ADMIN_OK && o != DONE)
		r = admin_refused(a, o, buf_str(&reply), buf_c(&what));
	buf_done(&body);
	buf_done(&what);
	buf_done(&reply);
	return r;
}

int
dkim_change(
    struct admin *a, struct args *args, enum dkim_action action, bool is_forced)
{
	bool removes = action == DKIM_REMOVE;
	struct buf domain = BUF_INIT(KIB(2));
	int r = ADMIN_USAGE;

	if (args->n_words != 2)
		return admin_usage(a, NULL);
	if (admin_domain_name(a, args->words[0], &domain))
		r = ADMIN_OK;
	if (r == ADMIN_OK && !removes && !is_forced)
		r = look(a, buf_str(&domain), str_c(args->words[1]));
	if (r == ADMIN_OK)
		r = send_change(
		    a, &(struct msg_dkim_change){ buf_str(&domain),
			   str_c(args->words[1]), (uint8_t)action, is_forced });
	if (r == ADMIN_OK)
		r = admin_say(a, removes ? "removed" : "activated",
		    str_c(args->words[1]),
		    removes ? "removed key" : "activated key");
	buf_done(&domain);
	return r;
}
