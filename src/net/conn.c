/* SPDX-License-Identifier: ISC */
/*
 * conn.c - a connection: its states, its time, what the session sees.
 *
 *   OPEN --conn_start_tls--> STARTING --output sent--> OPEN (handshake, then
 *     |                                                tls_ready)
 *     +--conn_close, EOF--> CLOSING --output sent--> LINGER --EOF, 2 s--+
 *     +--conn_abort, error----------------------------------------------+--> END
 *
 * Reading is not switched off while the session waits or the client does not
 * read, until the input buffer is filled up to in_max: then TCP pushes back.
 * That costs no system call and still notices a peer that goes away. END is
 * entered from anywhere, also from inside a handler; closed() then runs from
 * the loop, and the memory goes one round later, because a resume may still
 * be queued behind it.
 *
 * Plain output is written at the end of the loop's round, all replies of the
 * round at once. That halves the system calls of a dialogue.
 */
#include "net/conn_internal.h"

#include "base/metrics.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLOSE_MS   5000   /* for the last output */
#define LINGER_MS  2000   /* for a client that still sends */
#define COPY_BELOW KIB(4) /* smaller blocks are copied, not referenced */

static size_t
in_bytes(struct conn *c)
{
	return c->bev ? conn_tls_in_bytes(c) : c->in.n - c->in_at;
}

static void
want_read(struct conn *c, bool want)
{
	if (c->bev)
		conn_tls_want_read(c, want);
	else
		conn_plain_want_read(c, want);
}

/* --- the end ------------------------------------------------------------------ */

static void
free_conn(void *arg)
{
	free(arg);
}

static void
finish(void *arg)
{
	struct conn *c = arg;

	if (c->bev) {
		conn_tls_end(c);
	} else {
		conn_plain_end(c);
		closep(&c->fd);
	}
	c->fd = -1;
	loop_timer_free(TAKE_PTR(c->timer));
	c->handlers->closed(c->arg, c->how, c->detail);
	loop_defer(c->loop, free_conn, c);
}

static void
enter_end(struct conn *c, enum conn_end how, const char *detail)
{
	if (c->state == END)
		return;
	c->state = END;
	c->how = how;
	if (detail != c->detail)
		snprintf(c->detail, sizeof(c->detail), "%s", detail);
	if (c->bev)
		conn_tls_mute(c);
	else
		loop_fd_free(TAKE_PTR(c->watch));
	loop_timer_clear(c->timer);
	if (c->ssl != NULL && !c->is_tls)
		tls_session_free(c->ssl);
	loop_defer(c->loop, finish, c);
}

static void
arm(struct conn *c, uint64_t delay_ms)
{
	c->fires_ms = loop_now_ms(c->loop) + delay_ms;
	loop_timer_set(c->timer, delay_ms);
}

/*
 * All output is with the kernel. Closing a socket that holds unread input
 * makes the kernel send a reset, which can overtake our last reply: then wait
 * a little for the client to end first.
 */
static void
output_is_sent(struct conn *c)
{
	int unread = 0;

	if (c->is_tls)
		tls_session_shutdown(c->ssl);
	if (c->is_eof || ioctl(c->fd, FIONREAD, &unread) < 0 ||
	    (unread == 0 && in_bytes(c) == 0)) {
		enter_end(c, c->how, c->detail);
		return;
	}
	c->state = LINGER;
	shutdown(c->fd, SHUT_WR);
	arm(c, LINGER_MS);
	want_read(c, true);
	conn_on_input(c);
}

static void
enter_closing(struct conn *c, enum conn_end how, const char *detail)
{
	if (c->state == CLOSING || c->state == LINGER || c->state == END)
		return;
	c->how = how;
	if (detail != c->detail)
		snprintf(c->detail, sizeof(c->detail), "%s", detail);
	if (c->state == STARTING || (c->is_tls && !c->is_ready)) {
		enter_end(c, how, detail);
		return;
	}
	c->state = CLOSING;
	/* An end that the peer sends now must not overtake our last output. */
	want_read(c, false);
	if (c->bev)
		conn_tls_set_low(c, 0);
	arm(c, CLOSE_MS);
	if (conn_out_bytes(c) == 0)
		output_is_sent(c);
}

void
conn_close(struct conn *c)
{
	enter_closing(c, c->is_expired ? CONN_END_TIMEOUT : CONN_END_LOCAL, "");
}

void
conn_abort(struct conn *c)
{
	enter_end(c, c->is_expired ? CONN_END_TIMEOUT : CONN_END_LOCAL, "");
}

/* --- time --------------------------------------------------------------------- */

/* Nothing is waited for while the session itself is busy. */
static bool
is_waiting_for_us(struct conn *c)
{
	return c->is_paused && conn_out_bytes(c) == 0;
}

static void
on_timer(void *arg)
{
	struct conn *c = arg;
	uint64_t now = loop_now_ms(c->loop);

	c->fires_ms = 0;
	if (c->state == CLOSING || c->state == LINGER) {
		enter_end(c, c->how, c->detail);
		return;
	}
	if (c->idle_ms == 0)
		return;
	if (is_waiting_for_us(c))
		c->last_ms = now;
	if (now < c->last_ms + c->idle_ms) {
		arm(c, c->last_ms + c->idle_ms - now);
		return;
	}
	c->last_ms = now;
	arm(c, c->idle_ms);
	c->is_expired = true;
	if (c->handlers->timeout != NULL)
		c->handlers->timeout(c->arg);
	else
		conn_abort(c);
	c->is_expired = false;
}

/*
 * The timer is moved only when it would fire too late; when it fires too
 * early it looks at last_ms and goes on. So traffic costs no timer calls.
 */
void
conn_set_timeout(struct conn *c, uint64_t idle_ms)
{
	if (c->state != OPEN && c->state != STARTING)
		return;
	c->idle_ms = idle_ms;
	c->last_ms = loop_now_ms(c->loop);
	if (idle_ms > 0 &&
	    (c->fires_ms == 0 || c->fires_ms > c->last_ms + idle_ms))
		arm(c, idle_ms);
}

/* --- beginning -------------------------------------------------------------- */

static void
find_peer(struct conn *c, const struct sockaddr_storage *known)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&c->peer;
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&c->peer;
	socklen_t n = sizeof(c->peer);

	if (known != NULL)
		c->peer = *known;
	else if (getpeername(c->fd, (struct sockaddr *)&c->peer, &n) < 0)
		c->peer.ss_family = AF_UNSPEC;
	/* One client, one name: a mapped address is an IPv4 address. */
	if (c->peer.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		struct sockaddr_in v4 = { .sin_family = AF_INET,
			.sin_port = in6->sin6_port };

		memcpy(&v4.sin_addr, &in6->sin6_addr.s6_addr[12], 4);
		memset(&c->peer, 0, sizeof(c->peer));
		memcpy(&c->peer, &v4, sizeof(v4));
	}
	if (c->peer.ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, c->ip, sizeof(c->ip));
	else if (c->peer.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, c->ip, sizeof(c->ip));
	else
		snprintf(c->ip, sizeof(c->ip), "unix");
}

static SSL *
make_session(struct conn *c, struct tls_context *tls)
{
	return c->is_client ? tls_client_session_new(tls, &c->server)
	                    : tls_session_new(tls);
}

struct conn *
conn_new(const struct conn_config *config)
{
	struct conn *c = X_NEW(struct conn);

	c->loop = config->loop;
	c->fd = config->fd;
	c->is_client = config->is_client;
	c->server = config->server;
	c->handlers = config->handlers;
	c->arg = config->arg;
	c->in_max = config->in_max;
	c->out_high = config->out_high;
	c->out_low = config->out_low;
	c->last_ms = loop_now_ms(c->loop);
	c->timer = loop_timer_new(c->loop, on_timer, c);
	find_peer(c, config->peer);
	if (config->tls != NULL) {
		c->ssl = make_session(c, config->tls);
		conn_tls_begin(c);
	} else {
		conn_plain_begin(c);
	}
	return c;
}

/* --- input --------------------------------------------------------------------- */

void
conn_note_in(struct conn *c, size_t n)
{
	c->bytes_in += n;
	metric_add(M_BYTES_IN, n);
	/* Input does not help a client that does not read. */
	if (!c->is_full)
		c->last_ms = loop_now_ms(c->loop);
}

void
conn_note_out(struct conn *c, size_t n)
{
	c->bytes_out += n;
	metric_add(M_BYTES_OUT, n);
	c->last_ms = loop_now_ms(c->loop);
}

/* Give the session what is there, unless it or the client must catch up. */
static void
deliver(struct conn *c)
{
	if (c->state != OPEN || c->is_paused || c->is_full)
		return;
	if (in_bytes(c) > 0)
		c->handlers->data(c->arg);
	/* What cannot become a whole command any more is dropped. */
	if (c->is_eof && c->state == OPEN && !c->is_paused && !c->is_full)
		enter_closing(c, CONN_END_EOF, "");
}

static void
limit_input(struct conn *c)
{
	if (c->state != OPEN || c->is_stuffed || in_bytes(c) < c->in_max)
		return;
	c->is_stuffed = true;
	want_read(c, false);
}

static void
accept_input(struct conn *c)
{
	if (!c->is_stuffed || c->state != OPEN || in_bytes(c) >= c->in_max)
		return;
	c->is_stuffed = false;
	want_read(c, true);
}

static void
drain(struct conn *c, size_t n)
{
	if (c->bev)
		conn_tls_drain(c, n);
	else
		c->in_at += MIN(n, c->in.n - c->in_at);
	if (!c->bev && c->in_at == c->in.n)
		conn_plain_drop_input(c);
}

void
conn_on_input(struct conn *c)
{
	if (c->state == LINGER) {
		drain(c, in_bytes(c));
		return;
	}
	deliver(c);
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
		deliver(c);
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

/* --- output -------------------------------------------------------------------- */

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

/* --- TLS ------------------------------------------------------------------------ */

static void
switch_to_tls(void *arg)
{
	struct conn *c = arg;

	if (c->state != STARTING || c->is_tls)
		return;
	conn_plain_end(c);
	conn_tls_begin(c);
	c->state = OPEN;
}

void
conn_start_tls(struct conn *c, struct tls_context *tls)
{
	if (c->state != OPEN || c->is_tls)
		return;
	/* Commands that came with STARTTLS may be an attacker's. */
	conn_plain_drop_input(c);
	conn_plain_want_read(c, false);
	c->ssl = make_session(c, tls);
	c->state = STARTING;
	if (conn_out_bytes(c) == 0)
		loop_defer(c->loop, switch_to_tls, c);
}

bool
conn_has_tls(const struct conn *c)
{
	return c->is_ready && c->fd >= 0;
}

const char *
conn_tls_version(const struct conn *c)
{
	return conn_has_tls(c) ? tls_session_version(c->ssl) : NULL;
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return conn_has_tls(c) ? tls_session_cipher(c->ssl) : NULL;
}

const char *
conn_tls_distrust(const struct conn *c)
{
	return conn_has_tls(c) ? tls_session_distrust(c->ssl) : "no TLS";
}

enum tls_trust
conn_tls_trust(const struct conn *c)
{
	return conn_has_tls(c) ? tls_session_trust(c->ssl) : TLS_NO_CERTIFICATE;
}

bool
conn_tls_expires(const struct conn *c, uint64_t *ret)
{
	return conn_has_tls(c) && tls_session_expires(c->ssl, ret);
}

bool
conn_tls_binding(const struct conn *c, const char *type, struct buf *ret)
{
	return conn_has_tls(c) && tls_session_binding(c->ssl, type, ret);
}

/* --- what the transport reports ------------------------------------------------- */

void
conn_on_written(struct conn *c)
{
	switch (c->state) {
	case STARTING:
		if (conn_out_bytes(c) == 0)
			loop_defer(c->loop, switch_to_tls, c);
		break;
	case CLOSING:
		if (conn_out_bytes(c) == 0)
			output_is_sent(c);
		break;
	case OPEN:
		if (!c->is_full || conn_out_bytes(c) > c->out_low)
			break;
		c->is_full = false;
		if (c->handlers->drained != NULL)
			c->handlers->drained(c->arg);
		deliver(c);
		break;
	case LINGER:
	case END:
		break;
	}
}

void
conn_on_eof(struct conn *c)
{
	c->is_eof = true;
	if (c->is_tls && !c->is_ready)
		enter_end(c, CONN_END_TLS, "closed during the handshake");
	else if (c->state == CLOSING || c->state == LINGER)
		enter_end(c, c->how, c->detail);
	else if (c->state == STARTING)
		enter_end(c, CONN_END_EOF, "");
	else
		deliver(c); /* a busy session sees it when it resumes */
}

void
conn_on_error(struct conn *c, unsigned long tls_code, int err)
{
	if (c->state == CLOSING || c->state == LINGER)
		enter_end(c, c->how, c->detail);
	else if (tls_code != 0)
		enter_end(c, CONN_END_TLS, tls_error_text(tls_code));
	else if (c->is_tls && !c->is_ready)
		enter_end(c, CONN_END_TLS, "broken during the handshake");
	else
		enter_end(c, CONN_END_RESET, err != 0 ? strerror(err) : "");
}

void
conn_on_tls_ready(struct conn *c)
{
	c->is_ready = true;
	c->last_ms = loop_now_ms(c->loop);
	metric_add(M_TLS_HANDSHAKES, 1);
	if (c->state == OPEN && c->handlers->tls_ready != NULL)
		c->handlers->tls_ready(c->arg);
}

const char *
conn_peer_ip(const struct conn *c)
{
	return c->ip;
}

const struct sockaddr_storage *
conn_peer_addr(const struct conn *c)
{
	return &c->peer;
}

uint64_t
conn_bytes_in(const struct conn *c)
{
	return c->bytes_in;
}

uint64_t
conn_bytes_out(const struct conn *c)
{
	return c->bytes_out;
}
