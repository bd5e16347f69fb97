/* SPDX-License-Identifier: ISC */
/*
 * metrics.c - counters on a shared page, and their Prometheus text. See
 * metrics.h.
 *
 * Threads of one process add with relaxed atomics: a count has no order to
 * keep with anything else. The reader may see a page that a broken process
 * filled with nonsense; nothing but the numbers themselves depends on it.
 */
#include "base/metrics.h"

enum metric_type { METRIC_counter, METRIC_gauge };

static const struct {
	const char *name;
	enum metric_type type;
	const char *help;
} metrics[METRIC_COUNT] = {
#define METRIC(id, name_, type_, help_) \
	[M_##id] = { name_, METRIC_##type_, help_ },
#include "base/metrics.def"
#undef METRIC
};

static struct metrics_page private_page;
static struct metrics_page *current = &private_page;

static uint64_t
load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void
add(uint64_t *p, uint64_t n)
{
	(void)__atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

void
metrics_attach(struct metrics_page *page)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (metrics[i].type == METRIC_gauge)
			page->values[i] = current->values[i];
		else
			add(&page->values[i], current->values[i]);
	}
	for (unsigned i = 0; i < EVENT_COUNT; i++)
		add(&page->events[i], current->events[i]);
	current = page;
}

const char *
metric_name(enum metric_id id)
{
	ASSERT((unsigned)id < METRIC_COUNT);
	return metrics[id].name;
}

void
metric_add(enum metric_id id, uint64_t n)
{
	ASSERT((unsigned)id < METRIC_COUNT);
	add(&current->values[id], n);
}

void
metric_set(enum metric_id id, uint64_t v)
{
	ASSERT((unsigned)id < METRIC_COUNT);
	__atomic_store_n(&current->values[id], v, __ATOMIC_RELAXED);
}

void
metric_event(enum event_id id)
{
	ASSERT((unsigned)id < EVENT_COUNT);
	add(&current->events[id], 1);
}

/* --- text ---------------------------------------------------------------------- */

/* Help texts come from our own table, but keep to the format anyway. */
static void
put_help(struct buf *b, const char *help)
{
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			buf_put_char(b, '\\');
		buf_put_char(b, *help == '\n' ? 'n' : *help);
	}
	buf_put_char(b, '\n');
}

static void
put_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP mailstead_%s ", name);
	put_help(b, help);
	buf_printf(b, "# TYPE mailstead_%s %s\n", name, type);
}

static void
put_events(struct buf *b, const struct metrics_source *src)
{
	for (unsigned i = 0; i < EVENT_COUNT; i++) {
		uint64_t n = load(&src->page->events[i]);

		/* Most events never happen in most roles. */
		if (n == 0)
			continue;
		buf_printf(b,
		    "mailstead_events_total{role=\"%s\",worker=\"%u\","
		    "event=\"%s\",level=\"%s\"} %llu\n",
		    src->role, src->worker, event_name((enum event_id)i),
		    log_level_name(event_level((enum event_id)i)),
		    (unsigned long long)n);
	}
}

void
metrics_format(struct buf *b, const struct metrics_source *sources, size_t n)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		put_head(b, metrics[i].name,
		    metrics[i].type == METRIC_gauge ? "gauge" : "counter",
		    metrics[i].help);
		for (size_t s = 0; s < n; s++)
			buf_printf(b,
			    "mailstead_%s{role=\"%s\",worker=\"%u\"} %llu\n",
			    metrics[i].name, sources[s].role, sources[s].worker,
			    (unsigned long long)load(
				&sources[s].page->values[i]));
	}
	put_head(b, "events_total", "counter",
	    "Events by name; mailstead-events(7) says what each means.");
	for (size_t s = 0; s < n; s++)
		put_events(b, &sources[s]);
}
