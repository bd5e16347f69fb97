/* SPDX-License-Identifier: ISC */
/*
 * route.h - which function answers which path.
 */
#pragma once

#include "web/visit.h"

#define ROUTE_GET    (1U << HTTP_GET) /* HEAD as well */
#define ROUTE_POST   (1U << HTTP_POST)
#define ROUTE_PUT    (1U << HTTP_PUT)
#define ROUTE_PATCH  (1U << HTTP_PATCH)
#define ROUTE_DELETE (1U << HTTP_DELETE)

/* No method: a body is not even read without "Authorization: Bearer". */
#define ROUTE_BEARER (1U << 16)
/* Neither: it answers who asks, so there is none in a copy of the site. */
#define ROUTE_VISITOR (1U << 17)

struct route {
	unsigned methods;
	/* "/a/b": this path; "/a/": all that begins with it; one "*" within stands
	 * for anything but nothing: then visit_rest() is what it stands for. */
	const char *path;
	uint64_t body_max; /* bytes; 0: a request with a body is refused */
	void (*run)(struct visit *v);
};

enum route_found { ROUTE_OK, ROUTE_NO_PATH, ROUTE_NO_METHOD };
/* What of path is behind the route's own part, or in place of its "*". */
struct str route_rest(const struct route *r, struct str path);
/* The longest path that fits. *ret_methods: of all routes with that path. */
enum route_found route_find(enum http_method method, struct str path,
    const struct route **ret, unsigned *ret_methods);
