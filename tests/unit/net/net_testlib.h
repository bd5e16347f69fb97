/* SPDX-License-Identifier: ISC */
/*
 * net_testlib.h - what the tests of net/ share: a certificate made on the
 * spot, a blocking TLS client, and pairs of connected sockets.
 */
#pragma once

#include "net/conn.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct str
bio_text(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_copy(str_make(p, (size_t)n));

	BIO_free(bio);
	return s;
}

/* A self-signed P-256 certificate; both strings are the caller's. */
static inline void
make_certificate(struct str *ret_cert, struct str *ret_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx.demo.example", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert_bio, x);
	PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	*ret_cert = bio_text(cert_bio);
	*ret_key = bio_text(key_bio);
}

static inline struct tls_context *
make_context(void)
{
	struct str cert, key;
	struct tls_context *t = NULL;
	char *error = NULL;

	make_certificate(&cert, &key);
	if (tls_context_new(cert, key, &t, &error) < 0)
		die("%s", error);
	str_free(&cert);
	str_free(&key);
	return t;
}

/* Shake hands on a blocking socket; NULL when it fails. */
static inline SSL *
client_handshake(int fd, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_max_proto_version(ctx, version);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

/* fds[0]: for a conn (non-blocking), fds[1]: for a blocking client. */
static inline void
make_pair(int fds[2])
{
	struct timeval limit = { .tv_sec = 10 };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		die("socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}
