/* SPDX-License-Identifier: ISC */
/* conn_tls_test.c - connections with TLS, from the handshake on. */
#include "conn_kit.h"

static bool
client_export(SSL *ssl, struct buf *ret)
{
	unsigned char out[32];

	if (SSL_export_keying_material(ssl, out, sizeof(out),
		"EXPORTER-Channel-Binding", 24, NULL, 0, 1) != 1)
		return false;
	buf_put(ret, out, sizeof(out));
	return true;
}

static void
client_bindings(struct server *s, SSL *ssl)
{
	unsigned char out[64];
	unsigned md_len = 0;
	X509 *cert = SSL_get1_peer_certificate(ssl);

	client_export(ssl, &s->client_binding[0]);
	if (SSL_version(ssl) == TLS1_2_VERSION)
		buf_put(&s->client_binding[1], out,
		    SSL_get_finished(ssl, out, sizeof(out)));
	X509_digest(cert, EVP_sha256(), out, &md_len);
	buf_put(&s->client_binding[2], out, md_len);
	X509_free(cert);
}

static void
client_tls_dialogue(struct server *s)
{
	SSL *ssl = client_handshake(s->fd, s->version);
	char chunk[512];
	int n;

	if (ssl == NULL)
		return;
	client_bindings(s, ssl);
	SSL_write(ssl, "INNER\r\nQUIT\r\n", 13);
	while ((n = SSL_read(ssl, chunk, sizeof(chunk))) > 0)
		buf_put(&s->got, chunk, (size_t)n);
	if (SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN)
		buf_put_c(&s->got, "close_notify");
	SSL_free(ssl);
}

static void *
client_tls(void *arg)
{
	client_tls_dialogue(arg);
	return NULL;
}

static void *
client_starttls_injection(void *arg)
{
	client_say(arg, "STARTTLS\r\nINJECTED\r\nMORE\r\n");
	client_read_line(arg);
	client_tls_dialogue(arg);
	return NULL;
}

static void
check_bindings(struct server *s)
{
	for (int i = 0; i < 3; i++)
		CHECK(str_eq(buf_str(&s->binding[i]),
			  buf_str(&s->client_binding[i])),
		    binding_types[i]);
	CHECK(s->binding[0].n == 32, "exporter");
	CHECK(s->binding[2].n == 32, "end point");
}

TEST(both_sides_see_the_same_channel_bindings)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct server s = { .version = versions[i] };

		server_init(&s, true);
		server_run(&s, client_tls);
		CHECK(s.tls_ready == 1, "ready");
		CHECK(s.path.tls_version == versions[i], "its version");
		CHECK(s.path.own_alert == 0 && s.path.alert == 0, "no alert");
		CHECK(str_eq(buf_str(&s.seen), STR("INNER|QUIT|")), "seen");
		CHECK(str_eq(buf_str(&s.got),
			  STR("250 ok\r\n221 bye\r\nclose_notify")),
		    "got");
		check_bindings(&s);
		CHECK((s.binding[1].n > 0) == (i == 0), "unique: 1.2 only");
		server_done(&s);
	}
}

TEST(plaintext_behind_starttls_is_dropped)
{
	struct server s = { .version = TLS1_3_VERSION };

	server_init(&s, false);
	server_run(&s, client_starttls_injection);
	CHECK(str_eq(buf_str(&s.seen), STR("STARTTLS|INNER|QUIT|")), "seen");
	CHECK(str_eq(buf_str(&s.got),
		  STR("220 go\r\n250 ok\r\n221 bye\r\nclose_notify")),
	    "got");
	server_done(&s);
}

TEST(old_versions_are_refused)
{
	struct server s = { .version = TLS1_1_VERSION };

	server_init(&s, true);
	server_run(&s, client_tls);
	CHECK(s.tls_ready == 0 && s.how == CONN_END_TLS, "refused");
	CHECK(s.detail[0] != '\0', "says why");
	CHECK(s.path.own_alert == 70 && s.path.alert == 0, "protocol_version");
	CHECK(s.path.tls_version == TLS1_1_VERSION, "what it asked for");
	server_done(&s);
}

static void *
client_plain_on_tls(void *arg)
{
	client_say(arg, "EHLO there, this is no handshake\r\n");
	client_read_all(arg);
	return NULL;
}

TEST(plaintext_on_a_tls_port_ends_it)
{
	struct server s = { 0 };

	server_init(&s, true);
	server_run(&s, client_plain_on_tls);
	CHECK(s.how == CONN_END_TLS && s.data_calls == 0, "no data");
	CHECK(s.path.tls_version == 0, "that is no version");
	server_done(&s);
}

static void *
client_half_handshake(void *arg)
{
	/* A record header that promises more than ever comes. */
	client_say(arg, "\x16\x03\x01\x02\x01\x01");
	client_read_all(arg);
	return NULL;
}

TEST(half_a_handshake_times_out)
{
	struct server s = { .close_in_timeout = true };

	server_init(&s, true);
	conn_set_timeout(s.conn, 50);
	server_run(&s, client_half_handshake);
	CHECK(s.timeouts == 1 && s.how == CONN_END_TIMEOUT, "how");
	server_done(&s);
}

/* True: the connection is still there. */
static bool
client_changes_keys(SSL *ssl)
{
	return SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1;
}

static void *
client_changes_keys_on_and_on(void *arg)
{
	struct server *s = arg;
	SSL *ssl = client_handshake(s->fd, s->version);
	char chunk[512];
	int n, i = 0;

	if (ssl == NULL)
		return NULL;
	/* As long as there is data as well, as often as it likes. */
	for (int k = 0; k < 300; k++) {
		if (!client_changes_keys(ssl) ||
		    SSL_write(ssl, "NOOP\r\n", 6) != 6 ||
		    (n = SSL_read(ssl, chunk, sizeof(chunk))) <= 0)
			break;
		buf_put(&s->got, chunk, (size_t)n);
	}
	while (i < 5000 && client_changes_keys(ssl))
		i++;
	(void)SSL_write(ssl, "QUIT\r\n", 6);
	while (SSL_read(ssl, chunk, sizeof(chunk)) > 0)
		;
	SSL_free(ssl);
	shutdown(s->fd, SHUT_RDWR);
	return NULL;
}

TEST(who_changes_keys_on_and_on_is_sent_away)
{
	struct server s = { .version = TLS1_3_VERSION };

	server_init(&s, true);
	server_run(&s, client_changes_keys_on_and_on);
	CHECK(s.got.n == 300 * strlen("250 ok\r\n"), "what it said in between");
	CHECK(s.how == CONN_END_TLS, "not by QUIT");
	CHECK(str_search(str_c(s.detail), STR("without data")) >= 0, "why");
	server_done(&s);
}

TEST(abort_inside_tls_ready_ends_it)
{
	struct server s = { .abort_in_tls = true, .version = TLS1_3_VERSION };

	server_init(&s, true);
	server_run(&s, client_tls);
	CHECK(s.data_calls == 0 && s.how == CONN_END_LOCAL, "no data");
	server_done(&s);
}

TEST_MAIN(UNIT(both_sides_see_the_same_channel_bindings),
    UNIT(plaintext_behind_starttls_is_dropped), UNIT(old_versions_are_refused),
    UNIT(plaintext_on_a_tls_port_ends_it), UNIT(half_a_handshake_times_out),
    UNIT(who_changes_keys_on_and_on_is_sent_away),
    UNIT(abort_inside_tls_ready_ends_it))
