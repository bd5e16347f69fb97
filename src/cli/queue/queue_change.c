/* SPDX-License-Identifier: ISC */
/*
 * queue_change.c - mailstead queue retry|hold|release|cancel|reroute. See queue_command.h.
 *
 * The store changes in portions, so that it can do other work between them.
 */
#include "cli/output/output.h"
#include "cli/queue/queue_command.h"
#include "cli/queue/queue_words.h"
#include "conf/route_text.h"

#include <unistd.h>

#define HELD_TEXT \
	"%llu recipient%s %s held%s, and %s for 'mailstead queue release'"
#define HELD_ARGS(c) \
	(unsigned long long)(c)->held, str_s((c)->held), \
	    (c)->held == 1 ? "is" : "are", \
	    (c)->action == QUEUE_HOLD ? " already" : "", \
	    (c)->held == 1 ? "waits" : "wait"

struct changes {
	enum queue_action action;
	struct str route;
	uint64_t changed, in_delivery;
	uint64_t held; /* and stay so */
	struct queue_hosts hosts;
};

static void
show_progress(const struct admin *a, const struct changes *c)
{
	if (!a->is_json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu ", (unsigned long long)c->changed);
}

static int
change_filter(
    struct admin *a, struct changes *c, const struct msg_queue_filter *filter)
{
	struct buf after = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(16));
	struct buf reply = BUF_INIT(KIB(16)), f = BUF_INIT(KIB(8));
	struct msg_queue_change_reply r;
	int code;

	msg_queue_filter_put(&f, filter);
	do {
		buf_reset(&body, KIB(16));
		msg_queue_change_put(
		    &body, &(struct msg_queue_change){ (uint8_t)c->action,
			       buf_str(&f), c->route, buf_str(&after) });
		code = admin_do(
		    a, MSG_QUEUE_CHANGE, buf_str(&body), "queue", &reply);
		if (code != ADMIN_OK)
			break;
		if (!msg_queue_change_reply_get(buf_str(&reply), &r)) {
			code = admin_error(a, ADMIN_TEMPFAIL,
			    "the server's answer is not understood");
			break;
		}
		c->changed += r.changed;
		c->in_delivery += r.in_delivery;
		c->held += r.held;
		queue_note_unknown(&c->hosts, r.unknown, r.unknown_domain);
		buf_reset(&after, KIB(1));
		buf_put_str(&after, r.after);
		show_progress(a, c);
	} while (after.n);
	buf_done(&after);
	buf_done(&body);
	buf_done(&reply);
	buf_done(&f);
	return code;
}

int
queue_change_held(
    struct admin *a, uint64_t account, enum queue_action action, uint64_t *ret)
{
	struct changes c = { .action = action };
	struct msg_queue_filter filter = { .account = account };
	int r = change_filter(a, &c, &filter);

	*ret = c.changed;
	return r;
}

static void
tell(struct admin *a, const struct changes *c, const char *verb)
{
	static const struct output_field fields[] = {
		{ "changed", "CHANGED", OUTPUT_COUNT },
		{ "in_delivery", "IN DELIVERY", OUTPUT_COUNT },
		{ "held", "HELD", OUTPUT_COUNT },
		{ "unknown", "UNKNOWN", OUTPUT_COUNT },
	};
	struct output *o;

	if (!a->is_json) {
		if (isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		printf("%s: %llu recipient%s\n", verb,
		    (unsigned long long)c->changed, str_s(c->changed));
		if (c->in_delivery)
			printf("%llu of them %s being delivered just now: "
			       "for %s it may come too late\n",
			    (unsigned long long)c->in_delivery,
			    c->in_delivery == 1 ? "is" : "are",
			    c->in_delivery == 1 ? "this" : "these");
		if (c->held)
			printf(HELD_TEXT "\n", HELD_ARGS(c));
		return;
	}
	o = output_new("queue", fields, ARRAY_LEN(fields));
	output_put_number(o, c->changed);
	output_put_number(o, c->in_delivery);
	output_put_number(o, c->held);
	output_put_number(o, c->hosts.n_unknown);
	output_print_one(o, true);
	output_free(o);
}

/* A way that nobody can take would be the usual one, unseen. */
static bool
is_way(struct admin *a, struct str way)
{
	struct buf text = BUF_INIT(ROUTE_TEXT_MAX);
	struct route route;
	const char *error;

	if (str_eq(way, STR("-")))
		return true;
	buf_printf(&text, "* %.*s", STR_ARG(way));
	error = text.failed ? "it is too long"
	                    : route_text_check(buf_str(&text), &route);
	for (size_t i = 0; error == NULL && i < route.n_ways; i++)
		if (route.ways[i].login.n > 0)
			error = "one that signs in needs 'mailstead route add'";
	buf_done(&text);
	if (error != NULL)
		admin_error(a, ADMIN_USAGE,
		    "\"%.*s\" is no way (%s); write direct, hold, or "
		    "\"relay.example.net:587 tls=must\", and - for the usual "
		    "one",
		    STR_ARG(way), error);
	return error == NULL;
}

/* An exit code: what became of all that was selected. */
static int
end_change(
    struct admin *a, struct queue_words *w, struct changes *c, const char *verb)
{
	if (c->held > 0 && c->changed == 0 && w->args.n_words)
		return admin_error(a, ADMIN_REFUSED, HELD_TEXT, HELD_ARGS(c));
	if (c->changed == 0 && c->hosts.n_unknown == 0 && w->args.n_words)
		return admin_error(
		    a, ADMIN_REFUSED, "there is nothing to %s", verb);
	tell(a, c, verb);
	return queue_tell_unknown(a, &c->hosts);
}

static int
change_all(
    struct admin *a, struct queue_words *w, struct changes *c, const char *verb)
{
	int r = queue_learn_hosts(a, w, &c->hosts);

	for (size_t i = 0; i < MAX(w->args.n_words, 1) && r == ADMIN_OK; i++) {
		w->filter.id = str_c(w->args.n_words ? w->args.words[i] : NULL);
		r = change_filter(a, c, &w->filter);
	}
	return r == ADMIN_OK ? end_change(a, w, c, verb) : r;
}

int
queue_change(struct admin *a, struct queue_words *w, const char *verb,
    enum queue_action action)
{
	struct changes c = { .action = action };
	int r;

	if (action == QUEUE_REROUTE && w->args.n_words)
		c.route = str_c(w->args.words[--w->args.n_words]);
	if (action == QUEUE_REROUTE && !c.route.n)
		return admin_usage(a, "the way to send it is missing");
	if (!queue_has_selector(w))
		return admin_usage(a,
		    "which messages? An ID or a selector says so; --all is "
		    "everything");
	if (action == QUEUE_REROUTE && !is_way(a, c.route))
		return ADMIN_USAGE;
	if (!queue_make_filter(a, w))
		return ADMIN_USAGE;
	r = change_all(a, w, &c, verb);
	queue_hosts_done(&c.hosts);
	return r;
}
