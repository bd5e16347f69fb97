/* SPDX-License-Identifier: ISC */
/*
 * agent_link.c - what an agent says to its master, and when.
 *
 * One kind of request does everything: it brings results, in the order in which
 * they were found, and the answer has the list of checks when that is another
 * one. With results it is answered at once; without, when the master has
 * something to say, or after eight seconds: then come those that were found
 * meanwhile. When something failed, a request that waits is given up for one that
 * says so. While the master is away results pile up in the spool.
 */
#include "watch/agent/agent.h"

#include "base/log.h"

#define POLL_MS        10000
#define POLL_MIN_MS    500
#define SOON_MS        200 /* several results may belong together */
#define REFUSED_MS     30000
#define REFUSED_MAX_MS (10u * 60 * 1000)
#define REQUEST_MS     20000
#define WAIT_MS        8000
#define IDLE_S         12 /* more than that */
#define STALE_MAX      3
#define RESULTS_ROOM   KIB(200)

static void
arm(struct agent *a, uint64_t delay_ms)
{
	a->due_ms = server_now_ms() + delay_ms;
	loop_timer_set(a->due, delay_ms);
}

/* Earlier than it is armed for, if it is not. */
static void
hurry(struct agent *a, uint64_t delay_ms)
{
	if (a->is_refused || a->is_away)
		return;
	if (a->is_waiting) {
		http_cancel(a->query);
		a->is_asking = a->is_waiting = false;
	}
	if (a->is_asking)
		return;
	if (a->due_ms == 0 || a->due_ms > server_now_ms() + delay_ms)
		arm(a, delay_ms);
}

/* --- results ---------------------------------------------------------------------- */

void
agent_keep(
    struct agent *a, const struct watched *w, const struct watch_result *r)
{
	struct agent_kept k = { .key = str_c(w->key),
		.ended_ms = r->ended_ms,
		.took_ms =
		    (uint32_t)MIN(r->ended_ms - r->started_ms, UINT32_MAX),
		.outcome = (uint8_t)r->outcome,
		.cause = (uint8_t)r->cause,
		.us = w->us,
		.days = w->days,
		.text = str_c(w->text) };
	uint64_t wall = server_wall_ms(&a->sv, k.ended_ms);

	spool_put(a->spool, &k, a->boot, wall + (uint64_t)a->ahead_ms);
	if (r->outcome != WATCH_OK ||
	    watched_state(w)->state.status != WATCH_UP)
		hurry(a, SOON_MS);
	if (spool_lost(a->spool) > 0 && a->lost_told == 0) {
		a->lost_told = 1;
		log_event(EV_AGENT_LOST, LU("results", spool_lost(a->spool)));
	}
}

struct gather {
	struct agent *a;
	struct buf to;
	uint32_t n;
	uint64_t now_ms, wall_ms; /* the latter as the master's clock shows */
};

/* How long ago by a clock that did not jump; of before this machine was started
 * by what the master's clock showed then. */
static uint64_t
age_of(const struct gather *g, const struct agent_page *p,
    const struct agent_kept *k)
{
	uint64_t then = p->wall_ms + (k->ended_ms - p->base_ms);

	if (p->boot == g->a->boot)
		return g->now_ms > k->ended_ms ? g->now_ms - k->ended_ms : 0;
	return MAX(g->wall_ms > then ? g->wall_ms - then : 0, g->now_ms);
}

static bool
take_kept(void *arg, const struct agent_page *p, const struct agent_kept *k)
{
	struct gather *g = arg;
	struct agent_result r = { .key = k->key,
		.age_ms = age_of(g, p, k),
		.took_ms = k->took_ms,
		.outcome = k->outcome,
		.cause = k->cause,
		.us = k->us,
		.days = k->days,
		.text = k->outcome == WATCH_OK ? STR_NONE : k->text };

	if (g->n == AGENT_RESULTS_MAX || g->to.n > RESULTS_ROOM - KIB(1))
		return false;
	agent_result_put(&g->to, &r);
	g->n++;
	return true;
}

/* --- answers ------------------------------------------------------------------------ */

static int
by_key(const void *a, const void *b)
{
	const struct ledger_mirror_row *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

/* Systems are not told of: each check's has an empty row. */
static void
set_systems(struct agent *a, const struct ledger_mirror_row *checks, size_t n)
{
	struct ledger_mirror_row *systems = x_calloc(n + 1, sizeof(*systems));
	size_t m = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		(void)str_split(checks[i].key, '/', &systems[m++].key);
	qsort(systems, m, sizeof(*systems), by_key);
	for (size_t i = 0; i < m; i++)
		if (kept == 0 || !str_eq(systems[kept - 1].key, systems[i].key))
			systems[kept++] = systems[i];
	ledger_mirror_set(a->sv.mirror, LEDGER_SYSTEM, systems, kept);
	free(systems);
}

bool
agent_take_checks(struct agent *a, const struct agent_reply *r)
{
	struct ledger_mirror_row *rows = x_calloc(r->n + 1, sizeof(*rows));
	struct wire w = wire_read(r->checks);
	struct agent_check c;
	bool is_sorted = true;
	size_t n = 0;

	while (agent_check_read(&w, &c)) {
		is_sorted &= n == 0 || str_cmp(rows[n - 1].key, c.key) < 0;
		rows[n++] = (struct ledger_mirror_row){ c.key, c.row };
	}
	if (is_sorted) {
		a->list = r->list;
		set_systems(a, rows, n);
		ledger_mirror_set(a->sv.mirror, LEDGER_CHECK, rows, n);
		log_event(EV_AGENT_CHECKS, LU("checks", n));
	}
	free(rows);
	return is_sorted;
}

static void
look(struct agent *a, struct str keys)
{
	struct wire w = wire_read(keys);
	struct str key;

	while (agent_look_read(&w, &key)) {
		struct watched *one = watched_find(&a->sv, key);

		if (one == NULL)
			continue;
		watch_state_poke(&watched_state(one)->state, server_now_ms());
		schedule_arm(one);
	}
}

static void
came_through(struct agent *a)
{
	if (a->is_away || a->is_refused)
		log_event(EV_AGENT_LINK, LC("state", "back"));
	a->is_away = a->is_refused = false;
	a->pause_ms = REFUSED_MS;
}

static void
take_answer(struct agent *a, const struct agent_reply *r, struct str body)
{
	uint64_t poll = MIN(MAX(r->poll_ms, (uint32_t)POLL_MIN_MS), POLL_MS);

	came_through(a);
	a->stale = 0;
	spool_sent(a->spool, a->sent);
	if (r->has_checks && agent_take_checks(a, r))
		(void)agent_dir_write(a->dir, AGENT_FILE_CHECKS, body);
	look(a, r->look);
	arm(a, spool_first(a->spool) < spool_end(a->spool) ? SOON_MS : poll);
}

/* The master's process is another one, or has heard of us otherwise. */
static void
take_stale(struct agent *a, const struct agent_reply *r)
{
	a->epoch = r->epoch;
	a->seq = r->seq;
	arm(a, ++a->stale < STALE_MAX ? 1 : POLL_MS);
}

static void
take_refusal(struct agent *a, const struct http_reply *reply)
{
	if (!a->is_refused)
		log_event(EV_AGENT_REFUSED, LU("status", reply->status),
		    LS("why", str_first(reply->body, 200)));
	a->is_refused = true;
	arm(a, a->pause_ms);
	a->pause_ms = MIN(a->pause_ms * 2, (uint32_t)REFUSED_MAX_MS);
}

static void
take_silence(struct agent *a, const struct http_reply *reply)
{
	if (!a->is_away)
		log_event(EV_AGENT_LINK, LC("state", "away"),
		    LU("status", reply->status), LC("why", reply->why));
	a->is_away = true;
	arm(a, POLL_MS);
}

static void
on_reply(void *arg, const struct http_reply *reply)
{
	struct agent *a = arg;
	struct agent_reply r;
	bool is_ours = reply->end == HTTP_END_REPLY &&
	               (reply->status == 200 || reply->status == 409) &&
	               agent_reply_read(reply->body, &r);

	a->is_asking = a->is_waiting = false;
	if (a->sv.is_stopping)
		return;
	if (is_ours) {
		uint64_t wall = loop_time_ms(a->sv.loop);

		a->ahead_ms = (int64_t)(r.time_ms - wall);
	}
	if (is_ours && reply->status == 200)
		take_answer(a, &r, reply->body);
	else if (is_ours)
		take_stale(a, &r);
	else if (reply->end == HTTP_END_REPLY &&
		 (reply->status == 401 || reply->status == 403))
		take_refusal(a, reply);
	else if (reply->end == HTTP_END_REPLY && reply->status == 429)
		arm(a, POLL_MS / 5);
	else
		take_silence(a, reply);
}

/* --- requests ----------------------------------------------------------------------- */

static void
put_payload(struct agent *a, struct buf *to)
{
	struct gather g = {
		.a = a, .to = BUF_INIT(RESULTS_ROOM), .now_ms = server_now_ms()
	};
	struct agent_sync s = { .software = STR("mailstead " VERSION),
		.list = a->list,
		.wait_ms = WAIT_MS };

	g.wall_ms = loop_time_ms(a->sv.loop) + (uint64_t)a->ahead_ms;
	a->sent = spool_read(a->spool, take_kept, &g);
	s.left = spool_end(a->spool) - a->sent;
	s.lost = spool_lost(a->spool);
	s.n = g.n;
	s.results = buf_str(&g.to);
	agent_sync_put(to, &s);
	a->is_waiting = s.n == 0 && s.left == 0;
	buf_done(&g.to);
}

static void
on_due(void *arg)
{
	struct agent *a = arg;
	struct buf payload = BUF_INIT(AGENT_BODY_MAX);
	struct buf body = BUF_INIT(AGENT_BODY_MAX);
	struct agent_envelope e = { .id = str_c(a->id),
		.epoch = a->epoch,
		.seq = ++a->seq,
		.time_ms = loop_time_ms(a->sv.loop) };

	a->due_ms = 0;
	put_payload(a, &payload);
	e.payload = buf_str(&payload);
	if (!agent_envelope_seal(&body, &e, AGENT_PATH_SYNC, a->key))
		die("agent: a request cannot be signed");
	a->is_asking = true;
	a->query = http_ask(a->http,
	    &(struct http_request){ .host = a->host,
		.port = a->port,
		.path = AGENT_PATH_SYNC,
		.type = AGENT_MEDIA_TYPE,
		.body = buf_str(&body),
		.reply_max = AGENT_REPLY_MAX + KIB(1),
		.limit_ms = REQUEST_MS,
		.idle_s = IDLE_S,
		/* The operator named it. */
		.allow_local = true },
	    on_reply, a);
	buf_done(&payload);
	buf_done(&body);
}

/* The checks of last time, until the master says what they are now. */
static void
load_checks(struct agent *a)
{
	struct buf b = BUF_INIT(0);
	struct agent_reply r;

	if (agent_dir_read(
		a->dir, AGENT_FILE_CHECKS, AGENT_REPLY_MAX + KIB(1), &b) < 0)
		return;
	if (agent_reply_read(buf_str(&b), &r) && r.has_checks)
		(void)agent_take_checks(a, &r);
	buf_done_secret(&b);
}

void
agent_link_start(struct agent *a)
{
	a->pause_ms = REFUSED_MS;
	a->due = loop_timer_new(a->sv.loop, on_due, a);
	load_checks(a);
	/* Whatever that list was: the master decides. */
	a->list = 0;
	arm(a, 1);
}
