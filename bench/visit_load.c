/* SPDX-License-Identifier: ISC */
/*
 * visit_load.c - many visitors of a web site, each from an address of its own.
 *
 * visit_load [options] HOST PORT
 *   -n N      visitors in all (10000; 0: until SIGTERM)
 *   -c N      at once, at most (1000)
 *   -r N      that come in a second (0: as many as there is room for)
 *   -p PATH   what each asks for; several in their order (/)
 *   -H HOST   the name that is asked for (localhost)
 *   -b S      no visitors: S seconds of CPU time for nothing, in the kernel and
 *             outside of it as theirs; until SIGTERM at the latest
 *
 * A visitor is a connection over plain HTTP from 127.X.Y.Z; it asks for one
 * path after the other, reads each answer to its end, and closes. At the end
 * one line of JSON says how many got all of it, how many were refused (any
 * status but 200, or hung up on), how long the first answer took, and the
 * CPU time of this program, which a flood from elsewhere would not take here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
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

#define PATHS_MAX 8
#define HEAD_MAX  2048
#define TIMES_MAX (1u << 22)
#define GIVE_UP_S 30.0

struct visitor {
	int fd; /* -1: this place is free */
	unsigned path;
	double began;
	char head[HEAD_MAX];
	size_t head_n;
	size_t body_left;
	bool is_asked, is_in_body;
};

static struct {
	unsigned total, at_once, rate;
	double burn; /* s */
	const char *paths[PATHS_MAX];
	unsigned n_paths;
	const char *host;
	struct sockaddr_in addr;
	int epoll;
	unsigned begun, open, most, done, refused, lost;
	float *times; /* ms until the first answer was there */
	unsigned n_times;
	struct visitor *v, **free;
	unsigned n_free;
} g = { .total = 10000, .at_once = 1000, .host = "localhost" };

static volatile sig_atomic_t is_over;

static void
fail(const char *what, const char *detail)
{
	fprintf(stderr, "visit_load: %s: %s\n", what, detail);
	exit(1);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
on_term(int signo)
{
	(void)signo;
	is_over = 1;
}

static void
leave(struct visitor *v, unsigned *count)
{
	close(v->fd);
	v->fd = -1;
	g.open--;
	(*count)++;
	g.free[g.n_free++] = v;
}

/* Of 127.1.0.1 to 127.250.255.254: 16 million. */
static void
begin(struct visitor *v)
{
	uint32_t number = g.begun++;
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr =
		    htonl(127u << 24 | (1 + number / 62500 % 250) << 16 |
			  (number / 250 % 250) << 8 | (1 + number % 250)) };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = v };
	int on = 1;

	*v = (struct visitor){ .began = seconds() };
	v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->fd < 0)
		fail("socket", strerror(errno));
	setsockopt(v->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(v->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		fail("bind", strerror(errno));
	if (connect(v->fd, (struct sockaddr *)&g.addr, sizeof(g.addr)) < 0 &&
	    errno != EINPROGRESS)
		fail("connect", strerror(errno));
	epoll_ctl(g.epoll, EPOLL_CTL_ADD, v->fd, &ev);
	if (++g.open > g.most)
		g.most = g.open;
}

static bool
ask(struct visitor *v)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\n"
	    "User-Agent: visit_load\r\n\r\n",
	    g.paths[v->path], g.host);

	v->head_n = 0;
	v->is_in_body = false;
	return send(v->fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static void
on_connected(struct visitor *v)
{
	v->is_asked = true;
	if (!ask(v))
		leave(v, &g.lost);
}

/* The answer is all there. */
static void
on_answer(struct visitor *v)
{
	if (v->path == 0 && g.n_times < TIMES_MAX)
		g.times[g.n_times++] = (float)(1000 * (seconds() - v->began));
	if (++v->path == g.n_paths)
		leave(v, &g.done);
	else if (!ask(v))
		leave(v, &g.lost);
}

static void
on_body(struct visitor *v, size_t n)
{
	if (n > v->body_left)
		fail("answer", "more than its length");
	v->body_left -= n;
	if (v->body_left == 0)
		on_answer(v);
}

/* The head is there in full, and n bytes of the body. */
static void
on_head(struct visitor *v, size_t n)
{
	const char *length = strcasestr(v->head, "\r\nContent-Length:");

	if (strncmp(v->head, "HTTP/1.1 200", 12) != 0 || length == NULL) {
		leave(v, &g.refused);
		return;
	}
	v->is_in_body = true;
	v->body_left = strtoul(length + 17, NULL, 10);
	on_body(v, n);
}

/* n bytes, of which some are of the head. */
static void
on_bytes(struct visitor *v, const char *p, size_t n)
{
	size_t room = HEAD_MAX - 1 - v->head_n, had = v->head_n;
	size_t copied = n < room ? n : room;
	const char *end;

	memcpy(v->head + had, p, copied);
	v->head_n += copied;
	v->head[v->head_n] = '\0';
	end = strstr(v->head, "\r\n\r\n");
	if (end != NULL)
		on_head(v, n - ((size_t)(end + 4 - v->head) - had));
	else if (copied < n)
		leave(v, &g.refused);
}

/* One call for all that is there: whatever comes behind it wakes us again. */
static void
on_readable(struct visitor *v)
{
	static char bytes[1 << 18];
	ssize_t n = recv(v->fd, bytes, sizeof(bytes), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		leave(v, &g.lost);
	else if (v->is_in_body)
		on_body(v, (size_t)n);
	else
		on_bytes(v, bytes, (size_t)n);
}

static bool
has_more(void)
{
	return !is_over && (g.total == 0 || g.begun < g.total);
}

/* Whoever is due, and has room. */
static void
let_in(double began)
{
	double due = g.rate ? (seconds() - began) * g.rate : 1e18;

	while (has_more() && g.n_free > 0 && g.begun < due)
		begin(g.free[--g.n_free]);
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double
part(double p)
{
	return g.n_times ? (double)g.times[(unsigned)(p * (g.n_times - 1))] : 0;
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Sockets are made, named and closed, and nobody is spoken to. */
static void
burn(void)
{
	while (!is_over && cpu_seconds() < g.burn) {
		struct sockaddr_in from = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 ||
		    bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
			fail("socket", strerror(errno));
		close(fd);
	}
}

static void
report(double took)
{
	qsort(g.times, g.n_times, sizeof(*g.times), by_size);
	printf("{\"visitors\": %u, \"refused\": %u, \"lost\": %u, "
	       "\"at_once\": %u, \"seconds\": %.3f, \"p50_ms\": %.2f, "
	       "\"p99_ms\": %.2f, \"cpu_s\": %.3f}\n",
	    g.done, g.refused, g.lost, g.most, took, part(0.5), part(0.99),
	    cpu_seconds());
}

static void
take_options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "n:c:r:p:H:b:")) != -1) {
		if (o == 'n')
			g.total = (unsigned)atoi(optarg);
		else if (o == 'c')
			g.at_once = (unsigned)atoi(optarg);
		else if (o == 'r')
			g.rate = (unsigned)atoi(optarg);
		else if (o == 'p' && g.n_paths < PATHS_MAX)
			g.paths[g.n_paths++] = optarg;
		else if (o == 'H')
			g.host = optarg;
		else if (o == 'b')
			g.burn = strtod(optarg, NULL);
		else
			exit(2);
	}
	if (argc - optind != 2 || g.at_once == 0)
		fail("usage", "visit_load [options] HOST PORT");
	if (g.n_paths == 0)
		g.paths[g.n_paths++] = "/";
	g.addr.sin_family = AF_INET;
	g.addr.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	if (inet_pton(AF_INET, argv[optind], &g.addr.sin_addr) != 1)
		fail("not an address", argv[optind]);
}

static void
make_room(void)
{
	struct rlimit files = { g.at_once + 64, g.at_once + 64 };

	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		fail("descriptors", strerror(errno));
	g.times = malloc(TIMES_MAX * sizeof(*g.times));
	g.v = calloc(g.at_once, sizeof(*g.v));
	g.free = calloc(g.at_once, sizeof(*g.free));
	if (g.times == NULL || g.v == NULL || g.free == NULL)
		fail("memory", "not enough");
	for (unsigned i = 0; i < g.at_once; i++)
		g.free[g.n_free++] = &g.v[i];
}

int
main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_term };
	struct epoll_event ev[256];
	double began, last;

	take_options(argc, argv);
	make_room();
	sigaction(SIGTERM, &stop, NULL);
	g.epoll = epoll_create1(EPOLL_CLOEXEC);
	began = last = seconds();
	if (g.burn > 0) {
		burn();
		g.total = g.begun = 1; /* and nobody comes */
	}
	while (has_more() || g.open > 0) {
		int n;

		let_in(began);
		n = epoll_wait(g.epoll, ev, 256, g.rate ? 1 : 100);
		if (n > 0)
			last = seconds();
		if (g.open > 0 && seconds() - last > GIVE_UP_S)
			break;
		for (int i = 0; i < n; i++) {
			struct visitor *v = ev[i].data.ptr;

			if (v->is_asked)
				on_readable(v);
			else
				on_connected(v);
		}
	}
	g.lost += g.open;
	report(seconds() - began);
	free(g.times);
	free(g.v);
	free(g.free);
	return 0;
}
