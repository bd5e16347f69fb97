/* SPDX-License-Identifier: ISC */
/*
 * conn.c - a client connection over a libevent bufferevent.
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
 * round at once; only when the socket is full does libevent wait for it. That
 * halves the system calls of a dialogue.
 */
#include "net/conn.h"

#include "base/metrics.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLOSE_MS   5000 /* for the last output */
#define LINGER_MS  2000 /* for a client that still sends */
#define WRITE_MAX  KIB(256)
#define COPY_BELOW KIB(4) /* smaller blocks are copied, not referenced */
/* libevent reads no more at once; a full read is worth another try. */
#define READ_STEP 4096
#define READ_MORE KIB(64)

enum state {
	OPEN,
	STARTING, /* sends what is left before the handshake */
	CLOSING,  /* sends what is left before the end */
	LINGER,   /* everything is sent; reads and drops until the peer ends */
	END,
};

struct conn {
	struct loop *loop;
	struct bufferevent *bev;
	SSL *ssl; /* owned by bev once it is in use there */
	const struct conn_handlers *handlers;
	void *arg;
	struct loop_timer *timer;
	size_t in_max, out_high, out_low;
	uint64_t idle_ms;
	uint64_t last_ms;  /* when a byte moved last */
	uint64_t fires_ms; /* when the timer fires; 0: not armed */
	uint64_t bytes_in, bytes_out;
	int fd;
	enum state state;
	enum conn_end how;
	bool is_tls;     /* a handshake was begun */
	bool is_ready;   /* and is done */
	bool is_paused;  /* by the session */
	bool is_queued;  /* a resume is under way */
	bool is_dirty;   /* a flush is under way */
	bool is_full;    /* output went above the high-water mark */
	bool is_stuffed; /* input reached in_max: reading is off */
	bool is_eof;     /* the client ended its side */
	bool is_expired; /* timeout() runs or has run */
	char detail[80];
	char ip[INET6_ADDRSTRLEN];
	struct sockaddr_storage peer;
};

static void on_read(struct bufferevent *bev, void *arg);
static void on_write(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_output_change(
    struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg);

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
	struct evbuffer *out = bufferevent_get_output(c->bev);

	/* Lent memory goes back before closed(); libevent frees later. */
	evbuffer_unfreeze(out, 1);
	evbuffer_drain(out, evbuffer_get_length(out));
	bufferevent_free(c->bev); /* closes the descriptor */
	c->bev = NULL;
	loop_timer_free(c->timer);
	c->timer = NULL;
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
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	evbuffer_remove_cb(bufferevent_get_output(c->bev), on_output_change, c);
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
	    (unread == 0 &&
		evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)) {
		enter_end(c, c->how, c->detail);
		return;
	}
	c->state = LINGER;
	shutdown(c->fd, SHUT_WR);
	arm(c, LINGER_MS);
	bufferevent_enable(c->bev, EV_READ);
	on_read(c->bev, c);
}

static void
enter_closing(struct conn *c, enum conn_end how, const char *detail)
{
	if (c->state == CLOSING || c->state == LINGER || c->state == END)
		return;
	c->how = how;
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	if (c->state == STARTING || (c->is_tls && !c->is_ready)) {
		enter_end(c, how, detail);
		return;
	}
	c->state = CLOSING;
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
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

/* --- making the bufferevent ------------------------------------------------------ */

static void
on_input_change(
    UNUSED struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	if (info->n_added == 0)
		return;
	c->bytes_in += info->n_added;
	metric_add(M_BYTES_IN, info->n_added);
	/* Input does not help a client that does not read. */
	if (!c->is_full)
		c->last_ms = loop_now_ms(c->loop);
}

static void
on_output_change(
    UNUSED struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	if (info->n_deleted == 0)
		return;
	c->bytes_out += info->n_deleted;
	metric_add(M_BYTES_OUT, info->n_deleted);
	c->last_ms = loop_now_ms(c->loop);
}

/*
 * With TLS there is none: what a record holds beyond the mark would stay in
 * OpenSSL, and no event tells of it. There input may pass in_max by a record.
 */
static void
set_read_mark(struct conn *c)
{
	if (!c->is_tls)
		bufferevent_setwatermark(c->bev, EV_READ, 0, c->in_max);
}

static void
make_bufferevent(struct conn *c)
{
	struct event_base *base = loop_base(c->loop);
	int flags = BEV_OPT_CLOSE_ON_FREE;

	if (c->ssl != NULL) {
		c->bev = bufferevent_openssl_socket_new(
		    base, c->fd, c->ssl, BUFFEREVENT_SSL_ACCEPTING, flags);
		c->is_tls = true;
	} else {
		c->bev = bufferevent_socket_new(base, c->fd, flags);
	}
	if (c->bev == NULL)
		die("bufferevent: out of memory");
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	set_read_mark(c);
	c->is_stuffed = false;
	bufferevent_setwatermark(c->bev, EV_WRITE, c->out_low, 0);
	bufferevent_set_max_single_write(c->bev, WRITE_MAX);
	evbuffer_add_cb(bufferevent_get_input(c->bev), on_input_change, c);
	evbuffer_add_cb(bufferevent_get_output(c->bev), on_output_change, c);
	/* Plain output is ours to write until the socket is full: flush(). */
	bufferevent_enable(c->bev, c->is_tls ? EV_READ | EV_WRITE : EV_READ);
	if (!c->is_tls)
		bufferevent_disable(c->bev, EV_WRITE);
}

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

struct conn *
conn_new(const struct conn_config *config)
{
	struct conn *c = X_NEW(struct conn);

	c->loop = config->loop;
	c->fd = config->fd;
	c->handlers = config->handlers;
	c->arg = config->arg;
	c->in_max = config->in_max;
	c->out_high = config->out_high;
	c->out_low = config->out_low;
	c->last_ms = loop_now_ms(c->loop);
	c->timer = loop_timer_new(c->loop, on_timer, c);
	find_peer(c, config->peer);
	if (config->tls != NULL)
		c->ssl = tls_session_new(config->tls);
	make_bufferevent(c);
	return c;
}

/* --- input --------------------------------------------------------------------- */

/* Give the session what is there, unless it or the client must catch up. */
static void
deliver(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->state != OPEN || c->is_paused || c->is_full)
		return;
	if (evbuffer_get_length(in) > 0)
		c->handlers->data(c->arg);
	/* What cannot become a whole command any more is dropped. */
	if (c->is_eof && c->state == OPEN && !c->is_paused && !c->is_full)
		enter_closing(c, CONN_END_EOF, "");
}

/* A message comes in large pieces: take what the socket has in one go. */
static void
read_more(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(in);
	struct evbuffer_iovec v;
	ssize_t n;

	if (c->is_tls || have < READ_STEP || have >= c->in_max)
		return;
	evbuffer_unfreeze(in, 0);
	if (evbuffer_reserve_space(
		in, (ev_ssize_t)MIN(c->in_max - have, READ_MORE), &v, 1) == 1) {
		n = recv(c->fd, v.iov_base, MIN(v.iov_len, c->in_max - have),
		    MSG_DONTWAIT);
		/* The end and errors are found again by the next read. */
		v.iov_len = n > 0 ? (size_t)n : 0;
		evbuffer_commit_space(in, &v, 1);
	}
	evbuffer_freeze(in, 0);
}

/*
 * At its high mark libevent calls on_read() again and again, without leaving
 * its loop: the deferred call that would free the session to go on never
 * runs. So reading is switched off until there is room.
 */
static void
limit_input(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->state != OPEN || c->is_stuffed ||
	    evbuffer_get_length(in) < c->in_max)
		return;
	c->is_stuffed = true;
	bufferevent_disable(c->bev, EV_READ);
}

static void
accept_input(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (!c->is_stuffed || c->state != OPEN ||
	    evbuffer_get_length(in) >= c->in_max)
		return;
	c->is_stuffed = false;
	bufferevent_enable(c->bev, EV_READ);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (c->state == LINGER) {
		struct evbuffer *in = bufferevent_get_input(bev);

		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	read_more(c);
	deliver(c);
	limit_input(c);
}

struct str
conn_in(struct conn *c)
{
	struct evbuffer *in;
	size_t n;

	if (c->bev == NULL || c->state == END)
		return STR_NONE;
	in = bufferevent_get_input(c->bev);
	n = evbuffer_get_length(in);
	if (n == 0)
		return STR_NONE;
	return str_make(evbuffer_pullup(in, -1), n);
}

void
conn_consume(struct conn *c, size_t n)
{
	if (n == 0 || c->bev == NULL)
		return;
	evbuffer_drain(bufferevent_get_input(c->bev), n);
	accept_input(c);
}

void
conn_consume_secret(struct conn *c, size_t n)
{
	struct str in = conn_in(c);

	if (in.n > 0)
		explicit_bzero((void *)(uintptr_t)in.p, MIN(n, in.n));
	conn_consume(c, n);
}

void
conn_quick_ack(struct conn *c)
{
	int on = 1;

	if (c->bev != NULL)
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
	if (c->bev == NULL)
		return;
	set_read_mark(c);
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
	return c->bev != NULL && (c->state == OPEN || c->state == STARTING);
}

/*
 * Write what there is, without waiting. When the socket is full, or broken,
 * libevent takes over: it waits, and reports.
 */
static void
flush(void *arg)
{
	struct conn *c = arg;
	struct evbuffer *out;

	c->is_dirty = false;
	if (c->state == END || c->is_tls || conn_out_bytes(c) == 0)
		return;
	out = bufferevent_get_output(c->bev);
	evbuffer_unfreeze(out, 1);
	evbuffer_write_atmost(out, c->fd, WRITE_MAX);
	evbuffer_freeze(out, 1);
	if (evbuffer_get_length(out) > 0)
		bufferevent_enable(c->bev, EV_WRITE);
	on_write(c->bev, c);
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
	if (bufferevent_write(c->bev, s.p, s.n) < 0)
		die("bufferevent_write: out of memory");
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
	if (evbuffer_add_reference(bufferevent_get_output(c->bev), b->p, b->n,
		free_block, NULL) < 0)
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
	if (evbuffer_add_reference(
		bufferevent_get_output(c->bev), s.p, s.n, give_back, lent) < 0)
		die("evbuffer_add_reference: out of memory");
	note_output(c);
}

size_t
conn_out_bytes(struct conn *c)
{
	if (c->bev == NULL)
		return 0;
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

bool
conn_is_full(struct conn *c)
{
	return c->is_full;
}

/* --- TLS ------------------------------------------------------------------------ */

/* The plain bufferevent lets go of the descriptor; a TLS one takes it. */
static void
switch_to_tls(void *arg)
{
	struct conn *c = arg;

	if (c->state != STARTING || c->is_tls)
		return;
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_setfd(c->bev, -1);
	bufferevent_free(c->bev);
	make_bufferevent(c);
	c->state = OPEN;
}

void
conn_start_tls(struct conn *c, struct tls_context *tls)
{
	struct evbuffer *in;

	if (c->state != OPEN || c->is_tls)
		return;
	/* Commands that came with STARTTLS may be an attacker's. */
	in = bufferevent_get_input(c->bev);
	evbuffer_drain(in, evbuffer_get_length(in));
	bufferevent_disable(c->bev, EV_READ);
	c->ssl = tls_session_new(tls);
	c->state = STARTING;
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	if (conn_out_bytes(c) == 0)
		loop_defer(c->loop, switch_to_tls, c);
}

bool
conn_has_tls(const struct conn *c)
{
	return c->is_ready && c->bev != NULL;
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

bool
conn_tls_binding(const struct conn *c, const char *type, struct buf *ret)
{
	return conn_has_tls(c) && tls_session_binding(c->ssl, type, ret);
}

/* --- what the bufferevent reports ------------------------------------------------- */

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (!c->is_tls && conn_out_bytes(c) == 0)
		bufferevent_disable(bev, EV_WRITE);
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

static void
on_eof(struct conn *c)
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

static void
on_error(struct conn *c)
{
	unsigned long code = 0;
	int err = errno;

	if (c->state == CLOSING || c->state == LINGER) {
		enter_end(c, c->how, c->detail);
		return;
	}
	if (c->is_tls)
		code = bufferevent_get_openssl_error(c->bev);
	if (code != 0)
		enter_end(c, CONN_END_TLS, tls_error_text(code));
	else if (c->is_tls && !c->is_ready)
		enter_end(c, CONN_END_TLS, "broken during the handshake");
	else
		enter_end(c, CONN_END_RESET, err != 0 ? strerror(err) : "");
}

static void
on_event(UNUSED struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	if (what & BEV_EVENT_CONNECTED) {
		c->is_ready = true;
		c->last_ms = loop_now_ms(c->loop);
		metric_add(M_TLS_HANDSHAKES, 1);
		if (c->state == OPEN && c->handlers->tls_ready != NULL)
			c->handlers->tls_ready(c->arg);
	} else if (what & BEV_EVENT_EOF) {
		on_eof(c);
	} else if (what & BEV_EVENT_ERROR) {
		on_error(c);
	}
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
