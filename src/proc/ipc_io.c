/* SPDX-License-Identifier: ISC */
/*
 * ipc_io.c - sendmsg and recvmsg with one descriptor. See ipc_io.h.
 */
#include "proc/ipc_io.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A reply of 1 MB should not need five rounds of both loops. */
#define SOCKET_BUFFER 1048576

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t
ipc_io_send(int socket, const void *p, size_t n, int fd)
{
	union control control = { 0 };
	struct iovec iov = { .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t r;

	memcpy(&iov.iov_base, &p, sizeof(p));
	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		r = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

ssize_t
ipc_io_send_two(int socket, struct str a, struct str b)
{
	struct iovec iov[2] = { { .iov_len = a.n }, { .iov_len = b.n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t r;

	memcpy(&iov[0].iov_base, &a.p, sizeof(a.p));
	memcpy(&iov[1].iov_base, &b.p, sizeof(b.p));
	do
		r = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* The one descriptor of a message, -1 without any. */
static int
take_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

ssize_t
ipc_io_recv(int socket, void *p, size_t n, int *ret_fd)
{
	/* Room for exactly one: alignment would leave some for a second. */
	union control control;
	struct iovec iov = { .iov_base = p, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t r;
	int fd;

	do
		r = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	fd = take_fd(&msg);
	/* The kernel dropped what had no room: there was more than one, or
	 * this process has no descriptor left. */
	if (msg.msg_flags & MSG_CTRUNC) {
		closep(&fd);
		return -EPROTO;
	}
	*ret_fd = fd;
	return r;
}

int
ipc_io_pair(int ret[2])
{
	int size = SOCKET_BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	/* Best effort: FORCE needs privileges, the other one has a ceiling. */
	for (int i = 0; i < 2; i++)
		if (setsockopt(ret[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof(size)) < 0)
			(void)setsockopt(
			    ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}
