/* SPDX-License-Identifier: ISC */
/*
 * ipc.c - one end of an internal connection: reading, writing, requests.
 *
 *   OPEN --(peer gone, refused message, ipc_peer_close)--> CLOSING
 *   CLOSING --(from the loop: replies made, closed() called)--> CLOSED
 *
 * The connection holds one reference until CLOSED; a deferred call that is
 * under way holds one too, so that memory never goes inside a callback.
 * Writing is deferred to the end of the round: what a burst of requests
 * causes goes out in one system call.
 */
#include "proc/ipc.h"
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"
#include "proc/ipc_pending.h"

#include "base/log.h"
#include "base/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#define READ_BYTES   KIB(128)
#define DIRECT_BYTES KIB(64)  /* a larger body is not collected first */
#define READS_MAX    8        /* in one callback: others want their turn */
#define KEEP_BYTES   KIB(256) /* of an empty buffer */
#define BACKLOG_MAX  MIB(256) /* the other end is stuck: give up */

/* A descriptor that goes with the byte at this offset of the output. */
struct out_fd {
	size_t at;
	int fd;
};

struct ipc_peer {
	unsigned refs;
	struct loop *loop;
	struct loop_fd *watch;
	int fd;
	struct ipc_ends incoming; /* sender: the other; receiver: we */
	uint32_t worker;
	const struct ipc_handlers *handlers;
	void *arg;
	bool is_open, may_pause, is_paused, wants_write, is_flush_deferred;

	struct buf in;
	int in_fd[2]; /* received, not yet claimed by a frame */
	unsigned in_fd_count;

	struct buf out;
	size_t out_sent; /* bytes at the start of out that are sent */
	struct out_fd *out_fds;
	size_t out_fd_count, out_fd_cap, out_fd_sent;

	struct ipc_pending pending;
};

static void read_ready(void *arg);
static void write_ready(void *arg);
static void flush_deferred(void *arg);
static void finish_close(void *arg);

struct ipc_peer *
ipc_peer_new(const struct ipc_config *config)
{
	struct ipc_peer *p = X_NEW(struct ipc_peer);
	int flags = fcntl(config->fd, F_GETFL);

	if (flags < 0 || fcntl(config->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(config->fd, F_SETFD, FD_CLOEXEC) < 0)
		die("ipc: descriptor %d: %s", config->fd, strerror(errno));
	p->refs = 1;
	p->loop = config->loop;
	p->fd = config->fd;
	p->incoming = (struct ipc_ends){ config->other, config->self };
	p->worker = config->worker;
	p->handlers = config->handlers;
	p->arg = config->arg;
	p->is_open = true;
	p->may_pause =
	    ipc_may_pause((struct ipc_ends){ config->self, config->other });
	buf_init(&p->in, IPC_HEADER_BYTES + IPC_REPLY_MAX + READ_BYTES);
	buf_init(&p->out, BACKLOG_MAX);
	p->watch = loop_fd_new(p->loop, p->fd, read_ready, write_ready, p);
	loop_fd_want(p->watch, true, false);
	return p;
}

struct ipc_peer *
ipc_peer_ref(struct ipc_peer *p)
{
	p->refs++;
	return p;
}

struct ipc_peer *
ipc_peer_unref(struct ipc_peer *p)
{
	if (p == NULL || --p->refs > 0)
		return NULL;
	ASSERT(!p->is_open);
	ipc_pending_done(&p->pending);
	free(p);
	return NULL;
}

bool
ipc_peer_is_open(const struct ipc_peer *p)
{
	return p->is_open;
}

enum role
ipc_peer_role(const struct ipc_peer *p)
{
	return p->incoming.sender;
}

uint32_t
ipc_peer_worker(const struct ipc_peer *p)
{
	return p->worker;
}

size_t
ipc_peer_backlog(const struct ipc_peer *p)
{
	return p->out.n - p->out_sent;
}

/* --- closing ------------------------------------------------------------------ */

void
ipc_peer_close(struct ipc_peer *p)
{
	if (!p->is_open)
		return;
	p->is_open = false;
	loop_fd_free(TAKE_PTR(p->watch));
	closep(&p->fd);
	while (p->in_fd_count > 0)
		closep(&p->in_fd[--p->in_fd_count]);
	while (p->out_fd_sent < p->out_fd_count)
		closep(&p->out_fds[p->out_fd_sent++].fd);
	free(TAKE_PTR(p->out_fds));
	buf_done(&p->out);
	p->out_sent = 0;
	/* p->in stays: a callback may be looking at it. */
	loop_defer(p->loop, finish_close, p);
}

static void
give_reply(const struct ipc_pending_entry *e, struct ipc_msg *m)
{
	if (e->fn != NULL)
		e->fn(e->arg, m);
	closep(&m->fd);
}

/* Tell the asker that no answer will come. */
static void
give_made_reply(const struct ipc_pending_entry *e, enum reason reason)
{
	struct msg_error error = { .reason = (uint16_t)reason };
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_msg m = { .type = e->type,
		.outcome = TEMPFAIL,
		.is_reply = true,
		.id = e->id,
		.session = e->session,
		.fd = -1 };

	msg_error_put(&body, &error);
	m.body = buf_str(&body);
	give_reply(e, &m);
	buf_done(&body);
}

static void
finish_close(void *arg)
{
	struct ipc_peer *p = arg;
	struct ipc_pending_entry e;

	while (ipc_pending_take_any(&p->pending, &e))
		give_made_reply(&e, REASON_GONE);
	buf_done(&p->in);
	if (p->handlers->closed)
		p->handlers->closed(p->arg, p);
	ipc_peer_unref(p);
}

static void
refuse(struct ipc_peer *p, const char *why)
{
	log_event(EV_IPC_REFUSED, LC("from", role_name(p->incoming.sender)),
	    LU("worker", p->worker), LC("why", why));
	ipc_peer_close(p);
}

/* --- reading -------------------------------------------------------------------- */

static int
take_in_fd(struct ipc_peer *p)
{
	int fd = p->in_fd[0];

	p->in_fd[0] = p->in_fd[1];
	p->in_fd_count--;
	return fd;
}

static void
dispatch(struct ipc_peer *p, const struct ipc_frame *f)
{
	struct ipc_pending_entry e;
	struct ipc_msg m = {
		.type = f->type,
		.outcome = f->outcome,
		.is_reply = f->is_reply,
		.id = f->id,
		.session = f->session,
		.body = f->body,
		.fd = f->has_fd ? take_in_fd(p) : -1,
	};

	metric_add(M_IPC_MESSAGES, 1);
	if (!f->is_reply) {
		p->handlers->message(p->arg, p, &m);
		closep(&m.fd);
		return;
	}
	if (!ipc_pending_take(&p->pending, f->id, f->type, &e)) {
		closep(&m.fd);
		refuse(p, "reply without a request");
		return;
	}
	give_reply(&e, &m);
}

/* All complete frames; the peer may be closed afterwards. */
static void
dispatch_frames(struct ipc_peer *p)
{
	size_t at = 0, need = 0;

	while (p->is_open) {
		struct ipc_frame f;
		const char *why;
		enum ipc_verdict v =
		    ipc_frame_next(str_from(buf_str(&p->in), at), p->incoming,
			&f, &need, &why);

		if (v == IPC_FRAME_MORE)
			break;
		if (v == IPC_FRAME_BAD) {
			refuse(p, why);
			return;
		}
		if (f.has_fd && p->in_fd_count == 0) {
			refuse(p, "descriptor missing");
			return;
		}
		dispatch(p, &f);
		at += need;
	}
	if (!p->is_open)
		return;
	/* One may be waiting for the rest of its frame. */
	if (p->in_fd_count > 1 || (p->in_fd_count == 1 && p->in.n == at)) {
		refuse(p, "descriptor that no message claims");
		return;
	}
	buf_drop(&p->in, at);
	if (p->in.n == 0)
		buf_reset(&p->in, KEEP_BYTES);
}

/* 1: there may be more, 0: that was all, or the peer is closed. */
static int
read_once(struct ipc_peer *p)
{
	char *to = buf_reserve(&p->in, READ_BYTES);
	size_t room = p->in.cap - p->in.n;
	int fd = -1;
	ssize_t n;

	ASSERT(to != NULL);
	room = MIN(room, p->in.max - p->in.n);
	n = ipc_io_recv(p->fd, to, room, &fd);
	if (n == -EAGAIN)
		return 0;
	if (n == -EPROTO) {
		refuse(p, "more than one descriptor at once");
		return 0;
	}
	if (n <= 0) {
		closep(&fd);
		ipc_peer_close(p);
		return 0;
	}
	if (fd >= 0) {
		ASSERT(p->in_fd_count < ARRAY_LEN(p->in_fd));
		p->in_fd[p->in_fd_count++] = fd;
	}
	p->in.n += (size_t)n;
	dispatch_frames(p);
	return p->is_open && (size_t)n == room;
}

static void
update_watch(struct ipc_peer *p)
{
	bool is_paused = p->may_pause && ipc_peer_backlog(p) > IPC_HIGH_WATER;

	p->is_paused = is_paused;
	loop_fd_want(p->watch, !is_paused, p->wants_write);
}

static void
read_ready(void *arg)
{
	struct ipc_peer *p = ipc_peer_ref(arg);

	for (int i = 0; i < READS_MAX && p->is_open && !p->is_paused; i++) {
		if (read_once(p) == 0)
			break;
		p->is_paused =
		    p->may_pause && ipc_peer_backlog(p) > IPC_HIGH_WATER;
	}
	if (p->is_open && p->is_paused)
		update_watch(p);
	ipc_peer_unref(p);
}

/* --- writing -------------------------------------------------------------------- */

/* Up to the next byte that a descriptor goes with. */
static ssize_t
write_once(struct ipc_peer *p)
{
	size_t end = p->out.n;
	int fd = -1;
	ssize_t n;

	if (p->out_fd_sent < p->out_fd_count) {
		const struct out_fd *next = &p->out_fds[p->out_fd_sent];

		if (next->at == p->out_sent) {
			fd = next->fd;
			if (p->out_fd_sent + 1 < p->out_fd_count)
				end = next[1].at;
		} else {
			end = next->at;
		}
	}
	n = ipc_io_send(p->fd, p->out.p + p->out_sent, end - p->out_sent, fd);
	if (n > 0) {
		p->out_sent += (size_t)n;
		if (fd >= 0)
			closep(&p->out_fds[p->out_fd_sent++].fd);
	}
	return n;
}

static void
compact(struct ipc_peer *p)
{
	/* Moving costs as much as what was sent: amortised constant. */
	if (p->out_sent < p->out.n && p->out_sent < p->out.n / 2)
		return;
	buf_drop(&p->out, p->out_sent);
	p->out_fd_count -= p->out_fd_sent;
	for (size_t i = 0; i < p->out_fd_count; i++) {
		p->out_fds[i] = p->out_fds[i + p->out_fd_sent];
		p->out_fds[i].at -= p->out_sent;
	}
	p->out_fd_sent = 0;
	p->out_sent = 0;
	if (p->out.n == 0)
		buf_reset(&p->out, KEEP_BYTES);
}

static void
write_ready(void *arg)
{
	struct ipc_peer *p = arg;
	bool was_waiting = p->wants_write, was_paused = p->is_paused;
	ssize_t n = 1;

	while (n > 0 && p->out_sent < p->out.n)
		n = write_once(p);
	if (n < 0 && n != -EAGAIN) {
		ipc_peer_close(p);
		return;
	}
	compact(p);
	p->wants_write = p->out_sent < p->out.n;
	if (p->wants_write != was_waiting || was_paused ||
	    ipc_peer_backlog(p) > IPC_HIGH_WATER)
		update_watch(p);
}

static void
flush_deferred(void *arg)
{
	struct ipc_peer *p = arg;

	p->is_flush_deferred = false;
	if (p->is_open && !p->wants_write)
		write_ready(p);
	ipc_peer_unref(p);
}

/*
 * A large body goes from where it lies to the socket, behind what waits; only
 * what the socket does not take is copied. False: nothing was sent.
 */
static bool
send_large(struct ipc_peer *p, struct ipc_frame *f)
{
	char header[IPC_HEADER_BYTES];
	ssize_t n;

	if (!p->wants_write && p->out.n > 0)
		write_ready(p);
	if (!p->is_open || p->wants_write || p->out.n > 0)
		return false;
	ipc_frame_header(f, header);
	n = ipc_io_send_two(p->fd, str_make(header, sizeof(header)), f->body);
	if (n <= 0)
		return false;
	if ((size_t)n < sizeof(header)) {
		buf_put(&p->out, header + n, sizeof(header) - (size_t)n);
		n = sizeof(header);
	}
	buf_put_str(&p->out, str_from(f->body, (size_t)n - sizeof(header)));
	return true;
}

static void
flush_later(struct ipc_peer *p)
{
	if (!p->is_paused && p->may_pause &&
	    ipc_peer_backlog(p) > IPC_HIGH_WATER)
		update_watch(p);
	if (p->wants_write || p->is_flush_deferred || p->out.n == 0)
		return;
	p->is_flush_deferred = true;
	loop_defer(p->loop, flush_deferred, ipc_peer_ref(p));
}

static void
send_frame(struct ipc_peer *p, struct ipc_frame *f, int fd)
{
	struct ipc_ends outgoing = { p->incoming.receiver, p->incoming.sender };
	char *to;

	if (!p->is_open) {
		closep(&fd);
		return;
	}
	f->has_fd = fd >= 0;
	/* Sending what the other end would refuse is a bug of ours. */
	ASSERT(ipc_frame_refusal(f, f->body.n, outgoing) == NULL);
	if (f->body.n >= DIRECT_BYTES && fd < 0 && send_large(p, f)) {
		flush_later(p);
		return;
	}
	if (!p->is_open)
		return;
	to = buf_reserve(&p->out, IPC_HEADER_BYTES + f->body.n);
	if (to == NULL) {
		closep(&fd);
		refuse(p, "it does not read");
		return;
	}
	if (fd >= 0) {
		p->out_fds = x_grow(p->out_fds, &p->out_fd_cap,
		    p->out_fd_count + 1, sizeof(*p->out_fds));
		p->out_fds[p->out_fd_count++] = (struct out_fd){ p->out.n, fd };
	}
	ipc_frame_header(f, to);
	p->out.n += IPC_HEADER_BYTES;
	buf_put_str(&p->out, f->body);
	flush_later(p);
}

void
ipc_notify(struct ipc_peer *p, enum msg_type type, uint32_t session,
    struct str body, int fd)
{
	struct ipc_frame f = { .type = type, .session = session, .body = body };

	send_frame(p, &f, fd);
}

/* --- requests --------------------------------------------------------------------- */

struct unsent {
	struct ipc_peer *peer;
	uint32_t id;
	enum msg_type type;
	enum reason reason;
};

static void
answer_unsent(void *arg)
{
	struct unsent *u = arg;
	struct ipc_pending_entry e;

	/* finish_close() may have been quicker. */
	if (ipc_pending_take(&u->peer->pending, u->id, u->type, &e))
		give_made_reply(&e, u->reason);
	ipc_peer_unref(u->peer);
	free(u);
}

uint32_t
ipc_request(struct ipc_peer *p, enum msg_type type, uint32_t session,
    struct str body, int fd, ipc_reply_fn fn, void *arg)
{
	struct ipc_frame f = { .type = type, .session = session, .body = body };
	struct ipc_pending_entry e = {
		.type = type, .session = session, .fn = fn, .arg = arg
	};
	bool is_full = ipc_pending_is_full(&p->pending);

	ASSERT(fn != NULL);
	f.id = ipc_pending_add(&p->pending, &e);
	if (p->is_open && !is_full) {
		send_frame(p, &f, fd);
		return f.id;
	}
	closep(&fd);
	struct unsent *u = X_NEW(struct unsent);
	*u = (struct unsent){ ipc_peer_ref(p), f.id, type,
		is_full ? REASON_LIMIT : REASON_GONE };
	loop_defer(p->loop, answer_unsent, u);
	return f.id;
}

void
ipc_cancel(struct ipc_peer *p, uint32_t id)
{
	ipc_pending_forget(&p->pending, id);
}

/* --- replies ------------------------------------------------------------------------ */

struct ipc_return
ipc_return_new(struct ipc_peer *p, const struct ipc_msg *m)
{
	return (
	    struct ipc_return){ ipc_peer_ref(p), m->type, m->id, m->session };
}

static void
send_reply(struct ipc_return *r, enum outcome o, struct str body, int fd)
{
	struct ipc_frame f = { .type = r->type,
		.outcome = o,
		.is_reply = true,
		.id = r->id,
		.session = r->session,
		.body = body };

	ASSERT(r->peer != NULL);
	if (r->id != 0)
		send_frame(r->peer, &f, fd);
	else
		closep(&fd);
	ipc_return_drop(r);
}

void
ipc_reply(struct ipc_return *r, struct str body, int fd)
{
	send_reply(r, DONE, body, fd);
}

void
ipc_reply_outcome(struct ipc_return *r, enum outcome o, struct str body)
{
	send_reply(r, o, body, -1);
}

void
ipc_reply_error(
    struct ipc_return *r, enum outcome o, enum reason reason, const char *text)
{
	struct msg_error error = { .reason = (uint16_t)reason,
		.text = str_first(str_c(text), KIB(4)) };
	struct buf body = BUF_INIT(KIB(8));

	ASSERT(o != DONE);
	msg_error_put(&body, &error);
	send_reply(r, o, buf_str(&body), -1);
	buf_done(&body);
}

void
ipc_return_drop(struct ipc_return *r)
{
	r->peer = ipc_peer_unref(r->peer);
}

enum reason
ipc_reason(const struct ipc_msg *m)
{
	struct msg_error e;

	if (m->outcome == DONE || !msg_error_get(m->body, &e))
		return REASON_NONE;
	return (enum reason)e.reason;
}

struct str
ipc_error_text(const struct ipc_msg *m)
{
	struct msg_error e;

	if (m->outcome == DONE || !msg_error_get(m->body, &e))
		return STR_NONE;
	return e.text;
}
