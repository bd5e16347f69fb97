/* SPDX-License-Identifier: ISC */
/*
 * part_now.c - the first screen, in the order in which people ask: is mail
 * working, is it you or me, how fresh is this, is my mail lost, when is there more,
 * what can I do.
 */
#include "web/page/parts.h"
#include "web/table/posts.h"

#define BIT(s) STATUS_SERVICE_BIT(s)

/* Of what is not well; the list below has all. */
#define NAMES_MAX 6

static enum word
word_of_service(unsigned service)
{
	static const enum word words[STATUS_SERVICES] = {
		[STATUS_RECEIVE] = T_V_RECEIVE,
		[STATUS_SEND] = T_V_SEND,
		[STATUS_READ] = T_V_READ,
		[STATUS_WEBMAIL] = T_V_WEBMAIL,
		[STATUS_SIGN_IN] = T_V_SIGN_IN,
	};

	return words[service];
}

/* --- is mail working? ---------------------------------------------------------------- */

struct names {
	struct buf text;
	size_t n, more; /* those that are in it, and those that are not */
};

static void
put_separator(struct page *p, struct buf *to)
{
	buf_put_str(to, page_word_html(p, T_SEPARATOR));
	buf_put_char(to, ' ');
}

static void
put_name(struct page *p, struct names *names, struct str name, uint64_t since_s)
{
	struct buf *to = &names->text;

	if (names->n == NAMES_MAX) {
		names->more++;
		return;
	}
	names->n++;
	if (to->n > 0)
		put_separator(p, to);
	if (since_s > 0)
		buf_put_str(to,
		    PAGE_HTML(p, T_SINCE, name, page_time_html(p, since_s)));
	else
		buf_put_str(to, name);
}

/* Since when checks find it so; what somebody said has its time in the post. */
static uint64_t
since(enum look look, enum look checked, uint64_t since_s)
{
	return look == checked ? since_s : 0;
}

static void
put_service_names(
    struct page *p, enum look look, unsigned services, struct names *to)
{
	const struct site_state *t = site_state(p->sv->site);

	for (size_t i = 0; i < t->n_services; i++) {
		const struct msg_watch_service *s = &t->services[i];

		if (services & BIT(s->service))
			put_name(p, to,
			    page_word_html(p, word_of_service(s->service)),
			    since(look, look_of((enum watch_status)s->status),
				s->since_s));
	}
}

static void
put_system_names(struct page *p, enum look look, struct names *to)
{
	const struct site_state *t = site_state(p->sv->site);

	for (size_t i = 0; i < t->n_systems; i++) {
		const struct msg_watch_system *m = &t->systems[i];
		struct shown is = shown_system(t, m, said_of_system(p->sv, m));

		/* What is partly down does work. */
		if (is.word == T_S_PARTIAL)
			is.look = LOOK_DEGRADED;
		if (is.look == look)
			put_name(p, to, page_text_html(p, m->id),
			    since(look, look_by_checks(t, m), m->since_s));
	}
}

/* The names of what is in a state, with their times. */
static void
put_names(struct page *p, enum look look, unsigned services, struct names *to)
{
	put_service_names(p, look, services, to);
	put_system_names(p, look, to);
	if (to->more > 0) {
		put_separator(p, &to->text);
		buf_put_str(&to->text,
		    to->more == 1 ? page_word_html(p, T_AND_ONE_MORE)
				  : PAGE_HTML(p, T_AND_MORE,
					page_number_html(p, to->more)));
	}
}

static void
put_named(struct page *p, enum look look, unsigned services, enum word w)
{
	struct names names = { .text = BUF_INIT(KIB(64)) };

	put_names(p, look, services, &names);
	if (names.n > 0) {
		HTML(&p->b, "<p class=\"lead\">");
		PAGE_SAY(p, w, buf_str(&names.text));
		HTML(&p->b, "</p>");
	}
	buf_done(&names.text);
}

static void
put_plain_lead(struct page *p, enum word w)
{
	HTML(&p->b, "<p class=\"lead\">");
	page_word(p, w);
	HTML(&p->b, "</p>");
}

void
part_not_well(struct page *p, const struct verdict *v)
{
	put_named(p, LOOK_DOWN, v->down, T_LEAD_DOWN);
	put_named(p, LOOK_DEGRADED, v->ill, T_LEAD_ILL);
}

static void
put_lead(struct page *p, const struct verdict *v)
{
	if (v->is_stale) {
		put_plain_lead(p, T_LEAD_STALE);
		return;
	}
	part_not_well(p, v);
	if (verdict_is_unsure(v))
		put_plain_lead(
		    p, v->is_starting ? T_LEAD_STARTING : T_LEAD_UNKNOWN);
	if (v->has_planned)
		put_plain_lead(p, T_LEAD_PLANNED);
	else if (verdict_is_all_well(v))
		put_plain_lead(p, T_LEAD_WELL);
}

static void
put_verdict(struct page *p, const struct verdict *v)
{
	const struct site_state *t = site_state(p->sv->site);

	HTML(&p->b, "<h1 id=\"now\">");
	page_shape(p, v->look);
	HTML(&p->b, "<span>");
	/* A copy that has turned grey says of when that is. */
	if (p->is_copy && v->sentence != T_NOT_SINCE) {
		HTML(&p->b, "<span class=\"then\">");
		PAGE_SAY(p, T_AS_OF, page_date_time_html(p, t->at_s));
		HTML(&p->b, " </span>");
	}
	if (v->sentence == T_NOT_SINCE)
		PAGE_SAY(p, T_NOT_SINCE, page_time_html(p, t->at_s));
	else
		page_word(p, v->sentence);
	HTML(&p->b, "</span></h1>");
	put_lead(p, v);
}

/* --- what is suspected ------------------------------------------------------------------ */

static enum word
word_of_signal(const struct msg_watch_suspected *s)
{
	switch ((enum reach_signal_kind)s->kind) {
	case REACH_QUIET:
		return s->is_network ? T_SG_QUIET_NET : T_SG_QUIET;
	case REACH_STUCK:
		return s->is_network ? T_SG_STUCK_NET : T_SG_STUCK;
	case REACH_ALERTS:
		return T_SG_ALERTS;
	case REACH_SIGN_IN:
		return T_SG_SIGN_IN;
	case REACH_TLS_FAILS:
		return T_SG_TLS;
	case REACH_CUT_OFF:
		return s->is_network ? T_SG_CUT_NET : T_SG_CUT;
	case REACH_FEW:
		return s->is_network ? T_SG_FEW_NET : T_SG_FEW;
	case REACH_REFUSED:
		return s->name.n > 0 ? T_SG_REFUSED : T_SG_REFUSED_ONE;
	case REACH_SLOW:
		return s->name.n > 0 ? T_SG_SLOW : T_SG_SLOW_ANY;
	case REACH_REFUSALS:
		return s->name.n > 0 ? T_SG_REFUSALS : T_SG_REFUSALS_ANY;
	case REACH_BACKLOG:
		return s->name.n > 0 ? T_SG_BACKLOG : T_SG_BACKLOG_ANY;
	case REACH_KINDS:
		break;
	}
	return T_SG_QUIET;
}

/* What it is about: the service as people know it, or the provider. */
static struct str
about(struct page *p, const struct msg_watch_suspected *s)
{
	static const char *const names[SERVICE_COUNT] = {
		[SERVICE_MX] = "SMTP",
		[SERVICE_SUBMISSION] = "SMTP",
		[SERVICE_SUBMISSIONS] = "SMTP",
		[SERVICE_IMAP] = "IMAP",
		[SERVICE_IMAPS] = "IMAP",
		[SERVICE_POP3] = "POP3",
		[SERVICE_POP3S] = "POP3",
		[SERVICE_HTTP] = "HTTP",
		[SERVICE_HTTPS] = "HTTPS",
	};

	if (s->name.n > 0)
		return page_text_html(p, s->name);
	if (s->service < SERVICE_COUNT && names[s->service] != NULL)
		return str_c(names[s->service]);
	return STR_NONE;
}

/* The same of another port, or of the other family. */
static bool
was_said(const struct site_state *t, size_t i)
{
	const struct msg_watch_suspected *a = &t->suspected[i];

	for (size_t k = 0; k < i; k++) {
		const struct msg_watch_suspected *b = &t->suspected[k];

		if (a->kind == b->kind && a->service == b->service &&
		    a->is_network == b->is_network && a->text.n == 0 &&
		    b->text.n == 0 && str_eq(a->name, b->name))
			return true;
	}
	return false;
}

void
part_suspected(struct page *p, const struct site_state *t)
{
	for (size_t i = 0; i < t->n_suspected && !t->is_stale; i++) {
		const struct msg_watch_suspected *s = &t->suspected[i];
		struct str what;

		if (was_said(t, i))
			continue;
		what = s->text.n > 0
		           ? page_text_html(p, s->text)
		           : PAGE_HTML(p, word_of_signal(s), about(p, s));
		HTML(&p->b, "<p class=\"lead suspected\">");
		PAGE_SAY(
		    p, T_SG_SUSPECTED, what, page_time_html(p, s->since_s));
		HTML(&p->b, "</p>");
	}
}

/* --- the other questions ---------------------------------------------------------------- */

static void
begin_fact(struct page *p, enum word question)
{
	HTML(&p->b, "<div><dt>");
	page_word(p, question);
	HTML(&p->b, "</dt><dd>");
}

static void
end_fact(struct page *p)
{
	HTML(&p->b, "</dd></div>");
}

static void
put_me_or_you(struct page *p)
{
	begin_fact(p, T_ME_OR_YOU);
	HTML(&p->b, "<a class=\"button\"");
	page_href(p, STR("/check"));
	HTML(&p->b, ">");
	page_word(p, T_NAV_CHECK);
	HTML(&p->b, "</a> <span class=\"hint\">");
	page_word(p, T_CHECK_HINT);
	HTML(&p->b, "</span>");
	end_fact(p);
}

static void
put_fresh(struct page *p)
{
	const struct site_state *t = site_state(p->sv->site);

	begin_fact(p, T_HOW_FRESH);
	if (t->at_s == 0)
		page_word(p, T_NOT_YET);
	else if (t->is_stale)
		PAGE_SAY(p, T_NOT_SINCE, page_time_html(p, t->at_s));
	else if (t->places <= 1)
		PAGE_SAY(p, T_FRESH_ONE, page_time_html(p, t->at_s));
	else
		PAGE_SAY(p, T_FRESH_MANY, page_time_html(p, t->at_s),
		    page_number_html(p, t->places),
		    page_time_html(p, t->oldest_s));
	end_fact(p);
}

static void
put_lost(struct page *p, const struct verdict *v)
{
	unsigned bad = v->down | v->ill;

	begin_fact(p, T_IS_LOST);
	if (v->look == LOOK_UNKNOWN || v->look == LOOK_PLAIN)
		page_word(p, T_LOST_UNKNOWN);
	else if (bad & BIT(STATUS_RECEIVE))
		page_word(p, T_LOST_RECEIVE);
	else if (bad & (BIT(STATUS_READ) | BIT(STATUS_SIGN_IN)))
		page_word(p, T_LOST_READ);
	else if (bad & BIT(STATUS_SEND))
		page_word(p, T_LOST_SEND);
	else if (v->look == LOOK_UP)
		page_word(p, T_LOST_WELL);
	else
		page_word(p, T_LOST_UNKNOWN);
	end_fact(p);
}

static void
put_next(struct page *p, const struct verdict *v)
{
	const struct status_post *post = posts_next_update(p->sv->posts);
	const struct status_post *work = part_next_work(p);
	bool is_quiet = v->look == LOOK_UP && posts_n_open(p->sv->posts) == 0;
	struct buf link = BUF_INIT(KIB(4));

	begin_fact(p, T_NEXT_UPDATE);
	if (post != NULL) {
		posts_put_link(p, &link, post);
		PAGE_SAY(p,
		    post->next_update_s >= p->now_s ? T_NEXT_BY : T_NEXT_LATE,
		    page_time_html(p, post->next_update_s), buf_str(&link));
	} else if (is_quiet && work != NULL) {
		posts_put_link(p, &link, work);
		PAGE_SAY(p, T_NEXT_PLANNED, buf_str(&link),
		    page_date_time_html(p, work->from_s));
	} else {
		page_word(p, is_quiet ? T_NEXT_NONE : T_NEXT_SOON);
	}
	buf_done(&link);
	end_fact(p);
}

static void
put_what_to_do(struct page *p, const struct verdict *v)
{
	unsigned bad = v->down | v->ill;

	begin_fact(p, T_CAN_DO);
	HTML(&p->b, "<ul class=\"todo\"><li>");
	page_word(p, v->look == LOOK_UP ? T_DO_NOTHING : T_DO_WAIT);
	HTML(&p->b, "</li>");
	if ((bad & (BIT(STATUS_READ) | BIT(STATUS_SEND))) &&
	    (v->services & ~bad & ~v->unknown & BIT(STATUS_WEBMAIL))) {
		HTML(&p->b, "<li>");
		page_word(p, T_DO_WEBMAIL);
		HTML(&p->b, "</li>");
	}
	HTML(&p->b, "<li><a");
	page_href(p, STR("/subscribe"));
	HTML(&p->b, ">");
	page_word(p, T_DO_SUBSCRIBE);
	HTML(&p->b, "</a></li>");
	if (p->sv->conf->site_contact[0]) {
		HTML(&p->b, "<li>");
		(void)page_contact(p, T_DO_CONTACT);
		HTML(&p->b, "</li>");
	}
	HTML(&p->b, "</ul>");
	end_fact(p);
}

void
part_now(struct page *p, const struct verdict *v)
{
	HTML(&p->b, "<section class=\"now\" aria-labelledby=\"now\">");
	put_verdict(p, v);
	part_suspected(p, site_state(p->sv->site));
	HTML(&p->b, "<dl class=\"facts\">");
	put_me_or_you(p);
	put_fresh(p);
	put_lost(p, v);
	put_next(p, v);
	put_what_to_do(p, v);
	HTML(&p->b, "</dl></section>");
}

/* --- what works ------------------------------------------------------------------------- */

static void
put_service(
    struct page *p, const struct msg_watch_service *s, const struct said *said)
{
	const struct site_state *t = site_state(p->sv->site);
	struct shown is = shown_service(t, s, said);

	HTML(&p->b, "<li><b>");
	page_word(p, word_of_service(s->service));
	HTML(&p->b, "</b> ");
	page_state(p, is.look, is.word);
	if (is.look != LOOK_PLANNED && (s->flags & WATCH_SITE_PLANNED)) {
		HTML(&p->b, " ");
		page_state(p, LOOK_PLANNED, T_S_PLANNED);
	}
	HTML(&p->b, "</li>");
}

void
part_services(struct page *p)
{
	const struct site_state *t = site_state(p->sv->site);
	struct said said = said_of(p->sv);

	if (t->n_services == 0)
		return;
	HTML(&p->b, "<section aria-labelledby=\"works\"><h2 id=\"works\">");
	page_word(p, T_WHAT_WORKS);
	HTML(&p->b, "</h2><ul class=\"services\">");
	for (size_t i = 0; i < t->n_services; i++)
		put_service(p, &t->services[i], &said);
	HTML(&p->b, "</ul></section>");
}
