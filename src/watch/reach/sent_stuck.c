/* SPDX-License-Identifier: ISC */
/*
 * sent_stuck.c - destinations whose mail only grows, as role send tells them once a
 * minute (send/queue/flow.h judges). What is not told for three minutes is over: who
 * does not send cannot say so.
 */
#include "base/log.h"
#include "watch/reach/sent_internal.h"

#define SILENT_S 180

static const struct sent_stuck *
find(const struct sent_stuck *v, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(str_c(v[i].name), name))
			return &v[i];
	return NULL;
}

static void
tell(enum event_id event, const struct sent_stuck *e)
{
	struct sent_on on = sent_on_stuck(e);
	struct buf text = BUF_INIT(KIB(1));

	sent_put_text(&on, STR_NONE, &text);
	log_event(event, LC("signal", reach_signal_name(REACH_BACKLOG)),
	    LS("what", buf_str(&text)));
	buf_done(&text);
}

static void
set(struct sent_stuck *e, const struct msg_sent_stuck *m)
{
	snprintf(e->name, sizeof(e->name), "%.*s", STR_ARG(m->name));
	snprintf(e->cause, sizeof(e->cause), "%.*s", STR_ARG(m->cause));
	e->reply[0] = '\0';
	if (m->code != 0)
		snprintf(e->reply, sizeof(e->reply), "%u %.*s", m->code,
		    STR_ARG(m->reply));
	else if (m->reply.n > 0)
		snprintf(e->reply, sizeof(e->reply), "%.*s", STR_ARG(m->reply));
	e->waiting = m->waiting;
	e->signal.since = m->since;
	e->signal.last = (struct reach_finding){ .verdict = REACH_ODD,
		.minutes = 30,
		.seen = m->left,
		.of = m->began };
}

static void
end(const struct sent *s, const struct sent_stuck *was, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (find(s->stuck, s->n_stuck, str_c(was[i].name)) == NULL)
			tell(EV_REACH_OVER, &was[i]);
}

bool
sent_take_stuck(struct sent *s, struct str body)
{
	struct sent_stuck was[SENT_STUCK_MAX];
	const struct sent_stuck *before;
	struct wire w = wire_read(body);
	size_t n = s->n_stuck;
	struct msg_sent_stuck m;

	memcpy(was, s->stuck, sizeof(was));
	s->n_stuck = 0;
	s->stuck_at = s->now;
	while (w.in.n > 0) {
		struct sent_stuck *e = &s->stuck[s->n_stuck];

		if (!msg_sent_stuck_read(&w, &m))
			return false;
		if (s->n_stuck == SENT_STUCK_MAX || m.name.n >= sizeof(e->name))
			continue;
		*e = (struct sent_stuck){ .signal.is_raised = true };
		set(e, &m);
		before = find(was, n, m.name);
		e->signal.raised =
		    before != NULL ? before->signal.raised : s->now;
		s->n_stuck++;
		if (before == NULL)
			tell(EV_REACH_SUSPECTED, e);
	}
	end(s, was, n);
	return true;
}

void
sent_stuck_tick(struct sent *s)
{
	size_t n = s->n_stuck;

	if (n == 0 || s->now <= s->stuck_at + SILENT_S)
		return;
	s->n_stuck = 0;
	end(s, s->stuck, n);
}

struct sent_on
sent_on_stuck(const struct sent_stuck *e)
{
	return (struct sent_on){ .kind = REACH_BACKLOG,
		.name = e->name,
		.signal = &e->signal,
		.waiting = e->waiting,
		.cause = e->cause,
		.reply = e->reply };
}
