/* SPDX-License-Identifier: ISC */
/* said.c - what open incidents say. See said.h. */
#include "web/said.h"

#include "proto/status/status_system.h"
#include "web/table/posts.h"

static bool
is_mail(const struct msg_watch_system *m)
{
	return m->role == STATUS_ROLE_MAIL || m->role == STATUS_ROLE_RELAY ||
	       m->services != 0;
}

static const struct msg_watch_system *
find(const struct site_state *t, struct str key)
{
	for (size_t i = 0; i < t->n_systems; i++)
		if (str_eq_case(t->systems[i].key, key))
			return &t->systems[i];
	return NULL;
}

static void
take_incident(
    struct said *s, const struct site_state *t, const struct status_affects *a)
{
	bool is_known = false;

	for (size_t i = 0; i < a->n; i++) {
		const struct msg_watch_system *m = find(t, a->v[i].system);

		if (m == NULL)
			continue;
		is_known = true;
		if (is_mail(m))
			s->mail = MAX(s->mail, a->v[i].impact);
		else
			s->others = MAX(s->others, a->v[i].impact);
	}
	if (is_known)
		return;
	/* Without a list of systems each name is as good as another. */
	if (a->n == 0)
		s->mail = MAX(s->mail, STATUS_IMPACT_DEGRADED);
	else if (t->n_systems == 0)
		s->mail = MAX(s->mail, status_affects_worst(a));
	else
		s->mail = MAX(s->mail,
		    MIN(status_affects_worst(a), STATUS_IMPACT_DEGRADED));
}

static enum status_impact
worst_of(const struct status_affects *const *open, size_t n,
    const struct msg_watch_system *m)
{
	enum status_impact worst = STATUS_IMPACT_NONE, impact;

	if (m->flags & WATCH_SITE_INTERNAL)
		return STATUS_IMPACT_NONE;
	for (size_t i = 0; i < n; i++)
		if (status_affects_find(open[i], m->key, &impact))
			worst = MAX(worst, impact);
	return worst;
}

/* As role watch has it: what one of several does not do, the others may. */
static void
take_services(struct said *s, const struct site_state *t,
    const struct status_affects *const *open, size_t n)
{
	unsigned kept = 0;

	for (size_t i = 0; i < t->n_systems; i++) {
		const struct msg_watch_system *m = &t->systems[i];
		enum status_impact impact = worst_of(open, n, m);

		if (impact >= STATUS_IMPACT_DEGRADED)
			s->ill |= m->services;
		if (impact == STATUS_IMPACT_DOWN)
			s->down |= m->services;
		else
			kept |= m->services;
	}
	s->down &= ~kept;
	s->ill &= ~s->down;
}

struct said
said_from(const struct site_state *t, const struct status_affects *const *open,
    size_t n)
{
	struct said s = { .mail = STATUS_IMPACT_NONE,
		.others = STATUS_IMPACT_NONE };

	for (size_t i = 0; i < n; i++)
		take_incident(&s, t, open[i]);
	if (n > 0)
		take_services(&s, t, open, n);
	return s;
}

struct said
said_of(const struct server *sv)
{
	size_t n;
	const struct status_affects *const *open =
	    posts_incidents(sv->posts, &n);

	return said_from(site_state(sv->site), open, n);
}

enum status_impact
said_of_system(const struct server *sv, const struct msg_watch_system *m)
{
	size_t n;
	const struct status_affects *const *open =
	    posts_incidents(sv->posts, &n);

	return worst_of(open, n, m);
}
