/* SPDX-License-Identifier: ISC */
/*
 * conn_plain.c - bytes of a socket without TLS.
 *
 * Reads go through one buffer of the process: how much is there is known only
 * afterwards, so a connection that waits holds no memory for input, and no
 * system call asks for the number first.
 */
#include "net/conn_internal.h"

#include <event2/buffer.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_MAX  KIB(64) /* in one round: others want their turn */
#define WRITE_MAX KIB(256)

static struct {
	size_t n; /* of the last read */
	char p[READ_MAX];
} scratch;

static void on_readable(void *arg);
static void on_writable(void *arg);

void
conn_plain_begin(struct conn *c)
{
	c->in = BUF_INIT(SIZE_MAX / 2);
	c->in_at = 0;
	c->out = evbuffer_new();
	if (c->out == NULL)
		die("evbuffer_new: out of memory");
	c->watch = loop_fd_new(c->loop, c->fd, on_readable, on_writable, c);
	c->reads = c->writes = false;
	conn_plain_want_read(c, true);
}

void
conn_plain_end(struct conn *c)
{
	loop_fd_free(TAKE_PTR(c->watch));
	conn_plain_drop_input(c);
	evbuffer_free(TAKE_PTR(c->out));
}

static void
want(struct conn *c, bool reads, bool writes)
{
	if (c->watch == NULL || (c->reads == reads && c->writes == writes))
		return;
	c->reads = reads;
	c->writes = writes;
	loop_fd_want(c->watch, reads, writes);
}

void
conn_plain_want_read(struct conn *c, bool reads)
{
	want(c, reads && !c->is_eof, c->writes);
}

void
conn_plain_drop_input(struct conn *c)
{
	buf_done(&c->in);
	c->in_at = 0;
}

void
conn_plain_wipe(void)
{
	explicit_bzero(scratch.p, scratch.n);
	scratch.n = 0;
}

static void
keep(struct conn *c, struct str s)
{
	if (c->in_at > c->in.n / 2) {
		buf_drop(&c->in, c->in_at);
		c->in_at = 0;
	}
	buf_put_str(&c->in, s);
}

static void
on_readable(void *arg)
{
	struct conn *c = arg;
	size_t have = c->in.n - c->in_at;
	size_t room = c->in_max > have ? c->in_max - have : 0;
	ssize_t n;

	if (c->state == LINGER)
		room = READ_MAX;
	if (room == 0) {
		conn_on_input(c);
		return;
	}
	n = recv(c->fd, scratch.p, MIN(room, READ_MAX), MSG_DONTWAIT);
	if (n > 0) {
		scratch.n = (size_t)n;
		if (c->state != LINGER)
			keep(c, str_make(scratch.p, (size_t)n));
		conn_note_in(c, (size_t)n);
		conn_on_input(c);
	} else if (n == 0) {
		want(c, false, c->writes);
		conn_on_eof(c);
	} else if (errno != EAGAIN && errno != EINTR) {
		conn_on_error(c, 0, errno);
	}
}

void
conn_plain_flush(struct conn *c)
{
	int n = evbuffer_write_atmost(c->out, c->fd, WRITE_MAX);

	if (n > 0)
		conn_note_out(c, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		want(c, c->reads, false);
		conn_on_error(c, 0, errno);
		return;
	}
	want(c, c->reads, evbuffer_get_length(c->out) > 0);
	conn_on_written(c);
}

static void
on_writable(void *arg)
{
	conn_plain_flush(arg);
}
