/* SPDX-License-Identifier: ISC */
/* listener_test.c - accepting, pausing, and running out of descriptors. */
#include "../test.h"
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 12

struct state {
	struct loop *loop;
	struct listener *listener;
	struct loop_timer *timer;
	int clients[CLIENTS];
	int taken[CLIENTS];
	int count, stop_at;
	bool pause_at_once, free_at_once;
	struct rlimit files;
};

static int
listen_on_loopback(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(fd, (struct sockaddr *)ret, n) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &n) < 0)
		die("listen");
	return fd;
}

static void
on_accept(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct state *s = arg;
	struct sockaddr_storage asked = { 0 };
	socklen_t n = sizeof(asked);

	assert_int_equal(getpeername(fd, (struct sockaddr *)&asked, &n), 0);
	assert_memory_equal(peer, &asked, sizeof(asked));

	s->taken[s->count++] = fd;
	if (s->pause_at_once)
		listener_pause(s->listener, true);
	if (s->free_at_once) {
		listener_free(s->listener);
		s->listener = NULL;
	}
	if (s->count == s->stop_at)
		loop_stop(s->loop);
}

static void
on_timer(void *arg)
{
	struct state *s = arg;

	loop_stop(s->loop);
}

static void
connect_all(struct state *s, const struct sockaddr_in *to)
{
	for (int i = 0; i < CLIENTS; i++) {
		s->clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(s->clients[i], (const struct sockaddr *)to,
			sizeof(*to)) < 0)
			die("connect");
	}
}

static void
state_init(struct state *s)
{
	struct sockaddr_in addr;
	int fd = listen_on_loopback(&addr);

	s->loop = loop_new();
	s->timer = loop_timer_new(s->loop, on_timer, s);
	s->stop_at = CLIENTS;
	s->listener = listener_new(s->loop, fd, on_accept, s);
	connect_all(s, &addr);
}

static void
state_done(struct state *s)
{
	for (int i = 0; i < CLIENTS; i++)
		close(s->clients[i]);
	for (int i = 0; i < s->count; i++)
		close(s->taken[i]);
	listener_free(s->listener);
	loop_timer_free(s->timer);
	loop_free(s->loop);
}

TEST(every_client_is_accepted)
{
	struct state s = { 0 };

	state_init(&s);
	loop_run(s.loop);
	CHECK(s.count == CLIENTS, "all");
	state_done(&s);
}

TEST(a_paused_listener_leaves_clients_in_the_queue)
{
	struct state s = { .pause_at_once = true };

	state_init(&s);
	loop_timer_set(s.timer, 50);
	loop_run(s.loop);
	CHECK(s.count == 1, "one before the pause");
	s.pause_at_once = false;
	listener_pause(s.listener, false);
	loop_run(s.loop);
	CHECK(s.count == CLIENTS, "the others afterwards");
	state_done(&s);
}

static void
on_room_again(void *arg)
{
	struct state *s = arg;

	setrlimit(RLIMIT_NOFILE, &s->files);
}

TEST(a_lack_of_descriptors_is_survived_without_spinning)
{
	struct state s = { 0 };
	struct rlimit low;
	struct loop_timer *room;
	struct rusage before, after;

	state_init(&s);
	getrlimit(RLIMIT_NOFILE, &s.files);
	low = s.files;
	low.rlim_cur = (rlim_t)s.clients[CLIENTS - 1] + 3;
	room = loop_timer_new(s.loop, on_room_again, &s);
	loop_timer_set(room, 300);
	setrlimit(RLIMIT_NOFILE, &low);
	getrusage(RUSAGE_SELF, &before);
	loop_run(s.loop);
	getrusage(RUSAGE_SELF, &after);
	CHECK(s.count == CLIENTS, "all, in the end");
	CHECK(after.ru_nvcsw - before.ru_nvcsw < 50, "few wake-ups");
	loop_timer_free(room);
	state_done(&s);
}

TEST(a_listener_may_be_freed_while_it_accepts)
{
	struct state s = { .free_at_once = true };

	state_init(&s);
	loop_timer_set(s.timer, 20);
	loop_run(s.loop);
	CHECK(s.count == 1, "one");
	state_done(&s);
}

TEST(a_socket_that_is_shut_down_elsewhere_is_left_alone)
{
	struct state s = { 0 };
	struct sockaddr_in addr;
	int fd = listen_on_loopback(&addr), theirs = dup(fd);
	struct rusage before, after;

	s.loop = loop_new();
	s.timer = loop_timer_new(s.loop, on_timer, &s);
	s.listener = listener_new(s.loop, fd, on_accept, &s);
	shutdown(theirs, SHUT_RDWR);
	loop_timer_set(s.timer, 100);
	getrusage(RUSAGE_SELF, &before);
	loop_run(s.loop);
	getrusage(RUSAGE_SELF, &after);
	CHECK(after.ru_utime.tv_sec == before.ru_utime.tv_sec &&
		  after.ru_utime.tv_usec - before.ru_utime.tv_usec < 20000 &&
		  after.ru_stime.tv_usec - before.ru_stime.tv_usec < 20000,
	    "no spinning");
	close(theirs);
	listener_free(s.listener);
	loop_timer_free(s.timer);
	loop_free(s.loop);
}

TEST_MAIN(UNIT(a_socket_that_is_shut_down_elsewhere_is_left_alone),
    UNIT(every_client_is_accepted),
    UNIT(a_paused_listener_leaves_clients_in_the_queue),
    UNIT(a_lack_of_descriptors_is_survived_without_spinning),
    UNIT(a_listener_may_be_freed_while_it_accepts))
