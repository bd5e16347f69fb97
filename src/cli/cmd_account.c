/* SPDX-License-Identifier: ISC */
/*
 * cmd_account.c - mailstead account list|show|release|block|open|limit: what
 * accounts send to other servers, and who sends too much.
 */
#include "cli/feedback_sum.h"
#include "cli/output/output.h"
#include "cli/queue/queue_words.h"

#define USAGE_LIST    "account list [DOMAIN] [--held] [--json]"
#define USAGE_SHOW    "account show ADDRESS [--json]"
#define USAGE_RELEASE "account release ADDRESS [--json]"
#define USAGE_BLOCK   "account block ADDRESS [--cancel] [--json]"
#define USAGE_OPEN    "account open ADDRESS [--cancel] [--json]"
#define USAGE_LIMIT \
	"account limit ADDRESS|DOMAIN [--recipients N|none|default] " \
	"[--first-time N|none|default] [--json]"

struct account_command {
	struct admin *a;
	struct args args;
	bool is_held, is_cancel;
	const char *recipients, *first;
};

static const struct output_field short_fields[] = {
	{ "address", "ACCOUNT", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "recipients", "TODAY", OUTPUT_COUNT },
	{ "first_time", "NEW", OUTPUT_COUNT },
	{ "largest_counted", "LARGEST", OUTPUT_COUNT },
	{ "largest_first_time", "NEW", OUTPUT_COUNT },
	{ "max_recipients", "LIMIT", OUTPUT_LIMIT_COUNT },
	{ "max_first_time", "NEW", OUTPUT_LIMIT_COUNT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "why", "WHY", OUTPUT_TEXT },
};

static const struct output_field all_fields[] = {
	{ "address", "Account", OUTPUT_TEXT },
	{ "state", "State", OUTPUT_TEXT },
	{ "recipients", "Recipients today", OUTPUT_COUNT },
	{ "first_time", "  for the first time", OUTPUT_COUNT },
	{ "largest_counted", "Largest day of four weeks", OUTPUT_COUNT },
	{ "largest_first_time", "  for the first time", OUTPUT_COUNT },
	{ "max_recipients", "Limit of a day", OUTPUT_LIMIT_COUNT },
	{ "max_first_time", "  for the first time", OUTPUT_LIMIT_COUNT },
	{ "since", "Held or blocked since", OUTPUT_TIME },
	{ "why", "Why", OUTPUT_TEXT },
	{ "counted", "Counted today", OUTPUT_COUNT },
	{ "messages", "Messages today", OUTPUT_COUNT },
	{ "known", "Known recipients", OUTPUT_COUNT },
	{ "own_limits", "Limits of its own", OUTPUT_YES },
	{ "held", "Held recipients", OUTPUT_COUNT },
	{ "complaints", "Complaints of 90 days", OUTPUT_COUNT },
};

static const char *
state_name(unsigned state)
{
	static const char *const names[] = { [LIMIT_STATE_OPEN] = "open",
		[LIMIT_STATE_HELD] = "held",
		[LIMIT_STATE_BLOCKED] = "blocked" };

	return state < ARRAY_LEN(names) ? names[state] : "unknown";
}

/* What is asked for elsewhere. */
struct more {
	uint64_t held, complaints;
};

static void
put_row(struct output *o, const struct msg_limit_row *r, bool is_all,
    struct more more)
{
	output_put_text(o, r->login);
	output_put_text(o, str_c(state_name(r->state)));
	output_put_number(o, r->recipients);
	output_put_number(o, r->first);
	output_put_number(o, r->largest_counted);
	output_put_number(o, r->largest_first);
	output_put_number(o, r->max_recipients);
	output_put_number(o, r->max_first);
	output_put_number(o, r->since);
	output_put_text(o, r->why);
	if (!is_all)
		return;
	output_put_number(o, r->counted);
	output_put_number(o, r->messages);
	output_put_number(o, r->known);
	output_put_number(o, r->is_own);
	output_put_number(o, more.held);
	output_put_number(o, more.complaints);
}

/* --- list and show ----------------------------------------------------------------- */

/* One portion of the list; *ret_rows points into reply. */
static int
ask_list(struct account_command *c, const struct msg_limit_list *q,
    struct buf *reply, struct msg_limit_list_reply *ret)
{
	struct buf body = BUF_INIT(KIB(4));
	int r;

	msg_limit_list_put(&body, q);
	r = admin_do(c->a, MSG_LIMIT_LIST, buf_str(&body), "accounts", reply);
	if (r == ADMIN_OK && !msg_limit_list_reply_get(buf_str(reply), ret))
		r = admin_error(c->a, ADMIN_TEMPFAIL,
		    "the server's answer is not understood");
	buf_done(&body);
	return r;
}

static int
list(struct account_command *c)
{
	struct output *o =
	    output_new("accounts", short_fields, ARRAY_LEN(short_fields));
	struct buf reply = BUF_INIT(MIB(2)), name = BUF_INIT(KIB(2));
	struct msg_limit_list q = { .is_flagged = c->is_held };
	struct msg_limit_list_reply l = { 0 };
	struct msg_limit_row row;
	int r = ADMIN_OK;

	if (c->args.n_words > 1)
		r = admin_usage(c->a, NULL);
	else if (c->args.n_words &&
		 !admin_domain_name(c->a, c->args.words[0], &name))
		r = ADMIN_USAGE;
	q.name = buf_str(&name);
	do {
		if (r == ADMIN_OK)
			r = ask_list(c, &q, &reply, &l);
		if (r != ADMIN_OK)
			break;
		for (struct wire w = wire_read(l.items);
		     msg_limit_row_read(&w, &row);)
			put_row(o, &row, false, (struct more){ 0, 0 });
		q.after = l.next;
	} while (q.after);
	if (r == ADMIN_OK && name.n > 0 && output_is_empty(o))
		r = admin_served(c->a, c->args.words[0]);
	if (r == ADMIN_OK)
		output_print(o, c->a->is_json);
	output_free(o);
	buf_done(&reply);
	buf_done(&name);
	return r;
}

static void
print_one(struct account_command *c, const struct msg_limit_row *row,
    struct more more)
{
	struct output *o =
	    output_new("account", all_fields, ARRAY_LEN(all_fields));

	put_row(o, row, true, more);
	output_print_one(o, c->a->is_json);
	output_free(o);
}

/* The row of a login; one that never sent has none. */
static int
find_row(struct account_command *c, struct str login, struct buf *reply,
    struct msg_limit_row *ret)
{
	struct msg_limit_list q = { .name = login };
	struct msg_limit_list_reply l = { 0 };
	int r;

	do {
		struct wire w;

		r = ask_list(c, &q, reply, &l);
		if (r != ADMIN_OK)
			return r;
		w = wire_read(l.items);
		if (msg_limit_row_read(&w, ret))
			return ADMIN_OK;
		q.after = l.next;
	} while (q.after);
	return admin_error(c->a, ADMIN_REFUSED,
	    "%.*s has sent nothing to other servers in the last weeks",
	    STR_ARG(login));
}

static int
print_whole(struct account_command *c, const struct msg_limit_row *row)
{
	struct more more = { 0, 0 };
	int r = queue_count_held(c->a, row->account, &more.held);

	if (r == ADMIN_OK)
		r = feedback_count_complaints(
		    c->a, row->login, &more.complaints);
	if (r == ADMIN_OK)
		print_one(c, row, more);
	return r;
}

static int
show(struct account_command *c, struct str login)
{
	struct buf reply = BUF_INIT(MIB(2));
	struct msg_limit_row row;
	int r = find_row(c, login, &reply, &row);

	if (r == ADMIN_OK)
		r = print_whole(c, &row);
	buf_done(&reply);
	return r;
}

/* --- changes ------------------------------------------------------------------------- */

static int
ask_change(struct account_command *c, const struct msg_limit_change *q,
    struct buf *reply)
{
	struct buf body = BUF_INIT(KIB(4)), what = BUF_INIT(KIB(4));
	int r;

	msg_limit_change_put(&body, q);
	buf_printf(&what, "account %.*s", STR_ARG(q->name));
	r = admin_do(
	    c->a, MSG_LIMIT_CHANGE, buf_str(&body), buf_c(&what), reply);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static void
tell(struct account_command *c, struct str login, const char *done, uint64_t n,
    const char *what)
{
	static const struct output_field fields[] = {
		{ "address", "", OUTPUT_TEXT },
		{ "done", "", OUTPUT_TEXT },
		{ "recipients", "", OUTPUT_COUNT },
	};
	struct output *o;

	if (!c->a->is_json) {
		printf("%s %.*s", done, STR_ARG(login));
		if (what)
			printf("; %llu held recipient%s %s %s",
			    (unsigned long long)n, str_s(n),
			    n == 1 ? "was" : "were", what);
		putchar('\n');
		return;
	}
	o = output_new("account", fields, ARRAY_LEN(fields));
	output_put_text(o, login);
	output_put_text(o, str_c(done));
	output_put_number(o, n);
	output_print_one(o, true);
	output_free(o);
}

/* The state first: what comes meanwhile is under the new one. */
static int
change(struct account_command *c, struct str login, enum limit_action action)
{
	static const char *const done[] = { [LIMIT_RELEASE] = "released",
		[LIMIT_BLOCK] = "blocked",
		[LIMIT_OPEN] = "opened" };
	struct msg_limit_change q = { .name = login,
		.action = (uint8_t)action };
	struct buf reply = BUF_INIT(KIB(8));
	struct msg_limit_row row;
	const char *what = NULL;
	uint64_t n = 0;
	int r = ask_change(c, &q, &reply);

	if (r == ADMIN_OK && !msg_limit_row_get(buf_str(&reply), &row))
		r = admin_error(c->a, ADMIN_TEMPFAIL,
		    "the server's answer is not understood");
	if (r == ADMIN_OK && action == LIMIT_RELEASE) {
		what = "released";
		r = queue_change_held(c->a, row.account, QUEUE_RELEASE, &n);
	} else if (r == ADMIN_OK && c->is_cancel) {
		what = "cancelled";
		r = queue_change_held(c->a, row.account, QUEUE_CANCEL, &n);
	}
	if (r == ADMIN_OK)
		tell(c, login, done[action], n, what);
	buf_done(&reply);
	return r;
}

static bool
read_limit(
    struct account_command *c, const char *s, uint8_t *ret_sets, uint64_t *ret)
{
	if (!s)
		return true;
	*ret_sets = 1;
	if (strcmp(s, "default") == 0) {
		*ret = 0;
		return true;
	}
	if (!args_count(s, ret)) {
		admin_error(c->a, ADMIN_USAGE,
		    "\"%s\" is no number, none, or default", s);
		return false;
	}
	if (*ret == 0) /* none */
		*ret = UINT64_MAX;
	return true;
}

static int
set_limit(struct account_command *c)
{
	struct msg_limit_change q = { .action = LIMIT_SET };
	struct buf name = BUF_INIT(KIB(2)), reply = BUF_INIT(KIB(8));
	const char *word = c->args.n_words == 1 ? c->args.words[0] : NULL;
	struct msg_limit_row row;
	int r = ADMIN_USAGE;

	if (!word || (!c->recipients && !c->first))
		r = admin_usage(c->a, NULL);
	else if ((strchr(word, '@') ? admin_address(c->a, word, &name)
				    : admin_domain_name(c->a, word, &name)) &&
		 read_limit(
		     c, c->recipients, &q.sets_recipients, &q.max_recipients) &&
		 read_limit(c, c->first, &q.sets_first, &q.max_first)) {
		q.name = buf_str(&name);
		r = ask_change(c, &q, &reply);
		if (r == ADMIN_OK && msg_limit_row_get(buf_str(&reply), &row))
			r = print_whole(c, &row);
		else if (r == ADMIN_OK)
			r = admin_say(
			    c->a, "changed", q.name, "changed the limits of");
	}
	buf_done(&name);
	buf_done(&reply);
	return r;
}

/* --- the command ---------------------------------------------------------------------- */

static int
run_address(struct account_command *c, const char *verb)
{
	static const struct {
		const char *verb, *usage;
		enum limit_action action;
	} changes[] = {
		{ "release", USAGE_RELEASE, LIMIT_RELEASE },
		{ "block", USAGE_BLOCK, LIMIT_BLOCK },
		{ "open", USAGE_OPEN, LIMIT_OPEN },
	};
	struct buf login = BUF_INIT(KIB(2));
	bool is_one = c->args.n_words == 1;
	int r = ADMIN_USAGE;

	if (is_one && !admin_address(c->a, c->args.words[0], &login))
		return ADMIN_USAGE;
	if (strcmp(verb, "show") == 0)
		r = is_one ? show(c, buf_str(&login)) : admin_usage(c->a, NULL);
	else
		for (size_t i = 0; i < ARRAY_LEN(changes); i++)
			if (strcmp(verb, changes[i].verb) == 0)
				r = is_one ? change(c, buf_str(&login),
						 changes[i].action)
				           : admin_usage(c->a, NULL);
	buf_done(&login);
	return r;
}

const char *const account_usage[] = { USAGE_LIST, USAGE_SHOW, USAGE_RELEASE,
	USAGE_BLOCK, USAGE_OPEN, USAGE_LIMIT, NULL };

int
admin_account(struct admin *a, int argc, char **argv)
{
	struct account_command c = { .a = a };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--held", NULL, &c.is_held },
		{ "--cancel", NULL, &c.is_cancel },
		{ "--recipients", &c.recipients, NULL },
		{ "--first-time", &c.first, NULL },
	};

	c.args.options = options;
	c.args.n_options = ARRAY_LEN(options);
	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(argv[0], "list") == 0)
		return list(&c);
	if (strcmp(argv[0], "limit") == 0)
		return set_limit(&c);
	return run_address(&c, argv[0]);
}
