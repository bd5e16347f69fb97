/* SPDX-License-Identifier: ISC */
/* dns_records.c - which records a domain needs. See dns_records.h. */
#include "cli/dns/dns_records.h"

#include "base/crypt.h"
#include "base/hostname.h"
#include "cli/dkim_keys.h"
#include "conf/conf_public.h"
#include "net/idn.h"
#include "net/tls.h"
#include "proto/dkim/dkim_key.h"

#define STRING_MAX 255 /* RFC 1035 section 3.3 */

const char *
dns_purpose_name(enum dns_purpose p)
{
	static const char *const names[] = {
		[DNS_FOR_HOST] = "host",
		[DNS_FOR_MX] = "mx",
		[DNS_FOR_TLSA] = "tlsa",
		[DNS_FOR_SPF] = "spf",
		[DNS_FOR_DKIM] = "dkim",
		[DNS_FOR_DMARC] = "dmarc",
		[DNS_FOR_TLSRPT] = "tls-rpt",
		[DNS_FOR_MTASTS] = "mta-sts",
		[DNS_FOR_MTASTS_HOST] = "mta-sts-host",
		[DNS_FOR_AUTOCONFIG] = "autoconfig",
		[DNS_FOR_SRV] = "srv",
	};

	return names[p];
}

const char *
dns_type_name(enum dns_type t)
{
	switch (t) {
	case DNS_A:
		return "A";
	case DNS_NS:
		return "NS";
	case DNS_SOA:
		return "SOA";
	case DNS_CNAME:
		return "CNAME";
	case DNS_PTR:
		return "PTR";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_TLSA:
		return "TLSA";
	}
	return "?";
}

void
dns_records_done(struct dns_records *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].name);
		free(r->v[i].value);
		free(r->v[i].why);
		free(r->v[i].found);
	}
	free(r->v);
	free(r->domain);
	free(r->host);
	*r = (struct dns_records){ 0 };
}

/* Takes name and value, which are on the heap. */
static void
add(struct dns_records *r, enum dns_purpose purpose, enum dns_type type,
    char *name, char *value)
{
	struct dns_record *rec;

	r->v = x_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
	rec = &r->v[r->n++];
	*rec = (struct dns_record){ .purpose = purpose,
		.type = type,
		.name = name,
		.value = value,
		.why = x_strdup(""),
		.live = DNS_LIVE_UNKNOWN,
		.found = x_strdup(""),
		.is_elsewhere =
		    !hostname_is_under(str_c(name), str_c(r->domain)) };
}

/* What the record that was added last is for. */
static void
because(struct dns_records *r, char *why)
{
	free(r->v[r->n - 1].why);
	r->v[r->n - 1].why = why;
}

/* --- mail comes here ----------------------------------------------------------------- */

static void
add_incoming(struct dns_records *r, struct str certificate)
{
	unsigned char digest[TLS_KEY_DIGEST_BYTES];
	struct buf hex = BUF_INIT(KIB(1));

	add(r, DNS_FOR_HOST, DNS_A, x_strdup(r->host), x_strdup(""));
	because(r, x_asprintf("%s needs A and AAAA records with the addresses "
			      "of this machine,\nand these need PTR records "
			      "that lead back to it.",
		       r->host));
	add(r, DNS_FOR_MX, DNS_MX, x_strdup(r->domain),
	    x_asprintf("10 %s.", r->host));
	because(r, x_strdup("Mail to the domain goes to this host."));
	if (!tls_certificate_key_digest(certificate, digest))
		return;
	buf_put_c(&hex, "3 1 1 ");
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_printf(&hex, "%02X", digest[i]);
	add(r, DNS_FOR_TLSA, DNS_TLSA, x_asprintf("_25._tcp.%s", r->host),
	    x_strdup(buf_c(&hex)));
	because(r, x_strdup("DANE: the key of this host's certificate. Only "
			    "of use in a zone with\nDNSSEC; publish the next "
			    "key beside it before the key changes."));
	buf_done(&hex);
}

/* --- mail goes out -------------------------------------------------------------------- */

static void
add_spf(struct dns_records *r, const struct conf *c)
{
	struct buf spf = BUF_INIT(KIB(1));

	buf_put_c(&spf, "v=spf1 mx");
	if (c->send_source4[0])
		buf_printf(&spf, " ip4:%s", c->send_source4);
	if (c->send_source6[0])
		buf_printf(&spf, " ip6:%s", c->send_source6);
	buf_put_c(&spf, " ~all");
	add(r, DNS_FOR_SPF, DNS_TXT, x_strdup(r->domain),
	    x_strdup(buf_c(&spf)));
	because(r, x_strdup("SPF: who may send with this domain. Add whoever "
			    "else does, for example\n\"include:\" of a relay. "
			    "A domain has only one such record."));
	buf_done(&spf);
}

static void
add_key(void *arg, const struct msg_dkim_row *row)
{
	static const char *const states[] = {
		[DKIM_STATE_PUBLISHED] = "will sign later",
		[DKIM_STATE_ACTIVE] = "signs now",
		[DKIM_STATE_RETIRED] = "has signed mail that is under way",
		[DKIM_STATE_PENDING] =
		    "will sign later, when it was seen in DNS",
	};
	struct dns_records *r = arg;
	struct buf name = BUF_INIT(KIB(1));

	dkim_key_name(row->selector, str_c(r->domain), &name);
	add(r, DNS_FOR_DKIM, DNS_TXT, x_strdup(buf_c(&name)),
	    str_dup(row->record));
	because(r, x_asprintf("DKIM: key for signatures, %s; it %s.",
		       row->kind == CRYPT_RSA ? "RSA" : "Ed25519",
		       row->state < ARRAY_LEN(states) ? states[row->state]
						      : "exists"));
	buf_done(&name);
}

static void
add_policies(struct dns_records *r)
{
	add(r, DNS_FOR_DMARC, DNS_TXT, x_asprintf("_dmarc.%s", r->domain),
	    x_asprintf(
		"v=DMARC1; p=none; rua=mailto:mail-reports@%s", r->domain));
	because(r, x_strdup("DMARC: what others shall do with mail that fails "
			    "SPF and DKIM. Raise p\nto quarantine, then to "
			    "reject, when the reports show no other senders:"
			    "\n'mailstead feedback list --kind dmarc'."));
	add(r, DNS_FOR_TLSRPT, DNS_TXT, x_asprintf("_smtp._tls.%s", r->domain),
	    x_asprintf("v=TLSRPTv1; rua=mailto:mail-reports@%s", r->domain));
	because(r, x_strdup("TLS-RPT: others report here when TLS to this "
			    "host fails."));
}

/* In lines that end with LF alone, as texts for people do. */
static void
put_lines(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			buf_put_char(to, text.p[i]);
}

/* False: there can be no policy with the name of this host. */
static bool
add_mtasts(struct dns_records *r, const struct conf *c)
{
	struct buf policy = BUF_INIT(KIB(2)), lines = BUF_INIT(KIB(2));
	struct buf id = BUF_INIT(64);
	bool ok = conf_put_mtasts(c, &policy);

	conf_put_mtasts_id(buf_str(&policy), &id);
	put_lines(&lines, buf_str(&policy));
	add(r, DNS_FOR_MTASTS, DNS_TXT, x_asprintf("_mta-sts.%s", r->domain),
	    x_asprintf("v=STSv1; id=%s", buf_c(&id)));
	because(r,
	    x_asprintf("MTA-STS: others shall insist on TLS. Leave it out "
		       "unless\nhttps://mta-sts.%s/.well-known/mta-sts.txt "
		       "answers: role web does,\nwith listen.https on port 443 "
		       "and a certificate of that name. It says:\n%s",
		r->domain, buf_c(&lines)));
	add(r, DNS_FOR_MTASTS_HOST, DNS_CNAME,
	    x_asprintf("mta-sts.%s", r->domain), x_asprintf("%s.", r->host));
	because(r, x_strdup("The name by which others ask this host for the "
			    "policy."));
	buf_done(&id);
	buf_done(&lines);
	buf_done(&policy);
	return ok;
}

/* --- programs of users ------------------------------------------------------------------ */

static void
add_services(struct dns_records *r, const struct conf *c)
{
	for (size_t i = 0; i < CONF_CLIENT_SERVICES; i++) {
		const struct conf_client_service *s = &conf_client_services[i];
		uint16_t port = conf_public_port(c, s);

		/* A target of "." says that there is none (RFC 2782). */
		add(r, DNS_FOR_SRV, DNS_SRV,
		    x_asprintf("%s._tcp.%s", s->srv, r->domain),
		    port ? x_asprintf("%u 1 %u %s.", s->priority, port, r->host)
			 : x_strdup("0 0 0 ."));
		because(r, x_asprintf("Mail programs find %s%s.",
			       port ? "" : "that there is no ", s->what));
	}
	add(r, DNS_FOR_AUTOCONFIG, DNS_CNAME,
	    x_asprintf("autoconfig.%s", r->domain), x_asprintf("%s.", r->host));
	because(r, x_strdup("Thunderbird and others ask this name for\n"
			    "/mail/config-v1.1.xml: role web answers, with "
			    "listen.http or listen.https."));
}

static int
host_error(struct admin *a)
{
	return admin_error(a, ADMIN_USAGE,
	    "the domain or the name of this host cannot be in DNS");
}

int
dns_records_make(struct admin *a, struct str domain, const struct conf *c,
    struct str certificate, struct dns_records *ret)
{
	char name[DNS_NAME_MAX + 1], host[DNS_NAME_MAX + 1];
	int r;

	*ret = (struct dns_records){ 0 };
	if (!idn_to_ascii(domain, name, sizeof(name)) ||
	    !conf_public_host(c, host, sizeof(host)))
		return host_error(a);
	ret->domain = x_strdup(name);
	ret->host = x_strdup(host);
	add_incoming(ret, certificate);
	add_spf(ret, c);
	r = dkim_keys_each(a, domain, add_key, ret);
	add_policies(ret);
	if (!add_mtasts(ret, c))
		return host_error(a);
	add_services(ret, c);
	return r;
}

/* --- zone files ---------------------------------------------------------------------------- */

static void
put_string(struct str s, struct buf *to)
{
	buf_put_char(to, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch < ' ' || ch > '~')
			buf_printf(to, "\\%03u", ch);
		else if (ch == '"' || ch == '\\')
			buf_printf(to, "\\%c", ch);
		else
			buf_put_char(to, (char)ch);
	}
	buf_put_char(to, '"');
}

void
dns_record_put_value(const struct dns_record *r, struct buf *to)
{
	struct str rest = str_c(r->value);

	if (r->type != DNS_TXT) {
		buf_put_c(to, r->value);
		return;
	}
	put_string(str_first(rest, STRING_MAX), to);
	for (rest = str_from(rest, STRING_MAX); rest.n;
	     rest = str_from(rest, STRING_MAX)) {
		buf_put_char(to, ' ');
		put_string(str_first(rest, STRING_MAX), to);
	}
}
