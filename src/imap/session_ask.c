/* SPDX-License-Identifier: ISC */
/* session_ask.c - what a session asks of the store, and its turns. */
#include "imap/session_internal.h"

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct imap_session_ask *ask = arg;
	struct session *s = ask->s;
	session_reply_fn fn = ask->fn;

	ask->peer = ipc_peer_unref(ask->peer);
	ask->fn = NULL;
	if (!s->is_dead && s->state != SESSION_LOGOUT)
		fn(s, m);
}

void
imap_session_ask(struct session *s, enum msg_type type, struct buf *body,
    int fd, session_reply_fn fn)
{
	struct imap_session_ask *ask = NULL;
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);
	struct ipc_peer_request req = { .to = ROLE_STORE,
		.type = type,
		.session = s->id,
		.body = body ? buf_str(body) : STR_NONE,
		.fd = fd };

	for (size_t i = 0; i < SESSION_ASKS && !ask; i++)
		if (!s->asks[i].fn)
			ask = &s->asks[i];
	ASSERT(ask);
	if (body)
		ASSERT(!body->failed);
	ask->s = s;
	ask->fn = fn;
	ask->peer = store ? ipc_peer_ref(store) : NULL;
	ask->request = runtime_request(s->sv->rt, &req, on_reply, ask);
	if (body)
		buf_reset(body, 0);
}

bool
session_is_asking(const struct session *s)
{
	for (size_t i = 0; i < SESSION_ASKS; i++)
		if (s->asks[i].fn)
			return true;
	return false;
}

void
session_asks_cancel(struct session *s)
{
	for (size_t i = 0; i < SESSION_ASKS; i++) {
		struct imap_session_ask *ask = &s->asks[i];

		if (!ask->fn)
			continue;
		if (ask->peer)
			ipc_cancel(ask->peer, ask->request);
		ask->peer = ipc_peer_unref(ask->peer);
		ask->fn = NULL;
	}
}

static void
on_yield(void *arg)
{
	struct session *s = arg;
	session_fn fn = s->yielded;

	s->is_yield_queued = false;
	s->yielded = NULL;
	if (fn && !s->is_dead && s->state != SESSION_LOGOUT)
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
		loop_defer(s->sv->loop, on_yield, s);
	s->is_yield_queued = true;
}
