/* SPDX-License-Identifier: ISC */
/*
 * spf_record.h - the text of an SPF record, RFC 7208 sections 4.5 and 4.6.
 *
 * A record is read twice: once to the end, because a syntax error anywhere
 * in it is the answer (section 4.6), and then term by term as far as the
 * evaluation goes. So nothing but its text has to be kept.
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "proto/spf/spf_address.h"

/*
 * Bytes of a record, its strings joined; a longer one is an error. RFC 7208
 * section 3.4 asks for less than 512.
 */
#define SPF_RECORD_MAX 4096

enum spf_result {
	SPF_NONE,      /* nothing published, or no domain to ask for */
	SPF_NEUTRAL,   /* the publisher says nothing about this client */
	SPF_PASS,      /* the client may send for the domain */
	SPF_FAIL,      /* the client may not */
	SPF_SOFTFAIL,  /* probably not */
	SPF_TEMPERROR, /* could not be found out now */
	SPF_PERMERROR, /* what is published cannot be understood */
};

/* The word of RFC 8601 section 2.7.2: "pass" and so on. */
const char *spf_result_str(enum spf_result r);

enum spf_term_kind {
	SPF_TERM_ALL,
	SPF_TERM_INCLUDE,
	SPF_TERM_A,
	SPF_TERM_MX,
	SPF_TERM_PTR,
	SPF_TERM_IP4,
	SPF_TERM_IP6,
	SPF_TERM_EXISTS,
	SPF_TERM_REDIRECT,
	SPF_TERM_EXP,
	SPF_TERM_OTHER, /* a modifier that is not known: has no effect */
};

struct spf_term {
	enum spf_term_kind kind;
	enum spf_result qualifier; /* the result when a mechanism matches */
	struct str text;           /* as published, qualifier included */
	struct str spec;           /* domain-spec; empty where it is left out */
	struct spf_address network; /* of ip4 and ip6 */
	unsigned prefix4;           /* 0 to 32 */
	unsigned prefix6;           /* 0 to 128 */
};

/* Views into the text of the record. */
struct spf_record {
	struct str terms;    /* behind the version */
	struct str redirect; /* domain-spec; empty when there is none */
	struct str exp;      /* the same */
};

/* Does the text of a TXT record begin as an SPF record does (section 4.5)? */
bool spf_record_is_spf(struct str text);

/*
 * Read a whole record. NULL when all of it is right; else a sentence for
 * people (a constant), and *ret_term is the wrong term, or empty when the
 * record as a whole is meant. *ret is set when it is right, only then.
 */
const char *spf_record_parse(
    struct str text, struct spf_record *ret, struct str *ret_term) WARN_UNUSED;

/*
 * Take the next term of *terms, which are those of a right record. False
 * when there is none left.
 */
bool spf_record_next(struct str *terms, struct spf_term *ret) WARN_UNUSED;
