/* SPDX-License-Identifier: ISC */
/*
 * dsn_parse.h - reports that others sent us: delivery status notifications
 * (RFC 3464, RFC 6533) and abuse reports (ARF: RFC 5965, RFC 6591).
 *
 * The input is the body of the part message/delivery-status, message/global-
 * delivery-status or message/feedback-report with its transfer encoding
 * undone; finding that part is MIME's business. Anyone can send such a
 * report: what it says is a claim, not a fact.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/dsn/dsn.h"

/* Recipients, or values of one repeated field; the rest is skipped. */
#define DSN_RCPTS_MAX 1000
#define ARF_LIST_MAX  100
/* Arena that is enough for any input of at most DSN_INPUT_MAX bytes. */
#define DSN_INPUT_MAX MIB(1)
#define DSN_ARENA_MAX MIB(4)

/*
 * True when there is at least one recipient with an address. Strings point
 * into in or a. Input behind DSN_INPUT_MAX is not read.
 */
bool dsn_parse(
    struct arena *a, struct str in, struct dsn_fields *ret) WARN_UNUSED;

enum arf_type {
	ARF_ABUSE,
	ARF_FRAUD,
	ARF_VIRUS,
	ARF_NOT_SPAM,
	ARF_AUTH_FAILURE, /* RFC 6591 */
	ARF_OTHER,        /* also what we do not know */
};

struct arf_list {
	struct str *v;
	size_t n;
};

/* Empty strings are not given. */
struct arf_report {
	enum arf_type type;
	struct str user_agent;
	struct str mail_from; /* of the reported message, without <> */
	struct str envid;
	struct str arrival_date; /* also Received-Date */
	struct str reporting_mta;
	struct str source_ip;
	uint32_t incidents; /* 1 when not given */
	struct str auth_results;
	struct str auth_failure; /* "dkim", "dmarc", ... of RFC 6591 */
	struct arf_list rcpt_to, domains, uris;
};

/*
 * True when there is a Feedback-Type, which alone makes it such a report.
 * Otherwise as dsn_parse().
 */
bool arf_parse(
    struct arena *a, struct str in, struct arf_report *ret) WARN_UNUSED;

/* "abuse" */
const char *arf_type_str(enum arf_type type);
