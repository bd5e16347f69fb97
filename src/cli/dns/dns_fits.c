/* SPDX-License-Identifier: ISC */
/*
 * dns_fits.c - does a record that is there do what a wanted one is for?
 *
 * Not every record has to be as we would write it: a domain may have other MX
 * hosts besides, a stricter DMARC policy, more in its SPF record. What is
 * compared is what mail depends on.
 */
#include "cli/dns/dns_data.h"
#include "cli/dns/dns_records.h"
#include "proto/dkim/dkim_same.h"

/* Are all words of a wanted SPF record in the one that is there, but for its
 * end, which is the domain's decision? */
static bool
spf_fits(struct str wanted, struct str found)
{
	struct str word, rest, have;

	while (wanted.n) {
		bool is_there = false;

		wanted = str_split(wanted, ' ', &word);
		for (rest = found; rest.n && !is_there;) {
			rest = str_split(rest, ' ', &have);
			if (have.n && have.p[0] == '+')
				have = str_from(have, 1);
			is_there = str_eq_case(have, word);
		}
		if (!is_there && !str_eq(word, STR("~all")))
			return false;
	}
	return true;
}

/* The end of a zone file's value, a name with its dot, or just ".". */
static struct str
target_of(const struct dns_record *rec)
{
	struct str value = str_c(rec->value);
	ptrdiff_t at = str_rfind(value, ' ');

	value = str_from(value, (size_t)(at + 1));
	return str_first(value, value.n - 1);
}

/* The third number of an SRV record. */
static uint32_t
port_of(const struct dns_record *rec)
{
	struct str rest = str_c(rec->value), word = STR_NONE;
	uint32_t port = 0;

	for (int i = 0; i < 3; i++)
		rest = str_split(rest, ' ', &word);
	return str_to_u32(word, UINT16_MAX, &port) ? port : 0;
}

static bool
srv_fits(const struct dns_record *rec, struct str found)
{
	char host[DNS_NAME_MAX + 1];
	uint16_t port;

	return dns_read_srv(found, &port, host) &&
	       str_eq_case(str_c(host), target_of(rec)) &&
	       (port == port_of(rec) || host[0] == '\0');
}

static bool
tlsa_fits(const struct dns_record *rec, struct str found)
{
	struct buf text = BUF_INIT(KIB(4));
	bool fits;

	dns_data_put_text(DNS_TLSA, found, &text);
	fits = str_eq(buf_str(&text), str_c(rec->value));
	buf_done(&text);
	return fits;
}

bool
dns_record_fits(const struct dns_record *rec, struct str found)
{
	char host[DNS_NAME_MAX + 1];
	uint16_t preference;

	switch (rec->purpose) {
	case DNS_FOR_HOST:
		return true;
	case DNS_FOR_MX:
		return dns_read_mx(found, &preference, host) &&
		       str_eq_case(str_c(host), target_of(rec));
	case DNS_FOR_TLSA:
		return tlsa_fits(rec, found);
	case DNS_FOR_SPF:
		return spf_fits(str_c(rec->value), found);
	case DNS_FOR_DKIM:
		return dkim_is_same(str_c(rec->value), found);
	case DNS_FOR_DMARC:
		return str_search(found, STR("p=")) > 0;
	case DNS_FOR_TLSRPT:
		return str_search(found, STR("rua=")) > 0;
	case DNS_FOR_MTASTS:
		return str_search(found, STR("id=")) > 0;
	case DNS_FOR_SRV:
		return srv_fits(rec, found);
	case DNS_FOR_MTASTS_HOST:
	case DNS_FOR_AUTOCONFIG:
		return true; /* judged by judge_host() */
	}
	return false;
}

struct str
dns_only_begin(enum dns_purpose p)
{
	return p == DNS_FOR_SPF      ? STR("v=spf1")
	       : p == DNS_FOR_DMARC  ? STR("v=DMARC1")
	       : p == DNS_FOR_TLSRPT ? STR("v=TLSRPTv1")
	       : p == DNS_FOR_MTASTS ? STR("v=STSv1")
	                             : STR("");
}
