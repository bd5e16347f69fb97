/* SPDX-License-Identifier: ISC */
/*
 * spf_name.c - domain names that can be asked for (RFC 1035 section 2.3.4).
 *
 * There are no escapes: a dot always separates labels, a backslash is a
 * character like others. Who hands a name to a resolver escapes it there.
 */
#include "proto/spf/spf_name.h"

static bool
is_label(struct str label)
{
	if (label.n == 0 || label.n > SPF_LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (label.p[i] < ' ' || label.p[i] > '~')
			return false;
	return true;
}

bool
spf_name_set(struct str text, struct spf_name *ret)
{
	struct str rest, label;

	if (str_ends(text, STR(".")))
		text.n--;
	if (text.n == 0 || text.n > SPF_NAME_MAX)
		return false;
	for (rest = text; rest.p;) {
		rest = str_split(rest, '.', &label);
		if (!is_label(label))
			return false;
	}
	memcpy(ret->p, text.p, text.n);
	ret->n = text.n;
	return true;
}
