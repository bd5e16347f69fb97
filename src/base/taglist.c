/* SPDX-License-Identifier: ISC */
/* taglist.c - cut "name=value; name=value". See taglist.h. */
#include "base/taglist.h"

bool
taglist_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
	struct str field;
	ptrdiff_t eq;

	if (str_trim(*rest).n == 0)
		return false;
	*rest = str_split(*rest, ';', &field);
	eq = str_find(field, '=');
	*ret_name = str_trim(eq < 0 ? field : str_first(field, (size_t)eq));
	*ret_value = STR_NONE;
	if (eq >= 0)
		*ret_value = str_trim(str_from(field, (size_t)eq + 1));
	return true;
}

static bool
has_version(struct str text, struct str version)
{
	return str_starts(text, version) &&
	       str_starts(str_trim(str_from(text, version.n)), STR(";"));
}

enum taglist_found
taglist_find(
    const struct str *records, size_t n, struct str version, struct str *ret)
{
	const struct str *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!has_version(records[i], version))
			continue;
		if (found)
			return TAGLIST_SEVERAL;
		found = &records[i];
	}
	if (!found)
		return TAGLIST_NONE;
	*ret = *found;
	return TAGLIST_ONE;
}
