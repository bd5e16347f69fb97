/* SPDX-License-Identifier: ISC */
/*
 * reach_listed.c - a reply that refuses our mail quotes a block list; what our own checks
 * say of that list. So one signal names both: who refuses, and what he goes by.
 *
 * A list is quoted when the reply has its zone, or the organisation's name that this is of
 * (zen.spamhaus.org: spamhaus.org), as a name of its own. The last result of the check
 * counts, whatever it waits for before anybody is told.
 */
#include "watch/reach/reach_internal.h"

static bool
is_of_name(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* In text, and no longer name around it; subdomains ("www.") do no harm. */
static bool
has_name(struct str text, struct str name)
{
	while (text.n > 0) {
		ptrdiff_t at = str_search_case(text, name);
		size_t end;

		if (at < 0 || name.n == 0)
			return false;
		end = (size_t)at + name.n;
		if ((at == 0 || !is_of_name(text.p[at - 1])) &&
		    (end == text.n || !is_of_name(text.p[end])) &&
		    !(end + 1 < text.n && text.p[end] == '.' &&
			is_of_name(text.p[end + 1])))
			return true;
		text = str_from(text, (size_t)at + 1);
	}
	return false;
}

static void
put_list(const struct watched *w, struct str list, struct buf *to)
{
	bool is_listed = w->outcome == WATCH_FAILED &&
	                 w->cause == WATCH_LISTED &&
	                 has_name(str_c(w->text), list);
	const char *what = "does not list";

	if (is_listed)
		what = "lists";
	else if (w->outcome > WATCH_SLOW) /* which one failed is not known */
		what = "may list";
	buf_printf(to, "; %.*s, which the reply quotes, %s %.*s (check %s)",
	    STR_ARG(list), what, STR_ARG(w->check.target), w->key);
}

void
reach_listed_put(const struct server *sv, struct str address, struct str reply,
    struct buf *to)
{
	for (size_t i = 0; i < sv->n_watched && reply.n > 0; i++) {
		const struct watched *w = sv->watched[i];
		const struct status_check *c = &w->check;

		if (c->kind != STATUS_BLOCKLIST || w->at_wall_ms == 0 ||
		    (address.n > 0 && !str_eq_case(c->target, address)))
			continue;
		for (size_t k = 0; k < status_check_count(c, STATUS_OPT_LIST);
		     k++) {
			struct str list =
			    status_check_text(c, STATUS_OPT_LIST, k);

			if (has_name(reply, list) ||
			    has_name(reply,
				suffixes_organisation(sv->suffixes, list)))
				put_list(w, list, to);
		}
	}
}
