/* SPDX-License-Identifier: ISC */
/*
 * conn.c - a connection: its states, its time, its beginning and end.
 *
 *   OPEN --conn_start_tls--> STARTING --output sent--> OPEN (handshake, then
 *     |                                                tls_ready)
 *     +--conn_close, EOF--> CLOSING --output sent--> LINGER --EOF, 2 s--+
 *     +--conn_abort, error----------------------------------------------+--> END
 *
 * END is entered from anywhere, also from inside a handler; closed() then runs
 * from the loop, and the memory goes one round later, because a resume may
 * still be queued behind it.
 */
#include "net/conn_internal.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLOSE_MS  5000 /* for the last output */
#define LINGER_MS 2000 /* for a client that still sends */

/* --- the end ------------------------------------------------------------------ */

static void
free_conn(void *arg)
{
	free(arg);
}

static void
read_path(struct conn *c)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	c->path.had_tls = c->is_ready;
	if (c->bev != NULL && !c->is_client) {
		c->path.own_alert = tls_session_own_alert(c->ssl);
		c->path.tls_version = tls_session_reached(c->ssl);
	}
	if (!c->wants_path ||
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return;
	c->path.rtt_us = info.tcpi_rtt;
	c->path.retransmits = info.tcpi_total_retrans;
	c->path.is_unanswered =
	    info.tcpi_unacked > 0 && info.tcpi_retransmits > 0;
}

struct conn_path
conn_path(const struct conn *c)
{
	return c->path;
}

static void
finish(void *arg)
{
	struct conn *c = arg;

	read_path(c);
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

void
conn_enter_end(struct conn *c, enum conn_end how, const char *detail)
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
void
conn_output_is_sent(struct conn *c)
{
	int unread = 0;

	if (c->is_tls)
		tls_session_shutdown(c->ssl);
	if (c->is_eof || ioctl(c->fd, FIONREAD, &unread) < 0 ||
	    (unread == 0 && conn_in_bytes(c) == 0)) {
		conn_enter_end(c, c->how, c->detail);
		return;
	}
	c->state = LINGER;
	shutdown(c->fd, SHUT_WR);
	arm(c, LINGER_MS);
	conn_want_read(c, true);
	conn_on_input(c);
}

void
conn_enter_closing(struct conn *c, enum conn_end how, const char *detail)
{
	if (c->state == CLOSING || c->state == LINGER || c->state == END)
		return;
	c->how = how;
	if (detail != c->detail)
		snprintf(c->detail, sizeof(c->detail), "%s", detail);
	if (c->state == STARTING || (c->is_tls && !c->is_ready)) {
		conn_enter_end(c, how, detail);
		return;
	}
	c->state = CLOSING;
	/* An end that the peer sends now must not overtake our last output. */
	conn_want_read(c, false);
	if (c->bev)
		conn_tls_set_low(c, 0);
	arm(c, CLOSE_MS);
	conn_on_written(c);
}

static enum conn_end
own_end(const struct conn *c)
{
	return c->is_expired ? CONN_END_TIMEOUT : CONN_END_LOCAL;
}

void
conn_close(struct conn *c)
{
	conn_enter_closing(c, own_end(c), "");
}

void
conn_close_within(struct conn *c, uint64_t ms)
{
	conn_close(c);
	if (c->state == CLOSING)
		arm(c, ms);
}

void
conn_abort(struct conn *c)
{
	conn_enter_end(c, own_end(c), "");
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
		conn_enter_end(c, c->how, c->detail);
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

struct conn *
conn_new(const struct conn_config *config)
{
	struct conn *c = X_NEW(struct conn);

	c->loop = config->loop;
	c->fd = config->fd;
	c->is_client = config->is_client;
	c->wants_path = config->wants_path;
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
		c->ssl = conn_tls_session(c, config->tls);
		conn_tls_begin(c);
	} else {
		conn_plain_begin(c);
	}
	return c;
}

/* --- what the transport reports ------------------------------------------------- */

void
conn_on_eof(struct conn *c)
{
	c->is_eof = true;
	if (c->is_tls && !c->is_ready)
		conn_enter_end(c, CONN_END_TLS, "closed during the handshake");
	else if (c->state == CLOSING || c->state == LINGER)
		conn_enter_end(c, c->how, c->detail);
	else if (c->state == STARTING)
		conn_enter_end(c, CONN_END_EOF, "");
	else
		conn_deliver(c); /* a busy session sees it when it resumes */
}

void
conn_on_error(struct conn *c, unsigned long tls_code, int err)
{
	c->path.alert = tls_error_alert(tls_code);
	c->path.is_reset =
	    err == ECONNRESET && tls_code == 0 && (c->is_ready || !c->is_tls);
	if (c->state == CLOSING || c->state == LINGER)
		conn_enter_end(c, c->how, c->detail);
	else if (tls_code != 0)
		conn_enter_end(c, CONN_END_TLS, tls_error_text(tls_code));
	else if (c->is_tls && !c->is_ready)
		conn_enter_end(c, CONN_END_TLS, "broken during the handshake");
	else
		conn_enter_end(
		    c, CONN_END_RESET, err != 0 ? strerror(err) : "");
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
