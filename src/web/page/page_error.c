/* SPDX-License-Identifier: ISC */
/* page_error.c - what did not work, in the dress of the other pages. */
#include "net/conn.h"
#include "net/limits.h"
#include "web/page/parts.h"

static void
render(struct page *p, const void *arg)
{
	const unsigned *status = arg;
	bool is_gone = *status == 404;
	enum word what = is_gone          ? T_E_404
	                 : *status == 429 ? T_E_FAST
	                                  : T_E_OTHER;

	page_begin(p, page_word_html(p, what), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"page\"><h1>");
	page_word(p, what);
	HTML(&p->b, "</h1><p class=\"lead\">");
	page_word(p, is_gone ? T_E_404_HINT : T_E_LATER);
	HTML(&p->b, "</p><p><a class=\"button\"");
	page_href(p, STR("/"));
	HTML(&p->b, ">");
	page_word(p, T_E_HOME);
	HTML(&p->b, "</a></p></section>");
	page_end(p);
}

void
page_error(struct visit *v, unsigned status)
{
	page_answer(v,
	    &(struct page_once){ .status = status, .path = STR("/") }, render,
	    &status);
}

bool
page_is_too_fast(struct visit *v, struct limits *limits)
{
	struct server *sv = visit_server(v);
	const struct sockaddr_storage *addr = visit_addr(v);

	if (limits_enter(limits, addr, loop_now_ms(sv->loop)) != LIMITS_OK) {
		page_error(v, 429);
		return true;
	}
	limits_leave(limits, addr);
	return false;
}
