/* SPDX-License-Identifier: ISC */
/*
 * gsasl_wrap.h - the server side of one SASL exchange.
 *
 * The one wrapper of libgsasl, which knows the mechanisms' messages. It wants
 * its answers at once, and ours come from another process: so the first
 * message of a SCRAM exchange is run once to learn the login, and once more,
 * from the start, when the verifier is there. What libgsasl leaves to chance
 * (channel binding flags, RFC 5802 section 6) is checked here first.
 */
#pragma once

#include "base/buf.h"
#include "base/secret.h"
#include "proto/sasl/scram_verifier.h"

enum sasl_mech {
	SASL_PLAIN,              /* RFC 4616 */
	SASL_LOGIN,              /* draft-murchison-sasl-login */
	SASL_SCRAM_SHA_256,      /* RFC 7677 */
	SASL_SCRAM_SHA_256_PLUS, /* bound to the TLS connection, RFC 9266 */
};

#define SASL_LOGIN_MAX    320   /* bytes of a login: an address */
#define SASL_MESSAGE_MAX  12288 /* bytes of one message of a client */
#define SASL_STEPS_MAX    4     /* messages of a client in one exchange */
#define SASL_OUT_MAX      4096  /* bytes of one message of ours */
#define SASL_PASSWORD_MAX 1024

/* Without regard to case. False: not one of ours. */
bool sasl_mech_from_name(struct str name, enum sasl_mech *ret) WARN_UNUSED;
const char *sasl_mech_name(enum sasl_mech m);
/* Does the password itself travel? */
bool sasl_mech_is_plaintext(enum sasl_mech m);

/* Channel binding data of the TLS connection; type empty: there is none.
 * Types that libgsasl knows: tls-exporter and tls-unique. */
struct sasl_binding {
	struct str type, data;
};
bool sasl_binding_is_usable(const struct sasl_binding *b);

struct sasl_server;

/* NULL when the mechanism needs a binding and there is none. */
struct sasl_server *sasl_server_new(
    enum sasl_mech mech, const struct sasl_binding *binding);
struct sasl_server *sasl_server_free(struct sasl_server *s); /* gives NULL */

enum sasl_step {
	SASL_CHALLENGE,     /* send what was put into out, go on */
	SASL_HAS_PASSWORD,  /* login and password are known: check them */
	SASL_WANT_VERIFIER, /* login is known: sasl_server_set_verifier() */
	SASL_PROVEN,        /* right; send what was put into out */
	SASL_WRONG,         /* the proof or the channel binding is wrong */
	SASL_SYNTAX,        /* not the mechanism's message */
};

/*
 * One message of the client; has_in false: there was no initial response.
 * After anything but SASL_CHALLENGE and SASL_WANT_VERIFIER it is over.
 */
struct sasl_input {
	bool has_in;
	struct str in;
};
enum sasl_step sasl_server_step(struct sasl_server *s,
    const struct sasl_input *in, struct buf *out) WARN_UNUSED;
/* Only after SASL_WANT_VERIFIER. Gives SASL_CHALLENGE (or SASL_SYNTAX). */
enum sasl_step sasl_server_set_verifier(struct sasl_server *s,
    const struct scram_verifier *v, struct buf *out) WARN_UNUSED;

/* Prepared (SASLprep) login, and the password as it came. Live as long as
 * the exchange. */
struct str sasl_server_login(const struct sasl_server *s);
struct str sasl_server_password(const struct sasl_server *s);

/*
 * SASLprep (RFC 4013). Code points newer than Unicode 3.2 pass as they are,
 * so that people may use them in passwords. False: characters that are not
 * allowed, not UTF-8, or a NUL.
 */
bool sasl_prepare(struct str in, struct secret *ret) WARN_UNUSED;
