/* SPDX-License-Identifier: ISC */
/* cmd_system.c - mailstead system add|change|list|show|remove. */
#include "cli/system/system_command.h"
#include "cli/watch_rows.h"

#define OPTIONS \
	"[--city CITY] [--country COUNTRY] [--internal | --public] " \
	"[--parents ID,...] [--order N] [--json]"
#define USAGE_ADD    "system add ID ROLE " OPTIONS
#define USAGE_CHANGE "system change ID [--role ROLE] " OPTIONS
#define USAGE_LIST   "system list [--json]"
#define USAGE_SHOW   "system show ID [--json]"
#define USAGE_REMOVE "system remove ID [--with-checks] [--json]"

struct words {
	struct args args;
	const char *role, *city, *country, *parents, *order;
	bool is_internal, is_public, with_checks;
};

/* --- adding and changing --------------------------------------------------- */

static int
split_parents(struct admin *a, const char *list, struct status_system *s)
{
	struct str rest = str_c(list), one;

	s->n_parents = 0;
	if (strcmp(list, "none") == 0)
		return ADMIN_OK;
	while (rest.n > 0) {
		rest = str_split(rest, ',', &one);
		if (s->n_parents == STATUS_PARENTS_MAX)
			return admin_error(a, ADMIN_USAGE,
			    "a system has at most %d parents",
			    STATUS_PARENTS_MAX);
		s->parents[s->n_parents++] = str_trim(one);
	}
	return ADMIN_OK;
}

/* What depends on the other systems. */
static int
fit(struct admin *a, const struct words *w, bool is_new,
    struct status_system *s)
{
	const struct status_systems *all;
	struct status_fault fault;
	int r = watch_systems_read(a, &all);

	if (r == ADMIN_OK && is_new && w->order == NULL)
		s->order = status_systems_next_order(all);
	/* Is it sane: first, for what follows wants names. */
	if (r == ADMIN_OK && !status_system_is_sane(s, &fault))
		r = watch_fault(a, &fault);
	if (r == ADMIN_OK && w->parents != NULL &&
	    !status_systems_fit_parents(all, s, &fault))
		r = watch_misfit(a, &fault);
	return r;
}

static int
set_options(struct admin *a, const struct words *w, struct status_system *s)
{
	if (w->role && !status_role_parse(str_c(w->role), &s->role))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no role: mail, relay, web, primary-ns, "
		    "secondary-ns, phone, monitoring, status or other",
		    w->role);
	if (w->city)
		s->city = str_c(w->city);
	if (w->country)
		s->country = str_c(w->country);
	if (w->is_internal || w->is_public)
		s->is_internal = w->is_internal;
	if (w->order && !str_to_u32(str_c(w->order), UINT32_MAX, &s->order))
		return admin_error(
		    a, ADMIN_USAGE, "\"%s\" is no number", w->order);
	return w->parents ? split_parents(a, w->parents, s) : ADMIN_OK;
}

static int
refuse_existing(struct admin *a, struct str id)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(64));
	bool is_there;
	int r;

	status_put_key(&key, id);
	r = ledger_rows_find(
	    a, LEDGER_SYSTEM, buf_str(&key), &is_there, &value);
	buf_done(&key);
	buf_done(&value);
	if (r != ADMIN_OK || !is_there)
		return r;
	return admin_error(a, ADMIN_REFUSED,
	    "system %.*s: it exists already; see 'mailstead system change'",
	    STR_ARG(id));
}

static int
add(struct admin *a, struct words *w)
{
	struct status_system s = { 0 };
	int r;

	if (w->args.n_words != 2)
		return admin_usage(a, NULL);
	w->role = w->args.words[1];
	s.id = str_c(w->args.words[0]);
	if (!status_is_id(s.id))
		return watch_fault(
		    a, &(struct status_fault){ s.id, STATUS_ID_EXPECTED });
	r = refuse_existing(a, s.id);
	if (r == ADMIN_OK)
		r = set_options(a, w, &s);
	if (r == ADMIN_OK)
		r = fit(a, w, true, &s);
	if (r == ADMIN_OK)
		r = watch_system_put(a, &s);
	return r == ADMIN_OK ? admin_say(a, "added", s.id, "added system") : r;
}

static int
change(struct admin *a, struct words *w)
{
	struct watch_system sys;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	r = watch_system_get(a, w->args.words[0], &sys);
	if (r == ADMIN_OK)
		r = set_options(a, w, &sys.s);
	if (r == ADMIN_OK && w->parents != NULL)
		r = fit(a, w, false, &sys.s);
	if (r == ADMIN_OK)
		r = watch_system_put(a, &sys.s);
	if (r == ADMIN_OK)
		r = admin_say(a, "changed", sys.s.id, "changed system");
	watch_system_done(&sys);
	return r;
}

const char *const system_usage[] = { USAGE_ADD, USAGE_CHANGE, USAGE_LIST,
	USAGE_SHOW, USAGE_REMOVE, NULL };

int
admin_system(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--role", &w.role, NULL },
		{ "--city", &w.city, NULL },
		{ "--country", &w.country, NULL },
		{ "--parents", &w.parents, NULL },
		{ "--order", &w.order, NULL },
		{ "--internal", NULL, &w.is_internal },
		{ "--public", NULL, &w.is_public },
		{ "--with-checks", NULL, &w.with_checks },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (w.is_internal && w.is_public)
		return admin_usage(a, "either --internal or --public");
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "change") == 0)
		return change(a, &w);
	if (strcmp(verb, "show") == 0 && w.args.n_words == 1)
		return system_show(a, w.args.words[0]);
	if (strcmp(verb, "remove") == 0 && w.args.n_words == 1)
		return system_remove(a, w.args.words[0], w.with_checks);
	if (strcmp(verb, "list") == 0 && w.args.n_words == 0)
		return system_list(a);
	return admin_usage(a, NULL);
}
