/* SPDX-License-Identifier: ISC */
/*
 * session_count.c - what came of TLS with a server, for reports (RFC 8460) and
 * metrics.
 *
 * A session counts for each domain whose mail it carries; one that never came
 * to that, for the domain whose mail waited first.
 */
#include "send/session/session_internal.h"

#include "base/metrics.h"
#include "net/idn.h"
#include "proto/tlsa/tlsa.h"
#include "send/report/tls_count.h"

/* The policy that was applied: the host's records, or the domain's. */
static void
put_policy(const struct session *s, struct domain *d, struct buf *strings,
    struct buf *mx_hosts, struct tlsrpt_session *to)
{
	const struct dest_host *h = dest_host(s->dest, s->host);
	struct str text = lookup_policy(*domain_lookup(d)), mx;
	struct tlsa_record r;

	if (s->dane != NULL && dane_result(s->dane)->state != DANE_ABSENT) {
		const struct dane_result *dane = dane_result(s->dane);

		to->type = TLSRPT_TLSA;
		to->domain = str_c(dane->base);
		for (size_t i = 0; i < dane->n; i++)
			if (tlsa_parse(dane->records[i], &r)) {
				if (i > 0)
					buf_put_char(strings, '\n');
				tlsa_put_text(&r, strings);
			}
	} else if (h->sts != STS_NONE) {
		to->type = TLSRPT_STS;
		for (struct str rest = text; mtasts_next_mx(&rest, &mx);) {
			if (mx_hosts->n > 0)
				buf_put_char(mx_hosts, '\n');
			buf_put_str(mx_hosts, mx);
		}
		while (text.n > 0) {
			struct str line;

			text = str_split(text, '\n', &line);
			if (str_ends(line, STR("\r")))
				line = str_first(line, line.n - 1);
			if (strings->n > 0 && line.n > 0)
				buf_put_char(strings, '\n');
			buf_put_str(strings, line);
		}
	}
	to->strings = buf_str(strings);
	to->mx_hosts = buf_str(mx_hosts);
}

static void
count(const struct session *s, struct domain *d, struct tlsrpt_session *to)
{
	struct buf strings = BUF_INIT(TLSRPT_TALLY_TEXT * 2);
	struct buf mx_hosts = BUF_INIT(TLSRPT_TALLY_TEXT * 2);
	char domain[MX_NAME_MAX + 1];

	if (dest_is_relay(s->dest) || s->need.level == TLS_LEVEL_NEVER ||
	    !idn_to_ascii(domain_name(d), domain, sizeof(domain)))
		return;
	to->domain = str_c(domain);
	to->mx = str_c(session_host(s));
	to->sending_ip = str_c(s->source);
	to->receiving_ip = str_c(s->ip);
	put_policy(s, d, &strings, &mx_hosts, to);
	tls_count_add(s->sv->tls_count, str_c(domain), to);
	buf_done(&strings);
	buf_done(&mx_hosts);
}

static enum tlsrpt_result
result_of(enum tls_trust trust)
{
	switch (trust) {
	case TLS_WRONG_NAME:
		return TLSRPT_CERTIFICATE_HOST_MISMATCH;
	case TLS_EXPIRED:
		return TLSRPT_CERTIFICATE_EXPIRED;
	case TLS_UNKNOWN_ISSUER:
		return TLSRPT_CERTIFICATE_NOT_TRUSTED;
	case TLS_TRUSTED:
	case TLS_NO_CERTIFICATE:
	case TLS_NO_TLSA_MATCH:
	case TLS_BAD_CHAIN:
		break;
	}
	return TLSRPT_VALIDATION_FAILURE;
}

void
session_count_trust(struct session *s)
{
	s->tls_result = result_of(conn_tls_trust(s->conn));
}

void
session_count_failed(
    struct session *s, enum tlsrpt_result result, const char *information)
{
	struct tlsrpt_session to = { .result = result,
		.information = str_c(information) };
	struct domain *d = dest_first_domain(s->dest);

	metric_add(M_SEND_TLS_BAD, 1);
	if (d != NULL)
		count(s, d, &to);
}

/* Mode testing, and the policy would have forbidden it. */
static bool
is_misfit(const struct session *s, struct tlsrpt_session *to)
{
	enum sts_fit fit = dest_host(s->dest, s->host)->sts;

	if (s->need.level == TLS_LEVEL_DANE)
		return false;
	if (fit == STS_TESTING_MISFIT) {
		to->result = TLSRPT_VALIDATION_FAILURE;
		to->information = STR("the policy does not name this host");
		return true;
	}
	to->result = s->tls_result;
	return fit == STS_TESTING && conn_tls_distrust(s->conn) != NULL;
}

void
session_count_mail(struct session *s)
{
	struct tlsrpt_session to = { .result = TLSRPT_STARTTLS_NOT_SUPPORTED };

	if (s->mail->domain == s->counted)
		return;
	if (s->counted == NULL)
		metric_add(!conn_has_tls(s->conn)            ? M_SEND_TLS_NONE
			   : s->need.level == TLS_LEVEL_DANE ? M_SEND_TLS_DANE
			   : s->need.source == TLS_BY_STS    ? M_SEND_TLS_STS
							     : M_SEND_TLS_OTHER,
		    1);
	s->counted = s->mail->domain;
	/* Its failed handshake was counted. */
	if (s->is_without_tls)
		return;
	if (conn_has_tls(s->conn))
		to.is_good = !is_misfit(s, &to);
	count(s, s->mail->domain, &to);
}
