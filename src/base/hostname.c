/* SPDX-License-Identifier: ISC */
/* hostname.c - names of hosts and mail domains. See hostname.h. */
#include "base/hostname.h"

static bool
is_label(struct str label)
{
	if (label.n == 0 || label.n > HOSTNAME_LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '_')
			return false;
	}
	return label.p[0] != '-' && label.p[label.n - 1] != '-';
}

bool
hostname_is_valid(struct str name)
{
	struct str rest = name, label;

	if (name.n == 0 || name.n > HOSTNAME_MAX)
		return false;
	while (rest.p) {
		rest = str_split(rest, '.', &label);
		if (!is_label(label))
			return false;
	}
	return true;
}

bool
hostname_is_under(struct str name, struct str parent)
{
	if (name.n == parent.n)
		return str_eq_case(name, parent);
	return name.n > parent.n && name.p[name.n - parent.n - 1] == '.' &&
	       str_ends_case(name, parent);
}
