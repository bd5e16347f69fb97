/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_record.c - the record that asks for TLS reports.
 */
#include "proto/tlsrpt/tlsrpt_record.h"

#include "base/taglist.h"

/* Of an extension: a name, and a value without controls, blanks and "=". */
static bool
is_field(struct str name, struct str value)
{
	if (name.n == 0 || name.n > 32 || value.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
		    (i == 0 || !strchr("_-.", name.p[i])))
			return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~' || value.p[i] == '=')
			return false;
	return true;
}

/* Commas, exclamation points and semicolons are encoded in a URI of rua. */
static bool
is_uri(struct str s)
{
	ptrdiff_t colon = str_find(s, ':');

	if (colon < 1 || (size_t)colon + 1 == s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("<>\"\\,!;", s.p[i]))
			return false;
	return true;
}

static bool
are_uris(struct str list)
{
	struct str uri;

	do {
		list = str_split(list, ',', &uri);
		if (!is_uri(str_trim(uri)))
			return false;
	} while (list.p);
	return true;
}

static bool
read_record(struct str text, struct str *ret_rua)
{
	struct str name, value, rua = STR_NONE;

	if (text.n > TLSRPT_RECORD_MAX)
		return false;
	/* The version was seen before. */
	text = str_split(text, ';', &value);
	while (taglist_next(&text, &name, &value)) {
		if (!str_eq(name, STR("rua"))) {
			if (!is_field(name, value))
				return false;
			continue;
		}
		if (rua.p || !are_uris(value))
			return false;
		rua = value;
	}
	if (!rua.p)
		return false;
	*ret_rua = rua;
	return true;
}

enum tlsrpt_found
tlsrpt_find_record(const struct str *records, size_t n, struct str *ret_rua)
{
	struct str text;

	switch (taglist_find(records, n, STR("v=TLSRPTv1"), &text)) {
	case TAGLIST_NONE:
		return TLSRPT_NONE;
	case TAGLIST_ONE:
		return read_record(text, ret_rua) ? TLSRPT_FOUND
		                                  : TLSRPT_BROKEN;
	case TAGLIST_SEVERAL:
		break;
	}
	return TLSRPT_BROKEN;
}

bool
tlsrpt_next_uri(struct str *rua, struct str *ret_uri)
{
	struct str uri;

	while (rua->p) {
		*rua = str_split(*rua, ',', &uri);
		uri = str_trim(uri);
		if (!str_starts_case(uri, STR("mailto:")) &&
		    !str_starts_case(uri, STR("https://")))
			continue;
		*ret_uri = uri;
		return true;
	}
	return false;
}

bool
tlsrpt_put_record(struct buf *to, const struct str *uris, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_uri(uris[i]))
			return false;
	if (n == 0)
		return false;
	buf_put_c(to, "v=TLSRPTv1; rua=");
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s%.*s", i > 0 ? "," : "", STR_ARG(uris[i]));
	return !to->failed;
}
