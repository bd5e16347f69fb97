/* SPDX-License-Identifier: ISC */
/*
 * dmarc_report.h - aggregate reports (RFC 7489 section 7.2, appendix C).
 *
 * What we write follows the schema of appendix C. What we read may come from
 * anybody, and follows it more or less: elements that are not known are
 * passed over, and a word that is not known counts as the first of its kind,
 * but numbers have to be numbers, and the XML has to be right.
 *
 * Compressing and mailing are the caller's.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "proto/dmarc/dmarc.h"

/* Bytes of a report that is read; rows in it; bytes of one text. */
#define DMARC_REPORT_MAX      MIB(16)
#define DMARC_REPORT_ROWS_MAX 100000
#define DMARC_REPORT_TEXT_MAX KIB(2)
/* Errors of a report; reasons, DKIM and SPF results of a row. */
#define DMARC_REPORT_LIST_MAX 100

enum dmarc_reason {
	DMARC_REASON_OTHER,
	DMARC_REASON_FORWARDED,
	DMARC_REASON_SAMPLED_OUT,
	DMARC_REASON_TRUSTED_FORWARDER,
	DMARC_REASON_MAILING_LIST,
	DMARC_REASON_LOCAL_POLICY,
};

enum dmarc_dkim_result {
	DMARC_DKIM_NONE,
	DMARC_DKIM_PASS,
	DMARC_DKIM_FAIL,
	DMARC_DKIM_POLICY,
	DMARC_DKIM_NEUTRAL,
	DMARC_DKIM_TEMPERROR,
	DMARC_DKIM_PERMERROR,
};

enum dmarc_spf_result {
	DMARC_SPF_NONE,
	DMARC_SPF_NEUTRAL,
	DMARC_SPF_PASS,
	DMARC_SPF_FAIL,
	DMARC_SPF_SOFTFAIL,
	DMARC_SPF_TEMPERROR,
	DMARC_SPF_PERMERROR,
};

enum dmarc_spf_scope {
	DMARC_SCOPE_MFROM,
	DMARC_SCOPE_HELO,
};

/* Why something else was done than the policy says. */
struct dmarc_report_reason {
	enum dmarc_reason type;
	struct str comment;
	struct dmarc_report_reason *next;
};

struct dmarc_report_dkim {
	struct str domain;
	struct str selector;
	enum dmarc_dkim_result result;
	struct str human_result;
	struct dmarc_report_dkim *next;
};

struct dmarc_report_spf {
	struct str domain;
	enum dmarc_spf_scope scope;
	enum dmarc_spf_result result;
	struct dmarc_report_spf *next;
};

/* Messages from one address that had the same results. */
struct dmarc_report_row {
	struct str source_ip; /* as text */
	uint64_t count;
	enum dmarc_policy disposition;
	bool is_dkim_pass; /* passed and aligned */
	bool is_spf_pass;
	struct dmarc_report_reason *reasons;
	struct str envelope_to;
	struct str envelope_from;
	struct str header_from;
	struct dmarc_report_dkim *dkim;
	struct dmarc_report_spf *spf;
	struct dmarc_report_row *next;
};

struct dmarc_report_error {
	struct str text;
	struct dmarc_report_error *next;
};

struct dmarc_report {
	struct str org_name; /* who reports */
	struct str email;
	struct str extra_contact_info;
	struct str report_id;
	uint64_t begin; /* Unix time */
	uint64_t end;
	struct dmarc_report_error *errors;
	/* The policy that was found. */
	struct str domain;
	enum dmarc_alignment adkim;
	enum dmarc_alignment aspf;
	enum dmarc_policy p;
	enum dmarc_policy sp;
	uint64_t pct;
	struct str fo;
	struct dmarc_report_row *rows;
	size_t n_rows;
};

/* Their words, by number; for the writer, the reader, and other output. */
const char *dmarc_reason_str(enum dmarc_reason r);
const char *dmarc_dkim_result_str(enum dmarc_dkim_result r);
const char *dmarc_spf_result_str(enum dmarc_spf_result r);

/*
 * Write in parts, so that rows need not all be in memory: the beginning (all
 * but the rows), each row, the end. Texts are escaped; empty ones that may be
 * absent are left out. The buf's failed flag says whether it fitted.
 */
void dmarc_report_begin(const struct dmarc_report *report, struct buf *to);
void dmarc_report_put_row(const struct dmarc_report_row *row, struct buf *to);
void dmarc_report_end(struct buf *to);

/*
 * The name of the file without an extension (section 7.2.1.1), which the
 * caller adds: "receiver!domain!begin!end". The names are host names.
 */
void dmarc_report_put_name(
    const struct dmarc_report *report, struct str receiver, struct buf *to);
/* The value of Subject; submitter is the domain that reports. */
void dmarc_report_put_subject(
    const struct dmarc_report *report, struct str submitter, struct buf *to);

/*
 * Read a report, decompressed. NULL when it was read: *ret is in the arena,
 * texts included. Else a sentence for people (a constant): it is none, a
 * limit was passed, or the arena is full. A report has a domain, an id, and a
 * time; it may have no rows. Texts are hostile: line ends may be in them.
 */
const char *dmarc_report_read(
    struct str xml, struct arena *arena, struct dmarc_report **ret) WARN_UNUSED;
