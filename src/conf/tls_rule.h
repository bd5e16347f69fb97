/* SPDX-License-Identifier: ISC */
/*
 * tls_rule.h - what the operator wants of TLS on the way to a destination.
 *
 *   PATTERN  example.com       recipients of this domain
 *            .example.com      and of all domains below it
 *            mx:mx.example.com hosts of this name, and
 *            mx:.example.com   ones below it
 *   RULE     auto    what the destination asks for: DANE, else MTA-STS, else
 *                    TLS when it is offered
 *            may     TLS when it is offered, whatever the destination asks for
 *            must    at least encrypted
 *            verify  a good certificate with the host's name, or DANE
 *            dane    DANE, else nothing
 *            never   without TLS
 *
 * They are rows of the ledger's table POLICY, with the pattern behind
 * TLS_RULE_PREFIX as their key; they hold for mail that goes to the MX hosts of
 * its domain. The nearest counts: the domain, then the longest part of it, then
 * the host, then the longest part of that.
 *
 * Pure: no I/O.
 */
#pragma once

#include "base/buf.h"

#define TLS_RULE_PREFIX      "tls/"
#define TLS_RULE_PATTERN_MAX 150
#define TLS_RULES_MAX        10000

enum tls_rule {
	TLS_RULE_AUTO,
	TLS_RULE_MAY,
	TLS_RULE_MUST,
	TLS_RULE_VERIFY,
	TLS_RULE_DANE,
	TLS_RULE_NEVER,
};

const char *tls_rule_str(enum tls_rule r);
bool tls_rule_parse(struct str word, enum tls_rule *ret) WARN_UNUSED;

/* Is it a pattern? In lower case, ASCII, without a dot at its end. */
bool tls_rule_is_pattern(struct str s);

/* The value of a row: a version, the rule, when it was made. */
struct tls_rule_row {
	enum tls_rule rule;
	uint64_t made; /* seconds since 1970 */
};
void tls_rule_row_encode(const struct tls_rule_row *row, struct buf *to);
bool tls_rule_row_decode(
    struct str value, struct tls_rule_row *ret) WARN_UNUSED;

/* All rules, found by pattern. */
struct tls_rules;
struct tls_rules *tls_rules_new(void);
/* Gives NULL; takes NULL. */
struct tls_rules *tls_rules_free(struct tls_rules *rs);
/* Copies; one that is there is replaced. False: there are too many. */
bool tls_rules_add(
    struct tls_rules *rs, struct str pattern, enum tls_rule rule);
/* AUTO when none fits. Both names in lower case; host may be empty. */
enum tls_rule tls_rules_find(
    const struct tls_rules *rs, struct str domain, struct str host);
