/* SPDX-License-Identifier: ISC */
/*
 * session.c - peers, their sessions, and which account each may touch.
 */
#include "store/server.h"

static uint64_t
store_session_key(uint32_t worker, uint32_t id)
{
	return (uint64_t)worker << 32 | id;
}

struct peer *
peer_add(struct server *s, struct ipc_peer *ipc)
{
	struct peer *p = X_NEW(struct peer);

	p->s = s;
	p->ipc = ipc_peer_ref(ipc);
	p->worker = ipc_peer_worker(ipc);
	p->role = ipc_peer_role(ipc);
	p->last = &p->first;
	p->next = s->peers;
	p->prev = &s->peers;
	if (p->next)
		p->next->prev = &p->next;
	s->peers = p;
	map_put(&s->workers, p->worker, p);
	return p;
}

struct peer *
peer_find(const struct server *s, uint32_t worker)
{
	return map_get(&s->workers, worker);
}

void
peer_remove(struct server *s, struct ipc_peer *ipc)
{
	struct peer *p = peer_find(s, ipc_peer_worker(ipc));

	if (!p || p->ipc != ipc)
		return;
	while (p->sessions)
		store_session_close(s, p->sessions);
	map_del(&s->workers, p->worker);
	*p->prev = p->next;
	if (p->next)
		p->next->prev = p->prev;
	request_drop_queue(p);
	ipc_peer_unref(p->ipc);
	free(p);
}

struct session *
store_session_find(const struct server *s, uint32_t worker, uint32_t id)
{
	return map_get(&s->sessions, store_session_key(worker, id));
}

bool
store_session_grant(
    struct server *s, struct peer *p, uint32_t id, uint64_t account)
{
	struct session *ss = store_session_find(s, p->worker, id);

	if (ss)
		store_session_close(s, ss);
	if (p->n_sessions >= SERVER_SESSIONS_MAX)
		return false;
	ss = X_NEW(struct session);
	ss->peer = p;
	ss->id = id;
	ss->account = account;
	ss->next = p->sessions;
	ss->prev = &p->sessions;
	if (ss->next)
		ss->next->prev = &ss->next;
	p->sessions = ss;
	p->n_sessions++;
	map_put(&s->sessions, store_session_key(p->worker, id), ss);
	return true;
}

static void
unwatch(struct server *s, struct session *ss)
{
	if (!ss->mailbox)
		return;
	ss->mailbox = 0;
	if (ss->next_watch)
		ss->next_watch->prev_watch = ss->prev_watch;
	if (ss->prev_watch)
		*ss->prev_watch = ss->next_watch;
	else if (ss->next_watch)
		map_put(&s->watchers, ss->account, ss->next_watch);
	else
		map_del(&s->watchers, ss->account);
	ss->next_watch = NULL;
	ss->prev_watch = NULL;
}

/* The first watcher of an account has no prev_watch: the map points to it. */
void
store_session_watch(
    struct server *s, struct session *ss, uint32_t mailbox, uint64_t seen)
{
	struct session *first;

	unwatch(s, ss);
	if (!mailbox)
		return;
	first = map_get(&s->watchers, ss->account);
	ss->mailbox = mailbox;
	ss->seen = seen;
	ss->is_armed = true;
	ss->next_watch = first;
	if (first)
		first->prev_watch = &ss->next_watch;
	map_put(&s->watchers, ss->account, ss);
}

void
store_session_close(struct server *s, struct session *ss)
{
	unwatch(s, ss);
	map_del(&s->sessions, store_session_key(ss->peer->worker, ss->id));
	*ss->prev = ss->next;
	if (ss->next)
		ss->next->prev = ss->prev;
	ss->peer->n_sessions--;
	free(ss);
}

void
sessions_drop_account(struct server *s, uint64_t account)
{
	for (struct peer *p = s->peers; p; p = p->next) {
		struct session *ss = p->sessions, *next;

		for (; ss; ss = next) {
			next = ss->next;
			if (ss->account == account)
				store_session_close(s, ss);
		}
	}
}
