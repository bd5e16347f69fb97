/* SPDX-License-Identifier: ISC */
/* held.c - leases, and QUEUE_TAKE. See held.h. */
#include "send/queue/held.h"

#include "base/log.h"

#include <sys/queue.h>

#define AGAIN_MS 1000

struct held {
	TAILQ_ENTRY(held) link;
	struct helds *hs;
	uint64_t lease;
	uint32_t open; /* entries without an answer */
};

struct helds {
	TAILQ_HEAD(, held) list;
	uint32_t n;
	struct runtime *rt;
	struct loop_timer *again;
	uint64_t taken;
	loop_fn done;
	void *done_arg;
};

static void take(void *arg);

struct helds *
helds_new(struct runtime *rt)
{
	struct helds *hs = X_NEW(struct helds);

	TAILQ_INIT(&hs->list);
	hs->rt = rt;
	hs->again = loop_timer_new(runtime_loop(rt), take, hs);
	return hs;
}

struct held *
held_new(struct helds *hs, uint64_t lease)
{
	struct held *h = X_NEW(struct held);

	h->hs = hs;
	h->lease = lease;
	TAILQ_INSERT_TAIL(&hs->list, h, link);
	hs->n++;
	return h;
}

void
held_add(struct held *h)
{
	h->open++;
}

void
held_answered(struct held *h)
{
	if (h == NULL || --h->open > 0)
		return;
	TAILQ_REMOVE(&h->hs->list, h, link);
	h->hs->n--;
	free(h);
}

uint64_t
helds_taken(const struct helds *hs)
{
	return hs->taken;
}

bool
helds_have_room(const struct helds *hs)
{
	return hs->n < HELD_MAX;
}

/* --- taking over ----------------------------------------------------------------- */

static void
on_taken(void *arg, struct ipc_msg *m)
{
	struct helds *hs = arg;
	struct msg_queue_take_reply reply;

	if (m->outcome == DONE && msg_queue_take_reply_get(m->body, &reply)) {
		if (reply.ended > 0)
			log_event(EV_SEND_TAKE, LU("held", hs->n),
			    LU("ended", reply.ended));
		hs->done(hs->done_arg);
		return;
	}
	/* Also without a store: a new one may be there already. */
	loop_timer_set(hs->again, AGAIN_MS);
}

static void
take(void *arg)
{
	struct helds *hs = arg;
	struct buf leases = BUF_INIT(MIB(1)), body = BUF_INIT(MIB(1));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_TAKE, .fd = -1
	};
	struct msg_queue_take q;
	struct held *h;

	TAILQ_FOREACH(h, &hs->list, link)
	wire_put_u64(&leases, h->lease);
	q.leases = buf_str(&leases);
	msg_queue_take_put(&body, &q);
	ASSERT(!leases.failed && !body.failed);
	hs->taken++;
	req.body = buf_str(&body);
	runtime_request(hs->rt, &req, on_taken, hs);
	buf_done(&leases);
	buf_done(&body);
}

void
helds_take(struct helds *hs, loop_fn fn, void *arg)
{
	hs->done = fn;
	hs->done_arg = arg;
	loop_timer_clear(hs->again);
	take(hs);
}
