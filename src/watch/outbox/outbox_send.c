/* SPDX-License-Identifier: ISC */
/* outbox_send.c - one round of attempts of one message. */
#include "base/arena.h"
#include "base/log.h"
#include "watch/alert/alert.h"
#include "watch/news/bounces.h"
#include "watch/outbox/dispatch.h"
#include "watch/outbox/outbox_internal.h"
#include "watch/outbox/still.h"

#define UNREAD_MS    2000       /* the store did not answer */
#define POSTPONED_MS 3600000ULL /* behind a limit of many */
#define BEHIND_MS    1000       /* an older one about the same is under way */

struct round {
	struct outbox *o;
	struct parcel *p;
	struct status_message m;
	/* As it goes out, when something is said in front of it. */
	struct status_message shown;
	struct buf body;
	struct str value; /* what it points into */
	struct arena arena;
	char id[LETTER_ID_LEN + 1];
	char said[STATUS_SAID_MAX + 1]; /* last */
	bool is_found;
};

static uint64_t
now_ms(const struct round *r)
{
	return loop_time_ms(r->o->sv->loop);
}

/* The round is over, and the parcel says what is true now. */
static void
finish(struct round *r)
{
	struct outbox *o = r->o;
	struct parcel *p = r->p;

	outbox_leave_place(o, p);
	for (size_t i = 0; i < OUTBOX_BUSY_MAX; i++)
		if (o->rounds[i] == r)
			o->rounds[i] = NULL;
	arena_done(&r->arena);
	buf_done(&r->body);
	if (r->value.n > 0)
		explicit_bzero((void *)(uintptr_t)r->value.p, r->value.n);
	str_free(&r->value);
	free(r);
	outbox_fill(o);
}

static void
log_it(const struct round *r, enum event_id event)
{
	const struct status_message *m = &r->m;

	/* The URL of a webhook may be a secret. */
	log_event(event, LC("id", r->id),
	    LC("kind", status_purpose_name(m->purpose)), LS("about", m->about),
	    LS("to", m->channel == STATUS_BY_MAIL
			 ? m->to
			 : status_url_parts(m->to).host),
	    LU("tries", m->tries), LC("said", r->said));
}

static void
end_with(struct round *r, enum status_progress progress, enum event_id event)
{
	log_it(r, event);
	status_message_finish(&r->m, progress);
	r->p->is_over = true;
	outbox_hold(r->o, r->p);
	outbox_update(r->o, r->p, &r->m);
	finish(r);
}

static void
end_for_good(struct round *r, enum status_progress progress)
{
	end_with(r, progress,
	    progress == STATUS_SENT ? EV_WATCH_TOLD : EV_WATCH_TELL_FAIL);
}

static void
again_later(struct round *r)
{
	uint64_t base = r->o->sv->conf->watch_retry_s * 1000ULL;

	r->m.next_ms = now_ms(r) + way_pause_ms(r->m.rounds, base,
				       server_random(UINT32_MAX));
	log_it(r, EV_WATCH_TELL_LATER);
	outbox_update(r->o, r->p, &r->m);
	finish(r);
}

static void
on_done(void *arg, enum outcome outcome, const char *dead)
{
	struct round *r = arg;

	r->p->trying = NULL;
	r->m.rounds++;
	if (outcome == PERMFAIL && dead != NULL)
		bounces_refused(r->o->sv->bounces, &r->m, str_c(dead));
	/* An operator's server that refuses is told as long as it matters. */
	if (outcome == DONE)
		end_for_good(r, STATUS_SENT);
	else if (outcome == PERMFAIL && r->m.purpose != STATUS_FOR_ALERT)
		end_for_good(r, STATUS_REFUSED);
	else if (now_ms(r) >= r->m.expires_ms)
		end_for_good(r, STATUS_EXPIRED);
	else
		again_later(r);
}

static void
on_note(void *arg, const struct status_attempt *a)
{
	struct round *r = arg;
	struct status_attempt copy = *a;

	/* What it does not hold is not kept. */
	if (!arena_str(&r->arena, a->by, &copy.by) ||
	    !arena_str(&r->arena, a->said, &copy.said))
		copy.by = copy.said = STR_NONE;
	(void)snprintf(r->said, sizeof(r->said), "%.*s", STR_ARG(a->said));
	status_message_note(&r->m, &copy);
}

/* --- its beginning ------------------------------------------------------------------- */

static void
drop_bad(struct round *r, const char *why)
{
	log_event(EV_WATCH_OUTBOX_BAD, LS("key", r->p->key), LC("why", why));
	finish(r);
}

/* It counts from its first attempt, so that many at once do not slip through, and
 * once. False: the round is over. */
static bool
is_within_limits(struct round *r)
{
	uint64_t now_s = now_ms(r) / 1000;

	if (r->p->is_counted)
		return true;
	switch (outbox_limit_ask(r->o->limit, &r->m, now_s)) {
	case OUTBOX_LIMIT_OK:
		r->p->is_counted =
		    outbox_limit_count(r->o->limit, &r->m, now_s, now_s);
		return true;
	case OUTBOX_LIMIT_RECEIVER:
		(void)snprintf(r->said, sizeof(r->said), "too many in a day");
		log_it(r, EV_WATCH_TELL_LIMIT);
		end_for_good(r, STATUS_REFUSED);
		break;
	case OUTBOX_LIMIT_ALL:
		(void)snprintf(r->said, sizeof(r->said),
		    "too many in a day to its domain, or in all");
		log_it(r, EV_WATCH_TELL_LIMIT);
		r->p->next_ms = now_ms(r) + POSTPONED_MS;
		finish(r);
		break;
	}
	return false;
}

static void
dispatch(struct round *r)
{
	struct dispatch_wish wish = { .sv = r->o->sv,
		.message = &r->shown,
		.note = on_note,
		.done = on_done,
		.arg = r };

	r->shown = r->m;
	alert_put_left(r->o->sv, r->p->key, &r->m, &r->body);
	if (r->body.n > 0) {
		buf_put_str(&r->body, r->m.body);
		r->shown.body = buf_str(&r->body);
	}
	memcpy(wish.id, r->id, sizeof(wish.id));
	r->p->trying = dispatch_start(&wish);
}

static void
on_still(void *arg, enum outcome outcome, const char *why)
{
	struct round *r = arg;

	if (outcome == NOT_FOUND) {
		(void)snprintf(r->said, sizeof(r->said), "%s", why);
		end_with(r, STATUS_EXPIRED, EV_WATCH_TELL_GONE);
	} else if (outcome != DONE) {
		r->p->next_ms = now_ms(r) + UNREAD_MS;
		finish(r);
	} else if (r->p->table != LEDGER_OUTBOX || is_within_limits(r)) {
		dispatch(r);
	}
}

/* "Up" shall not overtake "down": what the older one says may be found to be over when
 * it is tried again. */
static bool
is_behind_another(const struct round *r)
{
	for (size_t i = 0; i < OUTBOX_BUSY_MAX; i++) {
		const struct round *other = r->o->rounds[i];

		if (other != NULL && other->p->trying != NULL &&
		    other->m.made_ms < r->m.made_ms &&
		    alert_is_of_same(&other->m, &r->m))
			return true;
	}
	return false;
}

static void
begin(struct round *r)
{
	letter_id(r->p->table == LEDGER_TOLD ? STR("told") : STR("outbox"),
	    r->p->key, r->id);
	if (now_ms(r) >= r->m.expires_ms) {
		(void)snprintf(r->said, sizeof(r->said), "its time is over");
		end_for_good(r, STATUS_EXPIRED);
	} else if (alert_is_over(r->o->sv, r->p->key, &r->m)) {
		(void)snprintf(r->said, sizeof(r->said),
		    "it is over, and later news are on their way");
		end_with(r, STATUS_EXPIRED, EV_WATCH_TELL_GONE);
	} else if (is_behind_another(r)) {
		r->p->next_ms = now_ms(r) + BEHIND_MS;
		finish(r);
	} else {
		still_ask(r->o->sv, &r->m, on_still, r);
	}
}

static void
decode(struct round *r)
{
	struct parcel *p = r->p;

	if (!status_message_decode(r->value, &r->m) ||
	    r->m.progress != STATUS_WAITING) {
		p->next_ms = UINT64_MAX;
		drop_bad(r, "it is not understood");
		return;
	}
	begin(r);
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct round *r = arg;

	if (str_eq(row->key, r->p->key)) {
		r->value = str_copy(row->value);
		r->is_found = true;
	}
	return true;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct round *r = arg;

	if (r->is_found) {
		decode(r);
		return;
	}
	if (outcome == DONE)
		r->p->is_over = true; /* somebody took it away */
	else
		r->p->next_ms = now_ms(r) + UNREAD_MS;
	finish(r);
}

void
outbox_send(struct outbox *o, struct parcel *p)
{
	struct round *r = X_NEW(struct round);

	outbox_take_place(o, p);
	r->o = o;
	r->p = p;
	arena_init(&r->arena, KIB(16));
	buf_init(&r->body, STATUS_LETTER_MAX * 2);
	for (size_t i = 0; i < OUTBOX_BUSY_MAX; i++)
		if (o->rounds[i] == NULL) {
			o->rounds[i] = r;
			break;
		}
	if (p->value.n > 0) {
		r->value = str_copy(p->value);
		decode(r);
		return;
	}
	ledger_read(o->sv->rt, &(struct ledger_read){ .table = p->table,
				   .prefix = p->key,
				   .row = on_row,
				   .done = on_read,
				   .arg = r });
}
