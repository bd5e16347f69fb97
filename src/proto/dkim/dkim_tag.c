/* SPDX-License-Identifier: ISC */
/*
 * dkim_tag.c - read tag=value lists (RFC 6376 section 3.2).
 */
#include "proto/dkim/dkim_tag.h"

#include "base/base64.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
dkim_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* tag-name = ALPHA *ALNUMPUNC, where the punctuation is "_" alone. */
static bool
is_tag_name(struct str s)
{
	if (s.n == 0 || !ascii_is_alpha(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '_')
			return false;
	return true;
}

/*
 * VALCHAR is %x21-3A / %x3C-7E, with blanks and folds between. Bytes above
 * are let through: RFC 8616 puts UTF-8 into d=, i= and s=.
 */
static bool
is_tag_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && !is_blank(s.p[i])) || c == 0x7f)
			return false;
	}
	return true;
}

static bool
parse_spec(struct str list, struct str spec, struct dkim_tags *ret)
{
	struct dkim_tag *t = &ret->v[ret->n];
	ptrdiff_t eq = str_find(spec, '=');

	if (eq < 0 || ret->n == DKIM_TAGS_MAX)
		return false;
	t->name = dkim_trim(str_first(spec, (size_t)eq));
	t->value = dkim_trim(str_from(spec, (size_t)eq + 1));
	t->begin = (size_t)(spec.p - list.p) + (size_t)eq + 1;
	t->end = (size_t)(spec.p - list.p) + spec.n;
	if (!is_tag_name(t->name) || !is_tag_value(t->value))
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (str_eq(ret->v[i].name, t->name))
			return false;
	ret->n++;
	return true;
}

bool
dkim_tags_parse(struct str list, struct dkim_tags *ret)
{
	struct str rest = list, spec;

	ret->n = 0;
	do {
		bool is_last = str_find(rest, ';') < 0;

		rest = str_split(rest, ';', &spec);
		/* What follows the last semicolon may be nothing. */
		if (is_last && ret->n > 0 && dkim_trim(spec).n == 0)
			return true;
		if (!parse_spec(list, spec, ret))
			return false;
		if (is_last)
			return true;
	} while (true);
}

const struct dkim_tag *
dkim_tags_find(const struct dkim_tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].name, str_c(name)))
			return &tags->v[i];
	return NULL;
}

struct str
dkim_tags_get(const struct dkim_tags *tags, const char *name)
{
	const struct dkim_tag *t = dkim_tags_find(tags, name);

	return t ? t->value : STR_NONE;
}

bool
dkim_list_next(struct str *rest, char separator, struct str *ret_member)
{
	struct str head;
	bool is_last;

	if (!rest->p)
		return false;
	is_last = str_find(*rest, separator) < 0;
	*rest = str_split(*rest, separator, &head);
	if (is_last)
		*rest = STR_NONE;
	*ret_member = dkim_trim(head);
	return true;
}

bool
dkim_base64(struct str value, struct buf *to)
{
	struct buf flat = BUF_INIT(value.n + 1);
	size_t before = to->n;
	bool ok;

	for (size_t i = 0; i < value.n; i++)
		if (!is_blank(value.p[i]))
			buf_put_char(&flat, value.p[i]);
	ok = base64_decode(to, buf_str(&flat)) && to->n > before;
	buf_done(&flat);
	return ok;
}
