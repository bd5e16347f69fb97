/* SPDX-License-Identifier: ISC */
/*
 * conn_out.c - output of a connection, and when there is too much of it.
 *
 * Plain output is written at the end of the loop's round, all replies of the
 * round at once. That halves the system calls of a dialogue.
 */
#include "net/conn_internal.h"

#include "base/metrics.h"

#include <event2/buffer.h>

#define COPY_BELOW KIB(4) /* smaller blocks are copied, not referenced */

void
conn_note_out(struct conn *c, size_t n)
{
	c->bytes_out += n;
	metric_add(M_BYTES_OUT, n);
	c->last_ms = loop_now_ms(c->loop);
}

static bool
may_put(const struct conn *c)
{
	return c->fd >= 0 && (c->state == OPEN || c->state == STARTING);
}

static void
flush(void *arg)
{
	struct conn *c = arg;

	c->is_dirty = false;
	if (c->state != END && !c->is_tls && conn_out_bytes(c) > 0)
		conn_plain_flush(c);
}

/* Output was added. */
static void
note_output(struct conn *c)
{
	if (conn_out_bytes(c) > c->out_high)
		c->is_full = true;
	if (c->is_dirty || c->is_tls)
		return;
	c->is_dirty = true;
	loop_defer(c->loop, flush, c);
}

void
conn_put(struct conn *c, struct str s)
{
	if (s.n == 0 || !may_put(c))
		return;
	if (evbuffer_add(c->out, s.p, s.n) < 0)
		die("evbuffer_add: out of memory");
	note_output(c);
}

static void
free_block(const void *p, UNUSED size_t n, UNUSED void *arg)
{
	free((void *)(uintptr_t)p);
}

void
conn_put_buf(struct conn *c, struct buf *b)
{
	if (b->n < COPY_BELOW || !may_put(c)) {
		conn_put(c, buf_str(b));
		buf_done(b);
		return;
	}
	if (evbuffer_add_reference(c->out, b->p, b->n, free_block, NULL) < 0)
		die("evbuffer_add_reference: out of memory");
	b->p = NULL; /* the evbuffer frees it */
	buf_done(b);
	note_output(c);
}

struct lent {
	loop_fn release;
	void *arg;
};

static void
give_back(UNUSED const void *p, UNUSED size_t n, void *arg)
{
	struct lent *lent = arg;

	lent->release(lent->arg);
	free(lent);
}

void
conn_put_ref(struct conn *c, struct str s, loop_fn release, void *arg)
{
	struct lent *lent;

	if (s.n == 0 || !may_put(c)) {
		release(arg);
		return;
	}
	lent = X_NEW(struct lent);
	*lent = (struct lent){ release, arg };
	if (evbuffer_add_reference(c->out, s.p, s.n, give_back, lent) < 0)
		die("evbuffer_add_reference: out of memory");
	note_output(c);
}

size_t
conn_out_bytes(struct conn *c)
{
	return c->out ? evbuffer_get_length(c->out) : 0;
}

bool
conn_is_full(struct conn *c)
{
	return c->is_full;
}

void
conn_on_written(struct conn *c)
{
	switch (c->state) {
	case STARTING:
		if (conn_out_bytes(c) == 0)
			loop_defer(c->loop, conn_switch_to_tls, c);
		break;
	case CLOSING:
		if (conn_out_bytes(c) == 0)
			conn_output_is_sent(c);
		break;
	case OPEN:
		if (!c->is_full || conn_out_bytes(c) > c->out_low)
			break;
		c->is_full = false;
		if (c->handlers->drained != NULL)
			c->handlers->drained(c->arg);
		conn_deliver(c);
		break;
	case LINGER:
	case END:
		break;
	}
}

uint64_t
conn_bytes_out(const struct conn *c)
{
	return c->bytes_out;
}
