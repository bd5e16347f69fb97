/* SPDX-License-Identifier: ISC */
/* iprev.c - the client's name, forth and back. See iprev.h. */
#include "filter/iprev.h"

static const char *const results[] = {
	[IPREV_PASS] = "pass",
	[IPREV_FAIL] = "fail",
	[IPREV_TEMPERROR] = "temperror",
	[IPREV_PERMERROR] = "permerror",
};

const char *
iprev_result_str(enum iprev_result r)
{
	return results[r];
}

void
iprev_start(struct iprev *p, const struct spf_address *client)
{
	*p = (struct iprev){ .client = *client };
}

void
iprev_done(struct iprev *p)
{
	free(p->names);
	p->names = NULL;
	p->n = 0;
}

/* RFC 1035 section 3.5, RFC 3596 section 2.5. */
static void
reverse_name(const struct spf_address *a, char to[DNS_NAME_MAX + 1])
{
	size_t at = 0;

	if (!a->is_v6) {
		snprintf(to, DNS_NAME_MAX + 1, "%u.%u.%u.%u.in-addr.arpa",
		    a->bytes[3], a->bytes[2], a->bytes[1], a->bytes[0]);
		return;
	}
	for (size_t i = sizeof(a->bytes); i-- > 0;)
		at += (size_t)snprintf(to + at, DNS_NAME_MAX + 1 - at, "%x.%x.",
		    a->bytes[i] & 15U, a->bytes[i] >> 4);
	snprintf(to + at, DNS_NAME_MAX + 1 - at, "ip6.arpa");
}

bool
iprev_question(const struct iprev *p, enum dns_type *ret_type,
    char ret_name[DNS_NAME_MAX + 1])
{
	if (p->is_done)
		return false;
	if (!p->has_names) {
		*ret_type = DNS_PTR;
		reverse_name(&p->client, ret_name);
	} else {
		*ret_type = p->client.is_v6 ? DNS_AAAA : DNS_A;
		memcpy(ret_name, p->names[p->at], DNS_NAME_MAX + 1);
	}
	return true;
}

static void
end(struct iprev *p, enum iprev_result r)
{
	p->is_done = true;
	p->result = r;
}

static void
take_names(struct iprev *p, const struct str *records, size_t n)
{
	p->has_names = true;
	p->names = x_calloc(IPREV_NAMES_MAX, sizeof(*p->names));
	for (size_t i = 0; i < n && p->n < IPREV_NAMES_MAX; i++) {
		if (records[i].n == 0 || records[i].n > DNS_NAME_MAX)
			continue;
		memcpy(p->names[p->n], records[i].p, records[i].n);
		p->names[p->n++][records[i].n] = '\0';
	}
	if (p->n == 0)
		end(p, IPREV_PERMERROR);
}

static bool
has_client(const struct iprev *p, const struct str *records, size_t n)
{
	struct str want = str_make(p->client.bytes, p->client.is_v6 ? 16 : 4);

	for (size_t i = 0; i < n; i++)
		if (str_eq(records[i], want))
			return true;
	return false;
}

void
iprev_answer(struct iprev *p, enum dns_status status, const struct str *records,
    size_t n)
{
	bool is_lost = status == DNS_TEMPFAIL || status == DNS_BOGUS;

	ASSERT(!p->is_done);
	if (status != DNS_FOUND)
		n = 0;
	if (!p->has_names) {
		if (is_lost)
			end(p, IPREV_TEMPERROR);
		else
			take_names(p, records, n);
		return;
	}
	if (has_client(p, records, n)) {
		end(p, IPREV_PASS);
		return;
	}
	p->has_failed |= is_lost;
	if (++p->at == p->n)
		end(p, p->has_failed ? IPREV_TEMPERROR : IPREV_FAIL);
}

void
iprev_expire(struct iprev *p)
{
	if (!p->is_done)
		end(p, IPREV_TEMPERROR);
}
