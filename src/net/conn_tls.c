/* SPDX-License-Identifier: ISC */
/*
 * conn_tls.c - bytes of a socket with TLS, over a libevent bufferevent; how
 * TLS begins, and what the session may ask about it.
 */
#include "net/conn_internal.h"

#include "base/metrics.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#define WRITE_MAX         KIB(256)
#define EMPTY_RECORDS_MAX 100 /* in a row */

static void
on_read(UNUSED struct bufferevent *bev, void *arg)
{
	conn_on_input(arg);
}

static void
on_write(UNUSED struct bufferevent *bev, void *arg)
{
	conn_on_written(arg);
}

/* libevent has a code, too, when it is not TLS that failed. */
static void
on_failure(struct conn *c, unsigned long code, int err)
{
	conn_on_error(c, tls_error_is_of_socket(code) ? 0 : code, err);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	int err = errno;

	if (what & BEV_EVENT_CONNECTED)
		conn_on_tls_ready(arg);
	else if (what & BEV_EVENT_EOF)
		conn_on_eof(arg);
	else if (what & BEV_EVENT_ERROR)
		on_failure(arg, bufferevent_get_openssl_error(bev), err);
}

static void
on_input_change(
    UNUSED struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	if (info->n_added > 0)
		conn_note_in(arg, info->n_added);
}

static void
on_output_change(
    UNUSED struct evbuffer *b, const struct evbuffer_cb_info *info, void *arg)
{
	if (info->n_deleted > 0)
		conn_note_out(arg, info->n_deleted);
}

/* --- records without data --------------------------------------------------------- */

static void
end_flood(void *arg)
{
	conn_enter_end(arg, CONN_END_TLS, "too many records without data");
}

/* New keys, tickets, requests to renegotiate, warnings: each costs us more than
 * the peer. Not from within the library; a connection that is gone by then
 * has its memory for as long. */
static void
on_empty_record(void *arg)
{
	struct conn *c = arg;

	if (c->is_ready && ++c->empty_records == EMPTY_RECORDS_MAX)
		loop_defer(c->loop, end_flood, c);
}

/*
 * Without a mark on input: what a record holds beyond it would stay in
 * OpenSSL, and no event tells of it. So input may pass in_max by a record.
 */
void
conn_tls_begin(struct conn *c)
{
	enum bufferevent_ssl_state state = c->is_client
	                                       ? BUFFEREVENT_SSL_CONNECTING
	                                       : BUFFEREVENT_SSL_ACCEPTING;

	c->bev = bufferevent_openssl_socket_new(
	    loop_base(c->loop), c->fd, c->ssl, state, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL)
		die("bufferevent: out of memory");
	c->is_tls = true;
	c->is_stuffed = false;
	c->watches = (struct tls_watch){ on_empty_record, c };
	tls_session_watch(c->ssl, &c->watches);
	c->out = bufferevent_get_output(c->bev);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_WRITE, c->out_low, 0);
	bufferevent_set_max_single_write(c->bev, WRITE_MAX);
	evbuffer_add_cb(bufferevent_get_input(c->bev), on_input_change, c);
	evbuffer_add_cb(c->out, on_output_change, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void
conn_tls_mute(struct conn *c)
{
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	evbuffer_remove_cb(c->out, on_output_change, c);
}

void
conn_tls_end(struct conn *c)
{
	/* Lent memory goes back now; libevent frees later, and the session too. */
	tls_session_watch(c->ssl, NULL);
	evbuffer_unfreeze(c->out, 1);
	evbuffer_drain(c->out, evbuffer_get_length(c->out));
	bufferevent_free(TAKE_PTR(c->bev)); /* closes the descriptor */
	c->out = NULL;
	c->fd = -1;
}

void
conn_tls_want_read(struct conn *c, bool want)
{
	if (want)
		bufferevent_enable(c->bev, EV_READ);
	else
		bufferevent_disable(c->bev, EV_READ);
}

void
conn_tls_set_low(struct conn *c, size_t n)
{
	bufferevent_setwatermark(c->bev, EV_WRITE, n, 0);
}

size_t
conn_tls_in_bytes(struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_input(c->bev));
}

struct str
conn_tls_in(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in);

	return n ? str_make(evbuffer_pullup(in, -1), n) : STR_NONE;
}

void
conn_tls_drain(struct conn *c, size_t n)
{
	evbuffer_drain(bufferevent_get_input(c->bev), n);
}

/* --- what a session sees ------------------------------------------------------ */

SSL *
conn_tls_session(struct conn *c, struct tls_context *tls)
{
	return c->is_client ? tls_client_session_new(tls, &c->server)
	                    : tls_session_new(tls);
}

void
conn_switch_to_tls(void *arg)
{
	struct conn *c = arg;

	if (c->state != STARTING || c->is_tls)
		return;
	conn_plain_end(c);
	conn_tls_begin(c);
	c->state = OPEN;
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

void
conn_start_tls(struct conn *c, struct tls_context *tls)
{
	if (c->state != OPEN || c->is_tls)
		return;
	/* Commands that came with STARTTLS may be an attacker's. */
	conn_plain_drop_input(c);
	conn_plain_want_read(c, false);
	c->ssl = conn_tls_session(c, tls);
	c->state = STARTING;
	conn_on_written(c);
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

bool
conn_tls_is_challenge(const struct conn *c)
{
	return conn_has_tls(c) && tls_session_is_challenge(c->ssl);
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
