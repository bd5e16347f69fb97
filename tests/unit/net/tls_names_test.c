/* SPDX-License-Identifier: ISC */
/* tls_names_test.c - which certificate a client gets. */
#include "../test.h"
#include "net_testlib.h"

#define SETS_MAX 8

/* Certificates of servers, with their texts. */
struct shelf {
	struct tls_certificate v[SETS_MAX];
	struct buf texts[SETS_MAX][2];
	size_t n;
};

/* The common name is the first word of names. */
static void
shelf_add(struct shelf *s, enum certificate_kind kind, const char *cn,
    const char *names)
{
	struct buf *chain = &s->texts[s->n][0], *key = &s->texts[s->n][1];

	*chain = BUF_INIT(KIB(16));
	*key = BUF_INIT(KIB(16));
	assert_true(certificate_make_key(kind, key));
	assert_true(
	    certificate_self(buf_str(key), str_c(cn), NULL, 3600, chain));
	s->v[s->n++] = (struct tls_certificate){ buf_str(chain), buf_str(key),
		str_c(names), kind };
}

static void
shelf_done(struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++) {
		buf_done(&s->texts[i][0]);
		buf_done(&s->texts[i][1]);
	}
}

static struct tls_context *
shelf_context(struct shelf *s)
{
	struct tls_context *t = NULL;
	char *error = NULL;

	CHECK(tls_server_context_new(s->v, s->n, &t, &error) == 0, error);
	return t;
}

struct client {
	const char *name;
	const char *sigalgs; /* NULL: as the library likes */
	const char *protocols;
	int version;
};

struct answer {
	bool is_done;
	char cn[80];
	char protocol[40];
	int kind;
	bool is_challenge;
};

/* Both sides over memory, until nothing moves. */
static struct answer
shake(SSL *server, const struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(ctx);
	BIO *to_server = NULL, *to_client = NULL;
	struct answer a = { 0 };
	const unsigned char *protocol;
	unsigned n;
	X509 *x;

	BIO_new_bio_pair(&to_server, 0, &to_client, 0);
	SSL_set_bio(server, to_server, to_server);
	SSL_set_bio(client, to_client, to_client);
	if (c->name != NULL)
		SSL_ctrl(client, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		    TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)c->name);
	if (c->sigalgs != NULL)
		SSL_ctrl(client, SSL_CTRL_SET_SIGALGS_LIST, 0,
		    (void *)(uintptr_t)c->sigalgs);
	if (c->protocols != NULL)
		SSL_set_alpn_protos(client, (const unsigned char *)c->protocols,
		    (unsigned)strlen(c->protocols));
	if (c->version > 0)
		SSL_set_max_proto_version(client, c->version);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(server);
	}
	a.is_done =
	    SSL_is_init_finished(client) && SSL_is_init_finished(server);
	x = SSL_get0_peer_certificate(client);
	if (x != NULL) {
		X509_NAME_get_text_by_NID(X509_get_subject_name(x),
		    NID_commonName, a.cn, sizeof(a.cn));
		a.kind = EVP_PKEY_get_base_id(X509_get0_pubkey(x));
	}
	SSL_get0_alpn_selected(client, &protocol, &n);
	if (n > 0)
		memcpy(a.protocol, protocol, MIN(n, sizeof(a.protocol) - 1));
	a.is_challenge = tls_session_is_challenge(server);
	SSL_free(client);
	SSL_CTX_free(ctx);
	tls_session_free(server);
	return a;
}

static struct answer
ask(struct tls_context *t, const struct client *c)
{
	return shake(tls_session_new(t), c);
}

TEST(a_client_gets_the_certificate_of_the_name_it_asks_for)
{
	static const struct {
		const char *asked, *want;
	} cases[] = {
		{ NULL, "default.example" },
		{ "default.example", "default.example" },
		{ "nobody.example", "default.example" },
		{ "b.example", "b.example" },
		{ "B.EXAMPLE", "b.example" },
		{ "also-b.example", "b.example" },
		{ "x.wild.example", "wild.example" },
		{ "wild.example", "default.example" },
		{ "x.y.wild.example", "default.example" },
		{ "exact.wild.example", "exact.wild.example" },
		{ "twice.example", "b.example" },
		{ "*.wild.example", "wild.example" },
	};
	struct shelf s = { 0 };
	struct tls_context *t;

	shelf_add(&s, CERTIFICATE_EC, "default.example", "default.example\n");
	shelf_add(&s, CERTIFICATE_EC, "b.example",
	    "b.example\nalso-b.example\ntwice.example\n");
	shelf_add(&s, CERTIFICATE_EC, "wild.example", "*.wild.example\n");
	shelf_add(&s, CERTIFICATE_EC, "exact.wild.example",
	    "exact.wild.example\ntwice.example\n");
	t = shelf_context(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
			struct answer a =
			    ask(t, &(struct client){
				       .name = cases[i].asked, .version = v });

			CHECK(a.is_done, cases[i].want);
			CHECK(strcmp(a.cn, cases[i].want) == 0, a.cn);
		}
	tls_context_unref(t);
	shelf_done(&s);
}

TEST(one_name_has_certificates_of_two_kinds_side_by_side)
{
	static const char *const names[] = { NULL, "b.example" };
	struct shelf s = { 0 };
	struct tls_context *t;

	shelf_add(&s, CERTIFICATE_EC, "default.example", "default.example\n");
	shelf_add(&s, CERTIFICATE_RSA, "default.example", "default.example\n");
	shelf_add(&s, CERTIFICATE_RSA, "b.example", "b.example\n");
	shelf_add(&s, CERTIFICATE_EC, "b.example", "b.example\n");
	t = shelf_context(&s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct answer a =
		    ask(t, &(struct client){ .name = names[i],
			       .sigalgs = "rsa_pss_rsae_sha256" });
		struct answer b =
		    ask(t, &(struct client){ .name = names[i],
			       .sigalgs = "ecdsa_secp256r1_sha256" });

		assert_true(a.is_done && b.is_done);
		assert_int_equal(a.kind, EVP_PKEY_RSA);
		assert_int_equal(b.kind, EVP_PKEY_EC);
		CHECK(strcmp(a.cn, i ? "b.example" : "default.example") == 0,
		    a.cn);
	}
	tls_context_unref(t);
	shelf_done(&s);
}

TEST(a_session_outlives_its_context)
{
	struct shelf s = { 0 };
	struct tls_context *t;
	struct answer a;
	SSL *ssl;

	shelf_add(&s, CERTIFICATE_EC, "default.example", "default.example\n");
	shelf_add(&s, CERTIFICATE_EC, "b.example", "b.example\n");
	t = shelf_context(&s);
	ssl = tls_session_new(t);
	assert_null(tls_context_unref(t));
	shelf_done(&s);
	a = shake(ssl, &(struct client){ .name = "b.example" });
	assert_true(a.is_done);
	assert_string_equal(a.cn, "b.example");
}

TEST(a_challenge_is_for_who_asks_for_nothing_else)
{
	static const struct {
		const char *name, *protocols;
		bool is_done, is_challenge;
		const char *cn;
	} cases[] = {
		{ "b.example",
		    "\x0a"
		    "acme-tls/1",
		    true, true, "challenge.example" },
		{ "b.example",
		    "\x0a"
		    "acme-tls/1\x08http/1.1",
		    true, false, "b.example" },
		{ "b.example", "\x08http/1.1", true, false, "b.example" },
		{ "b.example", NULL, true, false, "b.example" },
		{ "default.example",
		    "\x0a"
		    "acme-tls/1",
		    false, true, "" },
		{ NULL,
		    "\x0a"
		    "acme-tls/1",
		    false, true, "" },
	};
	struct shelf s = { 0 };
	struct tls_context *t;
	struct answer a;

	shelf_add(&s, CERTIFICATE_EC, "default.example", "default.example\n");
	shelf_add(&s, CERTIFICATE_EC, "b.example", "b.example\n");
	shelf_add(&s, CERTIFICATE_EC, "challenge.example", "x\n");
	s.n = 2;
	t = shelf_context(&s);
	s.n = 3;
	assert_int_equal(tls_context_put_challenge(
			     t, STR("b.example"), s.v[1].chain, s.v[0].key),
	    -EINVAL);
	assert_int_equal(tls_context_put_challenge(
			     t, STR("b.example"), s.v[1].chain, s.v[1].key),
	    0);
	assert_int_equal(tls_context_put_challenge(
			     t, STR("b.example"), s.v[2].chain, s.v[2].key),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		a = ask(t, &(struct client){ .name = cases[i].name,
			       .protocols = cases[i].protocols });
		CHECK(a.is_done == cases[i].is_done, cases[i].cn);
		CHECK(a.is_challenge == cases[i].is_challenge, cases[i].cn);
		CHECK(strcmp(a.cn, cases[i].cn) == 0, a.cn);
		CHECK((strcmp(a.protocol, "acme-tls/1") == 0) ==
			  (cases[i].is_done && cases[i].is_challenge),
		    a.protocol);
	}
	tls_context_drop_challenge(t, STR("b.example"));
	a = ask(t, &(struct client){
		       .name = "b.example", .protocols = cases[0].protocols });
	assert_false(a.is_done);
	tls_context_unref(t);
	shelf_done(&s);
}

/* Many names: each gets its own, and reading is put off. */
TEST(thousands_of_names_are_found)
{
	struct shelf s = { 0 };
	struct buf names = BUF_INIT(MIB(1));
	struct tls_context *t;
	struct answer a;

	shelf_add(&s, CERTIFICATE_EC, "default.example", "default.example\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&names, "host-%u.many.example\n", i);
	shelf_add(&s, CERTIFICATE_EC, "many.example", buf_c(&names));
	t = shelf_context(&s);
	for (unsigned i = 0; i < 5000; i += 999) {
		char name[60];

		snprintf(name, sizeof(name), "host-%u.many.example", i);
		a = ask(t, &(struct client){ .name = name });
		assert_string_equal(a.cn, "many.example");
	}
	a = ask(t, &(struct client){ .name = "host-5000.many.example" });
	assert_string_equal(a.cn, "default.example");
	tls_context_unref(t);
	buf_done(&names);
	shelf_done(&s);
}

TEST_MAIN(UNIT(a_client_gets_the_certificate_of_the_name_it_asks_for),
    UNIT(one_name_has_certificates_of_two_kinds_side_by_side),
    UNIT(a_session_outlives_its_context),
    UNIT(a_challenge_is_for_who_asks_for_nothing_else),
    UNIT(thousands_of_names_are_found))
