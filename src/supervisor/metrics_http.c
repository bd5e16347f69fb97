/* SPDX-License-Identifier: ISC */
/*
 * metrics_http.c - GET /metrics. See metrics_http.h.
 */
#include "supervisor/metrics_http.h"

#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX  16
#define CLIENT_MS    5000
#define RESPONSE_MAX MIB(4)

struct client {
	struct metrics_http *http;
	struct loop_fd *watch;
	struct loop_timer *timer;
	int fd; /* -1: the slot is free */
	size_t sent;
	struct buf in, out;
};

struct metrics_http {
	struct loop *loop;
	struct loop_fd *watch;
	int fd;
	metrics_text_fn text;
	void *arg;
	struct client clients[CLIENTS_MAX];
	size_t client_count;
};

enum metrics_http_verdict
metrics_http_look(struct str in)
{
	ptrdiff_t end = str_search(in, STR("\r\n\r\n"));
	struct str line, method, target, version;

	if (end < 0)
		return in.n >= METRICS_HTTP_REQUEST_MAX ? METRICS_HTTP_BAD
		                                        : METRICS_HTTP_MORE;
	line = str_first(in, (size_t)str_search(in, STR("\r\n")));
	version = str_split(str_split(line, ' ', &method), ' ', &target);
	if (!str_eq(version, STR("HTTP/1.1")) &&
	    !str_eq(version, STR("HTTP/1.0")))
		return METRICS_HTTP_BAD;
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD")))
		return METRICS_HTTP_METHOD;
	if (!str_eq(target, STR("/metrics")))
		return METRICS_HTTP_NOT_FOUND;
	return method.n == 4 ? METRICS_HTTP_HEAD : METRICS_HTTP_TEXT;
}

static void
client_end(struct client *c)
{
	loop_fd_free(TAKE_PTR(c->watch));
	loop_timer_free(TAKE_PTR(c->timer));
	closep(&c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	/* The listener rests while all slots are taken. */
	if (c->http->client_count-- == CLIENTS_MAX)
		loop_fd_want(c->http->watch, true, false);
}

static void
put_response(struct buf *b, const char *status, const char *type, size_t n)
{
	buf_printf(b,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
	    status, type, n);
}

static void
put_text(struct client *c, bool is_head)
{
	struct buf text = BUF_INIT(RESPONSE_MAX / 2);

	c->http->text(c->http->arg, &text);
	put_response(&c->out, "200 OK",
	    "text/plain; version=0.0.4; charset=utf-8", text.n);
	if (!is_head)
		buf_put_str(&c->out, buf_str(&text));
	buf_done(&text);
}

/* False: more input is needed. */
static bool
make_response(struct client *c)
{
	const char *status = NULL;

	switch (metrics_http_look(buf_str(&c->in))) {
	case METRICS_HTTP_MORE:
		return false;
	case METRICS_HTTP_TEXT:
		put_text(c, false);
		return true;
	case METRICS_HTTP_HEAD:
		put_text(c, true);
		return true;
	case METRICS_HTTP_NOT_FOUND:
		status = "404 Not Found";
		break;
	case METRICS_HTTP_METHOD:
		status = "405 Method Not Allowed";
		break;
	case METRICS_HTTP_BAD:
		status = "400 Bad Request";
		break;
	}
	put_response(&c->out, status, "text/plain", 0);
	return true;
}

static void
client_writable(void *arg)
{
	struct client *c = arg;
	ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_end(c);
		return;
	}
	c->sent += (size_t)n;
	if (c->sent == c->out.n) {
		(void)shutdown(c->fd, SHUT_WR);
		client_end(c);
	}
}

static void
client_readable(void *arg)
{
	struct client *c = arg;
	size_t room = METRICS_HTTP_REQUEST_MAX - c->in.n;
	char *to = buf_reserve(&c->in, room);
	ssize_t n = recv(c->fd, to, room, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(c);
		return;
	}
	c->in.n += (size_t)n;
	if (make_response(c))
		loop_fd_want(c->watch, false, true);
}

static void
client_timeout(void *arg)
{
	client_end(arg);
}

static void
on_accept(void *arg)
{
	struct metrics_http *h = arg;
	int fd = accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = h->clients;

	if (fd < 0)
		return;
	while (c->fd >= 0)
		c++;
	*c = (struct client){ .http = h, .fd = fd };
	buf_init(&c->in, METRICS_HTTP_REQUEST_MAX);
	buf_init(&c->out, RESPONSE_MAX);
	c->watch =
	    loop_fd_new(h->loop, fd, client_readable, client_writable, c);
	c->timer = loop_timer_new(h->loop, client_timeout, c);
	loop_fd_want(c->watch, true, false);
	loop_timer_set(c->timer, CLIENT_MS);
	if (++h->client_count == CLIENTS_MAX)
		loop_fd_want(h->watch, false, false);
}

struct metrics_http *
metrics_http_new(struct loop *l, int fd, metrics_text_fn text, void *arg)
{
	struct metrics_http *h = X_NEW(struct metrics_http);

	*h = (struct metrics_http){
		.loop = l, .fd = fd, .text = text, .arg = arg
	};
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		h->clients[i].fd = -1;
	h->watch = loop_fd_new(l, fd, on_accept, NULL, h);
	loop_fd_want(h->watch, true, false);
	return h;
}

void
metrics_http_free(struct metrics_http *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].fd >= 0)
			client_end(&h->clients[i]);
	loop_fd_free(h->watch);
	closep(&h->fd);
	free(h);
}
