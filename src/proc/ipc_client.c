/* SPDX-License-Identifier: ISC */
/*
 * ipc_client.c - the blocking end of an internal connection, for the command
 * line. See ipc.h.
 */
#include "proc/ipc.h"
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct ipc_client {
	int fd; /* non-blocking: poll() waits, and a signal ends the wait */
	enum role other;
	uint32_t last_id;
	int patience_ms;
};

int
ipc_client_open(int fd, enum role other, struct ipc_client **ret)
{
	struct ipc_client *c;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	c = X_NEW(struct ipc_client);
	c->fd = fd;
	c->other = other;
	c->patience_ms = IPC_CLIENT_PATIENCE_S * 1000;
	*ret = c;
	return 0;
}

void
ipc_client_set_patience(struct ipc_client *c, unsigned ms)
{
	c->patience_ms = (int)MIN(ms, (unsigned)INT_MAX);
}

unsigned
ipc_client_patience(const struct ipc_client *c)
{
	return (unsigned)c->patience_ms;
}

enum role
ipc_client_role(const struct ipc_client *c)
{
	return c->other;
}

void
ipc_client_free(struct ipc_client *c)
{
	if (c == NULL)
		return;
	closep(&c->fd);
	free(c);
}

/* Until some bytes can move. 0, -ETIMEDOUT, or -EINTR after a handler ran. */
static int
await(const struct ipc_client *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n = poll(&p, 1, c->patience_ms);

	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int
send_all(const struct ipc_client *c, struct str s, int fd)
{
	while (s.n > 0) {
		ssize_t n = ipc_io_send(c->fd, s.p, s.n, fd);
		int r = n == -EAGAIN ? await(c, POLLOUT) : (int)MIN(n, 0);

		if (r < 0)
			return r;
		if (n < 0)
			continue;
		s = str_from(s, (size_t)n);
		fd = -1;
	}
	return 0;
}

/* What there is, and a descriptor that came with it goes to *fd. */
static int
receive(const struct ipc_client *c, struct buf *b, size_t need, int *fd)
{
	char *to = buf_reserve(b, need - b->n);
	int got = -1;
	ssize_t n;

	if (to == NULL)
		return -EMSGSIZE;
	n = ipc_io_recv(c->fd, to, need - b->n, &got);
	if (n == -EAGAIN)
		return await(c, POLLIN);
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	b->n += (size_t)n;
	if (got >= 0) {
		closep(fd);
		*fd = got;
	}
	return 0;
}

/* Read until b holds need bytes. */
static int
fill(const struct ipc_client *c, struct buf *b, size_t need, int *fd)
{
	int r = 0;

	while (r == 0 && b->n < need)
		r = receive(c, b, need, fd);
	return r;
}

/* One frame, whole, into b; *f points into it. */
static int
read_frame(struct ipc_client *c, struct buf *b, int *fd, struct ipc_frame *ret)
{
	struct ipc_ends ends = { c->other, ROLE_CLI };
	size_t need = IPC_HEADER_BYTES;
	enum ipc_verdict v;
	const char *why;
	int r;

	do {
		r = fill(c, b, need, fd);
		if (r < 0)
			return r;
		v = ipc_frame_next(buf_str(b), ends, ret, &need, &why);
	} while (v == IPC_FRAME_MORE);
	if (v == IPC_FRAME_BAD || ret->has_fd != (*fd >= 0))
		return -EPROTO;
	return 0;
}

static int
send_call(struct ipc_client *c, const struct ipc_call *call, uint32_t id)
{
	struct ipc_frame f = { .type = call->type,
		.has_fd = call->fd >= 0,
		.id = id,
		.session = call->session,
		.body = call->body };
	struct buf out = BUF_INIT(IPC_HEADER_BYTES + call->body.n);
	struct ipc_ends ends = { ROLE_CLI, c->other };
	int r;

	if (ipc_frame_refusal(&f, call->body.n, ends) != NULL)
		return -EMSGSIZE;
	ipc_frame_header(&f, buf_reserve(&out, IPC_HEADER_BYTES));
	out.n += IPC_HEADER_BYTES;
	buf_put_str(&out, call->body);
	r = send_all(c, buf_str(&out), call->fd);
	buf_done_secret(&out);
	return r;
}

int
ipc_client_call(struct ipc_client *c, const struct ipc_call *call,
    enum outcome *ret_outcome, struct buf *ret_body, int *ret_fd)
{
	uint32_t id = ++c->last_id ? c->last_id : ++c->last_id;
	int r = send_call(c, call, id);

	while (r == 0) {
		struct buf in = BUF_INIT(IPC_HEADER_BYTES + IPC_REPLY_MAX);
		CLEANUP(closep) int fd = -1;
		struct ipc_frame f;

		r = read_frame(c, &in, &fd, &f);
		if (r == 0 && f.is_reply &&
		    (f.id != id || f.type != call->type))
			r = -EPROTO;
		/* Notifications are for those who run a loop. */
		if (r < 0 || !f.is_reply) {
			buf_done(&in);
			continue;
		}
		*ret_outcome = f.outcome;
		buf_put_str(ret_body, f.body);
		if (ret_fd != NULL) {
			*ret_fd = fd;
			fd = -1;
		}
		buf_done(&in);
		return ret_body->failed ? -EMSGSIZE : 0;
	}
	return r;
}
