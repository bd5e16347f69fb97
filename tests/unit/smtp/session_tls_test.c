/* SPDX-License-Identifier: ISC */
/* session_tls_test.c - STARTTLS, and TLS from the first byte. */
#include "session_kit.h"

static void
tls_dialogue(struct play *p, SSL *ssl, const char *text)
{
	char chunk[4096];
	int n;

	buf_reset(&p->got, 0);
	SSL_write(ssl, text, (int)strlen(text));
	while ((n = SSL_read(ssl, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	SSL_free(ssl);
}

static void *
starttls_client(void *arg)
{
	/* An attacker in the middle adds the commands behind STARTTLS. */
	static const char text[] = HELLO "STARTTLS\r\n" HELLO MAIL "RSET\r\n";
	struct play *p = arg;
	struct buf plain = BUF_INIT(KIB(64));
	char c = 0;
	SSL *ssl;

	(void)!send(p->fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	while (str_search(buf_str(&plain), STR("ready to start TLS\r\n")) < 0 &&
	       read(p->fd, &c, 1) == 1)
		buf_put_char(&plain, c);
	CHECK(str_search(buf_str(&plain), STR("250-STARTTLS")) > 0, "offered");
	CHECK(str_search(buf_str(&plain), STR("AUTH")) < 0, "not in the clear");
	ssl = client_handshake(p->fd, TLS1_3_VERSION);
	if (ssl != NULL)
		tls_dialogue(p, ssl, OWN HELLO "STARTTLS\r\n" SIGN_IN QUIT);
	buf_done(&plain);
	return NULL;
}

static void *
submissions_client(void *arg)
{
	struct play *p = arg;
	SSL *ssl = client_handshake(p->fd, TLS1_3_VERSION);

	if (ssl != NULL)
		tls_dialogue(
		    p, ssl, HELLO SIGN_IN OWN RCPT "DATA\r\n.\r\n" QUIT);
	return NULL;
}

static void
play_tls(struct play *p, enum service service, void *(*fn)(void *))
{
	pthread_t thread;
	int fds[2];

	play_init(p);
	p->conf.auth_allow_plaintext = false;
	p->rt.sv.tls = make_context();
	make_pair(fds);
	p->fd = fds[1];
	ports_take(p->rt.sv.ports, service, 25, fds[0], &no_address);
	CHECK(pthread_create(&thread, NULL, fn, p) == 0, "run");
	loop_run(p->rt.loop);
	loop_defer(p->rt.loop, stop_now, p->rt.loop);
	loop_run(p->rt.loop);
	pthread_join(thread, NULL);
	close(p->fd);
	tls_context_unref(p->rt.sv.tls);
}

TEST(starttls_starts_over_and_drops_what_was_pipelined)
{
	struct play p = { 0 };

	play_tls(&p, SERVICE_SUBMISSION, starttls_client);
	check_replies(&p, "inside", "503 5.5.1|250|503 5.5.1|235 2.7.0|" BYE);
	CHECK(str_search(buf_str(&p.got), STR("250-STARTTLS")) < 0, "once");
	CHECK(str_search(buf_str(&p.got),
		  STR("250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN "
		      "LOGIN\r\n")) > 0,
	    "now AUTH is offered");
	play_done(&p);
}

TEST(submissions_greets_inside_of_tls)
{
	struct play p = { 0 };

	play_tls(&p, SERVICE_SUBMISSIONS, submissions_client);
	check_replies(&p, "inside",
	    "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|250 2.0.0|" BYE);
	CHECK(str_search(buf_str(&p.rt.delivered), STR("with ESMTPSA id ")) > 0,
	    "protocol");
	CHECK(str_search(buf_str(&p.rt.delivered), STR("(TLSv1.3 TLS_")) > 0,
	    "version and cipher");
	play_done(&p);
}

TEST(no_password_travels_without_tls)
{
	struct play p = { 0 };

	play_init(&p);
	p.conf.auth_allow_plaintext = false;
	play_run(&p, SERVICE_SUBMISSION, STR(HELLO SIGN_IN QUIT), 9999);
	check_replies(&p, "clear", "220|250|538 5.7.11|" BYE);
	play_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(starttls_starts_over_and_drops_what_was_pipelined),
		UNIT(submissions_greets_inside_of_tls),
		UNIT(no_password_travels_without_tls),
	};

	log_init("smtp-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
