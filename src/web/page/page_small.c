/* SPDX-License-Identifier: ISC */
/* page_small.c - the files that programs look for on every web site. */
#include "web/page/pages.h"

#define DAY_S 86400

void
page_robots(struct visit *v)
{
	visit_reply(
	    v, &(struct visit_reply){ .status = 200,
		   .type = "text/plain; charset=utf-8",
		   .body = STR("User-agent: *\nDisallow: /api/\n"
			       "Disallow: /check\nDisallow: /subscribe\n"),
		   .max_age = DAY_S });
}

void
page_favicon(struct visit *v)
{
	visit_reply(v,
	    &(struct visit_reply){ .status = 200,
		.type = "image/svg+xml",
		.body = STR("<svg xmlns=\"http://www.w3.org/2000/svg\" "
			    "viewBox=\"0 0 32 32\"><path fill=\"#2f62c9\" "
			    "d=\"M2 7h28v18H2z\"/><path fill=\"none\" "
			    "stroke=\"#fff\" stroke-width=\"2.5\" d=\"M4 9l12 "
			    "9L28 9\"/></svg>"),
		.max_age = DAY_S });
}
