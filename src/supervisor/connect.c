/* SPDX-License-Identifier: ISC */
/*
 * connect.c - give processes connections to each other.
 *
 * Who talks to whom is read off the message table: two roles are connected
 * when it has a message from one to the other.
 */
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"
#include "supervisor/internal.h"

#include <fcntl.h>
#include <unistd.h>

static void
send_peer(struct child *to, enum role role, uint32_t worker, int fd)
{
	struct msg_ctl_peer m = { .role = (uint8_t)role, .worker = worker };
	struct buf body = BUF_INIT(KIB(1));

	msg_ctl_peer_put(&body, &m);
	ipc_notify(to->peer, MSG_CTL_PEER, 0, buf_str(&body), fd);
	buf_done(&body);
}

static void
connect_two(struct child *a, struct child *b)
{
	int fds[2];
	int r = ipc_io_pair(fds);

	if (r < 0)
		die("socket pair: %s", strerror(-r));
	send_peer(a, b->role, b->worker, fds[0]);
	send_peer(b, a->role, a->worker, fds[1]);
}

void
connect_listener(struct child *c, const struct listen_socket *s)
{
	struct msg_ctl_listener m = { .service = (uint8_t)s->l.service,
		.name = str_c(s->l.address) };
	struct buf body = BUF_INIT(KIB(4));
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		die("listening socket: %s", strerror(errno));
	msg_ctl_listener_put(&body, &m);
	ipc_notify(c->peer, MSG_CTL_LISTENER, 0, buf_str(&body), fd);
	buf_done(&body);
}

/* Backs first: a front that accepts a client can ask at once. */
void
connect_child(struct child *c)
{
	struct supervisor *sup = c->sup;
	struct child *other;

	LIST_FOREACH(other, &sup->children, link)
	if (other != c && other->state == PROCESS_SERVING && other->peer &&
	    ipc_is_linked(c->role, other->role))
		connect_two(c, other);
	for (size_t i = 0; i < sup->socket_count; i++)
		if (service_role(sup->sockets[i].l.service) == c->role)
			connect_listener(c, &sup->sockets[i]);
}

int
connect_cli(struct child *c)
{
	int fds[2];
	int r;

	if (c->state != PROCESS_SERVING || !c->peer)
		return -ENOTCONN;
	r = ipc_io_pair(fds);
	if (r < 0)
		return r;
	send_peer(c, ROLE_CLI, ++c->sup->next_worker, fds[0]);
	return fds[1];
}
