/* SPDX-License-Identifier: ISC */
/*
 * dkim_header.c - split a header into fields and select some of them.
 */
#include "proto/dkim/dkim_header.h"

/* Length of the field at the start of in, its final CRLF not counted. */
static size_t
field_length(struct str in)
{
	size_t off = 0;

	for (;;) {
		ptrdiff_t at = str_search(str_from(in, off), STR("\r\n"));

		if (at < 0)
			return in.n;
		off += (size_t)at;
		if (off + 2 >= in.n)
			return off;
		if (in.p[off + 2] != ' ' && in.p[off + 2] != '\t')
			return off;
		off += 2;
	}
}

static void
parse_field(struct str whole, struct dkim_field *ret)
{
	ptrdiff_t colon = str_find(whole, ':');

	*ret = (struct dkim_field){ .whole = whole };
	/* A line that begins with a blank continues nothing: no field. */
	if (colon <= 0 || whole.p[0] == ' ' || whole.p[0] == '\t')
		return;
	ret->name = str_trim(str_first(whole, (size_t)colon));
	ret->value = str_from(whole, (size_t)colon + 1);
}

bool
dkim_header_parse(struct str header, struct dkim_header *ret)
{
	*ret = (struct dkim_header){ 0 };
	if (header.n > DKIM_HEADER_MAX)
		return false;
	while (header.n && !str_starts(header, STR("\r\n"))) {
		size_t n = field_length(header);

		if (ret->n == DKIM_FIELDS_MAX) {
			dkim_header_done(ret);
			return false;
		}
		ret->v =
		    x_grow(ret->v, &ret->cap, ret->n + 1, sizeof(ret->v[0]));
		parse_field(str_first(header, n), &ret->v[ret->n++]);
		header = str_from(header, n + 2);
	}
	return true;
}

void
dkim_header_done(struct dkim_header *h)
{
	free(h->v);
	*h = (struct dkim_header){ 0 };
}

static bool
is_taken(const struct dkim_picker *p, size_t i)
{
	return p->taken[i / 8] & (1u << (i % 8));
}

static void
take(struct dkim_picker *p, size_t i)
{
	p->taken[i / 8] = (unsigned char)(p->taken[i / 8] | (1u << (i % 8)));
}

void
dkim_picker_init(
    struct dkim_picker *p, const struct dkim_header *header, size_t except)
{
	*p = (struct dkim_picker){ .header = header };
	if (except < header->n)
		take(p, except);
}

const struct dkim_field *
dkim_picker_take(struct dkim_picker *p, struct str name)
{
	if (name.n == 0)
		return NULL;
	for (size_t i = p->header->n; i-- > 0;) {
		if (is_taken(p, i) || !str_eq_case(p->header->v[i].name, name))
			continue;
		take(p, i);
		return &p->header->v[i];
	}
	return NULL;
}
