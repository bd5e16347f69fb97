/* SPDX-License-Identifier: ISC */
/*
 * conn_in.c - input of a connection: held, limited, given to the session.
 *
 * Reading is not switched off while the session waits or the client does not
 * read, until the input buffer is filled up to in_max: then TCP pushes back.
 * That costs no system call and still notices a peer that goes away.
 */
#include "net/conn_internal.h"

#include "base/metrics.h"

#include <netinet/tcp.h>

void
conn_note_in(struct conn *c, size_t n)
{
	c->bytes_in += n;
	c->empty_records = 0;
	metric_add(M_BYTES_IN, n);
	/* Input does not help a client that does not read. */
	if (!c->is_full)
		c->last_ms = loop_now_ms(c->loop);
}

void
conn_deliver(struct conn *c)
{
	if (c->state != OPEN || c->is_paused || c->is_full)
		return;
	if (conn_in_bytes(c) > 0)
		c->handlers->data(c->arg);
	/* What cannot become a whole command any more is dropped. */
	if (c->is_eof && c->state == OPEN && !c->is_paused && !c->is_full)
		conn_enter_closing(c, CONN_END_EOF, "");
}

static void
limit_input(struct conn *c)
{
	if (c->state != OPEN || c->is_stuffed || conn_in_bytes(c) < c->in_max)
		return;
	c->is_stuffed = true;
	conn_want_read(c, false);
}

static void
accept_input(struct conn *c)
{
	if (!c->is_stuffed || c->state != OPEN || conn_in_bytes(c) >= c->in_max)
		return;
	c->is_stuffed = false;
	conn_want_read(c, true);
}

static void
drain(struct conn *c, size_t n)
{
	if (c->bev) {
		conn_tls_drain(c, n);
		return;
	}
	c->in_at += MIN(n, c->in.n - c->in_at);
	if (c->in_at == c->in.n)
		conn_plain_drop_input(c);
}

void
conn_on_input(struct conn *c)
{
	if (c->state == LINGER) {
		drain(c, conn_in_bytes(c));
		return;
	}
	conn_deliver(c);
	limit_input(c);
}

struct str
conn_in(struct conn *c)
{
	if (c->fd < 0 || c->state == END)
		return STR_NONE;
	return c->bev ? conn_tls_in(c) : str_from(buf_str(&c->in), c->in_at);
}

void
conn_consume(struct conn *c, size_t n)
{
	if (n == 0 || c->fd < 0)
		return;
	drain(c, n);
	accept_input(c);
}

void
conn_consume_secret(struct conn *c, size_t n)
{
	struct str in = conn_in(c);

	if (in.n > 0)
		explicit_bzero((void *)(uintptr_t)in.p, MIN(n, in.n));
	if (!c->bev)
		conn_plain_wipe();
	conn_consume(c, n);
}

void
conn_quick_ack(struct conn *c)
{
	int on = 1;

	if (c->fd >= 0)
		(void)setsockopt(
		    c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void
conn_pause(struct conn *c)
{
	c->is_paused = true;
}

void
conn_set_in_max(struct conn *c, size_t in_max)
{
	c->in_max = in_max;
	if (c->fd >= 0)
		accept_input(c);
}

static void
on_resume(void *arg)
{
	struct conn *c = arg;

	c->is_queued = false;
	if (c->state == OPEN)
		conn_deliver(c);
}

void
conn_resume(struct conn *c)
{
	c->is_paused = false;
	c->last_ms = loop_now_ms(c->loop);
	if (c->is_queued || c->state != OPEN)
		return;
	c->is_queued = true;
	loop_defer(c->loop, on_resume, c);
}

uint64_t
conn_bytes_in(const struct conn *c)
{
	return c->bytes_in;
}
