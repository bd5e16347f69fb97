/* SPDX-License-Identifier: ISC */
/*
 * metrics.h - counters and gauges of a process on a page that the supervisor
 * can read, even after the process died.
 *
 * The table metrics.def (METRIC(id, name, type, help)) makes the struct, the
 * Prometheus text and the manual. Event counters (log.h) are in it too. Before
 * metrics_attach() they count in private memory.
 */
#pragma once

#include "base/buf.h"
#include "base/log.h"

enum metric_id {
#define METRIC(id, name, type, help) M_##id,
#include "base/metrics.def"
#undef METRIC
	METRIC_COUNT
};

struct metrics_page {
	uint64_t values[METRIC_COUNT];
	uint64_t events[EVENT_COUNT];
};

/*
 * From now on count in *page (shared memory), with what was counted so far.
 * The page may hold the counts of an earlier process of the same kind: its
 * counters go on, its gauges start anew. Once a process, before threads.
 */
void metrics_attach(struct metrics_page *page);
void metric_add(enum metric_id id, uint64_t n);
void metric_set(enum metric_id id, uint64_t v);
void metric_event(enum event_id id);

/*
 * Prometheus text (exposition format 0.0.4) of several processes: one label
 * set (role, worker) each. The lines of one metric stand together.
 */
struct metrics_source {
	const struct metrics_page *page;
	const char *role;
	uint32_t worker;
};
void metrics_format(
    struct buf *b, const struct metrics_source *sources, size_t n);

/* "mailstead_" stands in front of it in the text. */
const char *metric_name(enum metric_id id);
