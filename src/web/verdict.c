/* SPDX-License-Identifier: ISC */
/*
 * verdict.c - is mail working? The worst unplanned state of all wins, be it what
 * checks find or what an open incident says, of mail first; planned work stands
 * beside it and never hides it.
 */
#include "web/page/parts.h"

#define BIT(s) STATUS_SERVICE_BIT(s)
/* What makes mail mail. */
#define CORE (BIT(STATUS_RECEIVE) | BIT(STATUS_SEND) | BIT(STATUS_READ))

enum word
word_of_look(enum look l)
{
	static const enum word words[LOOKS] = { [LOOK_PLAIN] = T_S_NO_CHECK,
		[LOOK_UP] = T_S_UP,
		[LOOK_DEGRADED] = T_S_DEGRADED,
		[LOOK_DOWN] = T_S_DOWN,
		[LOOK_PLANNED] = T_S_PLANNED,
		[LOOK_UNKNOWN] = T_S_UNKNOWN };

	return words[l];
}

enum look
look_of_impact(enum status_impact i)
{
	static const enum look looks[STATUS_IMPACTS] = {
		[STATUS_IMPACT_NONE] = LOOK_UP,
		[STATUS_IMPACT_MAINTENANCE] = LOOK_PLANNED,
		[STATUS_IMPACT_DEGRADED] = LOOK_DEGRADED,
		[STATUS_IMPACT_PARTIAL] = LOOK_DOWN,
		[STATUS_IMPACT_DOWN] = LOOK_DOWN,
	};

	return looks[i];
}

enum look
look_by_checks(const struct site_state *t, const struct msg_watch_system *m)
{
	if (!(m->flags & WATCH_SITE_CHECKED))
		return LOOK_PLAIN;
	if (t->is_stale)
		return LOOK_UNKNOWN;
	if ((m->flags & WATCH_SITE_EXCUSED) && m->status != WATCH_UP)
		return LOOK_PLANNED;
	return look_of((enum watch_status)m->status);
}

/* --- as it is shown ------------------------------------------------------------------ */

/* The worse of what checks find and what is said. */
static struct shown
shown_from(enum look checked, enum status_impact said)
{
	static const unsigned char ranks[LOOKS] = { [LOOK_PLAIN] = 0,
		[LOOK_UP] = 1,
		[LOOK_PLANNED] = 2,
		[LOOK_UNKNOWN] = 3,
		[LOOK_DEGRADED] = 4,
		[LOOK_DOWN] = 5 };
	struct shown s = { checked, word_of_look(checked) };
	enum look look = look_of_impact(said);

	if (said == STATUS_IMPACT_NONE || ranks[look] <= ranks[checked])
		return s;
	s.look = look;
	s.word =
	    said == STATUS_IMPACT_PARTIAL ? T_S_PARTIAL : word_of_look(look);
	return s;
}

struct shown
shown_system(const struct site_state *t, const struct msg_watch_system *m,
    enum status_impact said)
{
	return shown_from(look_by_checks(t, m), said);
}

static enum look
look_of_service(const struct site_state *t, const struct msg_watch_service *s)
{
	if (t->is_stale)
		return LOOK_UNKNOWN;
	if ((s->flags & WATCH_SITE_EXCUSED) && s->status != WATCH_UP)
		return LOOK_PLANNED;
	return look_of((enum watch_status)s->status);
}

struct shown
shown_service(const struct site_state *t, const struct msg_watch_service *s,
    const struct said *said)
{
	unsigned bit = BIT(s->service);

	return shown_from(
	    look_of_service(t, s), said->down & bit  ? STATUS_IMPACT_DOWN
				   : said->ill & bit ? STATUS_IMPACT_DEGRADED
						     : STATUS_IMPACT_NONE);
}

/* --- counting ---------------------------------------------------------------------- */

static void
count_services(
    struct verdict *v, const struct site_state *t, const struct said *said)
{
	for (size_t i = 0; i < t->n_services; i++) {
		const struct msg_watch_service *s = &t->services[i];
		enum look l = shown_service(t, s, said).look;
		unsigned bit = BIT(s->service);

		v->services |= bit;
		v->has_planned |= (s->flags & WATCH_SITE_PLANNED) != 0;
		if (l == LOOK_DOWN)
			v->down |= bit;
		if (l == LOOK_DEGRADED)
			v->ill |= bit;
		if (l == LOOK_UNKNOWN)
			v->unknown |= bit;
	}
}

static void
count_systems(
    struct verdict *v, const struct site_state *t, const struct said *said)
{
	v->systems_down = said->others >= STATUS_IMPACT_PARTIAL;
	v->systems_ill = said->others == STATUS_IMPACT_DEGRADED;
	for (size_t i = 0; i < t->n_systems; i++) {
		enum look l = look_by_checks(t, &t->systems[i]);

		v->systems_down += l == LOOK_DOWN;
		v->systems_ill += l == LOOK_DEGRADED;
		v->systems_unknown += l == LOOK_UNKNOWN;
		v->has_planned |=
		    (t->systems[i].flags & WATCH_SITE_PLANNED) != 0;
	}
}

/* --- judging ------------------------------------------------------------------------- */

/* How the rest is, behind a sentence that is about mail. */
static enum look
worst_look(const struct verdict *v, enum look mail)
{
	return v->systems_down > 0  ? LOOK_DOWN
	       : v->systems_ill > 0 ? LOOK_DEGRADED
	                            : mail;
}

/* False: nothing is wrong with mail. */
static bool
judge_mail(struct verdict *v, enum status_impact said)
{
	unsigned core = v->services & CORE;

	if (v->down != 0 || said >= STATUS_IMPACT_PARTIAL) {
		v->look = LOOK_DOWN;
		v->sentence = core != 0 && (v->down & core) == core
		                  ? T_ALL_DOWN
		                  : T_PARTLY_DOWN;
		return true;
	}
	if (v->ill != 0 || said == STATUS_IMPACT_DEGRADED) {
		v->look = worst_look(v, LOOK_DEGRADED);
		v->sentence = T_PARTLY_ILL;
		return true;
	}
	return false;
}

static void
judge_rest(struct verdict *v)
{
	if (v->unknown != 0) {
		v->look = worst_look(v, LOOK_UNKNOWN);
		v->sentence = T_NOT_SEEN;
	} else {
		v->look = worst_look(v, LOOK_UP);
		v->sentence = v->look == LOOK_UP ? T_ALL_WELL : T_OTHERS_ILL;
	}
}

static void
judge_systems(struct verdict *v)
{
	if (v->systems_down > 0) {
		v->look = LOOK_DOWN;
		v->sentence = T_SYSTEMS_DOWN;
	} else if (v->systems_ill > 0) {
		v->look = LOOK_DEGRADED;
		v->sentence = T_SYSTEMS_ILL;
	} else if (v->systems_unknown > 0) {
		v->look = LOOK_UNKNOWN;
		v->sentence = T_NOT_SEEN;
	} else {
		v->look = LOOK_UP;
		v->sentence = T_SYSTEMS_WELL;
	}
}

static bool
is_anything_checked(const struct site_state *t)
{
	if (t->n_services > 0)
		return true;
	for (size_t i = 0; i < t->n_systems; i++)
		if (t->systems[i].flags & WATCH_SITE_CHECKED)
			return true;
	return false;
}

/* Nothing was seen of what is not known, since the watcher began. */
static bool
is_starting(const struct site_state *t)
{
	bool is_any = false;

	for (size_t i = 0; i < t->n_systems; i++) {
		if (look_by_checks(t, &t->systems[i]) != LOOK_UNKNOWN)
			continue;
		if (t->systems[i].at_s > 0)
			return false;
		is_any = true;
	}
	return is_any || t->at_s == 0;
}

struct verdict
verdict_from(const struct site_state *t, const struct said *said)
{
	struct verdict v = { .look = LOOK_UNKNOWN, .is_stale = t->is_stale };

	if (!t->is_known) {
		v.sentence = T_NOT_YET;
		return v;
	}
	count_services(&v, t, said);
	count_systems(&v, t, said);
	if (t->is_stale) {
		v.sentence = t->at_s > 0 ? T_NOT_SINCE : T_NOT_YET;
		return v;
	}
	v.is_starting = is_starting(t);
	/* Mail first; the rest has its turn when nothing is wrong with it. */
	if ((v.services & CORE) || said->mail >= STATUS_IMPACT_DEGRADED) {
		if (!judge_mail(&v, said->mail))
			judge_rest(&v);
	} else if (!is_anything_checked(t) &&
		   said->others < STATUS_IMPACT_DEGRADED) {
		v.look = LOOK_PLAIN;
		v.sentence = T_NOTHING_YET;
	} else {
		judge_systems(&v);
	}
	if (v.look == LOOK_UNKNOWN && v.sentence == T_NOT_SEEN && t->at_s == 0)
		v.sentence = T_NOT_YET;
	return v;
}

bool
verdict_is_all_well(const struct verdict *v)
{
	return v->look == LOOK_UP && v->unknown == 0 && v->systems_unknown == 0;
}

bool
verdict_is_unsure(const struct verdict *v)
{
	if (v->look == LOOK_UP)
		return !verdict_is_all_well(v);
	return v->look == LOOK_UNKNOWN &&
	       (v->sentence == T_NOT_SEEN ||
		   (v->sentence == T_NOT_YET && v->is_starting));
}

struct verdict
verdict_of(const struct server *sv)
{
	struct said said = said_of(sv);

	return verdict_from(site_state(sv->site), &said);
}
