/* SPDX-License-Identifier: ISC */
/*
 * many_mx.c - a thousand mail servers in one process, some of them ill.
 *
 * many_mx PORT [SECONDS] < list
 *
 * The list has an address of loopback and a word a line: "ok" takes mail and
 * throws it away (and says so after SECONDS), "busy" greets with 421, "mute"
 * accepts connections and says nothing. After a line "ready", each 100 ms a line on standard output: how
 * many messages were taken in all, at how many servers, and how many
 * connections there are now.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX 16384

enum mode { OK, BUSY, MUTE };

struct server {
	int fd;
	enum mode mode;
	bool has_mail;
};

struct conn {
	int fd;
	bool is_body;
	unsigned matched; /* of CRLF.CRLF */
	char in[1024];    /* a line that is not complete */
	size_t n;
	struct server *server;
	bool is_closed, is_late;
	double due; /* of its reply */
	struct conn *next;
};

/* Those whose reply is due later, in order. */
static struct conn *late, **late_end = &late;
static double delay;

static int epoll;
static unsigned long taken, served, open_conns;

static void
fail(const char *what)
{
	fprintf(stderr, "many_mx: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
say(struct conn *c, const char *text)
{
	size_t n = strlen(text);

	if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		return; /* the next read tells */
}

static void
on_command(struct conn *c, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0)
		say(c, "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		       "250 SIZE 50000000\r\n");
	else if (strncasecmp(line, "DATA", 4) == 0) {
		c->is_body = true;
		c->matched = 2;
		say(c, "354 go on\r\n");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		say(c, "221 bye\r\n");
		shutdown(c->fd, SHUT_WR);
	} else {
		say(c, "250 ok\r\n");
	}
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
take(struct conn *c)
{
	taken++;
	served += !c->server->has_mail;
	c->server->has_mail = true;
	say(c, "250 taken\r\n");
}

static void
wait_with(struct conn *c)
{
	c->due = seconds() + delay;
	c->is_late = true;
	c->next = NULL;
	*late_end = c;
	late_end = &c->next;
}

static void
drop(struct conn *c)
{
	close(c->fd);
	open_conns--;
	c->is_closed = true;
	if (!c->is_late)
		free(c);
}

static void
answer_late(double now)
{
	while (late != NULL && late->due <= now) {
		struct conn *c = late;

		late = c->next;
		if (late == NULL)
			late_end = &late;
		c->is_late = false;
		if (c->is_closed)
			free(c);
		else
			take(c);
	}
}

/* Bytes of a message; how many were used. */
static size_t
on_body(struct conn *c, const char *p, size_t n)
{
	static const char end[] = "\r\n.\r\n";
	size_t i = 0;

	while (i < n && c->matched < 5) {
		/* Between line ends nothing matters. */
		if (c->matched == 0) {
			const char *cr = memchr(p + i, '\r', n - i);

			if (cr == NULL)
				return n;
			i = (size_t)(cr - p) + 1;
			c->matched = 1;
			continue;
		}
		if (p[i] == end[c->matched])
			c->matched++;
		else
			c->matched = p[i] == '\r';
		i++;
	}
	if (c->matched == 5) {
		c->is_body = false;
		if (delay > 0)
			wait_with(c);
		else
			take(c);
	}
	return i;
}

static void
on_bytes(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		const char *lf;
		size_t used;

		if (c->is_body) {
			used = on_body(c, p, n);
		} else {
			lf = memchr(p, '\n', n);
			used = lf ? (size_t)(lf - p) + 1 : n;
			if (c->n + used >= sizeof(c->in))
				c->n = 0; /* nobody sends such lines */
			memcpy(c->in + c->n, p, used);
			c->n += used;
			c->in[c->n] = '\0';
			if (lf) {
				c->n = 0;
				on_command(c, c->in);
			}
		}
		p += used;
		n -= used;
	}
}

static void
on_readable(struct conn *c)
{
	static char in[IN_MAX];
	ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		on_bytes(c, in, (size_t)n);
		return;
	}
	drop(c);
}

static void
on_connection(struct server *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	c->fd = fd;
	c->server = s;
	open_conns++;
	if (s->mode == OK)
		say(c, "220 mx ESMTP\r\n");
	else if (s->mode == BUSY)
		say(c, "421 4.3.2 come back later\r\n");
	ev.data.ptr = c;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void
listen_on(const char *address, const char *mode, uint16_t port)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1;

	s->mode = strcmp(mode, "ok") == 0     ? OK
	          : strcmp(mode, "busy") == 0 ? BUSY
	                                      : MUTE;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
	    bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(s->fd, 100) < 0)
		fail(address);
	/* The lowest bit tells a listener from a connection. */
	ev.data.u64 = (uint64_t)(uintptr_t)s | 1;
	epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &ev);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 20000, 20000 };
	struct epoll_event ev[256];
	char address[64], mode[16];
	double told = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: many_mx PORT [SECONDS] < list\n");
		return 2;
	}
	if (argc > 2)
		delay = atof(argv[2]);
	setrlimit(RLIMIT_NOFILE, &files);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	while (scanf("%63s %15s", address, mode) == 2)
		listen_on(address, mode, (uint16_t)atoi(argv[1]));
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, ev, 256, 100);
		double now = seconds();

		answer_late(now);
		for (int i = 0; i < n; i++) {
			uint64_t v = ev[i].data.u64;

			if (v & 1)
				on_connection(
				    (struct server *)(uintptr_t)(v & ~1ULL));
			else
				on_readable(ev[i].data.ptr);
		}
		if (now < told + 0.1)
			continue;
		told = now;
		printf("%lu %lu %lu\n", taken, served, open_conns);
		fflush(stdout);
	}
}
