/* SPDX-License-Identifier: ISC */
/*
 * charts.h - reply times and uptime by month of single systems, asked of role
 * watch when somebody looks at them, and kept for a while: to add up five
 * years costs watch some time.
 */
#pragma once

#include "web/server.h"

#define CHART_POINTS_MAX 200
#define CHART_MONTHS_MAX 12

struct chart {
	bool is_there;    /* false: watch has none, or cannot be asked */
	uint32_t version; /* each answer has another one */
	unsigned span;    /* enum watch_span */
	uint64_t from_s;
	uint32_t width_s;
	size_t n_points, n_months;
	struct msg_watch_point points[CHART_POINTS_MAX];
	struct msg_watch_month months[CHART_MONTHS_MAX];
};

struct charts;
struct charts *charts_new(struct server *sv);
void charts_free(struct charts *c);

typedef void (*chart_fn)(void *arg, const struct chart *chart);
/* fn runs, at once or within a few seconds: with the former chart, or none, when
 * watch does not answer. The answer is for charts_cancel(); NULL: fn ran
 * already. */
struct chart_ask *charts_get(
    struct charts *c, struct str system, unsigned span, chart_fn fn, void *arg);
/* fn will not run. */
void charts_cancel(struct chart_ask *ask);
