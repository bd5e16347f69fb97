/* SPDX-License-Identifier: ISC */
/*
 * chart.c - the latency of a system over two days, 90 days or five years, and
 * its uptime by month.
 *
 * Five years are 44 000 hours to be added up: role web asks for that seldom, and
 * keeps the answer.
 */
#include "proc/ipc_msgs.h"
#include "proto/watch/watch_worst.h"
#include "watch/server.h"

#include <time.h>

#define DAY_S    UINT64_C(86400)
#define MONTHS   12
#define SITE_MAX KIB(256)

static const struct {
	uint32_t width_s, points;
} spans[WATCH_SPANS] = {
	[WATCH_SPAN_2_DAYS] = { 900, 192 },
	[WATCH_SPAN_90_DAYS] = { 43200, 180 },
	[WATCH_SPAN_5_YEARS] = { 864000, 183 },
};

static uint32_t
quantile(const struct watch_sum *sum, unsigned permille)
{
	return watch_code_to_us(watch_sketch_quantile(&sum->latency, permille));
}

static void
put_point(const struct watch_sum *sum, struct buf *to)
{
	msg_watch_point_put(to,
	    &(struct msg_watch_point){
		.loss =
		    (uint8_t)(sum->weight == 0 ? 0
					       : (sum->loss + sum->weight - 1) /
						     sum->weight),
		.is_known = sum->weight > 0,
		.p5 = quantile(sum, 50),
		.p25 = quantile(sum, 250),
		.p50 = quantile(sum, 500),
		.p75 = quantile(sum, 750),
		.p95 = quantile(sum, 950) });
}

static void
put_points(struct server *sv, struct watched *w, unsigned span,
    struct msg_watch_chart_reply *m, struct buf *to)
{
	uint64_t width = spans[span].width_s;
	uint64_t end = (loop_time(sv->loop) / width + 1) * width;
	struct watch_sum sum;

	m->width_s = (uint32_t)width;
	m->from_s = end - width * spans[span].points;
	for (uint32_t i = 0; w->history != NULL && i < spans[span].points;
	     i++) {
		uint64_t from = m->from_s + i * width;

		watch_ring_sum(
		    history_ring(w->history), from, from + width, &sum);
		put_point(&sum, to);
	}
	m->points = buf_str(to);
}

/* The first second of the month that is so many months ago. */
static uint64_t
month_start(uint64_t now, int ago)
{
	time_t t = (time_t)now;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return 0;
	tm.tm_mon -= ago;
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	t = timegm(&tm);
	return t > 0 ? (uint64_t)t : 0;
}

static void
put_months(struct server *sv, const struct watch_ring **rings, size_t n,
    struct buf *to)
{
	uint64_t now = loop_time(sv->loop);

	for (int ago = MONTHS - 1; ago >= 0; ago--) {
		uint64_t from = month_start(now, ago);
		uint64_t end = ago > 0 ? month_start(now, ago - 1)
		                       : (now / 3600 + 1) * 3600;
		struct msg_watch_month m = { .from_s = from };
		struct watch_worst_sum sum;
		uint64_t known, range = MIN(end, now) - from;

		watch_worst_sum(rings, n, from, end, &sum);
		known = watch_worst_known_s(&sum);
		if (known == 0 || range == 0)
			continue;
		m.has_uptime = watch_worst_uptime_ppm(&sum, &m.uptime_ppm);
		m.coverage_ppm =
		    (uint32_t)(MIN(known, range) * 1000000 / range);
		m.down_s = (uint32_t)sum.seconds[WATCH_SECOND_DOWN];
		msg_watch_month_put(to, &m);
	}
}

/* The system's first check, when anybody may look at it. */
static struct watched *
find_public(struct server *sv, struct str system)
{
	struct status_system s;
	struct str value;

	if (!ledger_mirror_find(sv->mirror, LEDGER_SYSTEM, system, &value) ||
	    !status_system_decode(value, &s) || s.is_internal)
		return NULL;
	return watched_speaker(sv, system);
}

static void
answer(struct server *sv, struct watched *w, struct ipc_return *ret,
    const struct msg_watch_chart *q)
{
	struct buf points = BUF_INIT(SITE_MAX), months = BUF_INIT(KIB(4));
	struct buf body = BUF_INIT(SITE_MAX);
	struct msg_watch_chart_reply m = { .kind = (uint8_t)w->check.kind };
	struct system_part part;

	site_find_part(sv, q->system, &part);
	put_points(sv, w, q->span, &m, &points);
	put_months(sv, part.rings, part.n_rings, &months);
	m.months = buf_str(&months);
	msg_watch_chart_reply_put(&body, &m);
	ipc_reply(ret, buf_str(&body), -1);
	site_end_part(sv, &part);
	buf_done(&points);
	buf_done(&months);
	buf_done(&body);
}

bool
chart_request(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return ret;
	struct msg_watch_chart q;
	struct watched *w;

	if (!msg_watch_chart_get(m->body, &q) || q.span >= WATCH_SPANS)
		return false;
	w = find_public(sv, q.system);
	ret = ipc_return_new(p, m);
	if (w == NULL)
		ipc_reply_error(&ret, NOT_FOUND, REASON_NONE, NULL);
	else
		answer(sv, w, &ret, &q);
	return true;
}
