/* SPDX-License-Identifier: ISC */
/*
 * sync.c - wait until the processes have done what they were told.
 *
 * Messages to a process are read in order: who answers CTL_SYNC has taken the
 * configuration, the connections and the ports that were sent before. Without
 * it, "ready" and the answer to a reload would be promises.
 */
#include "supervisor/internal.h"

struct sync {
	sync_fn fn;
	void *arg;
	unsigned pending;
	bool is_complete;
};

static void
finish_one(struct sync *s)
{
	if (--s->pending > 0)
		return;
	s->fn(s->arg, s->is_complete);
	free(s);
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct sync *s = arg;

	if (m->outcome != DONE)
		s->is_complete = false;
	finish_one(s);
}

void
sync_all(struct supervisor *sup, sync_fn fn, void *arg)
{
	struct sync *s = X_NEW(struct sync);
	struct child *c;

	*s = (struct sync){ fn, arg, 1, true };
	LIST_FOREACH(c, &sup->children, link)
	{
		if (c->state != PROCESS_SERVING || !c->peer)
			continue;
		s->pending++;
		(void)ipc_request(
		    c->peer, MSG_CTL_SYNC, 0, STR_NONE, -1, on_reply, s);
	}
	finish_one(s);
}
