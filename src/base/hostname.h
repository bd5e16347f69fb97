/* SPDX-License-Identifier: ISC */
/*
 * hostname.h - names of hosts and mail domains as outsiders write them.
 *
 * ASCII only: internationalised names are converted before they come here.
 * An underscore passes, because names of hosts that run mail have them.
 *
 * Layer: base. No I/O, no allocation.
 */
#pragma once

#include "base/str.h"

#define HOSTNAME_MAX       253 /* bytes, without a dot at the end */
#define HOSTNAME_LABEL_MAX 63

/*
 * Labels of 1 to 63 letters, digits, hyphens (not at an end) and underscores,
 * with one dot between; no dot at the end. One label is enough.
 */
bool hostname_is_valid(struct str name);

/* Is name the same as parent, or below it? Case does not matter. */
bool hostname_is_under(struct str name, struct str parent);

/* The name without one dot at its end. */
static inline struct str
hostname_trim(struct str name)
{
	return str_first(name, name.n - (name.n && name.p[name.n - 1] == '.'));
}
