/* SPDX-License-Identifier: ISC */
/* auto_post_state.c - how each system is, as posts tell of it. */
#include "proto/watch/watch_worst.h"
#include "watch/news/auto_post_internal.h"

/* The checks of one system, which stand together. */
struct group {
	struct str key; /* of the system */
	struct watch_worst worst;
	uint64_t born_ms;
	size_t n;
	bool is_unstable;
	enum status_auto_how how; /* of those that are down, the worst */
};

static enum status_auto_how
how_of(enum watch_cause cause)
{
	static const enum status_auto_how hows[WATCH_CAUSES] = {
		[WATCH_CAUSE_NONE] = STATUS_AUTO_FAILS,
		[WATCH_TIMEOUT] = STATUS_AUTO_SILENT,
		[WATCH_REFUSED] = STATUS_AUTO_SILENT,
		[WATCH_UNREACHABLE] = STATUS_AUTO_SILENT,
		[WATCH_NAME] = STATUS_AUTO_NAMELESS,
		[WATCH_TLS] = STATUS_AUTO_NO_TLS,
		[WATCH_CERTIFICATE] = STATUS_AUTO_CERTIFICATE,
		[WATCH_PROTOCOL] = STATUS_AUTO_WRONG,
		[WATCH_LOGIN] = STATUS_AUTO_LOGIN,
		[WATCH_CONTENT] = STATUS_AUTO_WRONG,
		[WATCH_DISAGREES] = STATUS_AUTO_DISAGREES,
		[WATCH_LISTED] = STATUS_AUTO_LISTED,
		[WATCH_UNSIGNED] = STATUS_AUTO_WRONG,
		[WATCH_BOGUS] = STATUS_AUTO_WRONG,
		[WATCH_LATE] = STATUS_AUTO_FAILS,
	};

	return (unsigned)cause < WATCH_CAUSES ? hows[cause] : STATUS_AUTO_FAILS;
}

static void
take_how(const struct watch_state *s, struct group *g)
{
	enum status_auto_how how = how_of(watch_state_cause(s));

	if (s->status == WATCH_DOWN && how != STATUS_AUTO_FAILS &&
	    (g->how == STATUS_AUTO_FAILS || how < g->how))
		g->how = how;
}

/* What is planned, and what a parent explains, says nothing. */
static void
take_check(const struct server *sv, const struct watched *w, struct group *g)
{
	const struct watch_check *c = watched_state(w);

	g->n++;
	if (watch_check_is_maintained(c, server_now_ms()) ||
	    watch_check_is_masked(&sv->set, w->index))
		return;
	watch_worst_take(&g->worst, &c->state);
	take_how(&c->state, g);
	g->is_unstable |= c->state.is_unstable;
	g->born_ms = MAX(g->born_ms, w->born_ms);
}

static enum status_auto_is
judge(const struct group *g, enum watch_status status)
{
	switch (status) {
	case WATCH_DOWN:
		return STATUS_AUTO_DOWN;
	case WATCH_UP:
	case WATCH_DEGRADED:
		return g->is_unstable ? STATUS_AUTO_UNKNOWN : STATUS_AUTO_UP;
	case WATCH_UNKNOWN:
		break;
	}
	return STATUS_AUTO_UNKNOWN;
}

static void
put_group(const struct server *sv, const struct auto_post *ap,
    const struct group *g, struct auto_post_states *ret)
{
	struct status_auto_system s = { .is_excused = g->worst.n_all == 0 };
	enum watch_status status;
	struct status_system sys;
	struct str value;

	if (g->n == 0 ||
	    !ledger_mirror_find(sv->mirror, LEDGER_SYSTEM, g->key, &value) ||
	    !status_system_decode(value, &sys) || sys.is_internal)
		return;
	s.id = sys.id;
	if (!s.is_excused) {
		status = watch_worst_status(&g->worst);
		s.is = judge(g, status);
		s.how = g->how;
		s.since_s = server_wall_ms(
				sv, MAX(watch_worst_since_ms(&g->worst, status),
					g->born_ms)) /
		            1000;
		s.is_spoken_for =
		    auto_post_is_spoken_for(ap, sys.id, s.since_s);
	}
	ret->v = x_grow(ret->v, &ret->cap, ret->n + 1, sizeof(*ret->v));
	ret->v[ret->n++] = s;
}

void
auto_post_states(const struct server *sv, const struct auto_post *ap,
    struct auto_post_states *ret)
{
	struct group g = { 0 };

	for (size_t i = 0; i < sv->n_watched; i++) {
		const struct watched *w = sv->watched[i];
		struct str key;

		(void)str_split(str_c(w->key), '/', &key);
		if (!str_eq(key, g.key)) {
			put_group(sv, ap, &g, ret);
			g = (struct group){ .key = key };
		}
		take_check(sv, w, &g);
	}
	put_group(sv, ap, &g, ret);
}
