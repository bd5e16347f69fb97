/* SPDX-License-Identifier: ISC */
/*
 * ipc_io.h - bytes and descriptors through a Unix stream socket.
 *
 * Of the internal protocol only; also for processes that pass one descriptor
 * by hand. At most one descriptor travels with a call.
 */
#pragma once

#include "base/str.h"

/* Bytes sent, or -errno. fd (or -1) goes with the first byte; it was sent when
 * the answer is above zero. Never raises SIGPIPE. */
ssize_t ipc_io_send(int socket, const void *p, size_t n, int fd);
/* Two pieces, one behind the other, without a descriptor. As above. */
ssize_t ipc_io_send_two(int socket, struct str a, struct str b);
/*
 * Bytes received, 0 at the end, or -errno. *ret_fd is -1 or a descriptor
 * (close-on-exec) that came with them. More than one at once is -EPROTO, and
 * all are closed.
 */
ssize_t ipc_io_recv(int socket, void *p, size_t n, int *ret_fd);
/* A connected pair, close-on-exec, with roomy buffers. 0 or -errno. */
int ipc_io_pair(int ret[2]) WARN_UNUSED;
