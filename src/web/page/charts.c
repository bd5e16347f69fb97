/* SPDX-License-Identifier: ISC */
/* charts.c - charts of role watch. See charts.h. */
#include "web/page/charts.h"

#include "web/site.h"

#include <sys/queue.h>

#define CHARTS_MAX 512

/* A page of which watch says nothing is shown without its chart. */
#define PATIENCE_MS 3000

/* Somebody who waits for one. */
struct chart_ask {
	LIST_ENTRY(chart_ask) link;
	chart_fn fn;
	void *arg;
};

struct kept {
	struct charts *all;
	char *system;
	uint64_t at_ms; /* when it came; 0: not yet */
	uint64_t used;
	bool is_asked;
	bool is_late; /* those who come now do not wait for the answer */
	struct loop_timer *late;
	LIST_HEAD(, chart_ask) asks;
	struct chart chart;
};

struct charts {
	struct server *sv;
	struct kept *kept[CHARTS_MAX];
	size_t n;
	uint64_t clock;
	uint32_t version; /* of the last answer */
};

/* How long it is good: a part of the width of a point. */
static uint64_t
good_for_ms(unsigned span)
{
	static const uint64_t ms[WATCH_SPANS] = {
		[WATCH_SPAN_2_DAYS] = 60000,
		[WATCH_SPAN_90_DAYS] = 900000,
		[WATCH_SPAN_5_YEARS] = 6 * 3600000,
	};

	return ms[span];
}

struct charts *
charts_new(struct server *sv)
{
	struct charts *c = X_NEW(struct charts);

	c->sv = sv;
	return c;
}

static void
free_kept(struct kept *k)
{
	loop_timer_free(k->late);
	free(k->system);
	free(k);
}

void
charts_free(struct charts *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		free_kept(c->kept[i]);
	free(c);
}

/* --- the answer -------------------------------------------------------------------- */

static bool
read_chart(struct str body, struct chart *to)
{
	struct msg_watch_chart_reply m;
	struct wire w;

	if (!msg_watch_chart_reply_get(body, &m) || m.width_s == 0)
		return false;
	to->from_s = m.from_s;
	to->width_s = m.width_s;
	to->n_points = to->n_months = 0;
	w = wire_read(m.points);
	while (to->n_points < CHART_POINTS_MAX &&
	       msg_watch_point_read(&w, &to->points[to->n_points]))
		to->n_points++;
	w = wire_read(m.months);
	while (to->n_months < CHART_MONTHS_MAX &&
	       msg_watch_month_read(&w, &to->months[to->n_months]))
		to->n_months++;
	return true;
}

static void
answer_all(struct kept *k)
{
	struct chart_ask *a;

	while ((a = LIST_FIRST(&k->asks)) != NULL) {
		LIST_REMOVE(a, link);
		a->fn(a->arg, &k->chart);
		free(a);
	}
}

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct kept *k = arg;

	k->is_asked = k->is_late = false;
	loop_timer_clear(k->late);
	k->chart.is_there =
	    m->outcome == DONE && read_chart(m->body, &k->chart);
	/* Nobody to ask is no answer: the next one asks again. */
	k->at_ms = m->outcome == DONE || m->outcome == NOT_FOUND
	               ? loop_now_ms(k->all->sv->loop)
	               : 0;
	k->chart.version = ++k->all->version;
	answer_all(k);
}

static void
on_late(void *arg)
{
	struct kept *k = arg;

	k->is_late = true;
	answer_all(k);
}

static void
ask(struct kept *k)
{
	struct buf body = BUF_INIT(KIB(1));

	k->is_asked = true;
	loop_timer_set(k->late, PATIENCE_MS);
	msg_watch_chart_put(
	    &body, &(struct msg_watch_chart){ .system = str_c(k->system),
		       .span = (uint8_t)k->chart.span });
	(void)runtime_request(k->all->sv->rt,
	    &(struct ipc_peer_request){ .to = ROLE_WATCH,
		.type = MSG_WATCH_CHART,
		.body = buf_str(&body),
		.fd = -1 },
	    on_answer, k);
	buf_done(&body);
}

/* --- asking ------------------------------------------------------------------------- */

/* The one that was used longest ago, and that nobody waits for, goes. */
static bool
make_room(struct charts *c)
{
	size_t oldest = c->n;

	if (c->n < CHARTS_MAX)
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (!c->kept[i]->is_asked &&
		    (oldest == c->n ||
			c->kept[i]->used < c->kept[oldest]->used))
			oldest = i;
	if (oldest == c->n)
		return false;
	free_kept(c->kept[oldest]);
	c->kept[oldest] = c->kept[--c->n];
	return true;
}

static struct kept *
find(struct charts *c, struct str system, unsigned span)
{
	struct kept *k;

	for (size_t i = 0; i < c->n; i++)
		if (c->kept[i]->chart.span == span &&
		    str_eq(str_c(c->kept[i]->system), system))
			return c->kept[i];
	if (!make_room(c))
		return NULL;
	k = X_NEW(struct kept);
	k->all = c;
	k->system = str_dup(system);
	k->chart.span = span;
	k->late = loop_timer_new(c->sv->loop, on_late, k);
	LIST_INIT(&k->asks);
	c->kept[c->n++] = k;
	return k;
}

static bool
is_good(const struct kept *k)
{
	return !k->is_asked && k->at_ms != 0 &&
	       loop_now_ms(k->all->sv->loop) - k->at_ms <
	           good_for_ms(k->chart.span);
}

struct chart_ask *
charts_get(
    struct charts *c, struct str system, unsigned span, chart_fn fn, void *arg)
{
	static const struct chart none;
	struct kept *k = find(c, system, span);
	struct chart_ask *a;

	if (k == NULL) {
		fn(arg, &none);
		return NULL;
	}
	k->used = ++c->clock;
	/* Whom nobody has heard of for a minute is not asked. */
	if (k->is_late || is_good(k) ||
	    (!k->is_asked && site_state(c->sv->site)->is_stale)) {
		fn(arg, &k->chart);
		return NULL;
	}
	a = X_NEW(struct chart_ask);
	a->fn = fn;
	a->arg = arg;
	LIST_INSERT_HEAD(&k->asks, a, link);
	if (!k->is_asked)
		ask(k);
	return a;
}

void
charts_cancel(struct chart_ask *a)
{
	LIST_REMOVE(a, link);
	free(a);
}
