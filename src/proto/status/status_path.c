/* SPDX-License-Identifier: ISC */
/* status_path.c - addresses of posts. See status_path.h. */
#include "proto/status/status_path.h"

#include <time.h>

#define YEAR_9999 UINT64_C(253402300799)

void
status_month_of(uint64_t t, unsigned *ret_year, unsigned *ret_month)
{
	time_t time = (time_t)MIN(t, YEAR_9999);
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	*ret_year = (unsigned)tm.tm_year + 1900;
	*ret_month = (unsigned)tm.tm_mon + 1;
}

void
status_post_put_path(const struct status_post *p, struct buf *to)
{
	unsigned year, month;
	struct str slug = p->slug;
	char prefix[32];

	status_month_of(p->published_s, &year, &month);
	buf_printf(to, "/posts/%04u/%02u/", year, month);
	snprintf(prefix, sizeof(prefix), "%04u-%02u-", year, month);
	if (str_starts(slug, str_c(prefix)) && slug.n > strlen(prefix))
		slug = str_from(slug, strlen(prefix));
	buf_put_str(to, slug);
}

bool
status_path_is_live(struct str path)
{
	return str_eq(path, STR("/")) || str_eq(path, STR("/systems")) ||
	       str_starts(path, STR("/systems/"));
}
