/* SPDX-License-Identifier: ISC */
/*
 * cmd_suppress.c - mailstead suppress list|show|add|remove: addresses of other
 * servers that are not tried any more (proto/suppress/suppress.h).
 */
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/suppress/suppress.h"

#include <time.h>

#define USAGE_LIST   "suppress list [DOMAIN] [--all] [--json]"
#define USAGE_SHOW   "suppress show ADDRESS [--json]"
#define USAGE_ADD    "suppress add ADDRESS [--for TIME] [--note TEXT] [--json]"
#define USAGE_REMOVE "suppress remove ADDRESS [--json]"

struct suppress_command {
	struct admin *a;
	struct args args;
	bool is_all;
	const char *time, *note;
	uint64_t now;
	/* list and show */
	struct str key, domain;
	struct output *o;
	uint64_t found;
	bool is_show;
};

static const struct output_field fields[] = {
	{ "address", "ADDRESS", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "messages", "REFUSED", OUTPUT_COUNT },
	{ "first", "FIRST", OUTPUT_TIME },
	{ "last", "LAST", OUTPUT_TIME },
	{ "since", "SUPPRESSED", OUTPUT_TIME },
	{ "until", "UNTIL", OUTPUT_TIME },
	{ "reply", "REPLY", OUTPUT_TEXT },
};

static const char *
state_of(const struct suppress_row *r, uint64_t now)
{
	switch (r->state) {
	case SUPPRESS_COUNTING:
		return "counting";
	case SUPPRESS_ON:
		return suppress_is_on(r, now) ? "suppressed" : "to-be-tried";
	case SUPPRESS_MANUAL:
		return "manual";
	}
	return "";
}

static bool
is_of_domain(struct str address, struct str domain)
{
	ptrdiff_t at = str_rfind(address, '@');

	return domain.n == 0 ||
	       (at >= 0 && str_eq(str_from(address, (size_t)at + 1), domain));
}

static void
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct suppress_command *c = arg;
	struct suppress_row r;

	if ((c->is_show && !str_eq(row->key, c->key)) ||
	    !is_of_domain(row->key, c->domain) ||
	    !suppress_decode(row->value, &r) ||
	    (!c->is_show && !c->is_all && r.state == SUPPRESS_COUNTING))
		return;
	c->found++;
	if (!c->o)
		return;
	output_put_text(c->o, row->key);
	output_put_text(c->o, str_c(state_of(&r, c->now)));
	output_put_number(c->o, r.messages);
	output_put_number(c->o, r.first);
	output_put_number(c->o, r.last);
	output_put_number(c->o, r.since);
	output_put_number(c->o, r.until);
	output_put_text(c->o, r.reply);
}

static int
each(struct suppress_command *c)
{
	return ledger_rows_each(c->a,
	    &(struct ledger_rows){ LEDGER_SUPPRESS, c->key, "addresses" },
	    on_row, c);
}

static int
list(struct suppress_command *c)
{
	struct buf domain = BUF_INIT(KIB(1));
	int r = ADMIN_USAGE;

	if (c->args.n_words > 1)
		return admin_usage(c->a, NULL);
	if (c->args.n_words == 0 ||
	    admin_domain_name(c->a, c->args.words[0], &domain)) {
		c->domain = buf_str(&domain);
		c->o = output_new("addresses", fields, ARRAY_LEN(fields));
		r = each(c);
		if (r == ADMIN_OK)
			output_print(c->o, c->a->is_json);
		output_free(c->o);
	}
	buf_done(&domain);
	return r;
}

static int
not_there(struct suppress_command *c)
{
	return admin_error(c->a, ADMIN_REFUSED,
	    "nothing is known of %.*s; see 'mailstead suppress list --all'",
	    STR_ARG(c->key));
}

static int
show(struct suppress_command *c)
{
	int r;

	c->o = output_new("address", fields, ARRAY_LEN(fields));
	r = each(c);
	if (r == ADMIN_OK && c->found == 0)
		r = not_there(c);
	else if (r == ADMIN_OK)
		output_print_one(c->o, c->a->is_json);
	output_free(c->o);
	return r;
}

static int
put(struct suppress_command *c, const struct suppress_row *r)
{
	struct buf value = BUF_INIT(KIB(1));
	struct msg_ledger_row row = { .key = c->key, .is_gone = r == NULL };
	int code;

	if (r) {
		suppress_encode(r, &value);
		row.until = suppress_row_until(r);
		row.value = buf_str(&value);
	}
	code = ledger_rows_change(c->a,
	    &(struct ledger_change){ .table = LEDGER_SUPPRESS,
		.rows = &row,
		.n = 1,
		.detail = r ? r->reply : STR_NONE },
	    "the address", NULL);
	if (code == ADMIN_OK)
		code = admin_say(c->a, r ? "added" : "removed", c->key,
		    r ? "suppressed" : "no longer suppressed:");
	buf_done(&value);
	return code;
}

/* Mail to our own users never leaves: there is nothing to suppress. */
static int
check_foreign(struct suppress_command *c)
{
	struct buf body = BUF_INIT(KIB(2)), reply = BUF_INIT(MIB(2));
	struct str domain =
	    str_from(c->key, (size_t)(str_rfind(c->key, '@') + 1));
	struct msg_list_reply l;
	struct msg_domain d;
	int r;

	msg_list_put(&body, &(struct msg_list){ .filter = domain });
	r = admin_do(c->a, MSG_DOMAIN_LIST, buf_str(&body), "domains", &reply);
	if (r == ADMIN_OK && msg_list_reply_get(buf_str(&reply), &l))
		for (struct wire w = wire_read(l.items);
		     msg_domain_read(&w, &d);)
			if (str_eq(d.name, domain))
				r = admin_error(c->a, ADMIN_REFUSED,
				    "%.*s is served here; only addresses of "
				    "other servers can be suppressed",
				    STR_ARG(domain));
	buf_done(&body);
	buf_done(&reply);
	return r;
}

static int
add(struct suppress_command *c)
{
	struct suppress_row row = { .state = SUPPRESS_MANUAL,
		.since = c->now,
		.reply = str_c(c->note) };
	uint64_t seconds;
	int r;

	if (c->time) {
		if (!args_duration(str_c(c->time), &seconds))
			return admin_error(c->a, ADMIN_USAGE,
			    "\"%s\" is no time; write it like 12h or 30d",
			    c->time);
		row.until = c->now + seconds;
	}
	r = check_foreign(c);
	return r == ADMIN_OK ? put(c, &row) : r;
}

static int
remove_address(struct suppress_command *c)
{
	int r;

	c->is_show = true;
	r = each(c);
	if (r == ADMIN_OK && c->found == 0)
		r = not_there(c);
	return r == ADMIN_OK ? put(c, NULL) : r;
}

static int
run_address(struct suppress_command *c, const char *verb)
{
	struct buf address = BUF_INIT(KIB(1)), key = BUF_INIT(KIB(1));
	int r = ADMIN_USAGE;

	if (c->args.n_words != 1) {
		r = admin_usage(c->a, NULL);
	} else if (admin_address(c->a, c->args.words[0], &address)) {
		if (!suppress_key(buf_str(&address), &key))
			r = admin_error(c->a, ADMIN_USAGE,
			    "the address is too long for that");
		else {
			c->key = buf_str(&key);
			c->is_show = strcmp(verb, "show") == 0;
			r = c->is_show                 ? show(c)
			    : strcmp(verb, "add") == 0 ? add(c)
			                               : remove_address(c);
		}
	}
	buf_done(&address);
	buf_done(&key);
	return r;
}

const char *const suppress_usage[] = { USAGE_LIST, USAGE_SHOW, USAGE_ADD,
	USAGE_REMOVE, NULL };

int
admin_suppress(struct admin *a, int argc, char **argv)
{
	struct suppress_command c = { .a = a, .now = (uint64_t)time(NULL) };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--all", NULL, &c.is_all },
		{ "--for", &c.time, NULL },
		{ "--note", &c.note, NULL },
	};

	c.args.options = options;
	c.args.n_options = ARRAY_LEN(options);
	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	return strcmp(argv[0], "list") == 0 ? list(&c)
	                                    : run_address(&c, argv[0]);
}
