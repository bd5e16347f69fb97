/* SPDX-License-Identifier: ISC */
/* cmd_domain.c - mailstead domain add|list|remove. */
#include "cli/dkim_keys.h"
#include "cli/output/output.h"

#define USAGE_ADD    "domain add DOMAIN [--json]"
#define USAGE_LIST   "domain list [--json]"
#define USAGE_REMOVE "domain remove DOMAIN [--json]"

/* A new domain has a key of each kind from the beginning. */
static int
put_new(struct admin *a, struct str name, struct buf *body)
{
	struct buf selectors = BUF_INIT(KIB(1)), keys = BUF_INIT(KIB(32));
	int r = ADMIN_OK;

	if (dkim_keys_make_pair(&selectors, &keys))
		msg_domain_add_put(
		    body, &(struct msg_domain_add){ name, buf_str(&keys) });
	else
		r = admin_error(
		    a, ADMIN_TEMPFAIL, "its DKIM keys could not be made");
	buf_done(&selectors);
	buf_done_secret(&keys);
	return r;
}

/* RFC 5321 section 4.5.1; this server writes to that address, too. */
static void
tell_next(const struct admin *a, const char *name)
{
	if (!a->is_json)
		printf("its records for DNS: mailstead dns %s\n"
		       "nobody reads its postmaster yet: "
		       "mailstead alias add postmaster@%s USER\n",
		    name, name);
}

/* Both commands that take one domain differ only in their message. */
static int
one_domain(struct admin *a, struct args *args, enum msg_type type)
{
	bool is_add = type == MSG_DOMAIN_ADD;
	struct buf name = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(64));
	struct buf what = BUF_INIT(KIB(4));
	int r = ADMIN_USAGE;

	if (args->n_words != 1) {
		r = admin_usage(a, NULL);
	} else if (admin_domain_name(a, args->words[0], &name)) {
		r = ADMIN_OK;
		if (is_add)
			r = put_new(a, buf_str(&name), &body);
		else
			msg_name_put(
			    &body, &(struct msg_name){ buf_str(&name) });
		buf_printf(&what, "domain %s", buf_c(&name));
		if (r == ADMIN_OK)
			r = admin_do(
			    a, type, buf_str(&body), buf_c(&what), NULL);
		if (r == ADMIN_OK)
			r = admin_say(a, is_add ? "added" : "removed",
			    buf_str(&name),
			    is_add ? "added domain" : "removed domain");
		if (r == ADMIN_OK && is_add)
			tell_next(a, buf_c(&name));
	}
	buf_done(&name);
	buf_done_secret(&body);
	buf_done(&what);
	return r;
}

static int
list(struct admin *a)
{
	static const struct output_field fields[] = {
		{ "name", "DOMAIN", OUTPUT_TEXT },
		{ "users", "USERS", OUTPUT_COUNT },
		{ "aliases", "ALIASES", OUTPUT_COUNT },
		{ "created", "CREATED", OUTPUT_TIME },
	};
	struct output *o = output_new("domains", fields, ARRAY_LEN(fields));
	struct buf reply = BUF_INIT(MIB(16)), after = BUF_INIT(KIB(2));
	struct buf body = BUF_INIT(KIB(4));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_domain d;
	int r = ADMIN_OK;

	while (l.has_more) {
		buf_reset(&body, KIB(4));
		msg_list_put(
		    &body, &(struct msg_list){ .after = buf_str(&after) });
		r = admin_do(
		    a, MSG_DOMAIN_LIST, buf_str(&body), "domains", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_domain_read(&w, &d);) {
			output_put_text(o, d.name);
			output_put_number(o, d.users);
			output_put_number(o, d.aliases);
			output_put_number(o, d.created);
			buf_reset(&after, KIB(2));
			buf_put_str(&after, d.name);
		}
	}
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&reply);
	buf_done(&after);
	buf_done(&body);
	return r;
}

const char *const domain_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_REMOVE,
	NULL };

int
admin_domain(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return one_domain(a, &args, MSG_DOMAIN_ADD);
	if (strcmp(verb, "remove") == 0)
		return one_domain(a, &args, MSG_DOMAIN_REMOVE);
	if (strcmp(verb, "list") == 0 && args.n_words == 0)
		return list(a);
	return admin_usage(a, NULL);
}
