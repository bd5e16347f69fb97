/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_report.h - TLS reports (RFC 8460 section 4): what happened to TLS
 * on the way to a domain in a day, as JSON.
 *
 * Compressing and sending are the caller's; the media type is
 * application/tlsrpt+json or +gzip.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Bytes of a report that is read; the tree of it takes fifty times that. */
#define TLSRPT_REPORT_MAX MIB(1)
/* Policies of a report; failures, policy strings and MX patterns of one. */
#define TLSRPT_POLICIES_MAX 1000
#define TLSRPT_LIST_MAX     1000

/* Section 4.3. */
enum tlsrpt_result {
	/* Not a word of the RFC: one that is not known. */
	TLSRPT_OTHER,
	TLSRPT_STARTTLS_NOT_SUPPORTED,
	TLSRPT_CERTIFICATE_HOST_MISMATCH,
	TLSRPT_CERTIFICATE_EXPIRED,
	TLSRPT_CERTIFICATE_NOT_TRUSTED,
	TLSRPT_VALIDATION_FAILURE,
	TLSRPT_TLSA_INVALID,
	TLSRPT_DNSSEC_INVALID,
	TLSRPT_DANE_REQUIRED,
	TLSRPT_STS_POLICY_FETCH_ERROR,
	TLSRPT_STS_POLICY_INVALID,
	TLSRPT_STS_WEBPKI_INVALID,
};

/* The word of the RFC: "certificate-expired"; "other" for TLSRPT_OTHER. */
const char *tlsrpt_result_str(enum tlsrpt_result r);

enum tlsrpt_policy_type {
	TLSRPT_NO_POLICY, /* also for a word that is not known */
	TLSRPT_TLSA,
	TLSRPT_STS,
};

/* "no-policy-found" and so on. */
const char *tlsrpt_policy_type_str(enum tlsrpt_policy_type t);

struct tlsrpt_text {
	struct str text;
	struct tlsrpt_text *next;
};

/* Sessions that failed in one way. Texts may be empty: not known. */
struct tlsrpt_failure {
	enum tlsrpt_result result;
	struct str sending_mta_ip;
	struct str receiving_mx_hostname;
	struct str receiving_mx_helo;
	struct str receiving_ip;
	uint64_t sessions;
	struct str additional_information;
	struct str reason_code;
	struct tlsrpt_failure *next;
};

struct tlsrpt_policy {
	enum tlsrpt_policy_type type;
	struct str domain;
	struct tlsrpt_text *strings;  /* the policy as it was applied */
	struct tlsrpt_text *mx_hosts; /* its patterns; of MTA-STS only */
	uint64_t successful;          /* sessions */
	uint64_t failed;
	struct tlsrpt_failure *failures;
	struct tlsrpt_policy *next;
};

struct tlsrpt_report {
	struct str organisation;
	struct str contact;
	struct str report_id;
	uint64_t begin; /* Unix time */
	uint64_t end;
	struct tlsrpt_policy *policies;
};

/*
 * Append the report as one line of JSON. Times have to be of years with four
 * digits. The buf's failed flag says whether it fitted.
 */
void tlsrpt_put_report(const struct tlsrpt_report *report, struct buf *to);

/*
 * The name of the file without an extension (section 5.1), which the caller
 * adds: "sender!domain!begin!end". Both names are host names.
 */
void tlsrpt_put_name(const struct tlsrpt_report *report, struct str sender,
    struct str domain, struct buf *to);
/*
 * The value of Subject (section 5.3); values of TLS-Report-Domain and
 * TLS-Report-Submitter are the two names.
 */
void tlsrpt_put_subject(const struct tlsrpt_report *report, struct str sender,
    struct str domain, struct buf *to);

/*
 * Read a report, decompressed. NULL when it was read: *ret is in the arena,
 * texts included. Else a sentence for people (a constant). A report has an
 * id, a time and policies; what else is absent is empty or 0. Texts are
 * hostile: line ends may be in them.
 */
const char *tlsrpt_read_report(struct str json, struct arena *arena,
    struct tlsrpt_report **ret) WARN_UNUSED;

/*
 * "2016-04-01T00:00:00Z" (RFC 3339): to and from Unix time. A fraction of a
 * second is dropped; the distance to UTC counts. Years 1970 to 9999.
 */
void tlsrpt_put_time(uint64_t t, struct buf *to);
bool tlsrpt_parse_time(struct str text, uint64_t *ret) WARN_UNUSED;
