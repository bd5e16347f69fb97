/* SPDX-License-Identifier: ISC */
/* tls_policy.c - what TLS has to be with one host. See tls_policy.h. */
#include "send/tls/tls_policy.h"

const char *
tls_level_str(enum tls_level l)
{
	static const char *const words[] = {
		[TLS_LEVEL_NEVER] = "never",
		[TLS_LEVEL_MAY] = "may",
		[TLS_LEVEL_MUST] = "must",
		[TLS_LEVEL_VERIFY] = "verify",
		[TLS_LEVEL_DANE] = "dane",
	};

	return words[l];
}

const char *
tls_source_str(enum tls_source s)
{
	static const char *const words[] = {
		[TLS_BY_DEFAULT] = "default",
		[TLS_BY_RULE] = "rule",
		[TLS_BY_DANE] = "DANE",
		[TLS_BY_STS] = "MTA-STS",
	};

	return words[s];
}

static struct tls_need
blocked(enum tls_level level, enum tls_source source, const char *why)
{
	return (struct tls_need){ level, source, why };
}

/* What MTA-STS and the rule ask for; the stronger one counts. */
static struct tls_need
without_dane(const struct tls_facts *f)
{
	if (f->sts == STS_ENFORCE_MISFIT)
		return blocked(TLS_LEVEL_VERIFY, TLS_BY_STS,
		    "the domain's MTA-STS policy does not name this host");
	if (f->sts == STS_ENFORCE)
		return (struct tls_need){ TLS_LEVEL_VERIFY, TLS_BY_STS, NULL };
	if (f->rule == TLS_RULE_VERIFY)
		return (struct tls_need){ TLS_LEVEL_VERIFY, TLS_BY_RULE, NULL };
	/* Records are there, so TLS is, too (RFC 7672 section 2.2). */
	if (f->dane == DANE_UNUSABLE)
		return (struct tls_need){ TLS_LEVEL_MUST, TLS_BY_DANE, NULL };
	if (f->rule == TLS_RULE_MUST)
		return (struct tls_need){ TLS_LEVEL_MUST, TLS_BY_RULE, NULL };
	return (struct tls_need){ TLS_LEVEL_MAY, TLS_BY_DEFAULT, NULL };
}

struct tls_need
tls_need_of(const struct tls_facts *f)
{
	if (f->rule == TLS_RULE_NEVER)
		return (struct tls_need){ TLS_LEVEL_NEVER, TLS_BY_RULE, NULL };
	if (f->rule == TLS_RULE_MAY)
		return (struct tls_need){ TLS_LEVEL_MAY, TLS_BY_RULE, NULL };
	if (f->dane == DANE_FAILED)
		return blocked(TLS_LEVEL_DANE, TLS_BY_DANE,
		    "its TLSA records could not be looked up");
	/* DANE goes before MTA-STS (RFC 8461 section 2). */
	if (f->dane == DANE_USABLE)
		return (struct tls_need){ TLS_LEVEL_DANE, TLS_BY_DANE, NULL };
	if (f->rule == TLS_RULE_DANE)
		return blocked(TLS_LEVEL_DANE, TLS_BY_RULE,
		    "it has no TLSA records that can be used, and the rule of "
		    "mailstead tls-rule wants DANE");
	return without_dane(f);
}
