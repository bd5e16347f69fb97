/* SPDX-License-Identifier: ISC */
/*
 * retry_rule.h - other times for some mail: when it is tried again, when its
 * sender is told that it is late, and when it is given up.
 *
 *   priority:high, priority:low   MT-PRIORITY above or below 0 (RFC 6710)
 *   from:example.com              senders of this domain
 *   from:alice@example.com        this sender
 *   .example.org                  recipients in all domains below this one
 *   example.org                   recipients of this domain
 *
 * They are rows of the ledger's table POLICY with the pattern behind
 * RETRY_RULE_PREFIX as their key. Each time may be set or not. Where several
 * fit, the later kind in this list counts for the times that it sets, and of
 * .domains the longest; what none sets is as the configuration says.
 *
 * Pure: no I/O.
 */
#pragma once

#include "base/buf.h"

#define RETRY_RULE_PREFIX      "retry/"
#define RETRY_RULE_PATTERN_MAX 150
#define RETRY_RULE_TIME_MAX    (30 * 86400U) /* seconds */

enum retry_time {
	RETRY_TIME_FIRST,  /* "retry": from the first attempt to the second */
	RETRY_TIME_MAX,    /* "retry_max": the longest pause */
	RETRY_TIME_EXPIRE, /* "expire" */
	RETRY_TIME_DELAY,  /* "delay_notice"; 0: never */
	RETRY_TIMES,
};

struct retry_rule {
	unsigned set;            /* 1 << enum retry_time */
	uint32_t v[RETRY_TIMES]; /* seconds */
};

const char *retry_time_str(enum retry_time t);
/* Is it a pattern? In lower case, without a dot at its end. */
bool retry_rule_is_pattern(struct str s);
/* NULL, or what is wrong with the times, as a sentence for people. */
const char *retry_rule_fault(const struct retry_rule *r);

void retry_rule_encode(const struct retry_rule *r, struct buf *to);
bool retry_rule_decode(struct str value, struct retry_rule *ret) WARN_UNUSED;

/* Of a message and recipient. */
struct retry_mail {
	struct str domain, sender; /* sender may be empty: a bounce */
	int priority;              /* -9 to 9 */
};
/* The row of a key, if there is one; the value lives until the next call. */
typedef bool (*retry_find_fn)(const void *arg, struct str key, struct str *ret);
/* The times that rules set for this mail, together. */
struct retry_rule retry_rules_for(
    const struct retry_mail *mail, retry_find_fn find, const void *arg);
