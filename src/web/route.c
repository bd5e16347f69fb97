/* SPDX-License-Identifier: ISC */
/* route.c - the list of paths. See route.h. */
#include "web/route.h"

#include "proto/agent/agent_message.h"
#include "proto/mtasts/mtasts.h"
#include "web/api/api.h"
#include "web/page/pages.h"

#define FORM_MAX KIB(4)

/* clang-format off */
#define FEEDS(prefix, run) \
	{ ROUTE_GET, prefix "/feed.rss", 0, run }, \
	{ ROUTE_GET, prefix "/feed.atom", 0, run }, \
	{ ROUTE_GET, prefix "/feed.json", 0, run }
/* clang-format on */

static const struct route routes[] = {
	{ ROUTE_GET, "/", 0, page_home },
	{ ROUTE_GET, "/archive", 0, page_archive },
	{ ROUTE_GET, "/archive/", 0, page_month },
	{ ROUTE_GET, "/category/", 0, page_category },
	{ ROUTE_GET, "/posts/", 0, page_post },
	{ ROUTE_GET | ROUTE_VISITOR, "/systems", 0, page_systems },
	{ ROUTE_GET, "/systems/", 0, page_system },
	{ ROUTE_GET, "/tag/", 0, page_tag },
	{ ROUTE_GET | ROUTE_VISITOR, "/check", 0, page_check },
	{ ROUTE_GET | ROUTE_VISITOR, "/subscribe", 0, page_subscribe },
	{ ROUTE_POST, "/subscribe", FORM_MAX, page_subscribe_post },
	{ ROUTE_GET | ROUTE_VISITOR, "/subscribe/confirm", 0, page_confirm },
	{ ROUTE_POST, "/subscribe/confirm", FORM_MAX, page_confirm_post },
	{ ROUTE_GET | ROUTE_VISITOR, "/unsubscribe", 0, page_unsubscribe },
	{ ROUTE_POST, "/unsubscribe", FORM_MAX, page_unsubscribe_post },
	{ ROUTE_GET, "/favicon.svg", 0, page_favicon },
	{ ROUTE_GET, "/robots.txt", 0, page_robots },
	{ ROUTE_GET | ROUTE_VISITOR, "/search", 0, page_search },
	FEEDS("", feed_all),
	FEEDS("/systems/*", feed_system),
	FEEDS("/tag/*", feed_tag),
	FEEDS("/category/*", feed_category),
	{ ROUTE_GET, "/calendar.ics", 0, calendar_all },
	{ ROUTE_GET, "/posts/*.ics", 0, calendar_post },
	{ ROUTE_GET, "/maintenance/*.ics", 0, calendar_window },
	{ ROUTE_GET, "/badge.svg", 0, badge_all },
	{ ROUTE_GET, "/badge/*.svg", 0, badge_system },
	{ ROUTE_GET, "/api/v2/", 0, api_summary },
	{ ROUTE_GET | ROUTE_POST | ROUTE_PUT | ROUTE_PATCH | ROUTE_DELETE |
		ROUTE_BEARER | ROUTE_VISITOR,
	    "/api/v1/", API_BODY_MAX, page_api },
	{ ROUTE_GET | ROUTE_VISITOR, "/.well-known/acme-challenge/", 0,
	    page_challenge },
	{ ROUTE_GET | ROUTE_VISITOR, MTASTS_PATH, 0, page_mtasts },
	{ ROUTE_GET | ROUTE_VISITOR, "/mail/config-v1.1.xml", 0,
	    page_autoconfig },
	{ ROUTE_GET | ROUTE_VISITOR,
	    "/.well-known/autoconfig/mail/config-v1.1.xml", 0,
	    page_autoconfig },
	{ ROUTE_POST, AGENT_PATH_ENROL, KIB(4), page_agent_enrol },
	{ ROUTE_POST, AGENT_PATH_SYNC, AGENT_BODY_MAX, page_agent_sync },
};

static bool
fits(const struct route *r, struct str path)
{
	struct str own = str_c(r->path), head, tail;
	bool is_prefix = own.n > 1 && own.p[own.n - 1] == '/';

	if (str_find(own, '*') < 0)
		return is_prefix ? str_starts(path, own) : str_eq(path, own);
	tail = str_split(own, '*', &head);
	return path.n > head.n + tail.n && str_starts(path, head) &&
	       str_ends(path, tail);
}

struct str
route_rest(const struct route *r, struct str path)
{
	struct str own = str_c(r->path);
	ptrdiff_t star = str_find(own, '*');

	if (star < 0)
		return str_from(path, own.n);
	return str_sub(path, (size_t)star, path.n - own.n + 1);
}

static bool
allows(unsigned methods, enum http_method m)
{
	if (m == HTTP_HEAD)
		m = HTTP_GET;
	return (methods & (1U << m)) != 0;
}

enum route_found
route_find(enum http_method method, struct str path, const struct route **ret,
    unsigned *ret_methods)
{
	const struct route *best = NULL;
	size_t length = 0;

	*ret_methods = 0;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *r = &routes[i];
		size_t n = strlen(r->path);

		if (!fits(r, path) || n < length)
			continue;
		if (n > length) {
			*ret_methods = 0;
			best = NULL;
			length = n;
		}
		*ret_methods |= r->methods;
		if (allows(r->methods, method))
			best = r;
	}
	*ret = best;
	if (length == 0)
		return ROUTE_NO_PATH;
	return best ? ROUTE_OK : ROUTE_NO_METHOD;
}
