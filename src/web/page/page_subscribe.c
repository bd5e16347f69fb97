/* SPDX-License-Identifier: ISC */
/* page_subscribe.c - the form, and what links in mails lead to. See members.h. */
#include "web/page/pages.h"

#include "proto/http/http_text.h"
#include "proto/status/status_subscriber.h"
#include "web/table/members.h"
#include "web/page/parts.h"

#define FIELD_MAX 400

/* --- what is said -------------------------------------------------------------------- */

struct notice_text {
	enum word title, text;
};

static void
render_said(struct page *p, const void *arg)
{
	const struct notice_text *s = arg;

	page_begin(p, page_word_html(p, s->title), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"page\"><h1>");
	page_word(p, s->title);
	HTML(&p->b, "</h1><p class=\"lead\">");
	page_word(p, s->text);
	HTML(&p->b, "</p><p class=\"after\"><a");
	page_href(p, STR("/"));
	HTML(&p->b, ">");
	page_word(p, T_E_HOME);
	HTML(&p->b, "</a></p></section>");
	page_end(p);
}

static void
say(struct visit *v, unsigned status, enum word title, enum word text)
{
	page_answer(v,
	    &(struct page_once){ .status = status, .path = STR("/subscribe") },
	    render_said, &(struct notice_text){ title, text });
}

/* --- the form -------------------------------------------------------------------------- */

static void
begin_form(struct page *p, const char *action)
{
	buf_printf(
	    &p->b, "<form class=\"after\" method=\"post\" action=\"%s", action);
	if (p->is_asked)
		buf_printf(&p->b, "?lang=%s", language_code(p->lang));
	HTML(&p->b, "\">");
}

static void
put_options(struct page *p)
{
	const struct site_state *t = site_state(p->sv->site);

	HTML(&p->b, "<option value=\"\">");
	page_word(p, T_J_ALL);
	HTML(&p->b, "</option>");
	for (size_t i = 0; i < t->n_systems; i++) {
		const struct msg_watch_system *m = &t->systems[i];

		if (m->flags & WATCH_SITE_INTERNAL)
			continue;
		HTML(&p->b, "<option value=\"");
		html_text(&p->b, m->key);
		HTML(&p->b, "\">");
		html_text(&p->b, m->id);
		HTML(&p->b, ", ");
		page_word(p, word_of_role(m->role));
		HTML(&p->b, "</option>");
	}
}

static void
render_form(struct page *p, const void *arg)
{
	const bool *is_wrong = arg;

	page_begin(p, page_word_html(p, T_NAV_SUBSCRIBE), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"page\"><h1>");
	page_word(p, T_NAV_SUBSCRIBE);
	HTML(&p->b, "</h1><p class=\"lead\">");
	page_word(p, T_J_LEAD);
	HTML(&p->b, "</p>");
	if (is_wrong != NULL) {
		HTML(&p->b, "<p class=\"state down\" role=\"alert\">");
		page_shape(p, LOOK_DOWN);
		page_word(p, T_J_BAD_ADDRESS);
		HTML(&p->b, "</p>");
	}
	begin_form(p, "/subscribe");
	HTML(&p->b, "<p><label for=\"address\">");
	page_word(p, T_J_ADDRESS);
	HTML(&p->b, "</label><input id=\"address\" name=\"address\" "
		    "type=\"email\" autocomplete=\"email\" "
		    "maxlength=\"160\" required></p><p><label for=\"about\">");
	page_word(p, T_J_ABOUT);
	HTML(&p->b, "</label><select id=\"about\" name=\"about\">");
	put_options(p);
	buf_printf(&p->b,
	    "</select></p><p><input type=\"hidden\" name=\"lang\" "
	    "value=\"%s\"><button class=\"button\" type=\"submit\">",
	    language_code(p->lang));
	page_word(p, T_J_SEND);
	HTML(&p->b, "</button></p></form><p class=\"hint\">");
	page_word(p, T_J_HINT);
	HTML(&p->b, "</p></section>");
	part_side(p);
	page_end(p);
}

void
page_subscribe(struct visit *v)
{
	page_serve(v, STR("/subscribe"), render_form, NULL);
}

/* --- the form comes back ----------------------------------------------------------------- */

static void
take_join(struct visit *v, struct str key)
{
	struct server *sv = visit_server(v);
	struct buf about = BUF_INIT(STATUS_ID_MAX), code = BUF_INIT(16);
	enum language language = ENGLISH;
	const struct msg_watch_system *m = NULL;
	bool is_taken;

	if (http_form_get(visit_body(v), STR("lang"), &code))
		(void)!language_parse(buf_str(&code), &language);
	if (http_form_get(visit_body(v), STR("about"), &about) && about.n > 0)
		m = site_find(sv->site, buf_str(&about));
	is_taken = members_join(sv, key, language, m != NULL ? m->id : STR(""));
	/* At once, and whether or not the address is known. */
	if (is_taken)
		say(v, 200, T_J_ON_ITS_WAY, T_J_LOOK);
	else
		page_error(v, 503);
	buf_done(&about);
	buf_done(&code);
}

void
page_subscribe_post(struct visit *v)
{
	struct server *sv = visit_server(v);
	struct buf address = BUF_INIT(FIELD_MAX), key = BUF_INIT(FIELD_MAX);
	struct status_fault fault;
	static const bool is_wrong = true;

	if (page_is_too_fast(v, sv->joins))
		return;
	if (http_form_get(visit_body(v), STR("address"), &address) &&
	    status_subscriber_put_key(
		&key, str_trim(buf_str(&address)), &fault) &&
	    !status_subscriber_is_webhook(buf_str(&key)))
		take_join(v, buf_str(&key));
	else
		page_answer(v,
		    &(struct page_once){
			.status = 422, .path = STR("/subscribe") },
		    render_form, &is_wrong);
	buf_done(&address);
	buf_done(&key);
}

/* --- links in mails ------------------------------------------------------------------------ */

/* A visit that waits for the store. */
struct wish {
	struct visit *v; /* NULL: gone */
	bool is_leaving;
};

struct link {
	struct buf to, token;
	bool is_leaving;
};

/* In the one form that we write into links: rows are read by it, and the
 * page shows it. */
static bool
is_key(struct str to)
{
	struct buf key = BUF_INIT(STATUS_SUBSCRIBER_MAX);
	struct status_fault fault;
	bool ok = status_subscriber_put_key(&key, to, &fault) &&
	          str_eq(buf_str(&key), to);

	buf_done(&key);
	return ok;
}

/* Of the form; else, as RFC 8058 section 3.1 has it, of the address. */
static bool
read_link(struct visit *v, struct link *l)
{
	struct str query = visit_request(v)->query, body = visit_body(v);

	buf_init(&l->to, FIELD_MAX);
	buf_init(&l->token, FIELD_MAX);
	return (http_form_get(body, STR("to"), &l->to) ||
		   http_form_get(query, STR("to"), &l->to)) &&
	       (http_form_get(body, STR("token"), &l->token) ||
		   http_form_get(query, STR("token"), &l->token)) &&
	       is_key(buf_str(&l->to)) &&
	       status_secret_is_sane(buf_str(&l->token));
}

static void
end_link(struct link *l)
{
	buf_done(&l->to);
	buf_done(&l->token);
}

static void
put_hidden(struct page *p, const char *name, const struct buf *value)
{
	buf_printf(&p->b, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	html_text(&p->b, buf_str(value));
	HTML(&p->b, "\">");
}

static void
render_button(struct page *p, const void *arg)
{
	const struct link *l = arg;
	enum word title = l->is_leaving ? T_J_LEAVE : T_J_CONFIRM;

	page_begin(p, page_word_html(p, title), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"page\"><h1>");
	page_word(p, title);
	HTML(&p->b, "</h1><p class=\"lead\">");
	html_text(&p->b, buf_str(&l->to));
	HTML(&p->b, "</p>");
	begin_form(p, l->is_leaving ? "/unsubscribe" : "/subscribe/confirm");
	HTML(&p->b, "<p>");
	put_hidden(p, "to", &l->to);
	put_hidden(p, "token", &l->token);
	HTML(&p->b, "<button class=\"button\" type=\"submit\">");
	page_word(p, title);
	HTML(&p->b, "</button></p></form></section>");
	page_end(p);
}

static void
show_button(struct visit *v, bool is_leaving)
{
	struct link l = { .is_leaving = is_leaving };

	if (read_link(v, &l))
		page_answer(v,
		    &(struct page_once){
			.status = 200, .path = STR("/subscribe") },
		    render_button, &l);
	else
		say(v, 404, T_J_WRONG, T_J_WRONG_HINT);
	end_link(&l);
}

static void
on_answer(void *arg, enum members_answer answer)
{
	struct wish *w = arg;

	if (w->v == NULL)
		;
	else if (answer == MEMBERS_LATER)
		page_error(w->v, 503);
	else if (w->is_leaving)
		say(w->v, 200, T_J_LEFT, T_J_LEFT_HINT);
	else if (answer == MEMBERS_DONE)
		say(w->v, 200, T_J_CONFIRMED, T_J_CONFIRMED_HINT);
	else
		say(w->v, 404, T_J_WRONG, T_J_WRONG_HINT);
	free(w);
}

static void
on_gone(void *arg)
{
	struct wish *w = arg;

	w->v = NULL;
}

static void
take_button(struct visit *v, bool is_leaving)
{
	struct server *sv = visit_server(v);
	struct link l = { .is_leaving = is_leaving };
	struct wish *w;

	if (page_is_too_fast(v, sv->checks))
		return;
	if (!read_link(v, &l)) {
		say(v, 404, T_J_WRONG, T_J_WRONG_HINT);
		end_link(&l);
		return;
	}
	w = X_NEW(struct wish);
	w->v = v;
	w->is_leaving = is_leaving;
	visit_wait(v, on_gone, w);
	(is_leaving ? members_leave : members_confirm)(
	    sv, buf_str(&l.to), buf_str(&l.token), on_answer, w);
	end_link(&l);
}

void
page_confirm(struct visit *v)
{
	show_button(v, false);
}

void
page_confirm_post(struct visit *v)
{
	take_button(v, false);
}

void
page_unsubscribe(struct visit *v)
{
	show_button(v, true);
}

void
page_unsubscribe_post(struct visit *v)
{
	take_button(v, true);
}
