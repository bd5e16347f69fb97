/* SPDX-License-Identifier: ISC */
/*
 * listener.c - accept connections, and survive a lack of descriptors.
 *
 * The wake-up is level-triggered: a worker that comes too late gets EAGAIN,
 * which costs one system call, and none is lost when a worker dies with a
 * wake-up in its hands. When descriptors or memory run out, accepting rests
 * for a moment instead of spinning; the clients wait in the kernel's queue.
 */
#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define REST_MS 200

struct listener {
	struct loop *loop;
	struct loop_fd *watch;
	struct loop_timer *rest; /* runs while descriptors are short */
	listener_fn fn;
	void *arg;
	int fd;
	bool is_paused;
	bool is_over; /* shut down by the process that made it */
	bool is_resting;
	bool is_busy;  /* in fn: free later */
	bool is_freed; /* listener_free() came while busy */
};

static void
update(struct listener *ln)
{
	loop_fd_want(ln->watch,
	    !ln->is_paused && !ln->is_resting && !ln->is_over, false);
}

static void
on_rested(void *arg)
{
	struct listener *ln = arg;

	ln->is_resting = false;
	update(ln);
}

/*
 * One connection for each round of the loop: the next one wakes us again, and
 * workers share a burst. Other errors belong to connections that are gone
 * already (accept(2)).
 */
static void
accept_one(struct listener *ln)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(peer);
	int fd = accept4(
	    ln->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		ln->fn(ln->arg, fd, &peer);
	} else if (errno == EINVAL) {
		ln->is_over = true;
		update(ln);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		   errno == ENOMEM) {
		ln->is_resting = true;
		update(ln);
		loop_timer_set(ln->rest, REST_MS);
	}
}

static void
on_readable(void *arg)
{
	struct listener *ln = arg;

	ln->is_busy = true;
	accept_one(ln);
	ln->is_busy = false;
	if (ln->is_freed)
		listener_free(ln);
}

struct listener *
listener_new(struct loop *l, int fd, listener_fn fn, void *arg)
{
	struct listener *ln = X_NEW(struct listener);
	int one = 1;

	/* On a Unix socket the first of these fails, which is no harm. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		die("listening socket: %s", strerror(errno));
	ln->loop = l;
	ln->fd = fd;
	ln->fn = fn;
	ln->arg = arg;
	ln->watch = loop_fd_new(l, fd, on_readable, NULL, ln);
	ln->rest = loop_timer_new(l, on_rested, ln);
	update(ln);
	return ln;
}

void
listener_free(struct listener *ln)
{
	if (ln == NULL)
		return;
	if (ln->is_busy) {
		ln->is_freed = true;
		return;
	}
	loop_fd_free(ln->watch);
	loop_timer_free(ln->rest);
	close(ln->fd);
	free(ln);
}

void
listener_pause(struct listener *ln, bool is_paused)
{
	if (ln->is_paused == is_paused)
		return;
	ln->is_paused = is_paused;
	update(ln);
}
