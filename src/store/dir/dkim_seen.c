/* SPDX-License-Identifier: ISC */
/* dkim_seen.c - keys and what DNS has of them. See dkim_seen.h. */
#include "store/dir/dkim_seen.h"

#include "proc/ipc_msgs.h"

#define LOOK_MAX_S   3600 /* of what waits, and of what is not as it should be */
#define LOOK_WELL_S  86400 /* of what is */
#define LOOK_SOON_S  60    /* of what signs, and nobody has ever answered for */
#define LOOK_AGAIN_S 15    /* at least, when nobody answered */
#define SILENT_S     3600

static bool
is_bad(uint8_t found)
{
	return found == DKIM_FOUND_NONE || found == DKIM_FOUND_OTHER;
}

/* A new key is published soon or late: the longer it takes, the less often. */
static uint64_t
patience(const struct dkim_entry *e, uint64_t now)
{
	uint64_t age = now > e->created ? now - e->created : 0;

	return MIN(MAX(age / 4, (uint64_t)1), (uint64_t)LOOK_MAX_S);
}

static uint64_t
next_look(const struct dkim_entry *e, uint64_t now)
{
	switch ((enum dkim_state)e->state) {
	case DKIM_STATE_ACTIVE:
		if (e->looked == 0)
			return now + LOOK_SOON_S;
		return now +
		       (e->found == DKIM_FOUND_SAME ? LOOK_WELL_S : LOOK_MAX_S);
	case DKIM_STATE_PUBLISHED:
		if (e->found != DKIM_FOUND_SAME)
			return now + patience(e, now);
		if (e->changes_at == 0)
			return now + LOOK_WELL_S;
		return MAX(MIN(now + LOOK_MAX_S, e->changes_at), now + 1);
	case DKIM_STATE_PENDING:
		return now + patience(e, now);
	case DKIM_STATE_RETIRED:
		break;
	}
	return 0;
}

void
dkim_record_begin(struct dkim_record *r, size_t i, uint64_t now,
    const struct dir_dkim_times *t, bool is_rotation)
{
	struct dkim_entry *e = &r->v[i];
	bool signs = dkim_record_signs(r, e->kind);
	bool is_first = !signs && !dkim_record_has_next(r, e->kind);

	e->state = DKIM_STATE_PUBLISHED;
	if (t->checks) {
		e->look_at = now;
		if (is_rotation || is_first)
			e->state = DKIM_STATE_PENDING;
		return;
	}
	if (is_rotation)
		e->changes_at = now + t->wait_s;
	if (!signs)
		dkim_record_activate(r, i, now, t->keep_s);
}

/* It is there: from when on may it sign? Nobody has asked for the first one of a domain's
 * keys, so nobody still believes that there is none. */
static void
go_on(struct dkim_record *r, size_t i, uint64_t now,
    const struct dir_dkim_times *t)
{
	struct dkim_entry *e = &r->v[i];

	if (!dkim_entry_is_next(e))
		return;
	if (!dkim_record_signs(r, e->kind) || now >= e->seen + t->wait_s) {
		dkim_record_activate(r, i, now, t->keep_s);
		return;
	}
	e->state = DKIM_STATE_PUBLISHED;
	e->changes_at = e->seen + t->wait_s;
}

static unsigned
take_bad(struct dkim_entry *e, uint8_t found)
{
	bool is_lost =
	    e->seen > 0 || (e->state == DKIM_STATE_ACTIVE && !is_bad(e->found));

	e->found = found;
	e->seen = 0;
	if (dkim_entry_is_next(e)) {
		e->state = DKIM_STATE_PENDING;
		e->changes_at = 0;
	}
	return is_lost ? DKIM_TURN_LOST : 0;
}

unsigned
dkim_record_saw(struct dkim_record *r, size_t i, uint8_t found, uint64_t now,
    const struct dir_dkim_times *t)
{
	struct dkim_entry *e = &r->v[i];
	unsigned turns = 0;

	if (e->state == DKIM_STATE_RETIRED || found > DKIM_FOUND_OTHER)
		return 0;
	if (found != DKIM_FOUND_UNKNOWN)
		e->looked = now;
	if (is_bad(found))
		turns = take_bad(e, found);
	if (found == DKIM_FOUND_SAME) {
		e->found = found;
		if (e->seen == 0) {
			e->seen = now;
			turns = DKIM_TURN_SEEN;
		}
		go_on(r, i, now, t);
	}
	e->look_at = next_look(e, now);
	return turns;
}

void
dkim_record_look(struct dkim_record *r, size_t i, uint64_t now)
{
	struct dkim_entry *e = &r->v[i];

	e->look_at = MAX(next_look(e, now), now + LOOK_AGAIN_S);
}

/* --- another setting ---------------------------------------------------------------- */

/* Nobody looks any more: as if it had never been otherwise. */
static void
stop_looking(struct dkim_record *r, size_t i, uint64_t now,
    const struct dir_dkim_times *t)
{
	struct dkim_entry *e = &r->v[i];

	e->look_at = e->looked = e->seen = 0;
	e->found = DKIM_FOUND_UNKNOWN;
	if (e->state != DKIM_STATE_PENDING)
		return;
	e->state = DKIM_STATE_PUBLISHED;
	e->changes_at = e->created + t->wait_s;
	if (!dkim_record_signs(r, e->kind) || e->changes_at <= now)
		dkim_record_activate(r, i, now, t->keep_s);
}

bool
dkim_record_settle(
    struct dkim_record *r, uint64_t now, const struct dir_dkim_times *t)
{
	bool has_changed = false;

	for (size_t i = 0; i < r->n; i++) {
		struct dkim_entry *e = &r->v[i];

		if (e->state == DKIM_STATE_RETIRED ||
		    (e->look_at > 0) == t->checks)
			continue;
		if (t->checks)
			e->look_at = now;
		else
			stop_looking(r, i, now, t);
		has_changed = true;
	}
	return has_changed;
}

bool
dkim_record_is_unpublished(const struct dkim_record *r, uint64_t now)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct dkim_entry *e = &r->v[i];
		bool is_next = dkim_entry_is_next(e);

		if (!is_next && e->state != DKIM_STATE_ACTIVE)
			continue;
		if (is_bad(e->found) ||
		    (e->state == DKIM_STATE_PENDING && e->look_at > 0 &&
			now >= e->created + SILENT_S))
			return true;
	}
	return false;
}
