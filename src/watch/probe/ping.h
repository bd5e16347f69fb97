/* SPDX-License-Identifier: ISC */
/*
 * ping.h - echo requests over one socket for each family.
 *
 * A ping socket where the system lets our group have one (sysctl
 * net.ipv4.ping_group_range), else a raw socket, which root alone can open: so
 * both are tried before privileges go. The raw one is told to show echo replies
 * only. Without either, nothing can be said about any system.
 */
#pragma once

#include "net/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct ping;
struct ping_echo;

/* Opens the sockets; before the sandbox. */
struct ping *ping_new(struct loop *loop);
/* Begin to listen. */
void ping_start(struct ping *ping);

typedef void (*ping_fn)(void *arg, uint32_t us);
/*
 * Send one now and another one each second, until one is answered: then fn runs
 * once. 0, or -errno: -EPERM when there is no socket for this family.
 */
int ping_send(struct ping *ping, const struct sockaddr_storage *to, ping_fn fn,
    void *arg, struct ping_echo **ret) WARN_UNUSED;
/* Before fn ran. NULL is fine. */
void ping_cancel(struct ping_echo *e);
