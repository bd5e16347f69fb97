/* SPDX-License-Identifier: ISC */
/* stand_in_serve.c - ports of the stand-ins. See stand_in.h. */
#include "cli/demo/stand_in.h"
#include "net/conn.h"
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#define BACKLOG     16
#define CLIENTS_MAX 32
#define IDLE_MS     10000
#define IN_MAX      KIB(66) /* the longest DNS message */
#define OUT_HIGH    KIB(64)
#define PACKETS     16 /* then others have their turn */

enum { UDP, TCP, SOCKETS };

struct port {
	struct stand_in_ports *all;
	const char *address;
	unsigned offset;
	bool is_phone;
	int fds[SOCKETS];
};

struct stand_in_ports {
	struct loop *loop;
	size_t n_clients;
	struct port v[3];
};

struct client {
	struct port *port;
	struct conn *conn;
	struct sockaddr_in peer;
	char ip[INET_ADDRSTRLEN];
};

/* --- UDP ------------------------------------------------------------------------- */

static bool
take_packet(struct port *p)
{
	char packet[KIB(16)], ip[INET_ADDRSTRLEN] = "";
	struct buf out = BUF_INIT(KIB(32));
	struct sockaddr_in from = { 0 };
	socklen_t n_from = sizeof(from);
	ssize_t n = recvfrom(p->fds[UDP], packet, sizeof(packet), 0,
	    (struct sockaddr *)&from, &n_from);
	struct str in = str_make(packet, n > 0 ? (size_t)n : 0);
	struct stand_in_peer peer = { ip, ntohs(from.sin_port) };

	if (n < 0)
		return false;
	(void)inet_ntop(AF_INET, &from.sin_addr, ip, sizeof(ip));
	if (p->is_phone)
		stand_in_sip_packet(in, &peer, &out);
	else
		stand_in_dns_packet(in, &out);
	if (out.n > 0 && !out.failed)
		(void)!sendto(p->fds[UDP], out.p, out.n, MSG_NOSIGNAL,
		    (const struct sockaddr *)&from, n_from);
	buf_done(&out);
	return true;
}

static void
on_packets(void *arg)
{
	for (unsigned i = 0; i < PACKETS && take_packet(arg); i++)
		;
}

/* --- TCP ------------------------------------------------------------------------- */

static void
on_data(void *arg)
{
	struct client *c = arg;
	struct stand_in_peer peer = { c->ip, ntohs(c->peer.sin_port) };
	bool is_over = false;
	size_t used = 1;

	while (used > 0 && !is_over && !conn_is_full(c->conn)) {
		struct buf out = BUF_INIT(KIB(32));
		struct str in = conn_in(c->conn);

		used = c->port->is_phone
		           ? stand_in_sip_stream(in, &peer, &out, &is_over)
		           : stand_in_dns_stream(in, &out, &is_over);
		conn_put(c->conn, buf_str(&out));
		conn_consume(c->conn, used);
		buf_done(&out);
	}
	if (is_over)
		conn_close(c->conn);
}

static void
on_drained(void *arg)
{
	struct client *c = arg;

	conn_resume(c->conn);
}

static void
on_timeout(void *arg)
{
	struct client *c = arg;

	conn_close(c->conn);
}

static void
on_closed(void *arg, UNUSED enum conn_end how, UNUSED const char *detail)
{
	struct client *c = arg;

	c->port->all->n_clients--;
	free(c);
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.drained = on_drained,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
on_client(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct port *p = arg;
	struct conn_config config = { .loop = p->all->loop,
		.fd = fd,
		.in_max = IN_MAX,
		.out_high = OUT_HIGH,
		.out_low = OUT_HIGH / 4,
		.handlers = &handlers };
	struct client *c;

	if (p->all->n_clients == CLIENTS_MAX) {
		(void)close(fd);
		return;
	}
	c = X_NEW(struct client);
	c->port = p;
	memcpy(&c->peer, peer, sizeof(c->peer));
	(void)inet_ntop(AF_INET, &c->peer.sin_addr, c->ip, sizeof(c->ip));
	p->all->n_clients++;
	config.arg = c;
	c->conn = conn_new(&config);
	conn_set_timeout(c->conn, IDLE_MS);
}

/* --- all of them --------------------------------------------------------------------- */

static int
open_one(const struct port *p, unsigned port, int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int on = 1, r = 0;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, p->address, &at.sin_addr) != 1 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		r = -errno;
	if (r < 0)
		(void)close(fd);
	return r < 0 ? r : fd;
}

static char *
error_of(const struct port *p, unsigned port, int r)
{
	return x_asprintf("cannot listen on %s port %u for the demo's %s: "
			  "%s%s\n",
	    p->address, port, p->is_phone ? "telephone" : "name server",
	    strerror(-r),
	    r == -EADDRINUSE
		? "; another program has this port: stop it or choose another"
		: "");
}

struct stand_in_ports *
stand_in_open(uint32_t first_port, char **ret_error)
{
	static const struct port ports[] = {
		{ .address = STAND_IN_PRIMARY, .offset = STAND_IN_DNS_PORT },
		{ .address = STAND_IN_SECONDARY, .offset = STAND_IN_DNS_PORT },
		{ .address = STAND_IN_PHONE,
		    .offset = STAND_IN_SIP_PORT,
		    .is_phone = true },
	};
	static const int types[] = { [UDP] = SOCK_DGRAM, [TCP] = SOCK_STREAM };
	struct stand_in_ports *all = X_NEW(struct stand_in_ports);
	char *error = NULL;

	for (size_t i = 0; i < ARRAY_LEN(all->v) * SOCKETS && !error; i++) {
		struct port *p = &all->v[i / SOCKETS];
		size_t k = i % SOCKETS;
		unsigned port;

		if (k == 0) {
			*p = ports[i / SOCKETS];
			p->all = all;
		}
		port = first_port + p->offset;
		p->fds[k] = open_one(p, port, types[k]);
		if (p->fds[k] < 0)
			error = error_of(p, port, p->fds[k]);
	}
	if (error == NULL)
		return all;
	/* Who asked ends, and what is open with it. */
	free(all);
	*ret_error = error;
	return NULL;
}

/* Nothing comes by it but its end. */
static void
on_end(UNUSED void *arg)
{
	_exit(0);
}

void
stand_in_serve(struct stand_in_ports *all, int link)
{
	all->loop = loop_new();
	loop_fd_want(
	    loop_fd_new(all->loop, link, on_end, NULL, NULL), true, false);
	for (size_t i = 0; i < ARRAY_LEN(all->v); i++) {
		struct port *p = &all->v[i];

		loop_fd_want(
		    loop_fd_new(all->loop, p->fds[UDP], on_packets, NULL, p),
		    true, false);
		(void)listener_new(all->loop, p->fds[TCP], on_client, p);
	}
	for (;;)
		loop_run(all->loop);
}
