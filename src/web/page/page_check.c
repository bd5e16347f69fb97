/* SPDX-License-Identifier: ISC */
/*
 * page_check.c - Check my connection: is it you or is it me? What the visitor's
 * own address has to bear here, whether others on the same network get through
 * (role watch lets out nothing of fewer than it may), and a number that
 * ties the visit to the log.
 */
#include "web/page/pages.h"

#include "base/secret.h"
#include "net/conn.h"
#include "proto/reach/reach_public.h"
#include "proto/status/status_text.h"
#include "web/page/page_frame.h"
#include "web/page/parts.h"

#include <arpa/inet.h>

#define ANY_SERVICE 255
#define POLICY_MAX  KIB(3)

/* Who asks because something does not work is told what is known by then. */
#define PATIENCE_MS 3000

/* A visit that waits for two answers. */
struct check {
	struct visit *v; /* NULL: gone, or told */
	unsigned pending;
	struct loop_timer *late;
	char ip[INET6_ADDRSTRLEN];
	char number[16];
	struct facts facts;
	char network[64], name[128];
};

/* --- is it you, or is it me? ------------------------------------------------------------ */

static void
put_conclusion(struct page *p, const struct check *c)
{
	struct verdict v = verdict_of(p->sv);
	enum look look;
	enum word w = conclude(&c->facts, &v, &look);

	HTML(&p->b, "<p class=\"so\">");
	page_shape(p, look);
	HTML(&p->b, "<span>");
	if (v.sentence == T_OTHERS_ILL && w != T_C_SO_BANNED) {
		page_word(p, v.sentence);
		HTML(&p->b, " ");
	}
	if (w == T_C_SO_BANNED)
		PAGE_SAY(p, w, page_time_html(p, c->facts.until));
	else
		page_word(p, w);
	HTML(&p->b, "</span></p>");
	if (v.sentence == T_OTHERS_ILL)
		part_not_well(p, &v);
}

/* --- the facts -------------------------------------------------------------------------- */

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
put_network(struct page *p, const struct check *c)
{
	begin_fact(p, T_C_NETWORK);
	if (!c->facts.has_reach || c->network[0] == '\0')
		page_word(p, T_C_NETWORK_UNKNOWN);
	else if (strcmp(c->network, "local") == 0)
		page_word(p, T_C_THIS_MACHINE);
	else
		html_text(&p->b, str_c(c->network));
	if (c->name[0] != '\0') {
		HTML(&p->b, ", ");
		html_text(&p->b, str_c(c->name));
	}
	end_fact(p);
}

static void
put_limited(struct page *p, const struct check *c)
{
	begin_fact(p, T_C_LIMITED);
	if (!c->facts.has_client) {
		page_word(p, T_C_CANNOT_TELL);
	} else if (c->facts.state == AUTH_CLIENT_BANNED) {
		page_shape(p, LOOK_DOWN);
		PAGE_SAY(p, T_C_BANNED, page_time_html(p, c->facts.until));
	} else if (c->facts.state == AUTH_CLIENT_SLOWED) {
		page_shape(p, LOOK_DEGRADED);
		page_word(p, T_C_SLOWED);
	} else {
		page_shape(p, LOOK_UP);
		page_word(p, T_C_FREE);
	}
	end_fact(p);
}

static void
put_others(struct page *p, const struct check *c)
{
	begin_fact(p, T_C_OTHERS);
	if (!c->facts.has_reach) {
		page_word(p, T_C_CANNOT_TELL);
	} else if (c->facts.answer == REACH_OTHERS_YES) {
		page_shape(p, LOOK_UP);
		page_word(p, T_C_OTHERS_YES);
	} else if (c->facts.answer == REACH_OTHERS_NO) {
		page_shape(p, LOOK_DEGRADED);
		page_word(p, T_C_OTHERS_NO);
	} else {
		page_word(p, T_C_OTHERS_FEW);
	}
	end_fact(p);
}

static void
put_mail(struct page *p)
{
	struct verdict v = verdict_of(p->sv);

	begin_fact(p, T_C_MAIL_NOW);
	page_shape(p, v.look);
	HTML(&p->b, "<a");
	page_href(p, STR("/"));
	HTML(&p->b, ">");
	if (v.sentence == T_NOT_SINCE)
		page_word(p, T_NOT_SEEN);
	else
		page_word(p, v.sentence);
	HTML(&p->b, "</a>");
	end_fact(p);
}

static void
put_attribute(struct page *p, const char *name, enum word w)
{
	buf_printf(&p->b, " %s=\"", name);
	page_word(p, w);
	HTML(&p->b, "\"");
}

static struct str
mail_host(const struct conf *c)
{
	struct str s =
	    str_c(c->site_mail_host[0] ? c->site_mail_host : c->hostname);
	struct str host;
	uint16_t port;

	/* It goes into a policy: nothing but a host and a port. */
	return status_host_port(s, &host, &port) ? s : STR("");
}

static void
put_reach(struct page *p)
{
	struct str host = mail_host(p->sv->conf);

	if (host.n == 0)
		return;
	begin_fact(p, T_C_REACH);
	HTML(&p->b, "<span id=\"reach\" role=\"status\" data-url=\"https://");
	html_text(&p->b, host);
	HTML(&p->b, "/robots.txt\"");
	put_attribute(p, "data-trying", T_C_TRYING);
	put_attribute(p, "data-yes", T_C_REACHED);
	put_attribute(p, "data-no", T_C_NOT_REACHED);
	HTML(&p->b, ">");
	page_word(p, T_C_NO_SCRIPT);
	HTML(&p->b, "</span>");
	end_fact(p);
}

static void
put_number(struct page *p, const struct check *c)
{
	begin_fact(p, T_C_NUMBER);
	HTML(&p->b, "<b class=\"number\">");
	html_text(&p->b, str_c(c->number));
	HTML(&p->b, "</b> <span class=\"hint\">");
	page_word(p, T_C_NUMBER_HINT);
	HTML(&p->b, "</span>");
	end_fact(p);
}

static void
render(struct page *p, const void *arg)
{
	const struct check *c = arg;

	page_begin(p, page_word_html(p, T_NAV_CHECK), LOOK_PLAIN);
	HTML(&p->b, "<section class=\"now\"><h1>");
	page_word(p, T_NAV_CHECK);
	HTML(&p->b, "</h1>");
	put_conclusion(p, c);
	HTML(&p->b, "<dl class=\"facts\">");
	begin_fact(p, T_C_ADDRESS);
	html_text(&p->b, str_c(c->ip));
	buf_put_c(&p->b, strchr(c->ip, ':') ? " (IPv6)" : " (IPv4)");
	end_fact(p);
	put_network(p, c);
	put_limited(p, c);
	put_others(p, c);
	put_reach(p);
	put_mail(p);
	put_number(p, c);
	HTML(&p->b, "</dl><p class=\"after\"><a class=\"button\"");
	page_href(p, STR("/check"));
	HTML(&p->b, ">");
	page_word(p, T_C_AGAIN);
	HTML(&p->b, "</a></p><p class=\"hint\">");
	page_word(p, T_C_LEAD);
	HTML(&p->b, "</p></section><script>");
	buf_put_str(&p->b, page_check_script());
	HTML(&p->b, "</script>");
	page_end(p);
}

/* --- asking ------------------------------------------------------------------------------- */

static void
tell(void *arg)
{
	struct check *c = arg;
	struct visit *v = TAKE_PTR(c->v);
	struct buf policy = BUF_INIT(POLICY_MAX), source = BUF_INIT(KIB(1));
	struct str host;

	if (v == NULL)
		return;
	host = mail_host(visit_server(v)->conf);
	if (host.n > 0)
		buf_printf(&source, "https://%.*s", STR_ARG(host));
	page_put_policy(&policy, host.n > 0 ? buf_c(&source) : NULL);
	page_answer(v,
	    &(struct page_once){ .status = 200,
		.path = STR("/check"),
		.policy = buf_c(&policy) },
	    render, c);
	buf_done(&policy);
	buf_done(&source);
}

/* One of the answers came, or will not. */
static void
answer(struct check *c)
{
	if (--c->pending > 0)
		return;
	tell(c);
	loop_timer_free(c->late);
	free(c);
}

static void
copy(char *to, size_t room, struct str s)
{
	(void)snprintf(to, room, "%.*s", STR_ARG(s));
}

static void
on_client(void *arg, struct ipc_msg *m)
{
	struct check *c = arg;
	struct msg_auth_client_reply r;

	c->facts.has_client =
	    m->outcome == DONE && msg_auth_client_reply_get(m->body, &r);
	if (c->facts.has_client) {
		c->facts.state = r.state;
		c->facts.until = r.until;
	}
	answer(c);
}

static void
on_reach(void *arg, struct ipc_msg *m)
{
	struct check *c = arg;
	struct msg_reach_ask_reply r;

	c->facts.has_reach =
	    m->outcome == DONE && msg_reach_ask_reply_get(m->body, &r);
	if (c->facts.has_reach) {
		c->facts.answer = r.answer;
		copy(c->network, sizeof(c->network), r.network);
		copy(c->name, sizeof(c->name), r.name);
	}
	answer(c);
}

/* The answers come all the same. */
static void
on_gone(void *arg)
{
	struct check *c = arg;

	c->v = NULL;
}

static void
ask_auth(struct server *sv, struct check *c)
{
	struct buf client = BUF_INIT(KIB(1));

	msg_auth_client_put(
	    &client, &(struct msg_auth_client){ .client_ip = str_c(c->ip) });
	(void)runtime_request(sv->rt,
	    &(struct ipc_peer_request){ .to = ROLE_AUTH,
		.type = MSG_AUTH_CLIENT,
		.body = buf_str(&client),
		.fd = -1 },
	    on_client, c);
	buf_done(&client);
}

static void
ask_watch(struct server *sv, struct check *c)
{
	struct buf reach = BUF_INIT(KIB(1));

	msg_reach_ask_put(
	    &reach, &(struct msg_reach_ask){ str_c(c->ip), ANY_SERVICE });
	(void)runtime_request(sv->rt,
	    &(struct ipc_peer_request){ .to = ROLE_WATCH,
		.type = MSG_REACH_ASK,
		.body = buf_str(&reach),
		.fd = -1 },
	    on_reach, c);
	buf_done(&reach);
}

void
page_check(struct visit *v)
{
	struct server *sv = visit_server(v);
	struct check *c;
	uint32_t number;

	if (page_is_too_fast(v, sv->checks))
		return;
	c = X_NEW(struct check);
	c->v = v;
	copy(c->ip, sizeof(c->ip), str_c(visit_ip(v)));
	secret_random(&number, sizeof(number));
	snprintf(c->number, sizeof(c->number), "%04X-%04X", number >> 16,
	    number & 0xFFFF);
	log_event(EV_WEB_CHECK, LC("client", c->ip), LC("number", c->number));
	visit_wait(v, on_gone, c);
	c->late = loop_timer_new(sv->loop, tell, c);
	loop_timer_set(c->late, PATIENCE_MS);
	/* Whom nobody has heard of for a minute is not asked: such requests
	 * would pile up. */
	c->pending = site_state(sv->site)->is_stale ? 1 : 2;
	if (c->pending == 2)
		ask_watch(sv, c);
	ask_auth(sv, c);
}
