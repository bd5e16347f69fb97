/* SPDX-License-Identifier: ISC */
/*
 * tls.h - TLS server contexts: certificate chain, key, and policy.
 *
 * TLS 1.2 and 1.3 only, forward-secret ciphers, session tickets with keys of
 * this process. The one wrapper of OpenSSL's SSL part. A context is counted:
 * connections keep the one they began with when a new one replaces it.
 */
#pragma once

#include "base/str.h"

struct tls_context;
typedef struct ssl_st SSL;

/* PEM texts. On failure *ret_error is a heap string that says what is wrong
 * (e.g. "the private key does not belong to the certificate"). */
int tls_context_new(struct str cert_pem, struct str key_pem,
    struct tls_context **ret, char **ret_error) WARN_UNUSED;
struct tls_context *tls_context_ref(struct tls_context *t);
struct tls_context *tls_context_unref(struct tls_context *t); /* gives NULL */
/* For conn.c. */
SSL *tls_session_new(struct tls_context *t);
