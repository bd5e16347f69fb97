/* SPDX-License-Identifier: ISC */
/*
 * feedback.h - what others reported to us, as it is kept: rows of the ledger's
 * table FEEDBACK.
 *
 *   dmarc/DOMAIN/YYYYMMDD/HASH/NN    an aggregate report (RFC 7489)
 *   tls/DOMAIN/YYYYMMDD/HASH/NN      a TLS report (RFC 8460)
 *   abuse/ACCOUNT/YYYYMMDD/HASH/00   a complaint (ARF, RFC 5965); DOMAIN
 *                                    when its account is not known
 *
 * HASH is made of who reports and the report's id, so that the same report
 * has the same keys, however often it comes. A report may need several rows;
 * each has the head. Texts are a stranger's claims, cut to a maximum.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/wire.h"

#define FEEDBACK_VERSION   1
#define FEEDBACK_TEXT_MAX  253
#define FEEDBACK_VALUE_MAX KIB(50) /* a row ends behind it */
#define FEEDBACK_KEY_MAX   160

enum feedback_kind {
	FEEDBACK_DMARC,
	FEEDBACK_TLS,
	FEEDBACK_ABUSE,
};

struct feedback_head {
	enum feedback_kind kind;
	struct str domain;   /* ours, that it is about */
	struct str reporter; /* who reports */
	struct str contact;
	struct str report_id;
	uint64_t begin, end; /* the time that it is about */
	uint64_t received;
	struct str policy; /* that was found: "reject" */
};

/* Messages of one source that had the same results. An empty source stands
 * for all that did not fit. */
struct feedback_dmarc {
	struct str source;
	uint64_t count;
	struct str disposition; /* "none", "quarantine", "reject" */
	bool is_dkim_aligned, is_spf_aligned;
	struct str header_from, envelope_from;
	struct str dkim_domain, dkim_selector, dkim_result;
	struct str spf_domain, spf_result;
};

/* Sessions under one policy (result empty: those that went well, and all that
 * did not), or those of them that failed in one way. */
struct feedback_tls {
	struct str policy; /* "sts", "tlsa", "no-policy-found" */
	struct str result; /* "certificate-expired", ... */
	uint64_t successful, failed;
	struct str sending_ip, mx, detail;
};

struct feedback_abuse {
	struct str type; /* "abuse", "fraud", ... */
	uint32_t incidents;
	struct str login; /* of the account that sent it, when it is known */
	uint64_t account;
	struct str trace; /* of the message */
	struct str source, mail_from, rcpt, message_id, subject, user_agent;
};

struct feedback_item {
	union {
		struct feedback_dmarc dmarc;
		struct feedback_tls tls;
		struct feedback_abuse abuse;
	} u; /* by the kind of the head */
};

/* "dmarc", "tls", "abuse" */
const char *feedback_kind_str(enum feedback_kind kind);
bool feedback_kind_parse(struct str name, enum feedback_kind *ret) WARN_UNUSED;

/* What the keys of all reports about an owner begin with. */
void feedback_put_prefix(
    struct buf *b, enum feedback_kind kind, struct str owner);
/* The key of row number of a report; owner: its domain, or an account. */
void feedback_put_key(struct buf *b, const struct feedback_head *head,
    struct str owner, unsigned number);

/* A value: the head, then items, back to back. Texts are cut. */
void feedback_put_head(struct buf *b, const struct feedback_head *head);
void feedback_put_item(
    struct buf *b, enum feedback_kind kind, const struct feedback_item *item);

/* False: it is no such value. *ret_items is where the items begin. */
bool feedback_read_head(struct str value, struct feedback_head *ret,
    struct wire *ret_items) WARN_UNUSED;
/* False at the end, and when the rest cannot be read (items->failed). */
bool feedback_read_item(struct wire *items, enum feedback_kind kind,
    struct feedback_item *ret) WARN_UNUSED;
