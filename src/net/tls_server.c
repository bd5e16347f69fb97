/* SPDX-License-Identifier: ISC */
/*
 * tls_server.c - contexts of servers: certificates from PEM, and what is
 * spoken. Which certificate a client gets: tls_names.c.
 */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* TLS 1.2: ephemeral key exchange only; the order is ours. */
#define TLS12_CIPHERS \
	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:" \
	"!aNULL:!eNULL:!SHA1"
#define TLS_CHAIN_MAX 10 /* certificates behind the first */

static void
bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void
x509_freep(X509 **x)
{
	X509_free(*x);
}

/* A key with a pass phrase is an error, not a question on the terminal. */
static int
no_passphrase(UNUSED char *to, UNUSED int size, UNUSED int rw, UNUSED void *arg)
{
	return -1;
}

static int
fail(char **ret_error, const char *text)
{
	*ret_error = x_strdup(text);
	ERR_clear_error();
	return -EINVAL;
}

static BIO *
bio_of(struct str pem)
{
	return BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)MIN(pem.n, MIB(1)));
}

/* --- pairs ----------------------------------------------------------------------- */

static int
read_chain(struct str pem, struct tls_pair *p, char **ret_error)
{
	CLEANUP(bio_freep) BIO *bio = bio_of(pem);

	p->leaf = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (p->leaf == NULL)
		return fail(ret_error, "no certificate in PEM form was found");
	p->chain = sk_X509_new_null();
	for (;;) {
		X509 *next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

		if (next == NULL)
			break;
		if (sk_X509_num(p->chain) >= TLS_CHAIN_MAX) {
			X509_free(next);
			return fail(ret_error, "the certificate chain has more "
					       "than 11 certificates");
		}
		if (sk_X509_push(p->chain, next) <= 0)
			die("a certificate chain: out of memory");
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fail(ret_error, "a certificate of the chain is damaged");
	ERR_clear_error();
	return 0;
}

static int
read_key(struct str pem, struct tls_pair *p, char **ret_error)
{
	CLEANUP(bio_freep) BIO *bio = bio_of(pem);

	p->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (p->key == NULL)
		return fail(ret_error, "no private key in PEM form without a "
				       "pass phrase was found");
	if (X509_check_private_key(p->leaf, p->key) != 1)
		return fail(ret_error,
		    "the private key does not belong to the certificate");
	return 0;
}

int
tls_pair_read(struct str chain_pem, struct str key_pem, struct tls_pair *ret,
    char **ret_error)
{
	struct tls_pair p = { 0 };
	int r = read_chain(chain_pem, &p, ret_error);

	if (r == 0)
		r = read_key(key_pem, &p, ret_error);
	if (r < 0)
		tls_pair_done(&p);
	else
		*ret = p;
	return r;
}

void
tls_pair_done(struct tls_pair *p)
{
	X509_free(p->leaf);
	sk_X509_pop_free(p->chain, X509_free);
	EVP_PKEY_free(p->key);
	*p = (struct tls_pair){ 0 };
}

/* --- contexts ---------------------------------------------------------------------- */

static int
set_policy(SSL_CTX *ctx)
{
	static const unsigned char name[] = "mailstead";

	tls_set_modes(ctx);
	/*
	 * A missing close_notify is the end of the stream: the protocols above
	 * say themselves when a command or a message is complete.
	 */
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		     SSL_OP_CIPHER_SERVER_PREFERENCE |
		     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_id_context(ctx, name, sizeof(name) - 1);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	               SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) == 1
	           ? 0
	           : -EINVAL;
}

static int
use_pair(SSL_CTX *ctx, const struct tls_certificate *c, char **ret_error)
{
	struct tls_pair p = { 0 };
	int r = tls_pair_read(c->chain, c->key, &p, ret_error);

	if (r == 0 &&
	    SSL_CTX_use_cert_and_key(ctx, p.leaf, p.key, p.chain, 1) != 1)
		r = fail(ret_error, "OpenSSL refuses the certificate "
				    "(is its key long enough?)");
	tls_pair_done(&p);
	return r;
}

/* The first, and those of another kind that are for exactly the same names. */
static int
use_default(SSL_CTX *ctx, const struct tls_certificate *certs, size_t n,
    char **ret_error)
{
	unsigned kinds = 1U << certs[0].kind;
	int r = use_pair(ctx, &certs[0], ret_error);

	for (size_t i = 1; i < n && r == 0; i++) {
		if (certs[i].names.n == 0 || (kinds & 1U << certs[i].kind) ||
		    !str_eq(certs[i].names, certs[0].names))
			continue;
		kinds |= 1U << certs[i].kind;
		r = use_pair(ctx, &certs[i], ret_error);
	}
	return r;
}

int
tls_server_context_new(const struct tls_certificate *certs, size_t n,
    struct tls_context **ret, char **ret_error)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int r;

	if (ctx == NULL)
		die("SSL_CTX_new: %s", tls_error_text(ERR_peek_error()));
	r = set_policy(ctx);
	if (r < 0)
		fail(ret_error, "OpenSSL's configuration of this machine "
				"refuses TLS 1.2 with forward secrecy");
	else
		r = use_default(ctx, certs, n, ret_error);
	if (r < 0) {
		SSL_CTX_free(ctx);
		return r;
	}

	*ret = X_NEW(struct tls_context);
	(*ret)->refs = 1;
	(*ret)->ctx = ctx;
	tls_note_alerts(ctx);
	(*ret)->names = tls_names_attach(ctx, certs, n);
	return 0;
}

int
tls_context_new(struct str cert_pem, struct str key_pem,
    struct tls_context **ret, char **ret_error)
{
	const struct tls_certificate only = { .chain = cert_pem,
		.key = key_pem };

	return tls_server_context_new(&only, 1, ret, ret_error);
}

struct tls_context *
tls_checker_new(void)
{
	struct tls_context *t = X_NEW(struct tls_context);

	t->refs = 1;
	t->ctx = SSL_CTX_new(TLS_server_method());
	if (t->ctx == NULL)
		die("SSL_CTX_new: %s", tls_error_text(ERR_peek_error()));
	(void)set_policy(t->ctx);
	return t;
}

int
tls_checker_look(struct tls_context *t, struct str chain_pem,
    struct str key_pem, char **ret_error)
{
	return use_pair(t->ctx,
	    &(struct tls_certificate){ .chain = chain_pem, .key = key_pem },
	    ret_error);
}

struct tls_context *
tls_context_ref(struct tls_context *t)
{
	t->refs++;
	return t;
}

struct tls_context *
tls_context_unref(struct tls_context *t)
{
	if (t == NULL || --t->refs > 0)
		return NULL;
	SSL_CTX_free(t->ctx);
	free(t);
	return NULL;
}

int
tls_context_put_challenge(struct tls_context *t, struct str name,
    struct str chain_pem, struct str key_pem)
{
	struct tls_pair p = { 0 };
	char *error = NULL;
	int r = tls_pair_read(chain_pem, key_pem, &p, &error);

	free(error);
	if (r == 0)
		r = tls_names_put_challenge(t->names, t->ctx, name, &p);
	if (r < 0)
		tls_pair_done(&p);
	return r;
}

void
tls_context_drop_challenge(struct tls_context *t, struct str name)
{
	tls_names_drop_challenge(t->names, name);
}

/* --- of a certificate alone --------------------------------------------------------- */

bool
tls_certificate_key_digest(
    struct str pem, unsigned char ret[TLS_KEY_DIGEST_BYTES])
{
	CLEANUP(bio_freep) BIO *bio = bio_of(pem);
	CLEANUP(x509_freep) X509 *leaf = NULL;
	unsigned char *der = NULL;
	unsigned n = 0;
	int der_n, ok = 0;

	leaf = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (leaf != NULL) {
		der_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
		ok = der_n > 0 && EVP_Digest(der, (size_t)der_n, ret, &n,
				      EVP_sha256(), NULL) == 1;
	}
	OPENSSL_free(der);
	ERR_clear_error();
	return ok && n == TLS_KEY_DIGEST_BYTES;
}
