/* SPDX-License-Identifier: ISC */
/*
 * listen.c - the listening sockets: bound here, served by the fronts.
 *
 * All workers of a role share a socket; so connections that wait in its queue
 * are not lost when a worker dies.
 */
#include "supervisor/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

static bool
is_path(const struct conf_listener *l)
{
	return l->address[0] == '/';
}

static bool
is_same(const struct conf_listener *a, const struct conf_listener *b)
{
	return a->service == b->service && a->port == b->port &&
	       strcmp(a->address, b->address) == 0;
}

static socklen_t
make_address(const struct conf_listener *l, struct sockaddr_storage *ss)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_un *un = (struct sockaddr_un *)ss;

	memset(ss, 0, sizeof(*ss));
	if (is_path(l)) {
		un->sun_family = AF_UNIX;
		if (strlen(l->address) >= sizeof(un->sun_path))
			return 0;
		memcpy(un->sun_path, l->address, strlen(l->address));
		return sizeof(*un);
	}
	if (inet_pton(AF_INET, l->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(l->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, l->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(l->port);
		return sizeof(*v6);
	}
	return 0;
}

/* A socket that an earlier run left. Anything else at that path is not ours:
 * then bind() says that it is in use. */
static void
unlink_socket(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

static int
bind_socket(const struct conf_listener *l, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = make_address(l, &ss);
	int on = 1;

	if (len == 0)
		return -EINVAL;
	if (is_path(l))
		unlink_socket(l->address);
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ss.ss_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	/* Local mail systems deliver here; they need not be our user. */
	if (is_path(l) && chmod(l->address, 0666) < 0)
		return -errno;
	return 0;
}

static int
family_of(const struct conf_listener *l)
{
	if (is_path(l))
		return AF_UNIX;
	return strchr(l->address, ':') ? AF_INET6 : AF_INET;
}

int
listen_open(const struct conf_listener *l, const char *what, char **ret_error)
{
	int fd =
	    socket(family_of(l), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : bind_socket(l, fd);
	const char *advice =
	    r == -EADDRINUSE
		? "; another program has this port: stop it or choose another"
	    : r == -EACCES
		? "; ports below 1024 need root or CAP_NET_BIND_SERVICE"
	    : r == -EADDRNOTAVAIL ? "; this machine has no such address"
				  : "";

	if (r == 0)
		return fd;
	closep(&fd);
	*ret_error =
	    is_path(l) ? x_asprintf("cannot listen on %s for %s: %s%s",
			     l->address, what, strerror(-r), advice)
		       : x_asprintf("cannot listen on %s port %u for %s: %s%s",
			     l->address, l->port, service_name(l->service),
			     strerror(-r), advice);
	return r;
}

static struct listen_socket *
find(struct supervisor *sup, const struct conf_listener *l)
{
	for (size_t i = 0; i < sup->socket_count; i++)
		if (is_same(&sup->sockets[i].l, l))
			return &sup->sockets[i];
	return NULL;
}

static void
close_socket(struct listen_socket *s)
{
	/* Workers that share it get EINVAL from accept and close theirs. */
	(void)shutdown(s->fd, SHUT_RDWR);
	closep(&s->fd);
	if (is_path(&s->l))
		unlink_socket(s->l.address);
	free(s->l.address);
}

static void
tell_fronts(struct supervisor *sup, const struct listen_socket *s)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->state == PROCESS_SERVING && c->peer &&
	    c->role == service_role(s->l.service))
		connect_listener(c, s);
}

static bool
is_named(const struct conf *conf, const struct conf_listener *l)
{
	for (uint32_t i = 0; i < conf->listener_count; i++)
		if (is_same(&conf->listeners[i], l))
			return true;
	return false;
}

static void
drop_unnamed(struct supervisor *sup, const struct conf *conf)
{
	size_t to = 0;

	for (size_t i = 0; i < sup->socket_count; i++) {
		if (is_named(conf, &sup->sockets[i].l))
			sup->sockets[to++] = sup->sockets[i];
		else
			close_socket(&sup->sockets[i]);
	}
	sup->socket_count = to;
}

int
listen_update(struct supervisor *sup, const struct conf *conf, char **ret_error)
{
	struct listen_socket fresh[CONF_LISTENERS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < conf->listener_count; i++) {
		const struct conf_listener *l = &conf->listeners[i];

		if (find(sup, l))
			continue;
		fresh[n].l = *l;
		fresh[n].fd =
		    listen_open(l, service_name(l->service), ret_error);
		if (fresh[n].fd < 0) {
			int r = fresh[n].fd;

			while (n-- > 0)
				close_socket(&fresh[n]);
			return r;
		}
		fresh[n++].l.address = x_strdup(l->address);
	}
	drop_unnamed(sup, conf);
	for (size_t i = 0; i < n; i++) {
		sup->sockets[sup->socket_count++] = fresh[i];
		log_event(EV_SUP_LISTEN,
		    LC("service", service_name(fresh[i].l.service)),
		    LC("address", fresh[i].l.address),
		    LU("port", fresh[i].l.port));
		tell_fronts(sup, &fresh[i]);
	}
	return 0;
}

void
listen_close(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->socket_count; i++)
		close_socket(&sup->sockets[i]);
	sup->socket_count = 0;
}
