/* SPDX-License-Identifier: ISC */
/*
 * tls_internal.h - the inside of TLS contexts, for the files of tls:
 *
 *   tls.c        contexts of clients, and what sessions know
 *   tls_server.c contexts of servers: PEM, policy
 *   tls_names.c  which certificate a client gets that names a host
 */
#pragma once

#include "net/tls.h"

#include <openssl/ssl.h>

struct tls_names;

struct tls_context {
	unsigned refs;
	SSL_CTX *ctx;
	struct tls_names *names; /* owned by ctx; NULL: of a client */
};

/* A certificate with its chain and key, read. */
struct tls_pair {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

/* What holds for both sides. */
void tls_set_modes(SSL_CTX *ctx);
/* From now on tls_session_own_alert() knows. */
void tls_note_alerts(SSL_CTX *ctx);

/* 0, or -EINVAL and *ret_error (heap); then *ret is empty. */
int tls_pair_read(struct str chain_pem, struct str key_pem,
    struct tls_pair *ret, char **ret_error) WARN_UNUSED;
/* Takes an empty one; it is empty then. */
void tls_pair_done(struct tls_pair *p);

/*
 * The table of names of a context that serves these certificates. It belongs to
 * ctx and goes with it, which is when the last session of it ends.
 */
struct tls_names *tls_names_attach(
    SSL_CTX *ctx, const struct tls_certificate *certs, size_t n);
/* See tls_context_put_challenge(). */
int tls_names_put_challenge(struct tls_names *names, SSL_CTX *ctx,
    struct str name, const struct tls_pair *pair);
void tls_names_drop_challenge(struct tls_names *names, struct str name);
