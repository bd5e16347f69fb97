/* SPDX-License-Identifier: ISC */
/*
 * cmd_queue.c - mailstead queue list|show|retry|hold|release|cancel|reroute.
 *
 * The store is asked in portions, so that it can do other work between them,
 * and a list of any length is printed as it comes.
 */
#include "cli/output.h"
#include "cli/queue_words.h"
#include "conf/route_text.h"

#include <unistd.h>

#define SELECTORS \
	"[--sender A] [--recipient A] [--domain D] [--mx HOST] [--state S] " \
	"[--account A]"
#define USAGE_LIST   "queue list " SELECTORS " [ID...] [--json]"
#define USAGE_SHOW   "queue show ID [--json]"
#define USAGE_CHANGE "queue %s --all | " SELECTORS " [ID...] [--json]"
#define USAGE_REROUTE \
	"queue reroute --all | " SELECTORS " [ID...] WAY|- [--json]"
#define USAGE "queue list|show|retry|hold|release|cancel|reroute ..."

static const char *const states[] = {
	[QUEUE_SHOW_ALL] = "all",
	[QUEUE_SHOW_WAITING] = "waiting",
	[QUEUE_SHOW_DEFERRED] = "deferred",
	[QUEUE_SHOW_ACTIVE] = "active",
	[QUEUE_SHOW_HELD] = "held",
};

const char *
queue_state_name(unsigned state)
{
	return state < ARRAY_LEN(states) ? states[state] : "unknown";
}

bool
queue_state_from_name(const char *name, uint8_t *ret)
{
	for (uint8_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(states[i], name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* What was said on the command line. */
struct words {
	const char *sender, *recipient, *domain, *mx, *state, *account;
	bool is_all, is_bounce;
	struct args args;
	struct msg_queue_filter filter;
	struct buf address, name; /* clean forms, which filter points to */
};

static bool
has_selector(const struct words *w)
{
	return w->is_all || w->sender || w->recipient || w->domain || w->mx ||
	       w->state || w->account || w->args.n_words;
}

static bool
is_id(const char *s)
{
	return s[0] && strlen(s) <= 64 && !strchr(s, '@');
}

/* The number of a login; an exit code. */
static int
find_account(struct admin *a, const char *word, uint64_t *ret)
{
	struct buf login = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4)), reply = BUF_INIT(KIB(4));
	struct msg_admin_session_reply r;
	int code = ADMIN_USAGE;

	if (admin_address(a, word, &login)) {
		msg_admin_session_put(
		    &body, &(struct msg_admin_session){ buf_str(&login) });
		buf_printf(&what, "account %s", buf_c(&login));
		code = admin_do(
		    a, MSG_ADMIN_SESSION, buf_str(&body), buf_c(&what), &reply);
	}
	if (code == ADMIN_OK &&
	    msg_admin_session_reply_get(buf_str(&reply), &r))
		*ret = r.account;
	buf_done(&login);
	buf_done(&body);
	buf_done(&what);
	buf_done(&reply);
	return code;
}

/* False after an error was printed. */
static bool
make_filter(struct admin *a, struct words *w)
{
	struct msg_queue_filter *f = &w->filter;

	*f = (struct msg_queue_filter){ .sender = str_c(w->sender),
		.mx = str_c(w->mx) };
	if (w->recipient && !admin_address(a, w->recipient, &w->address))
		return false;
	if (w->domain && !admin_domain_name(a, w->domain, &w->name))
		return false;
	f->recipient = buf_str(&w->address);
	f->domain = buf_str(&w->name);
	if (w->account && find_account(a, w->account, &f->account) != ADMIN_OK)
		return false;
	if (w->state && !queue_state_from_name(w->state, &f->state)) {
		admin_error(a, ADMIN_USAGE,
		    "%s is no state: waiting, deferred, active or held",
		    w->state);
		return false;
	}
	for (size_t i = 0; i < w->args.n_words; i++)
		if (!is_id(w->args.words[i])) {
			admin_error(a, ADMIN_USAGE,
			    "%s is no id of a message: see --sender and "
			    "--recipient",
			    w->args.words[i]);
			return false;
		}
	return true;
}

/* --- list ------------------------------------------------------------------------ */

/* People get what fits into a line. */
static const struct output_field short_fields[] = {
	{ "id", "ID", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "attempts", "TRIES", OUTPUT_COUNT },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "sender", "SENDER", OUTPUT_TEXT },
	{ "recipient", "RECIPIENT", OUTPUT_TEXT },
	{ "reply", "LAST REPLY", OUTPUT_TEXT },
};

static const struct output_field all_fields[] = {
	{ "id", "Message", OUTPUT_TEXT },
	{ "state", "State", OUTPUT_TEXT },
	{ "attempts", "Attempts", OUTPUT_COUNT },
	{ "next", "Next attempt", OUTPUT_TIME },
	{ "sender", "Sender", OUTPUT_TEXT },
	{ "recipient", "Recipient", OUTPUT_TEXT },
	{ "reply", "Last reply", OUTPUT_TEXT },
	{ "returning", "To be returned", OUTPUT_YES },
	{ "account", "Account", OUTPUT_COUNT },
	{ "size", "Size", OUTPUT_BYTES },
	{ "priority", "Priority", OUTPUT_COUNT },
	{ "arrived", "Arrived", OUTPUT_TIME },
	{ "tried", "Last attempt", OUTPUT_TIME },
	{ "mx", "Last host", OUTPUT_TEXT },
	{ "route", "Route", OUTPUT_TEXT },
};

static void
put_rest(struct output *o, const struct msg_queue_row *row)
{
	output_put_number(o, row->is_cancelled);
	output_put_number(o, row->account);
	output_put_number(o, row->size);
	output_put_signed(o, row->priority - DELIVER_PRIORITY_NORMAL);
	output_put_number(o, row->arrival_ms / 1000);
	output_put_number(o, row->tried_ms / 1000);
	output_put_text(o, row->mx);
	output_put_text(o, row->route);
}

static void
put_row(struct output *o, const struct msg_queue_row *row, bool is_all)
{
	output_put_text(o, row->id);
	output_put_text(o, str_c(queue_state_name(row->state)));
	output_put_number(o, row->attempts);
	output_put_number(o, row->due_ms / 1000);
	output_put_text(o, row->sender.n ? row->sender : STR("<>"));
	output_put_text(o, row->recipient);
	output_put_text(o, row->reply);
	if (is_all)
		put_rest(o, row);
}

struct listing {
	struct output *o; /* NULL: only count them */
	bool is_all, is_one_by_one;
	uint64_t n;
};

static int
print_rows(
    struct admin *a, struct listing *l, struct str reply, struct buf *after)
{
	struct msg_queue_list_reply r;
	struct msg_queue_row row;

	if (!msg_queue_list_reply_get(reply, &r))
		return admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	for (struct wire w = wire_read(r.items);
	     msg_queue_row_read(&w, &row);) {
		l->n++;
		if (!l->o)
			continue;
		put_row(l->o, &row, l->is_all);
		if (l->is_one_by_one) {
			output_print_one(l->o, false);
			putchar('\n');
		}
	}
	if (l->o && !l->is_one_by_one)
		output_flush(l->o, a->is_json);
	buf_reset(after, KIB(1));
	buf_put_str(after, r.after);
	return ADMIN_OK;
}

static int
list_filter(
    struct admin *a, struct listing *l, const struct msg_queue_filter *filter)
{
	struct buf after = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(16));
	struct buf reply = BUF_INIT(MIB(16)), f = BUF_INIT(KIB(8));
	int r;

	msg_queue_filter_put(&f, filter);
	do {
		buf_reset(&body, KIB(16));
		msg_queue_list_put(&body,
		    &(struct msg_queue_list){ buf_str(&f), buf_str(&after) });
		r = admin_do(
		    a, MSG_QUEUE_LIST, buf_str(&body), "queue", &reply);
		if (r == ADMIN_OK)
			r = print_rows(a, l, buf_str(&reply), &after);
	} while (r == ADMIN_OK && after.n);
	buf_done(&after);
	buf_done(&body);
	buf_done(&reply);
	buf_done(&f);
	return r;
}

int
queue_count_held(struct admin *a, uint64_t account, uint64_t *ret)
{
	struct listing l = { .o = NULL };
	struct msg_queue_filter filter = { .account = account };
	int r = list_filter(a, &l, &filter);

	if (r == ADMIN_OK)
		*ret = l.n;
	return r;
}

static int
list(struct admin *a, struct words *w)
{
	struct listing l = { .is_all = a->is_json };
	int r = ADMIN_OK;

	if (!make_filter(a, w))
		return ADMIN_USAGE;
	l.o = a->is_json
	          ? output_new("queue", all_fields, ARRAY_LEN(all_fields))
	          : output_new("queue", short_fields, ARRAY_LEN(short_fields));
	for (size_t i = 0; i < MAX(w->args.n_words, 1) && r == ADMIN_OK; i++) {
		w->filter.id = str_c(w->args.n_words ? w->args.words[i] : NULL);
		r = list_filter(a, &l, &w->filter);
	}
	if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	output_free(l.o);
	return r;
}

static int
show(struct admin *a, struct words *w)
{
	struct listing l = { .is_all = true, .is_one_by_one = !a->is_json };
	uint64_t found = 0;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, USAGE_SHOW, NULL);
	if (!make_filter(a, w))
		return ADMIN_USAGE;
	l.o = output_new("queue", all_fields, ARRAY_LEN(all_fields));
	w->filter.id = str_c(w->args.words[0]);
	r = list_filter(a, &l, &w->filter);
	if (r == ADMIN_OK && l.n == 0)
		r = admin_error(a, ADMIN_REFUSED,
		    "%s is not in the queue; see 'mailstead trace'",
		    w->args.words[0]);
	else if (r == ADMIN_OK && a->is_json)
		output_print(l.o, true);
	else if (r == ADMIN_OK)
		r = queue_print_trace(a, w->filter.id, &found);
	output_free(l.o);
	return r;
}

/* --- changes ----------------------------------------------------------------------- */

struct changes {
	enum queue_action action;
	struct str route;
	uint64_t changed, in_delivery;
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
	};
	struct output *o;

	if (!a->is_json) {
		if (isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		printf("%s: %llu recipients\n", verb,
		    (unsigned long long)c->changed);
		if (c->in_delivery)
			printf("%llu of them are being delivered just now: "
			       "for these it may come too late\n",
			    (unsigned long long)c->in_delivery);
		return;
	}
	o = output_new("queue", fields, ARRAY_LEN(fields));
	output_put_number(o, c->changed);
	output_put_number(o, c->in_delivery);
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

static int
change(struct admin *a, struct words *w, const char *verb,
    enum queue_action action)
{
	struct changes c = { .action = action };
	char usage[300];
	int r = ADMIN_OK;

	if (action == QUEUE_REROUTE && w->args.n_words)
		c.route = str_c(w->args.words[--w->args.n_words]);
	snprintf(usage, sizeof(usage), USAGE_CHANGE, verb);
	if (!has_selector(w) || (action == QUEUE_REROUTE && !c.route.n))
		return admin_usage(
		    a, action == QUEUE_REROUTE ? USAGE_REROUTE : usage, NULL);
	if (action == QUEUE_REROUTE && !is_way(a, c.route))
		return ADMIN_USAGE;
	if (!make_filter(a, w))
		return ADMIN_USAGE;
	for (size_t i = 0; i < MAX(w->args.n_words, 1) && r == ADMIN_OK; i++) {
		w->filter.id = str_c(w->args.n_words ? w->args.words[i] : NULL);
		r = change_filter(a, &c, &w->filter);
	}
	if (r != ADMIN_OK)
		return r;
	if (c.changed == 0 && w->args.n_words)
		return admin_error(
		    a, ADMIN_REFUSED, "there is nothing to %s", verb);
	tell(a, &c, verb);
	return r;
}

/* --- the command --------------------------------------------------------------------- */

static int
run(struct admin *a, struct words *w, const char *verb)
{
	static const struct {
		const char *verb;
		enum queue_action action;
	} changes[] = {
		{ "retry", QUEUE_RETRY },
		{ "hold", QUEUE_HOLD },
		{ "release", QUEUE_RELEASE },
		{ "cancel", QUEUE_CANCEL },
		{ "reroute", QUEUE_REROUTE },
	};

	if (w->is_bounce && strcmp(verb, "cancel") != 0)
		return admin_usage(a, USAGE, "--bounce belongs to cancel");
	if (strcmp(verb, "list") == 0)
		return list(a, w);
	if (strcmp(verb, "show") == 0)
		return show(a, w);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (strcmp(changes[i].verb, verb) == 0)
			return change(a, w, verb,
			    w->is_bounce ? QUEUE_RETURN : changes[i].action);
	return admin_usage(a, USAGE, NULL);
}

const char *const queue_usage[] = {
	USAGE_LIST,
	USAGE_SHOW,
	"queue retry|hold|release --all | " SELECTORS " [ID...] [--json]",
	"queue cancel --all | " SELECTORS " [ID...] [--bounce] [--json]",
	USAGE_REROUTE,
	NULL,
};

int
admin_queue(struct admin *a, int argc, char **argv)
{
	struct words w = { .address = BUF_INIT(KIB(2)),
		.name = BUF_INIT(KIB(2)) };
	const struct arg_option options[] = {
		{ "--sender", &w.sender, NULL },
		{ "--recipient", &w.recipient, NULL },
		{ "--domain", &w.domain, NULL },
		{ "--mx", &w.mx, NULL },
		{ "--state", &w.state, NULL },
		{ "--account", &w.account, NULL },
		{ "--all", NULL, &w.is_all },
		{ "--bounce", NULL, &w.is_bounce },
		ADMIN_OPTIONS(a),
	};
	int r;

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc == 0)
		return admin_usage(a, USAGE, NULL);
	if (!admin_args(a, &w.args, argc - 1, argv + 1, USAGE))
		return ADMIN_USAGE;
	r = run(a, &w, argv[0]);
	buf_done(&w.address);
	buf_done(&w.name);
	return r;
}
