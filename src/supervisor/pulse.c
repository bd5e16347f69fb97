/* SPDX-License-Identifier: ISC */
/*
 * pulse.c - does each process still answer?
 *
 * A process that ends is seen at once. One that hangs (on a disk that does not
 * answer, in a loop without end, stopped by a debugger) is alive, takes
 * connections and does nothing: so each is asked now and then, and who owes an
 * answer for long is silent, in `status` and in the log. It is not killed: what
 * holds it up would mostly hold up its successor too.
 */
#include "supervisor/internal.h"

#define ASK_MS    5000
#define SILENT_MS 15000

struct question {
	struct supervisor *sup;
	uint32_t worker; /* of who was asked; it may be gone */
};

static struct child *
find_worker(const struct supervisor *sup, uint32_t worker)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->worker == worker)
		return c;
	return NULL;
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct question *q = arg;
	struct child *c = find_worker(q->sup, q->worker);

	if (c && m->outcome == DONE) {
		if (c->is_silent)
			log_event(EV_SUP_ANSWERS,
			    LC("role", role_name(c->role)),
			    LU("worker", c->worker),
			    LU("silent_s", pulse_silent_s(c)));
		c->asked_ms = 0;
		c->is_silent = false;
	}
	free(q);
}

static void
ask(struct child *c)
{
	struct question *q = X_NEW(struct question);

	*q = (struct question){ c->sup, c->worker };
	c->asked_ms = loop_now_ms(c->sup->loop);
	(void)ipc_request(c->peer, MSG_CTL_SYNC, 0, STR_NONE, -1, on_reply, q);
}

uint64_t
pulse_silent_s(const struct child *c)
{
	return c->asked_ms ? (loop_now_ms(c->sup->loop) - c->asked_ms) / 1000
	                   : 0;
}

static void
look_at(struct child *c)
{
	if (c->state != PROCESS_SERVING || !c->peer)
		return;
	if (!c->asked_ms) {
		ask(c);
	} else if (!c->is_silent && pulse_silent_s(c) >= SILENT_MS / 1000) {
		c->is_silent = true;
		log_event(EV_SUP_SILENT, LC("role", role_name(c->role)),
		    LU("worker", c->worker), LU("pid", (uint64_t)c->pid));
	}
}

static void
on_tick(void *arg)
{
	struct supervisor *sup = arg;
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	look_at(c);
	loop_timer_set(sup->pulse_timer, ASK_MS);
}

void
pulse_start(struct supervisor *sup)
{
	sup->pulse_timer = loop_timer_new(sup->loop, on_tick, sup);
	loop_timer_set(sup->pulse_timer, ASK_MS);
}
