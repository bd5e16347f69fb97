/* SPDX-License-Identifier: ISC */
/* session_ask.c - what a session asks of the store, and its turns. */
#include "imap/session_internal.h"

void
session_reply(void *session, unsigned ask, struct ipc_msg *m)
{
	struct session *s = session;

	if (s->state != SESSION_LOGOUT)
		s->replies[ask](s, m);
}

/* Replies come from the loop: there is time to note who waits. */
void
imap_session_ask(struct session *s, enum msg_type type, struct buf *body,
    int fd, session_reply_fn fn)
{
	s->replies[client_ask(&s->client, type, body, fd)] = fn;
}

static void
on_yield(void *arg)
{
	struct session *s = arg;
	session_fn fn = s->yielded;

	s->is_yield_queued = false;
	s->yielded = NULL;
	if (fn && !s->client.is_dead && s->state != SESSION_LOGOUT)
		fn(s);
}

/* The session outlives the call: deferred calls run in order, and a deferred
 * call frees it. */
void
session_yield(struct session *s, session_fn fn)
{
	ASSERT(!s->yielded);
	s->yielded = fn;
	if (!s->is_yield_queued)
		loop_defer(s->client.sv->loop, on_yield, s);
	s->is_yield_queued = true;
}
