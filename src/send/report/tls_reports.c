/* SPDX-License-Identifier: ISC */
/* tls_reports.c - the schedule of reports about TLS. See tls_reports.h. */
#include "send/report/tls_reports.h"

#include "base/hash.h"
#include "base/log.h"
#include "proc/ledger.h"
#include "send/server.h"
#include "send/report/tls_count.h"

/* Behind the end of a period: spread over this part of it (RFC 8460 section
 * 4.1 wants no storm at midnight). */
#define SPREAD  6
#define LOOK_MS (10 * 60 * 1000U)
/* Between two reports: the queue is there for people's mail. */
#define PAUSE_MS 100
/* Of one round; the next one goes on. */
#define GROUPS_MAX 10000

struct tls_reports {
	struct server *sv;
	struct loop_timer *timer;
	struct tls_report_group *groups; /* of this round */
	size_t n, cap, at;
	bool is_stopped;
};

/* When the counts of a period are all written, and it is this host's turn. */
static uint64_t
due(const struct server *sv, uint64_t begin)
{
	uint32_t interval = sv->conf->report_interval_s;
	uint32_t spread = interval / SPREAD;
	uint64_t h = hash64(sv->conf->hostname, strlen(sv->conf->hostname));

	return begin + interval + tls_count_delay_ms(sv) * 2 / 1000 + 1 +
	       (spread > 0 ? h % spread : 0);
}

static void
rest(struct tls_reports *r)
{
	uint64_t tenth = r->sv->conf->report_interval_s * 100ULL;

	r->n = r->at = 0;
	if (!r->is_stopped)
		loop_timer_set(r->timer, MAX(MIN(LOOK_MS, tenth), 200));
}

static void
on_sent(void *arg)
{
	struct tls_reports *r = arg;

	r->at++;
	loop_timer_set(r->timer, PAUSE_MS);
}

static void
next(void *arg)
{
	struct tls_reports *r = arg;

	if (r->at < r->n && !r->is_stopped)
		tls_report_start(r->sv, &r->groups[r->at], on_sent, r);
	else
		rest(r);
}

static void
add_group(struct tls_reports *r, const struct tlsrpt_key *key)
{
	struct tls_report_group *g = r->n > 0 ? &r->groups[r->n - 1] : NULL;

	if (g != NULL && g->begin == key->begin &&
	    str_eq(str_c(g->domain), key->domain))
		return;
	r->groups = x_grow(r->groups, &r->cap, r->n + 1, sizeof(*r->groups));
	g = &r->groups[r->n++];
	g->begin = key->begin;
	snprintf(g->domain, sizeof(g->domain), "%.*s", STR_ARG(key->domain));
}

/* Rows come in the order of their periods. */
static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct tls_reports *r = arg;
	struct tlsrpt_key key;

	if (!tlsrpt_key_parse(row->key, &key))
		return true;
	if (r->n == GROUPS_MAX ||
	    due(r->sv, key.begin) > loop_time(r->sv->loop)) {
		loop_defer(r->sv->loop, next, r);
		return false;
	}
	add_group(r, &key);
	return true;
}

static void
on_rows(void *arg, UNUSED enum outcome outcome)
{
	next(arg);
}

static void
on_time(void *arg)
{
	struct tls_reports *r = arg;
	const struct conf *c = r->sv->conf;

	if (r->at < r->n)
		next(r);
	else if (r->at > 0 || !c->report_tls)
		rest(r);
	else
		ledger_read(
		    r->sv->rt, &(struct ledger_read){ .table = LEDGER_TLSRPT,
				   .row = on_row,
				   .done = on_rows,
				   .arg = r });
}

struct tls_reports *
tls_reports_new(struct server *sv)
{
	struct tls_reports *r = X_NEW(struct tls_reports);

	r->sv = sv;
	r->timer = loop_timer_new(sv->loop, on_time, r);
	rest(r);
	return r;
}

void
tls_reports_stop(struct tls_reports *r)
{
	r->is_stopped = true;
	loop_timer_clear(r->timer);
}
