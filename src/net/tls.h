/* SPDX-License-Identifier: ISC */
/*
 * tls.h - TLS contexts: certificates by host name, keys, and policy.
 *
 * TLS 1.2 and 1.3 only, forward-secret ciphers, session tickets with keys of
 * this process. The one wrapper of OpenSSL's SSL part. A context is counted:
 * connections keep the one they began with when a new one replaces it.
 */
#pragma once

#include "base/certificate.h"

struct tls_context;
typedef struct ssl_st SSL;

/* PEM texts. On failure *ret_error is a heap string that says what is wrong
 * (e.g. "the private key does not belong to the certificate"). */
int tls_context_new(struct str cert_pem, struct str key_pem,
    struct tls_context **ret, char **ret_error) WARN_UNUSED;

/* A certificate that a server has. */
struct tls_certificate {
	struct str chain, key; /* PEM */
	/* The host names that it is for, in lower case, a line feed behind
	 * each; "*.example.org" for one label more. */
	struct str names;
	enum certificate_kind kind;
};
/*
 * One or more of them. A client that names a host (SNI) gets those for its name,
 * by the whole name, else by a wildcard; of several of one kind, the first. All
 * others get the first of the list. The others are read when they are wanted:
 * who makes the list has looked at them. As tls_context_new(); all is copied.
 */
int tls_server_context_new(const struct tls_certificate *certs, size_t n,
    struct tls_context **ret, char **ret_error) WARN_UNUSED;

/*
 * For looking at certificates that a server is going to have: a context without
 * any. tls_checker_look() says what tls_context_new() would, and costs less.
 */
struct tls_context *tls_checker_new(void);
int tls_checker_look(struct tls_context *t, struct str chain_pem,
    struct str key_pem, char **ret_error) WARN_UNUSED;

/*
 * Answer the challenge TLS-ALPN-01 of an authority (RFC 8737) for a name, in
 * lower case, with that certificate: whoever offers "acme-tls/1" alone gets it.
 * One that is there for the name is replaced. 0 or -errno.
 */
int tls_context_put_challenge(struct tls_context *t, struct str name,
    struct str chain_pem, struct str key_pem) WARN_UNUSED;
void tls_context_drop_challenge(struct tls_context *t, struct str name);

struct tls_context *tls_context_ref(struct tls_context *t);
struct tls_context *tls_context_unref(struct tls_context *t); /* gives NULL */

/*
 * For connections that we open. ca_file: PEM certificates of authorities that
 * a peer's chain is checked against ("" for none); the connection is made in
 * any case, conn_tls_distrust() tells. An unreadable file counts as none.
 */
struct tls_context *tls_client_context_new(const char *ca_file);
/* Those of ca_file; "": of the system's package ca-certificates. */
struct tls_context *tls_client_context_of(const char *ca_file);

/*
 * Whom a client means to speak with, and what proves it. Without TLSA records:
 * an authority of the context, and the name. With them the records alone decide
 * (RFC 7672 section 3.1): of usage DANE-EE neither name nor dates count, of
 * DANE-TA both do.
 */
struct tls_expected {
	const char *name;       /* for SNI and the check; NULL or "": none */
	const struct str *tlsa; /* RDATA that tls_usable_tlsa() left */
	size_t n_tlsa;
};

/* Of n records (RDATA that came with DNSSEC) keep those that SMTP can use and
 * that this library can: their number, at the start of records. */
size_t tls_usable_tlsa(struct tls_context *t, struct str *records, size_t n);

/* What came of the check of a server's certificate. */
enum tls_trust {
	TLS_TRUSTED,
	TLS_NO_CERTIFICATE,
	TLS_WRONG_NAME,
	TLS_EXPIRED, /* or not valid yet */
	TLS_UNKNOWN_ISSUER,
	TLS_NO_TLSA_MATCH,
	TLS_BAD_CHAIN, /* anything else */
};

/*
 * The SHA-256 digest of the public key of the first certificate in PEM text:
 * what a TLSA record "3 1 1" holds (RFC 6698 section 2.1). False when there is
 * no certificate in it.
 */
#define TLS_KEY_DIGEST_BYTES 32
bool tls_certificate_key_digest(
    struct str pem, unsigned char ret[TLS_KEY_DIGEST_BYTES]) WARN_UNUSED;

/* For another user of OpenSSL (http_client.c): its SSL_CTX trusts the
 * authorities of t. */
void tls_share_authorities(struct tls_context *t, void *ssl_ctx);

/* --- for conn.c ----------------------------------------------------------- */

/* The server's side of a new session; it keeps the context alive. */
SSL *tls_session_new(struct tls_context *t);
/* The client's side. */
SSL *tls_client_session_new(
    struct tls_context *t, const struct tls_expected *peer);
/* Why the server's certificate is not to be trusted; NULL: it is. */
const char *tls_session_distrust(const SSL *ssl);
enum tls_trust tls_session_trust(const SSL *ssl);
/* The first end of validity in the chain that the server sent. */
bool tls_session_expires(const SSL *ssl, uint64_t *ret) WARN_UNUSED;
/* Nothing is to be said in it: the handshake was all (RFC 8737 section 3). */
bool tls_session_is_challenge(const SSL *ssl);
/* fn runs for each record of the peer that is not data, from within the library:
 * it must not touch the session. */
struct tls_watch {
	void (*fn)(void *arg);
	void *arg;
};
/* w is borrowed until the session ends or has another one; NULL: none. */
void tls_session_watch(SSL *ssl, const struct tls_watch *w);
void tls_session_free(SSL *ssl);
/* Send close_notify, without waiting for the peer's. */
void tls_session_shutdown(SSL *ssl);
const char *tls_session_version(const SSL *ssl);
const char *tls_session_cipher(const SSL *ssl);
/*
 * Channel binding data, appended to ret: "tls-exporter" (RFC 9266),
 * "tls-unique" (TLS 1.2) and "tls-server-end-point" (RFC 5929). False when
 * the type is unknown, or when this session's value would not bind.
 */
bool tls_session_binding(
    SSL *ssl, const char *type, struct buf *ret) WARN_UNUSED;
/* As a server: the alert that we ended it with; 0: none. */
uint8_t tls_session_own_alert(const SSL *ssl);
/* As a server: the version that was agreed on, or that the client asked for when
 * we speak none of those; as on the wire (0x0304). 0: no hello was read. */
uint16_t tls_session_reached(const SSL *ssl);
/* The alert that the peer sent, when that is what an error code means (RFC 8446
 * section 6); 0: it is something else. */
uint8_t tls_error_alert(unsigned long code);
/* The socket failed, not TLS: errno has why. code is one of the library's queue, or
 * an SSL_ERROR_* as libevent has it when there was none. */
bool tls_error_is_of_socket(unsigned long code);
/* The reason of an OpenSSL error code; 0: the empty string. */
const char *tls_error_text(unsigned long code);
