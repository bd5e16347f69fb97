/* SPDX-License-Identifier: ISC */
/* copy.c - what is different in a static copy. See copy.h. */
#include "web/copy.h"

#include "proto/status/status_path.h"
#include "web/page/page_frame.h"
#include "web/table/posts.h"

#include <inttypes.h>

#define MADE_MAX MIB(16)

static const char script_text[] =
#include "web/copy.def"
    ;

static struct str
script(void)
{
	return str_make(script_text, sizeof(script_text) - 1);
}

/* --- parts of pages ------------------------------------------------------------------ */

void
copy_put_head(struct page *p)
{
	struct buf policy = BUF_INIT(KIB(2));
	struct str site = str_c(p->sv->conf->site_url);

	/* In a page: what is about frames is for the head of an answer only. */
	page_put_copy_policy(&policy, script(), site);
	HTML(&p->b, "<meta http-equiv=\"Content-Security-Policy\" content=\"");
	html_text(&p->b, buf_str(&policy));
	HTML(&p->b, "\">");
	if (status_path_is_live(p->path))
		buf_printf(&p->b,
		    "<meta http-equiv=\"refresh\" content=\"%d\">",
		    COPY_EVERY_S);
	buf_done(&policy);
}

/* "14:02 UTC" of the text for later, which has no elements in it. */
static struct str
bare_time(struct page *p)
{
	char text[40];

	snprintf(text, sizeof(text), "%02u:%02u UTC",
	    (unsigned)(p->now_s / 3600 % 24), (unsigned)(p->now_s / 60 % 60));
	return page_text_html(p, str_c(text));
}

void
copy_put_banner(struct page *p)
{
	bool is_live = status_path_is_live(p->path);

	if (!is_live) {
		HTML(&p->b, "<p class=\"copy\">");
		PAGE_SAY(p, T_COPY_OLD, page_date_time_html(p, p->now_s));
		HTML(&p->b, "</p>");
		return;
	}
	buf_printf(&p->b,
	    "<p class=\"copy\" id=\"copy\" data-made=\"%" PRIu64
	    "\" data-every=\"%d\" data-silent=\"",
	    p->now_s, COPY_EVERY_S);
	PAGE_SAY(p, T_COPY_SILENT, bare_time(p));
	HTML(&p->b, "\">");
	PAGE_SAY(p, T_COPY_LIVE, page_date_time_html(p, p->now_s));
	HTML(&p->b, "</p>");
}

void
copy_put_script(struct page *p)
{
	if (!status_path_is_live(p->path))
		return;
	HTML(&p->b, "<script>");
	buf_put_str(&p->b, script());
	HTML(&p->b, "</script>");
}

/* --- the command line asks --------------------------------------------------------- */

struct asked {
	struct server *sv;
	struct ipc_return ret;
};

static void
on_made(void *arg, const struct visit_reply *r)
{
	struct asked *q = arg;
	struct buf body = BUF_INIT(MADE_MAX);

	msg_site_make_reply_put(
	    &body, &(struct msg_site_make_reply){ .status = (uint16_t)r->status,
		       .type = str_c(r->type ? r->type : ""),
		       .location = r->location,
		       .posts = posts_digest(q->sv->posts),
		       .body = r->body });
	if (body.failed)
		ipc_reply_error(
		    &q->ret, PERMFAIL, REASON_NONE, "it is too long");
	else
		ipc_reply(&q->ret, buf_str(&body), -1);
	buf_done(&body);
	free(q);
}

bool
copy_request(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_site_make q;
	struct asked *asked;
	enum language l = ENGLISH;

	if (!msg_site_make_get(m->body, &q) || !str_starts(q.path, STR("/")))
		return false;
	if (q.language.n == 0)
		q.language = str_c(sv->conf->site_language);
	if (!language_parse(q.language, &l))
		q.language = str_c(language_code(l));
	asked = X_NEW(struct asked);
	asked->sv = sv;
	asked->ret = ipc_return_new(p, m);
	visit_make(sv, q.path, q.language, on_made, asked);
	return true;
}
