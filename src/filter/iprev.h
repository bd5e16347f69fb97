/* SPDX-License-Identifier: ISC */
/*
 * iprev.h - has the client's address a name that leads back to the address?
 * (RFC 8601 section 3)
 *
 * Questions are asked by the caller, as in proto/spf. What the reverse zone
 * says comes from the client's owner: only its first names are looked at.
 */
#pragma once

#include "net/resolver.h"
#include "proto/spf/spf_address.h"

/* The same as for SPF's "ptr" (RFC 7208 section 4.6.4). */
#define IPREV_NAMES_MAX 10

/* Section 2.7.3. */
enum iprev_result {
	IPREV_PASS,
	IPREV_FAIL,      /* no name leads back */
	IPREV_TEMPERROR, /* could not be found out now */
	IPREV_PERMERROR, /* the address has no name */
};
const char *iprev_result_str(enum iprev_result r);

struct iprev {
	struct spf_address client;
	enum iprev_result result; /* when it is done */
	bool is_done;
	bool has_names;  /* the first question was answered */
	bool has_failed; /* a name could not be looked up */
	char (*names)[DNS_NAME_MAX + 1];
	size_t n, at; /* names[at] is the one that counts after a pass */
};

void iprev_start(struct iprev *p, const struct spf_address *client);
void iprev_done(struct iprev *p);
/* What to ask next; false when it is done. */
bool iprev_question(const struct iprev *p, enum dns_type *ret_type,
    char ret_name[DNS_NAME_MAX + 1]) WARN_UNUSED;
/* records: host names of PTR, bytes of addresses. */
void iprev_answer(struct iprev *p, enum dns_status status,
    const struct str *records, size_t n);
/* The time is over. */
void iprev_expire(struct iprev *p);
