/* SPDX-License-Identifier: ISC */
/* resolver_test.c - nobody has to wait for name servers that do not answer. */
#include "../test.h"
#include "net/resolver.h"

#include <arpa/inet.h>
#include <unistd.h>

#define DEADLINE_MS 20000

/* A name server that is silent until it is told to answer: each question is
 * about an address, and that is 192.0.2.1. */
struct name_server {
	struct loop *loop;
	int fd;
	char where[40];
	struct loop_fd *watch;
	bool is_silent;
	unsigned n_asked;
	struct resolver *resolver;
	/* What became of the question. */
	enum dns_status status;
	size_t n_answers;
	uint64_t answered_ms;
};

/* The question alone, with its answer behind it (RFC 1035 section 4.1). */
static size_t
make_answer(uint8_t *p, size_t n)
{
	static const uint8_t record[] = { 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0,
		4, 192, 0, 2, 1 };
	size_t end = 12;

	while (end < n && p[end] != 0)
		end += p[end] + 1U;
	end += 5;
	p[2] = 0x81; /* a response, recursion was desired */
	p[3] = 0x80;
	memset(p + 6, 0, 6);
	p[7] = 1;
	memcpy(p + end, record, sizeof(record));
	return end + sizeof(record);
}

static void
on_question(void *arg)
{
	struct name_server *s = arg;
	struct sockaddr_in from;
	socklen_t from_n = sizeof(from);
	uint8_t p[2048];
	ssize_t n =
	    recvfrom(s->fd, p, 1024, 0, (struct sockaddr *)&from, &from_n);

	s->n_asked++;
	if (n < 17 || s->is_silent)
		return;
	n = (ssize_t)make_answer(p, (size_t)n);
	(void)!sendto(
	    s->fd, p, (size_t)n, 0, (const struct sockaddr *)&from, from_n);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct name_server *s = arg;

	s->status = a->status;
	s->n_answers++;
	s->answered_ms = loop_now_ms(s->loop);
	loop_stop(s->loop);
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Until there was an answer, or for some milliseconds. */
static void
run(struct name_server *s, uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(s->loop, stop_loop, s->loop);

	loop_timer_set(t, ms);
	loop_run(s->loop);
	loop_timer_free(t);
}

static void
begin(struct name_server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);
	const char *servers[] = { s->where };
	struct resolver_config config = { .servers = servers, .n_servers = 1 };
	char *why;

	*s = (struct name_server){ .loop = loop_new(), .is_silent = true };
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, n), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &n), 0);
	snprintf(
	    s->where, sizeof(s->where), "127.0.0.1@%u", ntohs(sin.sin_port));
	s->watch = loop_fd_new(s->loop, s->fd, on_question, NULL, s);
	loop_fd_want(s->watch, true, false);
	config.loop = s->loop;
	assert_int_equal(resolver_new(&config, &s->resolver, &why), 0);
}

static void
end(struct name_server *s)
{
	resolver_free(s->resolver);
	loop_fd_free(s->watch);
	close(s->fd);
	loop_free(s->loop);
}

TEST(who_cannot_wait_for_a_silent_server_does_not)
{
	struct name_server s;
	uint64_t at;

	begin(&s);
	at = loop_now_ms(s.loop);
	CHECK(!resolver_is_silent(s.resolver, 0), "nothing was asked");
	(void)resolver_ask_within(
	    s.resolver, "a.example", DNS_A, 200, on_answer, &s);
	run(&s, DEADLINE_MS);
	CHECK(s.n_answers == 1 && s.status == DNS_TEMPFAIL, "in time");
	CHECK(s.answered_ms - at >= 200, "not before");
	CHECK(resolver_is_silent(s.resolver, 200), "that is known");
	CHECK(!resolver_is_silent(s.resolver, DEADLINE_MS), "not for long");
	/* The question goes on: its answer is heard, though by nobody, and the
	 * next one has it at once. */
	s.is_silent = false;
	while (resolver_is_silent(s.resolver, 0) &&
	       loop_now_ms(s.loop) < at + DEADLINE_MS)
		run(&s, 20);
	CHECK(!resolver_is_silent(s.resolver, 0), "it is alive");
	CHECK(s.n_answers == 1, "nobody hears twice");
	s.is_silent = true;
	(void)resolver_ask_within(
	    s.resolver, "a.example", DNS_A, 5000, on_answer, &s);
	run(&s, DEADLINE_MS);
	CHECK(s.n_answers == 2 && s.status == DNS_FOUND, "it is known");
	CHECK(!resolver_is_silent(s.resolver, 0), "nobody was asked");
	end(&s);
}

TEST(an_answer_ends_the_limit)
{
	struct name_server s;

	begin(&s);
	s.is_silent = false;
	(void)resolver_ask_within(
	    s.resolver, "b.example", DNS_A, 10000, on_answer, &s);
	run(&s, DEADLINE_MS);
	CHECK(s.n_answers == 1 && s.status == DNS_FOUND, "an answer");
	/* A limit that were still there would run now, with freed memory. */
	run(&s, 10);
	end(&s);
}

TEST(what_is_given_up_is_not_heard_of)
{
	struct name_server s;
	struct resolver_query *q;

	begin(&s);
	q = resolver_ask_within(
	    s.resolver, "c.example", DNS_A, 30, on_answer, &s);
	run(&s, 5);
	resolver_cancel(q);
	run(&s, 60);
	CHECK(s.n_answers == 0, "nothing");
	end(&s);
}

TEST_MAIN(UNIT(who_cannot_wait_for_a_silent_server_does_not),
    UNIT(an_answer_ends_the_limit), UNIT(what_is_given_up_is_not_heard_of))
