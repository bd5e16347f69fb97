/* SPDX-License-Identifier: ISC */
/*
 * req_queue.c - what role send asks of the queue beyond its records: the bytes
 * of a message, and to be told when something is due.
 */
#include "store/server.h"

#include "base/log.h"

#include <sys/mman.h>

/* QUEUE_DUE holds less than its limit. */
#define DUE_BYTES KIB(3)
/* QUEUE_COUNTS likewise: some thousand domains a second. */
#define COUNTS_BYTES    KIB(60)
#define COUNTS_A_SECOND 4

/* --- QUEUE_READ ------------------------------------------------------------------ */

struct reading {
	struct server *s;
	struct ipc_return ret;
	struct buf data; /* the prefix; small bytes behind it */
	uint32_t prefix; /* bytes of it */
	struct queue_bytes bytes;
	int fd;
};

static void
finish(struct reading *rd, struct verdict v)
{
	struct msg_queue_read_reply reply = {
		.size = rd->data.n + (rd->fd >= 0 ? rd->bytes.blob_size : 0),
		.prefix = rd->prefix,
		.data = buf_str(&rd->data),
	};
	struct buf out = BUF_INIT(QUEUE_REPLY_MAX);

	if (verdict_is_done(v))
		msg_queue_read_reply_put(&out, &reply);
	/*
	 * Nothing is waited for: send learned of the entry when its lease was
	 * durable, and the bytes stand in the log before that.
	 */
	reply_at(rd->s, 0, rd->ret, v, &out, TAKE_FD(rd->fd));
	buf_done(&out);
	buf_done(&rd->data);
	free(rd);
}

static void
on_read(void *arg, const struct engine_read_result *r)
{
	struct reading *rd = arg;
	int64_t got = r->got[0];

	rd->s->reads--;
	if (got == ENGINE_CORRUPT)
		log_event(EV_STORE_CORRUPT, LC("during", "queue"));
	if (got < 0) {
		finish(rd, verdict_engine(
			       got == ENGINE_CORRUPT ? ENGINE_CORRUPT : -EIO));
		return;
	}
	if ((uint64_t)got != rd->bytes.blob_size) {
		finish(rd, verdict_engine(ENGINE_CORRUPT));
		return;
	}
	if (rd->fd < 0)
		buf_put_str(&rd->data, buf_str(r->data));
	finish(rd, VERDICT_DONE);
}

static void
read_bytes(struct reading *rd)
{
	/* Mail goes out about in the order in which it came in. */
	struct engine_read read = { rd->bytes.blob, 0, rd->bytes.blob_size,
		true };

	if (rd->bytes.blob_size > INLINE_MESSAGE_MAX) {
		rd->fd = memfd_create("message", MFD_CLOEXEC);
		if (rd->fd < 0) {
			finish(rd, verdict_tempfail(REASON_LIMIT));
			return;
		}
	}
	rd->s->reads++;
	engine_blob_read(rd->s->engine, &read, 1, rd->fd, on_read, rd);
}

void
req_queue_read(struct request *r)
{
	struct reading *rd = X_NEW(struct reading);
	struct msg_queue_read q;
	struct verdict v;

	rd->s = r->s;
	rd->ret = ipc_return_new(r->peer->ipc, r->msg);
	rd->fd = -1;
	rd->data = BUF_INIT(INLINE_MESSAGE_MAX + QUEUE_PREFIX_MAX);
	if (msg_queue_read_get(r->msg->body, &q))
		v = queue_read(r->s->queue, &q, &rd->data, &rd->bytes);
	else
		v = verdict_permfail(REASON_INTERNAL);
	rd->prefix = (uint32_t)rd->data.n;
	if (verdict_is_done(v) && rd->bytes.blob)
		read_bytes(rd);
	else
		finish(rd, v);
}

/* --- QUEUE_TAKE, QUEUE_LEASE ------------------------------------------------------- */

/* Of leases: a process, of this life of the supervisor; never 0. */
static uint64_t
owner_of(const struct request *r)
{
	return r->s->life << 20 ^ r->peer->worker;
}

struct verdict
req_queue_take(struct request *r)
{
	struct msg_queue_take_reply reply = { 0 };
	struct msg_queue_take q;
	struct verdict v;

	if (!msg_queue_take_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = queue_take(r->s->queue, owner_of(r), &q, &reply.ended);
	/* Of damage is told when it is found; this is asked again and again. */
	if (!verdict_is_done(v) && v.reason != REASON_CORRUPT)
		log_event(EV_STORE_QUEUE_FAIL, LC("during", "leases"),
		    LC("reason", reason_str(v.reason)));
	if (verdict_is_done(v))
		msg_queue_take_reply_put(&r->out, &reply);
	return v;
}

struct verdict
req_queue_lease(struct request *r)
{
	struct msg_queue_lease q;

	if (!msg_queue_lease_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	/* One that has not taken over, or another one has since then. */
	if (!queue_is_owner(r->s->queue, owner_of(r)))
		return verdict_tempfail(REASON_FORBIDDEN);
	return queue_lease(r->s->queue, &q, &r->out);
}

/* --- QUEUE_CHANGE ------------------------------------------------------------------ */

struct verdict
req_queue_change(struct request *r)
{
	static const char *const names[] = { "retry", "hold", "release",
		"cancel", "return", "reroute" };
	struct msg_queue_change_reply reply;
	struct msg_queue_change q;
	struct verdict v;

	if (!msg_queue_change_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = queue_change(r->s->queue, &q, &r->out);
	if (verdict_is_done(v) &&
	    msg_queue_change_reply_get(buf_str(&r->out), &reply) &&
	    reply.changed)
		log_event(EV_STORE_QUEUE_CHANGE, LC("what", names[q.action]),
		    LU("entries", reply.changed));
	return v;
}

/* --- QUEUE_DUE --------------------------------------------------------------------- */

struct due {
	struct server *s;
	struct buf body;
};

const struct peer *
store_sender(const struct server *s)
{
	const struct peer *p = s->peers;

	while (p && p->role != ROLE_SEND)
		p = p->next;
	return p;
}

static void
on_durable(void *arg, UNUSED int err)
{
	struct due *due = arg;
	const struct peer *p = store_sender(due->s);

	if (p)
		ipc_notify(p->ipc, MSG_QUEUE_DUE, 0, buf_str(&due->body), -1);
	buf_done(&due->body);
	free(due);
}

/* A second's worth; the rest comes in the next one. */
void
queue_tell_counts(struct server *s)
{
	const struct peer *p = store_sender(s);

	for (unsigned i = 0; p != NULL && i < COUNTS_A_SECOND; i++) {
		struct buf list = BUF_INIT(COUNTS_BYTES + KIB(1));
		struct buf body = BUF_INIT(COUNTS_BYTES + KIB(2));
		struct msg_queue_counts m;
		bool is_anew, is_there;

		is_there =
		    queue_take_counts(s->queue, &list, COUNTS_BYTES, &is_anew);
		m = (struct msg_queue_counts){ is_anew, buf_str(&list) };
		msg_queue_counts_put(&body, &m);
		if (is_there)
			ipc_notify(
			    p->ipc, MSG_QUEUE_COUNTS, 0, buf_str(&body), -1);
		buf_done(&list);
		buf_done(&body);
		if (!is_there)
			break;
	}
}

void
queue_flush(struct server *s)
{
	struct buf body = BUF_INIT(KIB(4));

	/* Without a sender they are forgotten: the next one asks for all. */
	while (queue_take_due(s->queue, &body, DUE_BYTES)) {
		struct due *due = X_NEW(struct due);

		*due = (struct due){ s, body };
		body = BUF_INIT(KIB(4));
		engine_sync(
		    s->engine, engine_position(s->engine), on_durable, due);
	}
	buf_done(&body);
}
