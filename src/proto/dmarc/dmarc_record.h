/* SPDX-License-Identifier: ISC */
/*
 * dmarc_record.h - the policy that a domain publishes (RFC 7489 section 6.3).
 *
 * Forgiving as the RFC asks for: a tag that cannot be understood, or is there
 * twice, is as if it were not there, so that one slip does not switch the
 * protection off. The version alone has to be exact.
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "base/buf.h"

/* Bytes of a record, its strings joined; a longer one is not looked at. */
#define DMARC_RECORD_MAX 4096

/* In the order of strictness. */
enum dmarc_policy {
	DMARC_POLICY_NONE,
	DMARC_POLICY_QUARANTINE,
	DMARC_POLICY_REJECT,
};

/* The word of the record: "none" and so on. */
const char *dmarc_policy_str(enum dmarc_policy p);

enum dmarc_alignment {
	DMARC_RELAXED, /* the same organisational domain is enough */
	DMARC_STRICT,  /* the same domain */
};

/* When failure reports are wanted (tag fo); a set of bits. */
enum dmarc_failure {
	DMARC_FAILURE_ALL = 1 << 0,  /* 0: nothing passed and aligned */
	DMARC_FAILURE_ANY = 1 << 1,  /* 1: something did not */
	DMARC_FAILURE_DKIM = 1 << 2, /* d: a signature failed */
	DMARC_FAILURE_SPF = 1 << 3,  /* s: SPF failed */
};

struct dmarc_record {
	enum dmarc_policy policy;           /* p */
	enum dmarc_policy subdomain_policy; /* sp; as p when it is absent */
	bool has_subdomain_policy;
	enum dmarc_alignment dkim; /* adkim */
	enum dmarc_alignment spf;  /* aspf */
	unsigned failure;          /* fo: enum dmarc_failure */
	uint32_t percent;          /* pct: 0 to 100 */
	uint32_t interval_s;       /* ri */
	struct str rua;            /* lists for dmarc_next_uri() */
	struct str ruf;
};

/* Does the text of a TXT record begin with the version: v=DMARC1? */
bool dmarc_is_record(struct str text);

/*
 * Read a record that dmarc_is_record(). Strings point into text. A record
 * without a right p, or with a wrong sp, is one of p=none when somebody is
 * to get reports (section 6.6.3); false, *ret untouched, when nobody is.
 */
bool dmarc_record_parse(struct str text, struct dmarc_record *ret) WARN_UNUSED;

/*
 * The record with which somebody takes reports about other domains (section
 * 7.1). False when text is none; else *ret_rua is the list that goes in the
 * place of the published one, or empty.
 */
bool dmarc_external_parse(struct str text, struct str *ret_rua) WARN_UNUSED;

struct dmarc_uri {
	struct str uri;     /* as it is published, without the limit */
	uint64_t max_bytes; /* of a report; 0 is no limit */
};

/*
 * Take the next URI of *list (section 6.4), and pass over what is none.
 * False at the end. How many get reports is for the caller to limit, to
 * two or more.
 */
bool dmarc_next_uri(struct str *list, struct dmarc_uri *ret) WARN_UNUSED;

/*
 * Append the address of a mailto: URI. False, and nothing is appended, for
 * other schemes and for what does not make a plain address: a name of atoms
 * at a host name. *ret_domain is the host in it, and points into to.
 */
bool dmarc_uri_mailbox(
    struct str uri, struct buf *to, struct str *ret_domain) WARN_UNUSED;
