/* SPDX-License-Identifier: ISC */
/*
 * dmarc.h - DMARC (RFC 7489): find the policy of an author's domain, and say
 * what becomes of a message.
 *
 * The caller does the look-ups:
 *
 *	dmarc_discovery_start(&d, from_domain, suffixes);
 *	while (dmarc_discovery_question(&d, &name))
 *		... look up TXT of name, dmarc_discovery_answer(&d, ...)
 *	dmarc_evaluate(&d, &message, &verdict);
 *
 * once for each domain in From; dmarc_strictest() chooses between several.
 * SPF and DKIM are judged elsewhere; only their results come here.
 *
 * Layer: proto. No I/O, no clock; chance is an argument.
 */
#pragma once

#include "base/hostname.h"
#include "base/suffixes.h"
#include "proto/dmarc/dmarc_record.h"

/* Domains in From that are worth a look-up; more is an abuse of it. */
#define DMARC_FROM_MAX 4

enum dmarc_found {
	DMARC_FOUND_NONE, /* no policy: DMARC says nothing */
	DMARC_FOUND_RECORD,
	DMARC_FOUND_BROKEN, /* several records, or one without any use */
	DMARC_FOUND_FAILED, /* the DNS could not tell: ask again later */
};

enum dmarc_answer {
	DMARC_ANSWER_RECORDS,  /* TXT records; may be none of DMARC's */
	DMARC_ANSWER_NOTHING,  /* no such name, or no TXT there */
	DMARC_ANSWER_TEMPFAIL, /* time-out, SERVFAIL, bogus */
};

/* Text of the record is in it: not to be copied. */
struct dmarc_discovery {
	const struct suffixes *suffixes;
	struct str domain;       /* the author's */
	struct str organisation; /* the organisational domain of it */
	struct str at;           /* of these two, where it looks or has found */
	enum dmarc_found found;
	struct dmarc_record record; /* when it was found */
	bool is_done;
	char name[HOSTNAME_MAX];
	char text[DMARC_RECORD_MAX];
};

/*
 * Start. The domain, ASCII and without a dot at its end, and the list are
 * borrowed as long as d is used. A domain that is no host name has no policy.
 */
void dmarc_discovery_start(struct dmarc_discovery *d, struct str domain,
    const struct suffixes *suffixes);
/* The name to ask for TXT records of, or false when it is done. */
bool dmarc_discovery_question(
    struct dmarc_discovery *d, struct str *ret_name) WARN_UNUSED;
/* Answer it; the records are copied as far as they are needed. */
void dmarc_discovery_answer(struct dmarc_discovery *d, enum dmarc_answer answer,
    const struct str *records, size_t n);

enum dmarc_auth {
	DMARC_AUTH_FAIL, /* and all that is no pass */
	DMARC_AUTH_PASS,
	DMARC_AUTH_TEMPERROR,
};

/* A domain that SPF or a DKIM signature speaks for. */
struct dmarc_identifier {
	struct str domain;
	enum dmarc_auth result;
};

struct dmarc_message {
	struct dmarc_identifier spf; /* of MAIL FROM; of HELO for <> */
	const struct dmarc_identifier *dkim;
	size_t n_dkim;
	unsigned chance; /* 0 to 99, at random: for pct */
};

enum dmarc_result {
	DMARC_NONE,
	DMARC_PASS,
	DMARC_FAIL,
	DMARC_TEMPERROR,
	DMARC_PERMERROR,
};

/* The word of RFC 7489 section 11.2: "pass" and so on. */
const char *dmarc_result_str(enum dmarc_result r);

struct dmarc_verdict {
	enum dmarc_result result;
	enum dmarc_policy policy;      /* that is published for this domain */
	enum dmarc_policy disposition; /* what is to be done */
	bool is_spf_aligned;           /* SPF passed, and for this author */
	bool is_dkim_aligned;          /* a signature did */
	bool is_subdomain;             /* the policy is that of sp */
	bool is_sampled_out; /* pct made the disposition milder than policy */
};

/*
 * Judge a message. Disposition is for DMARC_FAIL; for all other results it
 * is DMARC_POLICY_NONE. When nothing passes that is aligned and something
 * that is could not be checked, the result is DMARC_TEMPERROR.
 */
void dmarc_evaluate(const struct dmarc_discovery *d,
    const struct dmarc_message *m, struct dmarc_verdict *ret);

/* Are the two the same for this alignment (section 3.1)? */
bool dmarc_is_aligned(const struct suffixes *suffixes,
    enum dmarc_alignment alignment, struct str author, struct str other);

/*
 * Which of n verdicts, one for each domain in From, counts (section 6.6.1):
 * the one with the strictest disposition. n is at least 1.
 */
size_t dmarc_strictest(const struct dmarc_verdict *verdicts, size_t n);

/*
 * The part about DMARC of an Authentication-Results field (RFC 7489 section
 * 11.1) in one line: "dmarc=fail (p=reject dis=none) header.from=a.example".
 * Without a domain, from is empty.
 */
void dmarc_put_auth_result(
    const struct dmarc_verdict *v, struct str from, struct buf *out);
/*
 * What is in its brackets, for whoever writes the field in parts. Only for a
 * pass or a failure; else nothing.
 */
void dmarc_put_comment(const struct dmarc_verdict *v, struct buf *out);

/*
 * Reports about one domain that go to another's mailbox are sent only when
 * that domain says that it takes them (section 7.1). Is there something to
 * ask? *ret_name, in name, is whose TXT records are asked for; one of them
 * that passes dmarc_external_parse() is a yes. A name that gets too long is
 * DMARC_EXTERNAL_REFUSED: it cannot be published.
 */
enum dmarc_external {
	DMARC_EXTERNAL_OWN, /* the same organisation: nothing to ask */
	DMARC_EXTERNAL_ASK,
	DMARC_EXTERNAL_REFUSED,
};
enum dmarc_external dmarc_external_question(const struct suffixes *suffixes,
    struct str policy_domain, struct str destination, char name[HOSTNAME_MAX],
    struct str *ret_name) WARN_UNUSED;
