/* SPDX-License-Identifier: ISC */
/* route.c - find the first route that fits. See route.h. */
#include "send/route.h"

bool
routes_init(struct routes *r, struct str text, bool is_direct)
{
	struct routes made = { .is_direct = is_direct };
	size_t cap = 0;

	while (text.n > 0) {
		struct str line;

		text = str_split(text, '\n', &line);
		made.items =
		    x_grow(made.items, &cap, made.n + 1, sizeof(*made.items));
		if (made.n == ROUTES_MAX ||
		    !route_text_parse(line, &made.items[made.n])) {
			free(made.items);
			return false;
		}
		made.n++;
	}
	*r = made;
	return true;
}

void
routes_done(struct routes *r)
{
	free(r->items);
	*r = (struct routes){ 0 };
}

static bool
fits_name(const struct route *r, struct str name)
{
	if (!r->is_suffix)
		return str_eq_case(r->name, name);
	return name.n > r->name.n + 1 && str_ends_case(name, r->name) &&
	       name.p[name.n - r->name.n - 1] == '.';
}

static bool
fits_mx(const struct route *r, const struct route_query *q)
{
	for (size_t i = 0; i < q->n_mx; i++)
		if (fits_name(r, q->mx[i]))
			return true;
	return false;
}

static bool
fits(const struct route *r, const struct route_query *q)
{
	switch (r->pattern) {
	case ROUTE_ANY:
		return true;
	case ROUTE_DOMAIN:
		return fits_name(r, q->domain);
	case ROUTE_SENDER:
		return fits_name(r, q->sender);
	case ROUTE_MX:
		return fits_mx(r, q);
	}
	return false;
}

enum route_answer
route_find(const struct routes *r, const struct route_query *q,
    const struct route **ret)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->items[i].pattern == ROUTE_MX && !q->knows_mx)
			return ROUTE_NEEDS_MX;
		if (fits(&r->items[i], q)) {
			*ret = &r->items[i];
			return ROUTE_FOUND;
		}
	}
	return r->is_direct ? ROUTE_NONE : ROUTE_NOWHERE;
}
