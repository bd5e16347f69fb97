/* SPDX-License-Identifier: ISC */
/*
 * listener.h - accept connections from a listening socket.
 *
 * Several workers may share one socket. Each takes one connection for a
 * wake-up and none while it is paused, so that idle workers get the rest. A
 * socket that another process shuts down is watched no more.
 */
#pragma once

#include "net/loop.h"

#include <sys/socket.h>

struct listener;

/* A new connection; fd is taken (non-blocking, close-on-exec). peer: AF_UNSPEC
 * when it has no address that is told. */
typedef void (*listener_fn)(
    void *arg, int fd, const struct sockaddr_storage *peer);

/*
 * fd is taken: listening already, set non-blocking here. Options that accepted
 * sockets inherit (no delay, keep-alive) are set on it.
 */
struct listener *listener_new(
    struct loop *l, int fd, listener_fn fn, void *arg);
/* Closes the socket; NULL is allowed. */
void listener_free(struct listener *ln);
/* Leave new connections in the socket's queue, or take them again. */
void listener_pause(struct listener *ln, bool is_paused);
