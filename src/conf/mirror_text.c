/* SPDX-License-Identifier: ISC */
/* mirror_text.c - targets of static copies. See mirror_text.h. */
#include "conf/mirror_text.h"

#define TARGET_MAX 500

/* Letters, digits, and some that mean nothing to anybody. */
static bool
is_plain(struct str s, const char *also)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(also, s.p[i]) == NULL))
			return false;
	return s.n > 0 && s.p[0] != '-';
}

enum mirror_kind
mirror_kind_of(struct str s)
{
	struct str host, user, path;

	if (s.n > TARGET_MAX)
		return MIRROR_BAD;
	if (str_starts(s, STR("/")))
		return s.n > 1 && is_plain(s, "/._+-@ ") ? MIRROR_FOLDER
		                                         : MIRROR_BAD;
	path = str_split(s, ':', &host);
	if (str_find(host, '@') >= 0) {
		host = str_split(host, '@', &user);
		if (!is_plain(user, "._-"))
			return MIRROR_BAD;
	}
	/* "rsync://" is a daemon's. */
	return !str_starts(path, STR("//")) && is_plain(host, ".-") &&
	               is_plain(path, "/._+-~")
	           ? MIRROR_RSYNC
	           : MIRROR_BAD;
}
