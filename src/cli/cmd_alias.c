/* SPDX-License-Identifier: ISC */
/*
 * cmd_alias.c - mailstead alias add|list|remove. "@domain" is the catch-all
 * of a domain: it gets what no user and no other alias of it gets.
 */
#include "cli/admin.h"
#include "cli/output/output.h"

#define USAGE_ADD    "alias add ADDRESS|@DOMAIN TARGET... [--json]"
#define USAGE_LIST   "alias list [DOMAIN] [--json]"
#define USAGE_REMOVE "alias remove ADDRESS|@DOMAIN [--json]"

/* An address or "@domain" in its one form. */
static bool
source(struct admin *a, const char *s, struct buf *ret)
{
	if (s[0] != '@')
		return admin_address(a, s, ret);
	buf_put_char(ret, '@');
	return admin_domain_name(a, s + 1, ret);
}

/* The targets as a list of msg_text. */
static bool
targets(struct admin *a, const struct args *args, struct buf *ret)
{
	struct buf one = BUF_INIT(KIB(2));
	bool ok = true;

	for (size_t i = 1; i < args->n_words && ok; i++) {
		buf_reset(&one, KIB(2));
		ok = admin_address(a, args->words[i], &one);
		if (ok)
			msg_text_put(ret, &(struct msg_text){ buf_str(&one) });
	}
	buf_done(&one);
	return ok;
}

static int
add(struct admin *a, struct args *args)
{
	struct buf address = BUF_INIT(KIB(2)), to = BUF_INIT(MIB(1));
	struct buf body = BUF_INIT(MIB(1)), what = BUF_INIT(KIB(4));
	int r = ADMIN_USAGE;

	if (args->n_words < 2) {
		r = admin_usage(a, NULL);
	} else if (source(a, args->words[0], &address) &&
		   targets(a, args, &to)) {
		msg_alias_put(&body,
		    &(struct msg_alias){ buf_str(&address), buf_str(&to) });
		buf_printf(&what, "alias %s", buf_c(&address));
		a->no_user = "a target is no user and no alias here; see "
			     "'mailstead user list'";
		r = admin_do(
		    a, MSG_ALIAS_ADD, buf_str(&body), buf_c(&what), NULL);
		if (r == ADMIN_OK)
			r = admin_say(
			    a, "added", buf_str(&address), "added alias");
	}
	buf_done(&address);
	buf_done(&to);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static int
remove_alias(struct admin *a, struct args *args)
{
	struct buf address = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4));
	int r = ADMIN_USAGE;

	if (args->n_words != 1) {
		r = admin_usage(a, NULL);
	} else if (source(a, args->words[0], &address)) {
		msg_name_put(&body, &(struct msg_name){ buf_str(&address) });
		buf_printf(&what, "alias %s", buf_c(&address));
		a->no_user = "there is no such alias; see 'mailstead alias "
			     "list'";
		r = admin_do(
		    a, MSG_ALIAS_REMOVE, buf_str(&body), buf_c(&what), NULL);
		if (r == ADMIN_OK)
			r = admin_say(
			    a, "removed", buf_str(&address), "removed alias");
	}
	buf_done(&address);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static void
put_row(struct output *o, const struct msg_alias *alias)
{
	struct buf lines = BUF_INIT(MIB(1));
	struct msg_text t;

	for (struct wire w = wire_read(alias->targets);
	     msg_text_read(&w, &t);) {
		buf_put_c(&lines, lines.n ? "\n" : "");
		buf_put_str(&lines, t.text);
	}
	output_put_text(o, alias->address);
	output_put_text(o, buf_str(&lines));
	buf_done(&lines);
}

static int
list(struct admin *a, const char *domain)
{
	struct str filter = str_c(domain);
	static const struct output_field fields[] = {
		{ "address", "ADDRESS", OUTPUT_TEXT },
		{ "targets", "TARGETS", OUTPUT_LIST },
	};
	struct output *o = output_new("aliases", fields, ARRAY_LEN(fields));
	struct buf reply = BUF_INIT(MIB(16)), after = BUF_INIT(KIB(2));
	struct buf body = BUF_INIT(KIB(4));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_alias alias;
	int r = ADMIN_OK;

	while (l.has_more) {
		buf_reset(&body, KIB(4));
		msg_list_put(
		    &body, &(struct msg_list){
			       .after = buf_str(&after), .filter = filter });
		r = admin_do(
		    a, MSG_ALIAS_LIST, buf_str(&body), "aliases", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_alias_read(&w, &alias);) {
			put_row(o, &alias);
			buf_reset(&after, KIB(2));
			buf_put_str(&after, alias.address);
		}
	}
	if (r == ADMIN_OK && domain != NULL && output_is_empty(o))
		r = admin_served(a, domain);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&reply);
	buf_done(&after);
	buf_done(&body);
	return r;
}

const char *const alias_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_REMOVE, NULL };

int
admin_alias(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &args);
	if (strcmp(verb, "remove") == 0)
		return remove_alias(a, &args);
	if (strcmp(verb, "list") == 0 && args.n_words <= 1)
		return list(a, args.n_words ? args.words[0] : NULL);
	return admin_usage(a, NULL);
}
