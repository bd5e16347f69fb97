/* SPDX-License-Identifier: ISC */
/* route.c - find the first route that fits. See route.h. */
#include "send/route/route.h"

/* --- the table --------------------------------------------------------------- */

static struct route_item *
item_free(struct route_item *item)
{
	if (item == NULL)
		return NULL;
	free(item->text);
	if (item->password != NULL)
		explicit_bzero(item->password, strlen(item->password));
	free(item->password);
	free(item);
	return NULL;
}

static struct route_item *
item_new(uint32_t number, const struct route_row *row)
{
	struct route_item *item = X_NEW(struct route_item);
	struct route all;

	item->number = number;
	item->text = str_dup(row->text);
	item->password = str_dup(row->password);
	if (!route_text_parse(str_c(item->text), &all) ||
	    !route_text_pattern(str_c(item->text), &item->pattern))
		return item_free(item);
	return item;
}

static void
list_done(struct route_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		item_free(l->items[i]);
	free(l->items);
	*l = (struct route_list){ 0 };
}

static bool
list_insert(struct route_list *l, size_t at, struct route_item *item)
{
	if (item == NULL || l->n == ROUTES_MAX) {
		item_free(item);
		return false;
	}
	l->items = x_grow(l->items, &l->cap, l->n + 1, sizeof(*l->items));
	memmove(
	    &l->items[at + 1], &l->items[at], (l->n - at) * sizeof(*l->items));
	l->items[at] = item;
	l->n++;
	return true;
}

void
routes_done(struct routes *r)
{
	list_done(&r->made);
	list_done(&r->written);
}

bool
routes_write(struct routes *r, struct str text)
{
	struct route_list list = { 0 };

	while (text.n > 0) {
		struct route_row row = { 0 };
		struct route_item *item;

		text = str_split(text, '\n', &row.text);
		item = item_new((uint32_t)list.n + 1, &row);
		if (item != NULL)
			item->is_written = true;
		if (!list_insert(&list, list.n, item)) {
			list_done(&list);
			return false;
		}
	}
	list_done(&r->written);
	r->written = list;
	r->generation++;
	return true;
}

/* The first whose number is not below. */
static size_t
place_of(const struct route_list *l, uint32_t number)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->items[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_at(const struct route_list *l, size_t at, uint32_t number)
{
	return at < l->n && l->items[at]->number == number;
}

bool
routes_make(struct routes *r, uint32_t number, const struct route_row *row)
{
	struct route_item *item = item_new(number, row);
	size_t at = place_of(&r->made, number);

	r->generation++;
	if (item == NULL || !is_at(&r->made, at, number))
		return list_insert(&r->made, at, item);
	item_free(r->made.items[at]);
	r->made.items[at] = item;
	return true;
}

void
routes_unmake(struct routes *r, uint32_t number)
{
	struct route_list *l = &r->made;
	size_t at = place_of(l, number);

	if (!is_at(l, at, number))
		return;
	item_free(l->items[at]);
	l->n--;
	memmove(
	    &l->items[at], &l->items[at + 1], (l->n - at) * sizeof(*l->items));
	r->generation++;
}

const struct route_item *
routes_at(const struct routes *r, size_t i)
{
	if (i < r->made.n)
		return r->made.items[i];
	i -= r->made.n;
	return i < r->written.n ? r->written.items[i] : NULL;
}

/* --- finding ------------------------------------------------------------------- */

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
fits_group(const struct route *r, const struct route_query *q)
{
	return q->n_mx > 0 && q->providers != NULL &&
	       str_eq_case(r->name, provider_of(q->providers, q->mx[0]));
}

bool
route_fits(const struct route_item *item, const struct route_query *q)
{
	const struct route *r = &item->pattern;
	ptrdiff_t at = str_rfind(q->sender, '@');

	switch (r->pattern) {
	case ROUTE_ANY:
		return true;
	case ROUTE_DOMAIN:
		return fits_name(r, q->domain);
	case ROUTE_SENDER:
		return at >= 0 &&
		       fits_name(r, str_from(q->sender, (size_t)at + 1));
	case ROUTE_ADDRESS:
		return str_eq_case(r->name, q->sender);
	case ROUTE_ACCOUNT:
		return str_eq_case(r->name, q->login);
	case ROUTE_MX:
		return fits_mx(r, q);
	case ROUTE_GROUP:
		return fits_group(r, q);
	case ROUTE_FALLBACK:
		return false;
	}
	return false;
}

bool
route_needs_mx(const struct route_item *item)
{
	return item->pattern.pattern == ROUTE_MX ||
	       item->pattern.pattern == ROUTE_GROUP;
}

enum route_answer
route_find(const struct routes *r, const struct route_query *q,
    const struct route_item **ret)
{
	const struct route_item *item;

	for (size_t i = 0; (item = routes_at(r, i)) != NULL; i++) {
		if (route_needs_mx(item) && !q->knows_mx)
			return ROUTE_NEEDS_MX;
		if (route_fits(item, q)) {
			*ret = item;
			return ROUTE_FOUND;
		}
	}
	return r->is_direct ? ROUTE_NONE : ROUTE_NOWHERE;
}

const struct route_item *
route_fallback(const struct routes *r)
{
	const struct route_item *item;

	for (size_t i = 0; (item = routes_at(r, i)) != NULL; i++)
		if (item->pattern.pattern == ROUTE_FALLBACK)
			return item;
	return NULL;
}

/* --- ways ------------------------------------------------------------------------ */

static void
put_host(const struct route_target *t, struct buf *to)
{
	bool is_v6 = str_find(t->host, ':') >= 0;

	buf_printf(to, "%s%.*s%s:%u", is_v6 ? "[" : "", STR_ARG(t->host),
	    is_v6 ? "]" : "", t->port);
}

void
route_way_put(const struct route_way *w, struct buf *to)
{
	if (w->kind == ROUTE_HOLD) {
		buf_put_c(to, "hold");
		return;
	}
	if (w->kind == ROUTE_DIRECT)
		buf_put_c(to, "direct");
	for (size_t i = 0; i < w->n_targets; i++) {
		if (i > 0)
			buf_put_char(to, ',');
		put_host(&w->targets[i], to);
	}
	if (w->source4.n > 0)
		buf_printf(to, " from %.*s", STR_ARG(w->source4));
	if (w->source6.n > 0)
		buf_printf(to, "%s%.*s", w->source4.n > 0 ? "," : " from ",
		    STR_ARG(w->source6));
}
