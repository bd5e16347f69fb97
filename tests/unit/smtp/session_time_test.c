/* SPDX-License-Identifier: ISC */
/* session_time_test.c - clients that are slow, and a worker that stops. */
#include "session_kit.h"

static void *
dripping_client(void *arg)
{
	struct play *p = arg;
	char chunk[4096];
	ssize_t n;

	for (int i = 0; i < 40; i++) {
		if (send(p->fd, "N", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	while ((n = read(p->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	return NULL;
}

TEST(a_client_that_drips_bytes_is_cut_off)
{
	struct play p = { 0 };
	pthread_t thread;
	int fds[2];

	play_init(&p);
	p.conf.smtp_idle_s = 1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p.fd = fds[1];
	ports_take(p.rt.sv.ports, SERVICE_MX, 25, fds[0], &no_address);
	CHECK(pthread_create(&thread, NULL, dripping_client, &p) == 0, "run");
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	pthread_join(thread, NULL);
	close(p.fd);
	check_replies(&p, "drip", "220|421 4.4.2");
	play_done(&p);
}

/* Much at once, then as little as it can. */
static void *
holding_client(void *arg)
{
	static const char begin[] = "EHLO x.example\r\nMAIL FROM:<>\r\n"
				    "RCPT TO:<alice@demo.example>\r\nDATA\r\n";
	struct play *p = arg;
	char chunk[32768];
	ssize_t n;

	memset(chunk, 'x', sizeof(chunk));
	for (size_t i = 0; i + 1 < sizeof(chunk); i += 64)
		memcpy(chunk + i, "\r\n", 2);
	(void)!send(p->fd, begin, sizeof(begin) - 1, MSG_NOSIGNAL);
	(void)!send(p->fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
	for (p->step = 0; p->step < 90; p->step++) {
		if (send(p->fd, "x", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	while ((n = read(p->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	return NULL;
}

/* Bytes that came long ago buy no time: they would take up the spool. */
TEST(a_message_that_stops_coming_is_cut_off)
{
	struct play p = { 0 };
	pthread_t thread;
	int fds[2];

	play_init(&p);
	p.conf.smtp_data_idle_s = 1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p.fd = fds[1];
	ports_take(p.rt.sv.ports, SERVICE_MX, 25, fds[0], &no_address);
	CHECK(pthread_create(&thread, NULL, holding_client, &p) == 0, "run");
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	pthread_join(thread, NULL);
	close(p.fd);
	CHECK(p.step < 70, "long before it had its way");
	check_replies(&p, "hold", "220|250|250 2.1.0|250 2.1.5|354|421 4.4.2");
	play_done(&p);
}

TEST(a_stopping_worker_says_so)
{
	struct play p = { 0 };
	char chunk[512];
	ssize_t n;
	int fds[2];

	play_init(&p);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	ports_take(p.rt.sv.ports, SERVICE_MX, 25, fds[0], &no_address);
	session_shutdown(LIST_FIRST(&p.rt.sv.sessions), false);
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	while ((n = read(fds[1], chunk, sizeof(chunk))) > 0)
		buf_put(&p.got, chunk, (size_t)n);
	close(fds[1]);
	check_replies(&p, "shutdown", "220|421 4.3.2");
	play_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(a_client_that_drips_bytes_is_cut_off),
		UNIT(a_message_that_stops_coming_is_cut_off),
		UNIT(a_stopping_worker_says_so),
	};

	log_init("smtp-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
