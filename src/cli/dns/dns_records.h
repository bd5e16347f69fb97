/* SPDX-License-Identifier: ISC */
/*
 * dns_records.h - the DNS records that a domain needs for its mail.
 *
 * Made from the configuration, the certificate and the domain's DKIM keys. How
 * they are printed and compared with what is in DNS is the business of
 * cmd_dns.c and dns_check.c.
 */
#pragma once

#include "base/buf.h"
#include "cli/admin.h"
#include "conf/conf.h"
#include "net/resolver.h"

/* What a record is for, which also says how a live one is compared. */
enum dns_purpose {
	DNS_FOR_HOST, /* addresses of the host: not ours to know */
	DNS_FOR_MX,
	DNS_FOR_TLSA,
	DNS_FOR_SPF,
	DNS_FOR_DKIM,
	DNS_FOR_DMARC,
	DNS_FOR_TLSRPT,
	DNS_FOR_MTASTS,
	DNS_FOR_MTASTS_HOST,
	DNS_FOR_AUTOCONFIG,
	DNS_FOR_SRV,
};

struct dns_record {
	enum dns_purpose purpose;
	enum dns_type type;
	char *name;  /* absolute, without the dot at its end */
	char *value; /* of a TXT record its text, else as in a zone file */
	char *why;   /* for people; lines end with line feeds but the last */
	bool is_elsewhere; /* its name is not below the domain */
	/* Set by dns_check(). */
	enum dns_live {
		DNS_LIVE_OK,
		DNS_LIVE_MISSING,
		DNS_LIVE_DIFFERS,
		DNS_LIVE_UNKNOWN, /* could not be looked up */
	} live;
	char *found; /* what is there, or why it is not known; "" */
};

struct dns_records {
	char *domain; /* in ASCII */
	char *host;
	struct dns_record *v;
	size_t n, cap;
};

/* "mx", "dkim", ...; "TXT", ... */
const char *dns_purpose_name(enum dns_purpose p);
const char *dns_type_name(enum dns_type t);

/*
 * Make the records of a domain (in its one form). certificate: PEM text, may
 * be empty. An exit code; the caller ends *ret in any case.
 */
int dns_records_make(struct admin *a, struct str domain, const struct conf *c,
    struct str certificate, struct dns_records *ret) WARN_UNUSED;
void dns_records_done(struct dns_records *r);

/* The value as in a zone file: strings of at most 255 bytes, in quotes. */
void dns_record_put_value(const struct dns_record *r, struct buf *to);

/* Does this data do what rec is for? found: bytes, but of TXT the text. */
bool dns_record_fits(const struct dns_record *rec, struct str found);
/* How TXT records of a kind begin, of which a name has exactly one; others may
 * stand at the same name. Empty: there is no such rule. */
struct str dns_only_begin(enum dns_purpose p);

/*
 * Look all of them up and set live and found. False with *ret_error (heap)
 * when nothing could be looked up at all.
 */
bool dns_check(
    struct dns_records *r, const struct conf *c, char **ret_error) WARN_UNUSED;
