/* SPDX-License-Identifier: ISC */
/*
 * spf.h - may this client send mail for this domain? check_host() of RFC 7208.
 *
 * The evaluation asks its DNS questions to the caller and goes on with the
 * answers, so it needs no resolver, waits for nothing and can be replayed:
 *
 *   check = spf_start(&request);
 *   while (spf_step(check, &question) == SPF_ASK)
 *           spf_answer(check, &what_the_resolver_said);
 *   ... spf_verdict(check) ...
 *   spf_free(check);
 *
 * Records come from whoever sends mail, so all work is bounded: at most
 * SPF_QUESTIONS_MAX questions, and memory for SPF_LOOKUPS_MAX + 1 records.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/spf/spf_record.h"

/* Limits of RFC 7208 section 4.6.4. Going over the first three is permerror. */
#define SPF_LOOKUPS_MAX 10 /* terms, and %{p}, that need the DNS */
#define SPF_VOIDS_MAX   2  /* terms whose own question has no answer */
#define SPF_MX_MAX      10 /* mail exchangers of one "mx" */
#define SPF_PTR_MAX     10 /* host names of the client; the rest is ignored */

/* The first record, ten times "mx", the client's names, the explanation. */
#define SPF_QUESTIONS_MAX \
	(1 + SPF_LOOKUPS_MAX * (1 + SPF_MX_MAX) + (1 + SPF_PTR_MAX) + 1)

/* Bytes of an explanation; a longer one counts as none. */
#define SPF_EXPLANATION_MAX 1024
#define SPF_LOCAL_MAX       255 /* bytes before "@" */
#define SPF_HELO_MAX        255

enum spf_identity {
	SPF_MAIL_FROM, /* section 2.4 */
	SPF_HELO,      /* section 2.3 */
};

struct spf_request {
	struct spf_address client; /* mapped IPv4 is taken for IPv4 */
	enum spf_identity identity;
	struct str helo;
	/*
	 * The reverse-path without its brackets, domain in A-labels
	 * (RFC 8616). When it is empty, or the identity is HELO, the sender
	 * is postmaster at the HELO name.
	 */
	struct str mail_from;
	struct str receiver; /* name of this server, for %{r} and reports */
	uint64_t now;        /* seconds since 1970, for %{t} */
};

enum spf_type {
	SPF_TYPE_TXT,
	SPF_TYPE_A,
	SPF_TYPE_AAAA,
	SPF_TYPE_MX,
	SPF_TYPE_PTR,
};
const char *spf_type_str(enum spf_type t);

/*
 * name has no dot at the end, labels of 1 to 63 bytes of printable ASCII and
 * at most 253 in all. It has no escapes: hand it to a resolver that reads
 * the presentation form by spf_question_put_name(). It lives until the
 * answer is given.
 */
struct spf_question {
	enum spf_type type;
	struct str name;
};

/* The name in the presentation form of RFC 1035 section 5.1. */
void spf_question_put_name(const struct spf_question *q, struct buf *out);

enum spf_dns {
	SPF_DNS_FOUND,  /* records; CNAMEs have been followed */
	SPF_DNS_NONE,   /* no such name, or no record of this type there */
	SPF_DNS_FAILED, /* time-out, SERVFAIL, any other error */
};

/*
 * records: for TXT the strings of each record joined (section 3.3), for A
 * and AAAA the 4 or 16 bytes, for MX and PTR the name as text. FOUND with no
 * records is the same as NONE. Nothing is kept after spf_answer().
 */
struct spf_answer {
	enum spf_dns status;
	const struct str *records;
	size_t n;
};

enum spf_step {
	SPF_ASK,  /* *ret_question is set: the next call is spf_answer() */
	SPF_DONE, /* the verdict is there */
};

struct spf_check;

/* Begin. Everything that is needed of the request is copied. */
struct spf_check *spf_start(const struct spf_request *request);
void spf_free(struct spf_check *check);

/* Go on. Without an answer in between, the same question comes again. */
enum spf_step spf_step(
    struct spf_check *check, struct spf_question *ret_question) WARN_UNUSED;
/* Only after SPF_ASK. */
void spf_answer(struct spf_check *check, const struct spf_answer *answer);

/*
 * The caller's time is over (section 4.6.4, last paragraph): temperror, or,
 * when only the explanation was missing, the result without it. The next
 * step is SPF_DONE.
 */
void spf_expire(struct spf_check *check);

/* Views; they live as long as the check. */
struct spf_verdict {
	enum spf_result result;
	/*
	 * The mechanism that decided, without its qualifier, "default" when
	 * none matched. Empty for none, temperror and permerror.
	 */
	struct str mechanism;
	/* What the domain wants to be told to the sender of a failed mail
	 * (section 6.2): one line, foreign words. Empty when there is none. */
	struct str explanation;
	struct str domain;   /* whose record decided, or was the problem */
	const char *problem; /* none, temperror, permerror: why. Else NULL */
	struct str term;     /* where the problem is; can be empty */
	enum spf_identity identity; /* what has been checked in the end */
	struct str sender;          /* the mailbox that was checked */
	bool used_local_part;       /* %{s} or %{l} took part in it */
	unsigned questions;         /* asked so far */
	unsigned lookups;           /* of SPF_LOOKUPS_MAX */
	unsigned voids;             /* of SPF_VOIDS_MAX */
};

/* Only after SPF_DONE. */
const struct spf_verdict *spf_verdict(const struct spf_check *check);
