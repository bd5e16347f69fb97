/* SPDX-License-Identifier: ISC */
/* dmarc_reports.c - the schedule of DMARC reports. See dmarc_reports.h. */
#include "send/report/dmarc_reports.h"

#include "base/hash.h"
#include "base/log.h"
#include "proc/ledger.h"
#include "proto/dmarc/dmarc_row.h"
#include "send/report/dmarc_job.h"

/* Role filter writes every five seconds. */
#define GRACE_S 120
/* Behind the grace, spread over this part of the period. */
#define SPREAD  24
#define LOOK_MS (5 * 60 * 1000U)
/* Between two reports: the queue is there for people's mail. */
#define PAUSE_MS 200
/* Of one round; the next one goes on. */
#define GROUPS_MAX 20000

struct dmarc_reports {
	struct server *sv;
	struct loop_timer *timer; /* for the next round, or job */
	struct dmarc_group *groups;
	size_t n, cap, at;
	bool is_stopped;
};

uint64_t
dmarc_reports_due(uint64_t begin, uint32_t interval_s, struct str hostname)
{
	uint32_t spread = interval_s / SPREAD;
	uint64_t h = hash64(hostname.p, hostname.n);

	return begin + interval_s + MIN(GRACE_S, interval_s) +
	       (spread > 0 ? h % spread : 0);
}

static void
rest(struct dmarc_reports *r)
{
	uint64_t tenth = r->sv->conf->report_interval_s * 100ULL;

	r->n = r->at = 0;
	if (!r->is_stopped)
		loop_timer_set(r->timer, MAX(MIN(LOOK_MS, tenth), 100));
}

static void
on_job_done(void *arg)
{
	struct dmarc_reports *r = arg;

	r->at++;
	loop_timer_set(r->timer, PAUSE_MS);
}

static void
next_job(void *arg)
{
	struct dmarc_reports *r = arg;

	if (r->at < r->n && !r->is_stopped)
		dmarc_job_start(r->sv, &r->groups[r->at], on_job_done, r);
	else
		rest(r);
}

/* --- which ones --------------------------------------------------------------------- */

static void
add_group(struct dmarc_reports *r, const struct dmarc_row_key *key)
{
	struct dmarc_group *g;

	if (r->n > 0) {
		g = &r->groups[r->n - 1];
		if (g->begin == key->begin &&
		    memcmp(g->domain, key->domain.p, key->domain.n) == 0)
			return;
	}
	r->groups = x_grow(r->groups, &r->cap, r->n + 1, sizeof(*r->groups));
	g = &r->groups[r->n++];
	g->begin = key->begin;
	memcpy(g->domain, key->domain.p, sizeof(g->domain));
}

/* Rows come in the order of their periods: at the first one whose time has
 * not come, those before are all. */
static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct dmarc_reports *r = arg;
	const struct conf *c = r->sv->conf;
	struct dmarc_row_key key;

	if (!dmarc_row_key_get(row->key, &key))
		return true;
	if (r->n == GROUPS_MAX ||
	    dmarc_reports_due(key.begin, c->report_interval_s,
		str_c(c->hostname)) > loop_time(r->sv->loop)) {
		loop_defer(r->sv->loop, next_job, r);
		return false;
	}
	add_group(r, &key);
	return true;
}

static void
on_all_rows(void *arg, UNUSED enum outcome outcome)
{
	next_job(arg);
}

/* Where mail goes nowhere, reports would only pile up. */
static bool
may_send(const struct conf *c)
{
	return c->report_dmarc && (c->send_direct || c->send_routes[0] != '\0');
}

static void
on_time(void *arg)
{
	static const char prefix[] = { DMARC_ROW_COUNT };
	struct dmarc_reports *r = arg;
	struct ledger_read read = { .table = LEDGER_DMARC,
		.prefix = str_make(prefix, sizeof(prefix)),
		.row = on_row,
		.done = on_all_rows,
		.arg = r };

	if (r->at < r->n)
		next_job(r);
	else if (r->at > 0 || !may_send(r->sv->conf))
		rest(r);
	else
		ledger_read(r->sv->rt, &read);
}

struct dmarc_reports *
dmarc_reports_new(struct server *sv)
{
	struct dmarc_reports *r = X_NEW(struct dmarc_reports);

	r->sv = sv;
	r->timer = loop_timer_new(sv->loop, on_time, r);
	rest(r);
	return r;
}

void
dmarc_reports_stop(struct dmarc_reports *r)
{
	r->is_stopped = true;
	loop_timer_clear(r->timer);
}
