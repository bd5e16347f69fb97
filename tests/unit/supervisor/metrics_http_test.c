/* SPDX-License-Identifier: ISC */
/* metrics_http_test.c - the answer to GET /metrics, and to anything else. */
#include "../test.h"
#include "supervisor/metrics_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(requests_are_judged_by_their_first_line)
{
	static const struct {
		const char *in;
		enum metrics_http_verdict want;
	} cases[] = {
		{ "", METRICS_HTTP_MORE },
		{ "GET /metrics HTTP/1.1\r\n", METRICS_HTTP_MORE },
		{ "GET /metrics HTTP/1.1\r\n\r\n", METRICS_HTTP_TEXT },
		{ "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n",
		    METRICS_HTTP_TEXT },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", METRICS_HTTP_HEAD },
		{ "GET /metrics HTTP/2\r\n\r\n", METRICS_HTTP_BAD },
		{ "GET / HTTP/1.1\r\n\r\n", METRICS_HTTP_NOT_FOUND },
		{ "GET /metrics/../x HTTP/1.1\r\n\r\n",
		    METRICS_HTTP_NOT_FOUND },
		{ "POST /metrics HTTP/1.1\r\n\r\n", METRICS_HTTP_METHOD },
		{ "GET  /metrics HTTP/1.1\r\n\r\n", METRICS_HTTP_BAD },
		{ "GET /metrics\r\n\r\n", METRICS_HTTP_BAD },
		{ "\r\n\r\n", METRICS_HTTP_BAD },
	};
	char big[METRICS_HTTP_REQUEST_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(metrics_http_look(str_c(cases[i].in)) == cases[i].want,
		    cases[i].in);
	memset(big, 'x', sizeof(big));
	CHECK(metrics_http_look(str_make(big, sizeof(big))) == METRICS_HTTP_BAD,
	    "too long");
	CHECK(metrics_http_look(str_make(big, sizeof(big) - 1)) ==
		  METRICS_HTTP_MORE,
	    "not yet");
}

static void
put_text(void *arg, struct buf *b)
{
	buf_put_c(b, arg);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
settle(struct loop *l)
{
	struct loop_timer *t = loop_timer_new(l, stop, l);

	loop_timer_set(t, 20);
	loop_run(l);
	loop_timer_free(t);
}

static int
listening(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(*a);

	*a = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	ASSERT(bind(fd, (struct sockaddr *)a, n) == 0 && listen(fd, 64) == 0 &&
	       getsockname(fd, (struct sockaddr *)a, &n) == 0);
	return fd;
}

static int
client(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT(connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0);
	return fd;
}

TEST(a_scrape_is_answered_while_others_hang)
{
	struct loop *l = loop_new();
	struct sockaddr_in a;
	char text[] = "mailstead_x 1\n", got[1024] = "";
	struct metrics_http *h =
	    metrics_http_new(l, listening(&a), put_text, text);
	int idle[15], fd;

	/* Silent clients take slots, all but one. */
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		idle[i] = client(&a);
	fd = client(&a);
	settle(l);
	CHECK(send(fd, "GET /metrics HTTP/1.1\r\n\r\n", 25, 0) == 25, "send");
	settle(l);
	CHECK(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0, "answer");
	CHECK(strncmp(got, "HTTP/1.1 200 OK\r\n", 17) == 0, got);
	CHECK(strstr(got, "\r\nContent-Length: 14\r\n") != NULL, got);
	CHECK(strstr(got, "\r\n\r\nmailstead_x 1\n") != NULL, got);
	close(fd);
	/* A client that goes away in the middle. */
	fd = client(&a);
	CHECK(send(fd, "GET /met", 8, 0) == 8, "send");
	close(fd);
	settle(l);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		close(idle[i]);
	settle(l);
	metrics_http_free(h);
	loop_free(l);
}

TEST_MAIN(UNIT(requests_are_judged_by_their_first_line),
    UNIT(a_scrape_is_answered_while_others_hang))
