/* SPDX-License-Identifier: ISC */
/*
 * sasl_client.h - our side of SCRAM-SHA-256 (RFC 7677), at relays.
 *
 * It is better than PLAIN even inside TLS: the relay does not learn the
 * password, and has to prove that it knows it. A wrapper of libgsasl, whose
 * server side is auth/gsasl_wrap.
 */
#pragma once

#include "base/buf.h"

/* A server that asks for more rounds of hashing wants to keep us busy. */
#define SASL_CLIENT_ITERATIONS_MAX 200000
#define SASL_CLIENT_MESSAGE_MAX    KIB(4)

struct sasl_client;

/* Both are copied. NULL: libgsasl cannot do it. */
struct sasl_client *sasl_client_new(struct str login, struct str password);
struct sasl_client *sasl_client_free(struct sasl_client *c); /* gives NULL */

/*
 * What the server said (empty at first): the next message is appended to out.
 * False: it is no message of this exchange, or its proof is wrong.
 */
bool sasl_client_step(
    struct sasl_client *c, struct str in, struct buf *out) WARN_UNUSED;
/* The server has proved that it knows the password. */
bool sasl_client_is_done(const struct sasl_client *c);
