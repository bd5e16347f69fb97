/* SPDX-License-Identifier: ISC */
/*
 * dane.h - what a host's TLSA records say (RFC 7672 section 2.2).
 *
 * Records count only when DNSSEC vouches for all that leads to them: the MX
 * record, the addresses of the host, the records. Who cannot be asked now may
 * have some: such a host is not used until it can be.
 */
#pragma once

#include "net/resolver.h"
#include "net/tls.h"

enum dane_state {
	DANE_ABSENT,   /* none, or none that counts */
	DANE_UNUSABLE, /* only ones that SMTP cannot use: TLS, with anybody */
	DANE_USABLE,   /* the host has to match */
	DANE_FAILED,   /* could not tell: do not use the host now */
};

/* The word for people: "absent" and so on. */
const char *dane_state_str(enum dane_state s);

struct dane_query {
	struct resolver *resolver;
	struct tls_context *tls; /* whose records have to be usable */
	const char *host;
	uint16_t port;
	/* Of the host's addresses: all of them came with DNSSEC, the way there
	 * by CNAMEs too; and where that way ends (the host itself: none). */
	bool is_secure;
	const char *canonical;
};

struct dane_result {
	enum dane_state state;
	/* The TLSA base domain: for SNI and the check of names. */
	const char *base;
	const struct str *records; /* RDATA, usable ones */
	size_t n;
	const char *why; /* for people, when FAILED */
};

/* Can there be records that count? Else do not ask. */
bool dane_applies(const struct dane_query *q);

struct dane;
/* Runs once, from the loop. */
typedef void (*dane_fn)(void *arg);
/* For a query that applies; host and canonical are copied. */
struct dane *dane_new(const struct dane_query *q, dane_fn fn, void *arg);
/* After fn ran; it lives as long as d. */
const struct dane_result *dane_result(const struct dane *d);
/* NULL is fine; gives NULL. fn will not run. */
struct dane *dane_free(struct dane *d);
