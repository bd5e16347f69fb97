/* SPDX-License-Identifier: ISC */
/* link_text.c - links of the configuration. See link_text.h. */
#include "conf/link_text.h"

#define LINK_MAX 1000

bool
link_is_url(struct str s)
{
	if (s.n > LINK_MAX || !str_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
			return false;
	return (str_starts_case(s, STR("https://")) && s.n > 8) ||
	       (str_starts_case(s, STR("http://")) && s.n > 7) ||
	       (str_starts_case(s, STR("mailto:")) && s.n > 7);
}

bool
link_parse(struct str s, struct str *ret_url, struct str *ret_title)
{
	struct str url, title = str_trim(str_split(s, ' ', &url));

	if (!link_is_url(url) || title.n == 0 || title.n > LINK_MAX ||
	    !str_is_utf8(title) || str_has_control(title, ""))
		return false;
	*ret_url = url;
	*ret_title = title;
	return true;
}
