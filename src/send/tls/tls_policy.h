/* SPDX-License-Identifier: ISC */
/*
 * tls_policy.h - what TLS has to be with one host, from all who have a say: the
 * operator's rule, the host's TLSA records, the domain's MTA-STS policy.
 *
 * Pure: facts go in, a decision comes out.
 */
#pragma once

#include "conf/tls_rule.h"
#include "send/tls/dane.h"

/* What the domain's MTA-STS policy says of a host (RFC 8461 section 5). */
enum sts_fit {
	STS_NONE,           /* no policy, or one of mode none */
	STS_TESTING,        /* it is named; nothing is enforced */
	STS_TESTING_MISFIT, /* it is not named; it may be used */
	STS_ENFORCE,        /* it is named, and needs a good certificate */
	STS_ENFORCE_MISFIT, /* it is not named: not to be used */
};

struct tls_facts {
	enum tls_rule rule;
	enum dane_state dane; /* ABSENT where it does not apply */
	enum sts_fit sts;
};

enum tls_level {
	TLS_LEVEL_NEVER,
	TLS_LEVEL_MAY,    /* when it is offered; plain else */
	TLS_LEVEL_MUST,   /* encrypted, with anybody */
	TLS_LEVEL_VERIFY, /* a good certificate with the host's name */
	TLS_LEVEL_DANE,   /* as the TLSA records say */
};

/* Who asks for it. */
enum tls_source {
	TLS_BY_DEFAULT,
	TLS_BY_RULE,
	TLS_BY_DANE,
	TLS_BY_STS,
};

struct tls_need {
	enum tls_level level;
	enum tls_source source;
	/* The host is not to be used now; why, for people. NULL: it may. */
	const char *blocked;
};

struct tls_need tls_need_of(const struct tls_facts *f);

/* Words for people: "may", "must" ...; "rule", "DANE", "MTA-STS". */
const char *tls_level_str(enum tls_level l);
const char *tls_source_str(enum tls_source s);
