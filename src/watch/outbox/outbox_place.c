/* SPDX-License-Identifier: ISC */
/* outbox_place.c - how many of each kind are held, and are under way. See
 * outbox_internal.h. */
#include "base/log.h"
#include "watch/outbox/outbox_internal.h"

bool
outbox_can_hold(const struct outbox *o, enum ledger_table table)
{
	if (table == LEDGER_OUTBOX)
		return o->n_asked < OUTBOX_ASKED_MAX;
	/* As if the others had all that they may have. */
	return o->n - o->n_asked < OUTBOX_PARCELS_MAX - OUTBOX_ASKED_MAX;
}

void
outbox_leave_row(struct outbox *o, enum ledger_table table)
{
	bool *has_more =
	    table == LEDGER_OUTBOX ? &o->has_more_asked : &o->has_more;

	if (!*has_more)
		log_event(EV_WATCH_OUTBOX_FULL,
		    LU("held", table == LEDGER_OUTBOX ? o->n_asked
						      : o->n - o->n_asked));
	*has_more = true;
}

bool
outbox_wants_rows(const struct outbox *o)
{
	size_t own = o->n - o->n_asked;

	return (o->has_more_asked && o->n_asked < OUTBOX_ASKED_MAX / 2) ||
	       (o->has_more &&
		   own < (OUTBOX_PARCELS_MAX - OUTBOX_ASKED_MAX) / 2);
}

/* Of one domain another waits: who answers slowly keeps one place busy. */
static bool
is_domain_busy(const struct outbox *o, uint64_t domain)
{
	for (size_t i = 0; i < o->n_busy_confirm; i++)
		if (o->confirming[i] == domain)
			return true;
	return false;
}

bool
outbox_has_room(const struct outbox *o, const struct parcel *p)
{
	if (o->n_busy >= OUTBOX_BUSY_MAX)
		return false;
	if (p->purpose == STATUS_FOR_ALERT)
		return true;
	if (o->n_busy_others >= OUTBOX_OTHERS_MAX)
		return false;
	if (p->purpose == STATUS_FOR_NEWS)
		return o->n_busy_news + o->n_held < OUTBOX_NEWS_MAX;
	if (p->purpose == STATUS_FOR_CONFIRM)
		return o->n_busy_confirm < OUTBOX_CONFIRM_MAX &&
		       !is_domain_busy(o, p->domain);
	return true;
}

void
outbox_take_place(struct outbox *o, struct parcel *p)
{
	ASSERT(!p->is_busy);
	p->is_busy = true;
	o->n_busy++;
	o->n_busy_others += p->purpose != STATUS_FOR_ALERT;
	o->n_busy_news += p->purpose == STATUS_FOR_NEWS;
	if (p->purpose == STATUS_FOR_CONFIRM)
		o->confirming[o->n_busy_confirm++] = p->domain;
}

void
outbox_leave_place(struct outbox *o, struct parcel *p)
{
	size_t i = 0;

	ASSERT(p->is_busy);
	p->is_busy = false;
	o->n_busy--;
	o->n_busy_others -= p->purpose != STATUS_FOR_ALERT;
	o->n_busy_news -= p->purpose == STATUS_FOR_NEWS;
	if (p->purpose != STATUS_FOR_CONFIRM)
		return;
	while (o->confirming[i] != p->domain)
		i++;
	o->confirming[i] = o->confirming[--o->n_busy_confirm];
}

void
outbox_hold(struct outbox *o, struct parcel *p)
{
	if (p->purpose != STATUS_FOR_NEWS || p->is_held)
		return;
	p->is_held = true;
	o->n_held++;
}

void
outbox_let_go(struct outbox *o, struct parcel *p)
{
	o->n_held -= p->is_held;
	p->is_held = false;
}
