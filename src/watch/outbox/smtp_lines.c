/* SPDX-License-Identifier: ISC */
/* smtp_lines.c - which connection a mail takes. See smtp_line.h. */
#include "watch/outbox/smtp_line_internal.h"

struct smtp_lines *
smtp_lines_new(struct loop *loop)
{
	struct smtp_lines *all = X_NEW(struct smtp_lines);

	all->loop = loop;
	TAILQ_INIT(&all->idle);
	return all;
}

void
smtp_lines_rest(struct smtp_lines *all)
{
	struct smtp_line *l;

	while ((l = TAILQ_FIRST(&all->idle)) != NULL)
		smtp_line_leave(l);
}

static bool
is_to(const struct smtp_line *l, const struct smtp_try_wish *w)
{
	return l->port == w->port && l->is_relay == w->is_relay &&
	       str_eq_case(str_c(l->host), str_c(w->host)) &&
	       str_eq(l->login, w->login);
}

/* The one that was used last: the others may go. */
static struct smtp_line *
find_idle(struct smtp_lines *all, const struct smtp_try_wish *wish)
{
	struct smtp_line *l;

	TAILQ_FOREACH_REVERSE(l, &all->idle, idle_lines, link)
	if (is_to(l, wish))
		return l;
	return NULL;
}

static struct smtp_line *
new_line(struct smtp_lines *all, const struct smtp_try_wish *wish)
{
	struct smtp_line *l = X_NEW(struct smtp_line);

	l->all = all;
	l->sv = wish->sv;
	l->port = wish->port;
	l->is_relay = wish->is_relay;
	l->login = wish->login;
	l->password = wish->password;
	(void)snprintf(l->host, sizeof(l->host), "%s", wish->host);
	(void)snprintf(
	    l->helo, sizeof(l->helo), "%s", wish->sv->conf->hostname);
	l->timer = loop_timer_new(all->loop, smtp_line_leave, l);
	return l;
}

struct smtp_line *
smtp_line_send(struct smtp_lines *all, const struct smtp_try_wish *wish,
    smtp_line_fn fn, void *arg)
{
	struct smtp_line *l = find_idle(all, wish);
	struct str none = STR_NONE;
	bool is_idle = l != NULL;

	ASSERT(wish->letter.n <= SMTP_CLIENT_CHUNK_MAX);
	if (!is_idle)
		l = new_line(all, wish);
	l->wish = wish;
	l->fn = fn;
	l->arg = arg;
	l->is_known = l->is_stale = l->is_about_mail = false;
	if (!is_idle) {
		smtp_line_open(l);
		return l;
	}
	smtp_line_begin_mail(l);
	/* Its last one is being told just now: that goes on with this one. */
	if (!l->is_pumping)
		smtp_line_pump(l, &none);
	return l;
}
