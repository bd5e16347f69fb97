/* SPDX-License-Identifier: ISC */
/* watch_worst.c - several checks seen as one. See watch_worst.h. */
#include "proto/watch/watch_worst.h"

/* --- states ------------------------------------------------------------------ */

void
watch_worst_take(struct watch_worst *w, const struct watch_state *s)
{
	uint64_t *since = &w->since_ms[s->status];

	w->n_all++;
	if (s->status == WATCH_UNKNOWN && s->known == WATCH_UNKNOWN &&
	    !watch_state_is_suspected(s)) {
		w->n_mute++;
		return;
	}
	if (w->n[s->status]++ == 0)
		*since = s->since_ms;
	else if (s->status == WATCH_UP)
		*since = MAX(*since, s->since_ms);
	else
		*since = MIN(*since, s->since_ms);
}

static unsigned
count_known(const struct watch_worst *w)
{
	return w->n_all - w->n_mute;
}

enum watch_status
watch_worst_status(const struct watch_worst *w)
{
	if (w->n[WATCH_DOWN] > 0)
		return WATCH_DOWN;
	if (w->n[WATCH_DEGRADED] > 0)
		return WATCH_DEGRADED;
	if (w->n[WATCH_UNKNOWN] > 0 || count_known(w) == 0)
		return WATCH_UNKNOWN;
	return WATCH_UP;
}

enum watch_status
watch_worst_shared(const struct watch_worst *w)
{
	enum watch_status worst = watch_worst_status(w);

	if (worst == WATCH_DOWN && w->n[WATCH_DOWN] < count_known(w))
		return WATCH_DEGRADED;
	return worst;
}

uint64_t
watch_worst_since_ms(const struct watch_worst *w, enum watch_status status)
{
	/* Degraded, because one of several is down. */
	if (status == WATCH_DEGRADED && w->n[WATCH_DOWN] > 0 &&
	    w->n[WATCH_DEGRADED] > 0)
		return MIN(w->since_ms[WATCH_DOWN], w->since_ms[status]);
	if (status == WATCH_DEGRADED && w->n[WATCH_DOWN] > 0)
		return w->since_ms[WATCH_DOWN];
	return w->since_ms[status];
}

/* --- histories ---------------------------------------------------------------- */

/* One hour of all of them; how many seconds of it are known. */
static uint32_t
take_hour(const struct watch_ring *const *rings, size_t n, uint64_t at_s,
    struct watch_worst_sum *sum)
{
	uint32_t down = 0, bad = 0, known = 0, planned = 0;

	for (size_t i = 0; i < n; i++) {
		struct watch_cell c;
		uint32_t d, b, m, k;

		if (!watch_ring_cell(rings[i], WATCH_HOURS, at_s, &c))
			continue;
		d = c.seconds[WATCH_SECOND_DOWN];
		b = d + c.seconds[WATCH_SECOND_DEGRADED];
		m = c.seconds[WATCH_SECOND_MAINTENANCE];
		k = b + m + c.seconds[WATCH_SECOND_UP];
		down = MAX(down, d);
		bad = MAX(bad, b);
		planned = MAX(planned, m);
		known = MAX(known, k);
	}
	planned = MIN(planned, known - bad);
	sum->seconds[WATCH_SECOND_DOWN] += down;
	sum->seconds[WATCH_SECOND_DEGRADED] += bad - down;
	sum->seconds[WATCH_SECOND_MAINTENANCE] += planned;
	sum->seconds[WATCH_SECOND_UP] += known - bad - planned;
	return known;
}

void
watch_worst_sum(const struct watch_ring *const *rings, size_t n,
    uint64_t from_s, uint64_t to_s, struct watch_worst_sum *ret)
{
	uint64_t hour = watch_level_width(WATCH_HOURS);

	*ret = (struct watch_worst_sum){ 0 };
	for (uint64_t t = from_s; t < to_s; t += hour) {
		uint32_t known = take_hour(rings, n, t, ret);

		if (known == 0 || ret->first_s != 0)
			continue;
		ret->first_s = t;
	}
}

/* Of that cell, in the ring that knows most. */
static uint32_t
known_seconds(const struct watch_ring *const *rings, size_t n,
    enum watch_level level, uint64_t at_s)
{
	uint32_t most = 0;

	for (size_t i = 0; i < n; i++) {
		struct watch_cell c;
		uint32_t known = 0;

		if (!watch_ring_cell(rings[i], level, at_s, &c))
			continue;
		for (size_t k = 0; k < WATCH_CLASSES; k++)
			known += c.seconds[k];
		most = MAX(most, known);
	}
	return most;
}

uint64_t
watch_worst_first_s(const struct watch_ring *const *rings, size_t n,
    uint64_t hour_s, uint64_t now_s)
{
	uint64_t hour = watch_level_width(WATCH_HOURS);

	for (unsigned l = 0; l < WATCH_LEVELS; l++) {
		uint64_t width = watch_level_width((enum watch_level)l);

		for (uint64_t t = hour_s; t < hour_s + hour; t += width) {
			uint32_t known =
			    known_seconds(rings, n, (enum watch_level)l, t);

			/* What is known of its first cell is the end of that. */
			if (known > 0)
				return MAX(MIN(t + width, now_s), t + known) -
				       known;
		}
	}
	return 0;
}

bool
watch_worst_uptime_ppm(const struct watch_worst_sum *sum, uint32_t *ret)
{
	uint64_t up =
	    sum->seconds[WATCH_SECOND_UP] + sum->seconds[WATCH_SECOND_DEGRADED];
	uint64_t all = up + sum->seconds[WATCH_SECOND_DOWN];

	if (all == 0)
		return false;
	*ret = (uint32_t)(up * 1000000 / all);
	return true;
}

uint64_t
watch_worst_known_s(const struct watch_worst_sum *sum)
{
	uint64_t known = 0;

	for (size_t i = 0; i < WATCH_CLASSES; i++)
		known += sum->seconds[i];
	return known;
}
