/* SPDX-License-Identifier: ISC */
/*
 * smtp_load.c - submit many messages over some connections, command by command.
 *
 * smtp_load [options] HOST PORT
 *   -c N       connections (50)
 *   -n N       messages in all (1000)
 *   -s BYTES   size of a message (10240)
 *   -f SENDER  of the envelope and the From field
 *   -t FORMAT  of a recipient, with one %u: its number (r%u@sink.example)
 *   -m N       recipients are numbered 0 to N - 1 over and over (1000)
 *   -k N       recipients of a message (1)
 *   -a LOGIN:PASSWORD  sign in with AUTH PLAIN
 *
 * It does what smtp-source -d does, which cannot sign in: each connection
 * sends message after message and waits for each reply (no PIPELINING). The
 * bytes are words in lines, the same for each number of a message, so that
 * compression has what mail gives it. At the end it prints one line of JSON.
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
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define POOL   (1 << 20)
#define HEAD   1024
#define IN_MAX 8192

enum state { GREETING, EHLO, AUTH, MAIL, RCPT, DATA, BODY };

struct conn {
	int fd;
	enum state state;
	unsigned number; /* of the message under way */
	unsigned rcpts;  /* of it that were named */
	char in[IN_MAX];
	size_t n;
	/* a body that is not all sent */
	char head[HEAD];
	struct iovec out[3];
	bool is_waiting;
};

static struct {
	unsigned conns, messages, rcpts, numbers;
	size_t size;
	const char *from, *to, *login;
	struct sockaddr_in addr;
	int epoll;
	unsigned begun, accepted, open;
	char *pool;
} g = { 50, 1000, 1, 1000, 10240, "load@source.example", "r%u@sink.example",
	NULL, { 0 }, -1, 0, 0, 0, NULL };

static void
fail(const char *what, const char *detail)
{
	fprintf(stderr, "smtp_load: %s: %s\n", what, detail);
	exit(1);
}

static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

/* Lines of words; a word of 3000, the frequent ones more often. */
static void
make_pool(void)
{
	static char words[3000][12];
	uint64_t seed = 1;
	size_t line = 0;

	for (size_t i = 0; i < 3000; i++) {
		size_t len = 2 + next_random(&seed) % 9;

		for (size_t k = 0; k < len; k++)
			words[i][k] =
			    "etaoinshrdlucmfwypvbgk"[next_random(&seed) % 22];
	}
	g.pool = malloc(POOL + 64);
	for (size_t at = 0; at < POOL;) {
		uint32_t r = next_random(&seed) % 3000;
		const char *w = words[r * (next_random(&seed) % 3000) / 3000];
		size_t len = strlen(w);

		memcpy(g.pool + at, w, len);
		at += len;
		line += len + 1;
		if (line > 65) {
			memcpy(g.pool + at, "\r\n", 2);
			at += 2;
			line = 0;
		} else {
			g.pool[at++] = ' ';
		}
	}
}

static void
say(struct conn *c, const char *text, size_t n)
{
	if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		fail("send", strerror(errno));
}

static void
say_auth(struct conn *c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char raw[300] = { 0 };
	char line[500] = "AUTH PLAIN ";
	size_t n = 1 + strlen(g.login), at = strlen(line);

	if (n > 255)
		fail("login", "too long");
	memcpy(raw + 1, g.login, n - 1);
	*strchr((char *)raw + 1, ':') = '\0';
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v =
		    (uint32_t)raw[i] << 16 | raw[i + 1] << 8 | raw[i + 2];

		for (int k = 0; k < 4; k++)
			line[at++] = i + (size_t)k > n
			                 ? '='
			                 : digits[v >> (18 - 6 * k) & 63];
	}
	at += (size_t)sprintf(line + at, "\r\n");
	say(c, line, at);
	c->state = AUTH;
}

static void
say_rcpt(struct conn *c)
{
	char to[300], line[400];
	unsigned number = c->number * g.rcpts + c->rcpts++;

	snprintf(to, sizeof(to), g.to, number % g.numbers);
	say(c, line,
	    (size_t)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", to));
	c->state = RCPT;
}

static void
watch(struct conn *c, bool is_waiting)
{
	struct epoll_event ev = { .events = is_waiting ? EPOLLOUT : EPOLLIN,
		.data.ptr = c };

	if (c->is_waiting != is_waiting)
		epoll_ctl(g.epoll, EPOLL_CTL_MOD, c->fd, &ev);
	c->is_waiting = is_waiting;
}

static void
flush_body(struct conn *c)
{
	struct msghdr m = { .msg_iov = c->out, .msg_iovlen = 3 };
	ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	size_t left = 0;

	if (n < 0 && errno != EAGAIN)
		fail("send", strerror(errno));
	for (int i = 0; i < 3; i++) {
		size_t part = n > 0 ? (size_t)n : 0;

		if (part > c->out[i].iov_len)
			part = c->out[i].iov_len;
		c->out[i].iov_base = (char *)c->out[i].iov_base + part;
		c->out[i].iov_len -= part;
		left += c->out[i].iov_len;
		n -= (ssize_t)part;
	}
	watch(c, left > 0);
}

static void
say_body(struct conn *c)
{
	uint64_t seed = c->number;
	uint32_t slice = next_random(&seed) % (POOL - (uint32_t)g.size - 80);
	int n = snprintf(c->head, sizeof(c->head),
	    "From: <%s>\r\nTo: undisclosed-recipients:;\r\n"
	    "Subject: message %u of a benchmark\r\n"
	    "Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
	    "Message-ID: <%u.%08x@source.example>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
	    g.from, c->number, c->number, next_random(&seed));
	const char *body = g.pool + slice;

	if (n < 0 || (size_t)n + 16 > g.size)
		fail("size", "too small for a header");
	/* From the start of a line on. */
	body = strchr(body, '\n') + 1;
	c->out[0] = (struct iovec){ c->head, (size_t)n };
	c->out[1] =
	    (struct iovec){ (void *)(uintptr_t)body, g.size - (size_t)n - 2 };
	if (body[c->out[1].iov_len - 1] == '\r')
		c->out[1].iov_len--;
	c->out[2] = (struct iovec){ (void *)(uintptr_t) "\r\n.\r\n", 5 };
	c->state = BODY;
	flush_body(c);
}

/* The next message; false: there is none. */
static bool
next_message(struct conn *c)
{
	char line[400];

	if (g.begun == g.messages) {
		say(c, "QUIT\r\n", 6);
		close(c->fd);
		g.open--;
		return false;
	}
	c->number = g.begun++;
	c->rcpts = 0;
	c->state = MAIL;
	say(c, line,
	    (size_t)snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", g.from));
	return true;
}

/* A reply is complete; false: the connection is done. */
static bool
on_reply(struct conn *c, int code)
{
	static const int wanted[] = { 220, 250, 235, 250, 250, 354, 250 };

	if (code != wanted[c->state])
		fail("unexpected reply", c->in);
	switch (c->state) {
	case GREETING:
		say(c, "EHLO load.example\r\n", 19);
		c->state = EHLO;
		return true;
	case EHLO:
		if (g.login != NULL) {
			say_auth(c);
			return true;
		}
		return next_message(c);
	case BODY:
		g.accepted++;
		return next_message(c);
	case AUTH:
		return next_message(c);
	case MAIL:
		say_rcpt(c);
		return true;
	case RCPT:
		if (c->rcpts < g.rcpts) {
			say_rcpt(c);
			return true;
		}
		say(c, "DATA\r\n", 6);
		c->state = DATA;
		return true;
	case DATA:
		say_body(c);
		return true;
	}
	return true;
}

static void
on_readable(struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->n, IN_MAX - 1 - c->n, MSG_DONTWAIT);
	char *line, *end;

	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("connection lost", n ? strerror(errno) : "closed");
	c->n += n > 0 ? (size_t)n : 0;
	c->in[c->n] = '\0';
	/* One reply at a time: nothing is pipelined. */
	for (line = c->in; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (end - line >= 4 && line[3] != '-') {
			int code = atoi(line);

			c->n = 0;
			(void)on_reply(c, code);
			return;
		}
}

static void
open_conn(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&g.addr, sizeof(g.addr)) < 0)
		fail("connect", strerror(errno));
	epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->fd, &ev);
	g.open++;
}

static void
take_options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "c:n:s:f:t:m:k:a:")) != -1)
		switch (o) {
		case 'c':
			g.conns = (unsigned)atoi(optarg);
			break;
		case 'n':
			g.messages = (unsigned)atoi(optarg);
			break;
		case 's':
			g.size = (size_t)atoi(optarg);
			break;
		case 'f':
			g.from = optarg;
			break;
		case 't':
			g.to = optarg;
			break;
		case 'm':
			g.numbers = (unsigned)atoi(optarg);
			break;
		case 'k':
			g.rcpts = (unsigned)atoi(optarg);
			break;
		case 'a':
			g.login = optarg;
			break;
		default:
			exit(2);
		}
	if (argc - optind != 2 || g.numbers == 0 || g.size > POOL / 2 ||
	    (g.login != NULL && strchr(g.login, ':') == NULL))
		fail("usage", "smtp_load [options] HOST PORT");
	g.addr.sin_family = AF_INET;
	g.addr.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	if (inet_pton(AF_INET, argv[optind], &g.addr.sin_addr) != 1)
		fail("not an address", argv[optind]);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct epoll_event ev[64];
	struct conn *conns;
	double began;

	take_options(argc, argv);
	make_pool();
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	conns = calloc(g.conns, sizeof(*conns));
	began = seconds();
	for (unsigned i = 0; i < g.conns; i++)
		open_conn(&conns[i]);
	while (g.open > 0) {
		int n = epoll_wait(g.epoll, ev, 64, 60000);

		if (n == 0)
			fail("waiting", "nothing came for a minute");
		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (c->is_waiting)
				flush_body(c);
			else
				on_readable(c);
		}
	}
	printf("{\"accepted\": %u, \"seconds\": %.3f}\n", g.accepted,
	    seconds() - began);
	free(conns);
	free(g.pool);
	return 0;
}
