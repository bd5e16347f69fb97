/* SPDX-License-Identifier: ISC */
/* page_home.c - the first page. */
#include "web/page/pages.h"

#include "web/page/parts.h"

static void
render(struct page *p, UNUSED const void *arg)
{
	struct verdict v = verdict_of(p->sv);

	page_begin(p, STR(""), v.look);
	part_now(p, &v);
	part_running(p);
	part_services(p);
	part_systems(p);
	part_coming(p);
	HTML(&p->b, "<div class=\"two\">");
	part_recent(p);
	part_side(p);
	HTML(&p->b, "</div>");
	page_end(p);
}

void
page_home(struct visit *v)
{
	page_serve(v, STR("/"), render, NULL);
}

void
page_systems(struct visit *v)
{
	visit_reply_redirect(v, "/#systems", false);
}
