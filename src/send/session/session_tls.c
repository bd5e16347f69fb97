/* SPDX-License-Identifier: ISC */
/*
 * session_tls.c - what TLS has to be with the present host, and whether it
 * was.
 *
 *   addresses known -> TLSA records -> the need -> connect ... handshake -> good
 *                                      \-> blocked: the next host  \-> bad: the
 *                                                                      same
 *
 * A host that does not give what is needed gets no mail now: the mail waits,
 * and what it waits for is said. It never goes without.
 */
#include "send/session/session_internal.h"

/* What the operator can do, when nobody at the other end does: before the
 * host's name, the name, and behind it. */
#define WAY_OUT "%s%s%s"

static const char *
before_host(const struct session *s)
{
	return dest_is_relay(s->dest)
	           ? "; \"mailstead route change\" can ask less of "
	           : "; \"mailstead tls-rule add mx:";
}

static const char *
behind_host(const struct session *s)
{
	return dest_is_relay(s->dest)
	           ? ""
	           : " may\" lets mail go there without that";
}

static const char *
who_asks(const struct session *s)
{
	switch (s->need.source) {
	case TLS_BY_DANE:
		return "its TLSA records (DANE)";
	case TLS_BY_STS:
		return "the domain's MTA-STS policy";
	case TLS_BY_RULE:
	case TLS_BY_DEFAULT:
		break;
	}
	return dest_is_relay(s->dest) ? "the route" : "mailstead tls-rule";
}

static enum tls_level
relay_level(enum route_tls tls)
{
	switch (tls) {
	case ROUTE_TLS_MAY:
		return TLS_LEVEL_MAY;
	case ROUTE_TLS_MUST:
		return TLS_LEVEL_MUST;
	case ROUTE_TLS_VERIFY:
		return TLS_LEVEL_VERIFY;
	case ROUTE_TLS_NEVER:
	case ROUTE_TLS_IMPLICIT:
		break;
	}
	return TLS_LEVEL_NEVER;
}

/* All is known: go there, or not. */
static void
decide(struct session *s)
{
	const struct dest_host *h = dest_host(s->dest, s->host);
	const struct tls_facts facts = {
		.rule = h->rule,
		.dane = s->dane ? dane_result(s->dane)->state : DANE_ABSENT,
		.sts = h->sts,
	};
	char text[TEXT_MAX];

	s->need = tls_need_of(&facts);
	if (s->need.blocked == NULL) {
		session_connect(s);
		return;
	}
	snprintf(text, sizeof(text), "%s is not used: %s%s%s" WAY_OUT, h->name,
	    s->need.blocked, facts.dane == DANE_FAILED ? ": " : "",
	    facts.dane == DANE_FAILED ? dane_result(s->dane)->why : "",
	    before_host(s), h->name, behind_host(s));
	session_count_failed(s,
	    facts.dane == DANE_FAILED     ? TLSRPT_DNSSEC_INVALID
	    : facts.rule == TLS_RULE_DANE ? TLSRPT_DANE_REQUIRED
					  : TLSRPT_VALIDATION_FAILURE,
	    s->need.blocked);
	session_blame_locally(s, (struct smtp_status){ 4, 7, 5 }, text);
	session_next_host(s);
}

static void
on_dane(void *arg)
{
	decide(arg);
}

void
session_tls_look_up(struct session *s)
{
	const struct dest_host *h = dest_host(s->dest, s->host);
	const struct dane_query q = {
		.resolver = s->sv->resolver,
		.tls = s->sv->tls,
		.host = h->name,
		.port = h->port,
		.is_secure = !s->has_insecure_address,
		.canonical = s->canonical[0] != '\0' ? s->canonical : NULL,
	};

	s->dane = dane_free(s->dane);
	s->is_verified = false;
	if (dest_is_relay(s->dest)) {
		s->need = (struct tls_need){ relay_level(dest_tls(s->dest)),
			TLS_BY_RULE, NULL };
		session_connect(s);
	} else if (dest_is_secure(s->dest) && h->rule != TLS_RULE_MAY &&
		   h->rule != TLS_RULE_NEVER && dane_applies(&q)) {
		s->dane = dane_new(&q, on_dane, s);
	} else {
		decide(s);
	}
}

enum smtp_client_tls
session_tls_rule(const struct session *s)
{
	switch (s->need.level) {
	case TLS_LEVEL_NEVER:
		return SMTP_CLIENT_TLS_NEVER;
	case TLS_LEVEL_MAY:
		return s->is_without_tls ? SMTP_CLIENT_TLS_NEVER
		                         : SMTP_CLIENT_TLS_MAY;
	case TLS_LEVEL_MUST:
	case TLS_LEVEL_VERIFY:
	case TLS_LEVEL_DANE:
		break;
	}
	return SMTP_CLIENT_TLS_MUST;
}

struct tls_expected
session_tls_expected(const struct session *s)
{
	const struct dane_result *r;

	if (s->need.level != TLS_LEVEL_DANE)
		return (struct tls_expected){ .name = session_host(s) };
	r = dane_result(s->dane);
	return (struct tls_expected){ r->base, r->records, r->n };
}

/* --- after the handshake ------------------------------------------------------ */

static const char *
verified_by(const struct session *s)
{
	if (s->need.level == TLS_LEVEL_DANE)
		return "verified by DANE";
	return s->need.source == TLS_BY_STS ? "verified by MTA-STS" : "trusted";
}

static void
note_result(struct session *s, const char *distrust)
{
	snprintf(s->tls, sizeof(s->tls), "%s %s %s%s",
	    conn_tls_version(s->conn), conn_tls_cipher(s->conn),
	    distrust ? "untrusted: " : verified_by(s),
	    distrust ? distrust : "");
}

/* RFC 8461 section 5: what would have failed is told, and mail goes. */
static void
note_testing(
    const struct session *s, const struct dest_host *h, const char *distrust)
{
	if (s->need.level == TLS_LEVEL_DANE ||
	    (h->sts != STS_TESTING_MISFIT &&
		(h->sts != STS_TESTING || distrust == NULL)))
		return;
	log_event(EV_SEND_STS_MISFIT, LC("mx", h->name), LC("ip", s->ip),
	    LC("reason", h->sts == STS_TESTING_MISFIT
			     ? "the policy does not name this host"
			     : distrust));
}

bool
session_tls_check(struct session *s)
{
	const struct dest_host *h = dest_host(s->dest, s->host);
	const char *distrust = conn_tls_distrust(s->conn);

	note_result(s, distrust);
	session_count_trust(s);
	note_testing(s, h, distrust);
	/* RFC 8689 section 4.2.1: the name has to be one that nobody forged. */
	s->is_verified =
	    distrust == NULL &&
	    (s->need.level == TLS_LEVEL_DANE || dest_is_secure(s->dest) ||
		dest_is_relay(s->dest) || h->sts == STS_ENFORCE ||
		h->sts == STS_TESTING);
	if (distrust == NULL || s->need.level < TLS_LEVEL_VERIFY)
		return true;
	snprintf(s->tls_trouble, sizeof(s->tls_trouble),
	    "the certificate of %s is not what %s require%s: %s" WAY_OUT,
	    h->name, who_asks(s), s->need.source == TLS_BY_DANE ? "" : "s",
	    distrust, before_host(s), h->name, behind_host(s));
	return false;
}

bool
session_is_verified(const struct session *s)
{
	return s->is_verified;
}

void
session_tls_failed(struct session *s, const char *detail)
{
	const char *host = session_host(s);
	char text[TEXT_MAX];

	if (s->tls_trouble[0] != '\0')
		snprintf(text, sizeof(text), "%s", s->tls_trouble);
	else if (s->need.level >= TLS_LEVEL_MUST)
		snprintf(text, sizeof(text),
		    "TLS with %s failed, which %s require%s: %s" WAY_OUT, host,
		    who_asks(s), s->need.source == TLS_BY_DANE ? "" : "s",
		    detail, before_host(s), host, behind_host(s));
	else
		snprintf(text, sizeof(text), "TLS failed: %s", detail);
	session_count_failed(s,
	    s->tls_trouble[0] != '\0' ? s->tls_result
				      : TLSRPT_VALIDATION_FAILURE,
	    s->tls_trouble[0] != '\0' ? "" : detail);
	s->tls_trouble[0] = '\0';
	session_blame_locally(s, (struct smtp_status){ 4, 7, 5 }, text);
	session_log_trouble(s, EV_SEND_TLS_FAIL);
}

bool
session_tls_is_missing(
    const struct session *s, const struct smtp_client_event *ev)
{
	return !s->was_ready && s->need.level >= TLS_LEVEL_MUST &&
	       (ev->flags & SMTP_CLIENT_IS_LOCAL) &&
	       !(ev->flags & SMTP_CLIENT_IS_LOST) &&
	       (ev->stage == SMTP_CLIENT_EHLO || ev->stage == SMTP_CLIENT_HELO);
}

void
session_tls_blame_missing(struct session *s)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text),
	    "%s does not offer TLS, which %s require%s" WAY_OUT,
	    session_host(s), who_asks(s),
	    s->need.source == TLS_BY_DANE ? "" : "s", before_host(s),
	    session_host(s), behind_host(s));
	session_count_failed(s, TLSRPT_STARTTLS_NOT_SUPPORTED, "");
	session_blame_locally(s, (struct smtp_status){ 4, 7, 4 }, text);
	session_log_trouble(s, EV_SEND_TLS_FAIL);
}
