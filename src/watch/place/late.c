/* SPDX-License-Identifier: ISC */
/*
 * late.c - what agents saw while this process did not hear them, into history.
 *
 * Such results are collected until all agents that are heard have said all that
 * they have. Then each check's are gone through in the order of their times
 * by the same logic that decides about now (proto/watch), with those places
 * that have something to say; so nothing is down in history because one place
 * alone saw it so. What the ring knows already stays: only seconds that are
 * unknown, and cells without samples, are filled.
 *
 * Nothing here reaches the state of a check, and nobody is told anything.
 */
#include "watch/place/places.h"

#include "base/log.h"

#define LATES_MAX 100000 /* 5 MB; then what is there is taken */
#define WAIT_MS   75000

struct lates {
	struct server *sv;
	struct loop_timer *timer;
	size_t n;
};

static void
on_time(void *arg)
{
	lates_flush(arg);
}

struct lates *
lates_new(struct server *sv)
{
	struct lates *l = X_NEW(struct lates);

	l->sv = sv;
	l->timer = loop_timer_new(sv->loop, on_time, sv);
	return l;
}

void
lates_add(struct watched *w, const struct late *late)
{
	struct lates *l = w->sv->lates;

	w->late =
	    x_grow(w->late, &w->late_cap, w->n_late + 1, sizeof(struct late));
	w->late[w->n_late++] = *late;
	if (l->n++ == 0)
		loop_timer_set(l->timer, WAIT_MS);
	if (l->n >= LATES_MAX)
		lates_flush(w->sv);
}

void
lates_drop(struct watched *w)
{
	if (w->n_late > 0)
		w->sv->lates->n -= w->n_late;
	free(w->late);
	w->late = NULL;
	w->n_late = w->late_cap = 0;
}

void
lates_hurry(struct server *sv)
{
	if (sv->lates->n == 0)
		return;
	for (size_t i = 0; i < place_count(sv); i++) {
		const struct place *p = place_at(sv, i);

		if (p->is_active && !p->is_silent &&
		    (!p->was_heard || p->left > 0))
			return;
	}
	/* Not now: the rest of the request may be about the past, too. */
	loop_timer_set(sv->lates->timer, 1);
}

/* --- samples --------------------------------------------------------------------- */

struct fill {
	struct watched *w;
	enum watch_level level;
	uint64_t cell;
	struct watch_sketch answers;
	uint32_t lost;
};

static void
fill_cell(struct fill *f)
{
	if (f->answers.total + f->lost > 0)
		watch_ring_fill(history_ring(f->w->history), f->level,
		    f->cell * watch_level_width(f->level), &f->answers,
		    f->lost);
	memset(&f->answers, 0, sizeof(f->answers));
	f->lost = 0;
}

static void
fill_samples(struct watched *w, enum watch_level level)
{
	struct fill f = { .w = w, .level = level };

	for (size_t i = 0; i < w->n_late; i++) {
		const struct late *l = &w->late[i];
		uint64_t cell = l->ended_ms / 1000 / watch_level_width(level);

		if (cell != f.cell)
			fill_cell(&f);
		f.cell = cell;
		if (l->outcome == WATCH_FAILED)
			f.lost++;
		else if (l->outcome != WATCH_INCONCLUSIVE)
			watch_sketch_add(
			    &f.answers, watch_code_of_us(l->us), 1);
	}
	fill_cell(&f);
}

/* --- seconds ----------------------------------------------------------------------- */

struct replay {
	struct watched *w;
	struct watch_state state;
	uint64_t spent_ms; /* of the wall clock */
	uint64_t end_ms;   /* from then on history is written as ever */
};

static void
spend(struct replay *r, enum watch_status status, uint64_t to_ms)
{
	uint64_t from_ms = r->spent_ms;
	int class = schedule_class(r->w, status, from_ms);

	to_ms = MIN(to_ms, r->end_ms);
	if (to_ms <= from_ms)
		return;
	r->spent_ms = to_ms;
	if (class >= 0)
		watch_ring_fill_seconds(history_ring(r->w->history),
		    (enum watch_class) class, from_ms / 1000, to_ms / 1000);
}

static void
take_events(struct replay *r, const struct watch_events *events)
{
	for (size_t i = 0; i < events->n; i++)
		if (events->v[i].kind == WATCH_CHANGED)
			spend(r, events->v[i].from, events->v[i].since_ms);
}

/* The places that have something to say, in a state of their own. */
static bool
begin(struct replay *r, struct watched *w, struct place **places)
{
	const struct watch_state *now = &watched_state(w)->state;
	uint8_t networks[WATCH_VANTAGES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < w->n_seen; i++) {
		bool has_any = false;

		for (size_t k = 0; k < w->n_late && !has_any; k++)
			has_any = w->late[k].place == w->seen[i].place;
		if (!has_any || w->seen[i].place == NULL)
			continue;
		places[n] = w->seen[i].place;
		networks[n++] = now->vantages[i].network;
	}
	if (n == 0)
		return false;
	r->w = w;
	r->spent_ms = w->late[0].started_ms;
	r->end_ms = server_wall_ms(w->sv, w->spent_ms);
	watch_state_init(&r->state, &now->config, networks, n, r->spent_ms);
	return true;
}

static size_t
number_of(struct place *const *places, const struct place *p)
{
	size_t i = 0;

	while (i < WATCH_VANTAGES_MAX && places[i] != p)
		i++;
	return i;
}

static void
fill_seconds(struct watched *w)
{
	struct place *places[WATCH_VANTAGES_MAX] = { NULL };
	struct watch_events events;
	struct replay r;

	if (!begin(&r, w, places))
		return;
	for (size_t i = 0; i < w->n_late; i++) {
		const struct late *l = &w->late[i];
		struct watch_result result = { (enum watch_outcome)l->outcome,
			(enum watch_cause)l->cause, l->started_ms,
			l->ended_ms };
		size_t k = number_of(places, l->place);

		if (k == WATCH_VANTAGES_MAX)
			continue;
		(void)watch_state_result(&r.state, k, &result, &events);
		take_events(&r, &events);
	}
	spend(&r, r.state.status, w->late[w->n_late - 1].ended_ms);
}

/* --- all ------------------------------------------------------------------------------ */

static int
by_end(const void *a, const void *b)
{
	const struct late *x = a, *y = b;

	return x->ended_ms < y->ended_ms ? -1 : x->ended_ms > y->ended_ms;
}

static void
fill_history(struct watched *w)
{
	qsort(w->late, w->n_late, sizeof(struct late), by_end);
	if (w->history != NULL) {
		for (unsigned l = 0; l < WATCH_LEVELS; l++)
			fill_samples(w, (enum watch_level)l);
		fill_seconds(w);
		history_relax(w->history);
	}
	lates_drop(w);
}

void
lates_flush(struct server *sv)
{
	size_t n = sv->lates->n;

	loop_timer_clear(sv->lates->timer);
	if (n == 0)
		return;
	for (size_t i = 0; i < sv->n_watched; i++)
		if (sv->watched[i]->n_late > 0)
			fill_history(sv->watched[i]);
	log_event(EV_WATCH_FILLED, LU("results", n));
}
