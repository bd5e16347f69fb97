/* SPDX-License-Identifier: ISC */
/*
 * connect.c - attempts in parallel, each begun a little later. See connect.h.
 */
#include "net/connect.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define NEXT_MS 250

struct attempt {
	struct connect *c;
	int fd; /* -1: not begun, or failed */
	struct loop_fd *watch;
};

struct connect {
	struct loop *loop;
	struct loop_timer *next, *limit;
	connect_fn fn;
	void *arg;
	uint64_t next_ms;
	struct sockaddr_storage source4, source6;
	size_t n, begun, failed;
	struct sockaddr_storage addrs[CONNECT_ADDRS_MAX];
	struct attempt attempts[CONNECT_ADDRS_MAX];
	int error; /* the last one */
	size_t last;
	bool is_over;
};

static void
free_now(void *arg)
{
	free(arg);
}

static void
stop_attempt(struct attempt *a)
{
	loop_fd_free(a->watch);
	a->watch = NULL;
	closep(&a->fd);
	a->fd = -1;
}

/* The callbacks of this round may still hold pointers to it. */
static void
end(struct connect *c)
{
	c->is_over = true;
	for (size_t i = 0; i < c->begun; i++)
		stop_attempt(&c->attempts[i]);
	loop_timer_free(c->next);
	loop_timer_free(c->limit);
	loop_defer(c->loop, free_now, c);
}

static void
report(struct connect *c, struct attempt *winner)
{
	struct connect_result r = { .fd = -1, .error = c->error };
	size_t i = winner ? (size_t)(winner - c->attempts) : c->last;

	r.addr = c->addrs[i];
	if (winner != NULL) {
		loop_fd_free(winner->watch);
		winner->watch = NULL;
		r.fd = TAKE_FD(winner->fd);
		r.error = 0;
	}
	end(c);
	c->fn(c->arg, &r);
}

void
connect_cancel(struct connect *c)
{
	if (c != NULL && !c->is_over)
		end(c);
}

static void
note_failure(struct connect *c, struct attempt *a, int error)
{
	stop_attempt(a);
	c->error = error;
	c->last = (size_t)(a - c->attempts);
	c->failed++;
}

static int
begin_socket(struct connect *c, const struct sockaddr_storage *addr)
{
	bool is_v6 = addr->ss_family == AF_INET6;
	const struct sockaddr_storage *source =
	    is_v6 ? &c->source6 : &c->source4;
	socklen_t n =
	    is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(
	    addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, error;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* The port is chosen with the peer known: many more connections. */
	(void)setsockopt(
	    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if ((source->ss_family == addr->ss_family &&
		bind(fd, (const struct sockaddr *)source, n) < 0) ||
	    (connect(fd, (const struct sockaddr *)addr, n) < 0 &&
		errno != EINPROGRESS)) {
		error = errno;
		(void)close(fd);
		return -error;
	}
	return fd;
}

static void begin_next(struct connect *c);

static void
on_writable(void *arg)
{
	struct attempt *a = arg;
	struct connect *c = a->c;
	int error = 0;
	socklen_t n = sizeof(error);

	if (c->is_over || a->fd < 0)
		return;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error == 0) {
		report(c, a);
		return;
	}
	note_failure(c, a, error);
	begin_next(c);
}

/* Begin one more; without any left, and all failed, say so. */
static void
begin_next(struct connect *c)
{
	while (c->begun < c->n) {
		struct attempt *a = &c->attempts[c->begun];
		int fd = begin_socket(c, &c->addrs[c->begun]);

		c->begun++;
		a->c = c;
		a->fd = fd;
		if (fd < 0) {
			a->fd = -1;
			note_failure(c, a, -fd);
			continue;
		}
		a->watch = loop_fd_new(c->loop, fd, NULL, on_writable, a);
		loop_fd_want(a->watch, false, true);
		if (c->begun < c->n)
			loop_timer_set(c->next, c->next_ms);
		return;
	}
	if (c->failed == c->n)
		report(c, NULL);
}

static void
on_next_time(void *arg)
{
	begin_next(arg);
}

static void
on_limit(void *arg)
{
	struct connect *c = arg;

	c->error = ETIMEDOUT;
	c->last = c->begun > 0 ? c->begun - 1 : 0;
	report(c, NULL);
}

static void
begin(void *arg)
{
	struct connect *c = arg;

	if (!c->is_over)
		begin_next(c);
}

struct connect *
connect_new(const struct connect_config *config, connect_fn fn, void *arg)
{
	struct connect *c = X_NEW(struct connect);

	ASSERT(config->n > 0);
	c->loop = config->loop;
	c->fn = fn;
	c->arg = arg;
	c->next_ms = config->next_ms > 0 ? config->next_ms : NEXT_MS;
	c->source4 = config->source4;
	c->source6 = config->source6;
	c->n = MIN(config->n, CONNECT_ADDRS_MAX);
	memcpy(c->addrs, config->addrs, c->n * sizeof(c->addrs[0]));
	c->next = loop_timer_new(c->loop, on_next_time, c);
	c->limit = loop_timer_new(c->loop, on_limit, c);
	loop_timer_set(c->limit, config->limit_ms);
	/* Not from here: who calls does not have our address yet. */
	loop_defer(c->loop, begin, c);
	return c;
}

/* --- addresses ------------------------------------------------------------------ */

void
connect_interleave(struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage *out = x_calloc(MAX(n, 1), sizeof(*out));
	sa_family_t want = AF_INET6;
	bool *used = x_calloc(MAX(n, 1), sizeof(*used));

	for (size_t k = 0; k < n; k++) {
		size_t pick = n;

		for (size_t i = 0; i < n; i++) {
			if (used[i])
				continue;
			if (pick == n)
				pick = i;
			if (addrs[i].ss_family == want) {
				pick = i;
				break;
			}
		}
		used[pick] = true;
		out[k] = addrs[pick];
		want = out[k].ss_family == AF_INET6 ? AF_INET : AF_INET6;
	}
	memcpy(addrs, out, n * sizeof(*out));
	free(out);
	free(used);
}

static bool
is_local4(uint32_t a)
{
	return a >> 24 == 127 || a >> 24 == 0 || a >> 28 >= 0xE ||
	       a >> 16 == 0xA9FE;
}

bool
connect_is_local(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in4 = (const void *)addr;
	const struct in6_addr *a = &in6->sin6_addr;
	uint32_t mapped;

	if (addr->ss_family == AF_INET)
		return is_local4(ntohl(in4->sin_addr.s_addr));
	if (addr->ss_family != AF_INET6)
		return true;
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		memcpy(&mapped, &a->s6_addr[12], sizeof(mapped));
		return is_local4(ntohl(mapped));
	}
	return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) ||
	       IN6_IS_ADDR_MULTICAST(a) || IN6_IS_ADDR_LINKLOCAL(a);
}

static bool
is_private4(uint32_t a)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} nets[] = {
		{ 0x0A000000, 8 },  /* 10.0.0.0 */
		{ 0x64400000, 10 }, /* 100.64.0.0: a provider's own */
		{ 0xAC100000, 12 }, /* 172.16.0.0 */
		{ 0xC0000000, 24 }, /* 192.0.0.0 */
		{ 0xC0A80000, 16 }, /* 192.168.0.0 */
		{ 0xC6120000, 15 }, /* 198.18.0.0: measurements */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
			return true;
	return is_local4(a);
}

/* A name that goes to this machine, whatever DNS says. */
static bool
is_localhost(struct str host)
{
	if (str_ends(host, STR(".")))
		host.n--;
	return str_eq_case(host, STR("localhost")) ||
	       (host.n > sizeof(".localhost") - 1 &&
		   str_eq_case(
		       str_from(host, host.n - sizeof(".localhost") + 1),
		       STR(".localhost")));
}

bool
connect_read_ip(struct str host, struct sockaddr_storage *ret)
{
	struct sockaddr_storage addr = { 0 };
	struct sockaddr_in *in4 = (void *)&addr;
	struct sockaddr_in6 *in6 = (void *)&addr;
	char text[INET6_ADDRSTRLEN] = "";

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_sub(host, 1, host.n - 2);
	if (host.n == 0 || host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1)
		addr.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		addr.ss_family = AF_INET6;
	else
		return false;
	*ret = addr;
	return true;
}

bool
connect_host_is_private(struct str host)
{
	struct sockaddr_storage addr;

	return is_localhost(host) ||
	       (connect_read_ip(host, &addr) && connect_is_private(&addr));
}

bool
connect_is_private(const struct sockaddr_storage *addr)
{
	static const unsigned char nat64[12] = { 0, 0x64, 0xFF, 0x9B };
	/* RFC 8215: for translators of a network's own, to whatever it has. */
	static const unsigned char nat64_own[6] = { 0, 0x64, 0xFF, 0x9B, 0, 1 };
	static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	static const unsigned char zero[12] = { 0 };
	const unsigned char *a;

	if (connect_is_local(addr))
		return true;
	if (addr->ss_family == AF_INET)
		return is_private4(
		    ntohl(((const struct sockaddr_in *)(const void *)addr)
			      ->sin_addr.s_addr));
	a = ((const struct sockaddr_in6 *)(const void *)addr)
	        ->sin6_addr.s6_addr;
	if (memcmp(a, nat64_own, 6) == 0)
		return true;
	if (memcmp(a, nat64, 12) == 0 || memcmp(a, mapped, 12) == 0 ||
	    memcmp(a, zero, 12) == 0)
		return is_private4((uint32_t)a[12] << 24 |
				   (uint32_t)a[13] << 16 |
				   (uint32_t)a[14] << 8 | a[15]);
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		return is_private4((uint32_t)a[2] << 24 | (uint32_t)a[3] << 16 |
				   (uint32_t)a[4] << 8 | a[5]);
	/* fc00::/7, and what fec0::/10 once was. */
	return (a[0] & 0xFE) == 0xFC || (a[0] == 0xFE && (a[1] & 0xC0) == 0xC0);
}

void
connect_ip(const struct sockaddr_storage *addr, char to[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in4 = (const void *)addr;

	to[0] = '\0';
	if (addr->ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, to, INET6_ADDRSTRLEN);
	else if (addr->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, to, INET6_ADDRSTRLEN);
}
