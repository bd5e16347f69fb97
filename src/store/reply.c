/* SPDX-License-Identifier: ISC */
/*
 * reply.c - answers that wait until what they show is durable.
 */
#include "store/server.h"

#include "proc/ipc_frame.h"

/* An account's list of mailboxes and subscriptions can come close to it, and
 * what does not fit a frame must not be sent. */
_Static_assert(MAIL_REPLY_MAX <= IPC_REPLY_MAX, "a reply fits a frame");

struct pending {
	struct ipc_return ret;
	struct verdict v;
	struct buf body;
	int fd;
};

static void
send(struct pending *p)
{
	if (p->body.failed)
		p->v = verdict_tempfail(REASON_TOO_BIG);
	if (verdict_is_done(p->v)) {
		ipc_reply(&p->ret, buf_str(&p->body), p->fd);
	} else {
		ipc_reply_error(&p->ret, p->v.outcome, p->v.reason, NULL);
		closep(&p->fd);
	}
	buf_done(&p->body);
}

static void
on_durable(void *arg, UNUSED int err)
{
	struct pending *p = arg;

	send(p);
	free(p);
}

void
reply_at(struct server *s, uint64_t position, struct ipc_return ret,
    struct verdict v, struct buf *body, int fd)
{
	struct pending now = { .ret = ret, .v = v, .fd = fd }, *later;

	if (body) {
		now.body = *body;
		*body = (struct buf){ .max = body->max };
	}
	if (engine_durable(s->engine) >= position) {
		send(&now);
		return;
	}
	later = x_malloc(sizeof(*later));
	*later = now;
	engine_sync(s->engine, position, on_durable, later);
}

void
reply_error(struct ipc_return ret, struct verdict v)
{
	ipc_reply_error(&ret, v.outcome, v.reason, NULL);
}
