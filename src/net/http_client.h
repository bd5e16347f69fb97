/* SPDX-License-Identifier: ISC */
/*
 * http_client.h - ask other machines by HTTPS, once in a while: policies of
 * MTA-STS (RFC 8461), reports about TLS (RFC 8460). The one wrapper of libcurl.
 *
 * What answers is a stranger's. So: HTTPS with a good certificate or nothing
 * (unless it was said that plain HTTP will do), no redirects, no proxies, no
 * cookies, no names but by our own resolver, limits of bytes and time.
 * HTTP_PLACES_MAX requests are under way at a time, and HTTP_PLACES_OWNER_MAX of
 * one organisation; others wait in line.
 */
#pragma once

#include "net/http_places.h"
#include "net/resolver.h"
#include "net/tls.h"

struct http_client;

struct http_client_config {
	struct loop *loop;
	struct resolver *resolver;
	struct tls_context *tls; /* of a client: its authorities count */
};

/* Before the sandbox. What config points to lives longer. */
struct http_client *http_client_new(const struct http_client_config *config);
/* Gives NULL; takes NULL. No answers come any more. */
struct http_client *http_client_free(struct http_client *c);

/* Less than that is nothing. */
#define HTTP_IDLE_BYTES 100

struct http_request {
	const char *host; /* ASCII; a name or an address */
	struct str owner; /* whose it is: the organisation of the host */
	uint16_t port;
	const char *path;  /* begins with "/" */
	const char *type;  /* of body; not NULL: POST, else GET */
	struct str body;   /* copied */
	size_t reply_max;  /* bytes of the reply's body */
	size_t fields_max; /* bytes of its header that are kept; 0: none */
	uint64_t limit_ms; /* for all of it */
	/* Seconds to connect, TLS included, and then seconds in which hardly
	 * anything moves (HTTP_IDLE_BYTES a second). */
	unsigned idle_s;
	bool allow_local; /* addresses of this machine: for tests */
	/* Neither are those of networks that only we can reach: who chose the
	 * URL must not reach them through us. */
	bool is_public_only;
	bool is_plain; /* http:// */
	/* More fields, "Name: value", up to NULL; may be NULL. Copied. */
	const char *const *fields;
};

enum http_end {
	HTTP_END_REPLY, /* see status: it may be any */
	HTTP_END_NO_ADDRESS,
	HTTP_END_CONNECT,
	HTTP_END_TLS, /* the certificate is not good, or no handshake */
	HTTP_END_TOO_BIG,
	HTTP_END_TIMEOUT,
	HTTP_END_BROKEN, /* it is not HTTP, or it was cut off */
};

/* Valid during the call. */
struct http_reply {
	enum http_end end;
	unsigned status; /* 200 ... */
	struct str type; /* of the body, as the peer says it; may be empty */
	struct str body;
	struct str fields; /* lines of the header, as they came */
	const char *why;   /* for people, when there is no reply */
};
/* The value of the first such field, without blanks around it; empty: there is
 * none, or it was beyond fields_max. */
struct str http_reply_field(const struct http_reply *r, struct str name);

typedef void (*http_fn)(void *arg, const struct http_reply *reply);
struct http_query;
/* fn runs once, from the loop. */
struct http_query *http_ask(struct http_client *c,
    const struct http_request *request, http_fn fn, void *arg);
/* fn will not run. Not after fn ran, or within it. */
void http_cancel(struct http_query *q);
