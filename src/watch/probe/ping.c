/* SPDX-License-Identifier: ISC */
/* ping.c - echo requests under way, and their replies. See ping.h. */
#include "watch/probe/ping.h"

#include "base/secret.h"
#include "proto/icmp/icmp.h"

#include <netinet/icmp6.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS        1000
#define SENDS_MAX       16
#define READS_MAX       64 /* of one round */
#define ICMP_FILTER_OPT 1  /* ICMP_FILTER of linux/icmp.h */

struct ping_echo {
	LIST_ENTRY(ping_echo) link;
	struct ping *ping;
	struct sockaddr_storage to;
	bool is_v6;
	uint8_t cookie[ICMP_COOKIE_BYTES];
	uint64_t sent_us[SENDS_MAX]; /* by sequence number */
	uint16_t n_sent;
	struct loop_timer *again;
	ping_fn fn;
	void *arg;
};

struct family {
	int fd; /* -1: none */
	bool is_raw;
	struct loop_fd *watch;
};

struct ping {
	struct loop *loop;
	struct family v4, v6;
	uint16_t id; /* of raw sockets; others get their own of the kernel */
	LIST_HEAD(, ping_echo) echoes;
};

static uint64_t
now_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		die("clock: %s", strerror(errno));
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- sockets ------------------------------------------------------------------ */

/* The kernel drops all but echo replies. */
static void
filter(int fd, bool is_v6)
{
	const uint32_t only4 = ~(1U << 0);
	struct icmp6_filter only6;

	if (!is_v6) {
		(void)setsockopt(
		    fd, SOL_RAW, ICMP_FILTER_OPT, &only4, sizeof(only4));
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&only6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only6);
	(void)setsockopt(
	    fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only6, sizeof(only6));
}

static void
open_family(struct family *f, bool is_v6)
{
	int domain = is_v6 ? AF_INET6 : AF_INET;
	int protocol = is_v6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

	f->is_raw = false;
	f->fd = socket(domain, SOCK_DGRAM | flags, protocol);
	if (f->fd >= 0)
		return;
	f->fd = socket(domain, SOCK_RAW | flags, protocol);
	f->is_raw = f->fd >= 0;
	if (f->is_raw)
		filter(f->fd, is_v6);
}

struct ping *
ping_new(struct loop *loop)
{
	struct ping *ping = X_NEW(struct ping);

	ping->loop = loop;
	LIST_INIT(&ping->echoes);
	secret_random(&ping->id, sizeof(ping->id));
	open_family(&ping->v4, false);
	open_family(&ping->v6, true);
	return ping;
}

/* --- replies --------------------------------------------------------------------- */

static bool
is_from(const struct ping_echo *e, const struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *a6 = (const void *)&e->to;
	const struct sockaddr_in6 *b6 = (const void *)from;
	const struct sockaddr_in *a4 = (const void *)&e->to;
	const struct sockaddr_in *b4 = (const void *)from;

	if (e->to.ss_family != from->ss_family)
		return false;
	if (e->is_v6)
		return memcmp(&a6->sin6_addr, &b6->sin6_addr,
			   sizeof(a6->sin6_addr)) == 0;
	return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

static void
take_reply(struct ping *ping, const struct icmp_echo *r,
    const struct sockaddr_storage *from)
{
	uint64_t now = now_us();
	struct ping_echo *e;

	LIST_FOREACH(e, &ping->echoes, link)
	if (e->is_v6 == r->is_v6 && r->seq < e->n_sent &&
	    memcmp(e->cookie, r->cookie, sizeof(r->cookie)) == 0 &&
	    is_from(e, from)) {
		uint64_t us = now - e->sent_us[r->seq];
		ping_fn fn = e->fn;
		void *arg = e->arg;

		ping_cancel(e);
		fn(arg, (uint32_t)MAX(1, MIN(us, UINT32_MAX)));
		return;
	}
}

static void
read_replies(struct ping *ping, const struct family *f, bool is_v6)
{
	for (int i = 0; i < READS_MAX; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_n = sizeof(from);
		struct icmp_echo echo;
		char packet[512];
		ssize_t n = recvfrom(f->fd, packet, sizeof(packet), 0,
		    (struct sockaddr *)&from, &from_n);

		if (n < 0)
			return;
		if (icmp_echo_get(str_make(packet, (size_t)n), is_v6,
			f->is_raw && !is_v6, &echo))
			take_reply(ping, &echo, &from);
	}
}

static void
on_v4(void *arg)
{
	struct ping *ping = arg;

	read_replies(ping, &ping->v4, false);
}

static void
on_v6(void *arg)
{
	struct ping *ping = arg;

	read_replies(ping, &ping->v6, true);
}

void
ping_start(struct ping *ping)
{
	if (ping->v4.fd >= 0) {
		ping->v4.watch =
		    loop_fd_new(ping->loop, ping->v4.fd, on_v4, NULL, ping);
		loop_fd_want(ping->v4.watch, true, false);
	}
	if (ping->v6.fd >= 0) {
		ping->v6.watch =
		    loop_fd_new(ping->loop, ping->v6.fd, on_v6, NULL, ping);
		loop_fd_want(ping->v6.watch, true, false);
	}
}

/* --- requests --------------------------------------------------------------------- */

static int
send_one(struct ping_echo *e)
{
	struct ping *ping = e->ping;
	const struct family *f = e->is_v6 ? &ping->v6 : &ping->v4;
	struct icmp_echo echo = {
		.is_v6 = e->is_v6, .id = ping->id, .seq = e->n_sent
	};
	uint8_t packet[ICMP_ECHO_BYTES];
	socklen_t n =
	    e->is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	memcpy(echo.cookie, e->cookie, sizeof(echo.cookie));
	icmp_echo_put(packet, &echo);
	e->sent_us[e->n_sent++] = now_us();
	if (e->n_sent < SENDS_MAX)
		loop_timer_set(e->again, AGAIN_MS);
	if (sendto(f->fd, packet, sizeof(packet), 0,
		(const struct sockaddr *)&e->to, n) < 0)
		return -errno;
	return 0;
}

static void
on_again(void *arg)
{
	(void)send_one(arg);
}

int
ping_send(struct ping *ping, const struct sockaddr_storage *to, ping_fn fn,
    void *arg, struct ping_echo **ret)
{
	bool is_v6 = to->ss_family == AF_INET6;
	struct ping_echo *e;
	int r;

	if ((is_v6 ? ping->v6.fd : ping->v4.fd) < 0)
		return -EPERM;
	e = X_NEW(struct ping_echo);
	e->ping = ping;
	e->to = *to;
	e->is_v6 = is_v6;
	e->fn = fn;
	e->arg = arg;
	secret_random(e->cookie, sizeof(e->cookie));
	e->again = loop_timer_new(ping->loop, on_again, e);
	LIST_INSERT_HEAD(&ping->echoes, e, link);
	r = send_one(e);
	if (r < 0 && r != -EAGAIN && r != -ENOBUFS) {
		ping_cancel(e);
		return r;
	}
	*ret = e;
	return 0;
}

void
ping_cancel(struct ping_echo *e)
{
	if (e == NULL)
		return;
	LIST_REMOVE(e, link);
	loop_timer_free(e->again);
	free(e);
}
