/* SPDX-License-Identifier: ISC */
/*
 * mtasts.h - MTA-STS (RFC 8461): the TXT record, the policy, the match.
 *
 * A domain says by HTTPS which hosts may receive its mail, and that their
 * certificates are good. What cannot be understood is no policy: then mail
 * goes as it would have gone without. So the readers are strict, and never
 * make a policy weaker or stronger than it was written.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/buf.h"

/* Bytes of the TXT record, its strings joined, and of its id. */
#define MTASTS_RECORD_MAX 2048
#define MTASTS_ID_MAX     32
/* Bytes of a policy; RFC 8461 section 3.3 asks for such a limit. */
#define MTASTS_POLICY_MAX KIB(64)
/* Seconds of max_age (section 3.2): a year. More is taken for as much. */
#define MTASTS_AGE_MAX 31557600

/* What the host asks for a policy is; the path is the same everywhere. */
#define MTASTS_PATH "/.well-known/mta-sts.txt"

enum mtasts_found {
	MTASTS_NONE,   /* the domain has no record: it does not take part */
	MTASTS_BROKEN, /* several, or a wrong one: taken for none */
	MTASTS_FOUND,
};

/*
 * Find the record among the n TXT records of "_mta-sts.DOMAIN" (section
 * 3.1). *ret_id is set on MTASTS_FOUND: 1 to 32 letters and digits, which
 * change when the policy does. It points into a record.
 */
enum mtasts_found mtasts_find_record(
    const struct str *records, size_t n, struct str *ret_id) WARN_UNUSED;

enum mtasts_mode {
	MTASTS_MODE_NONE,    /* there was a policy, and there is none now */
	MTASTS_MODE_TESTING, /* report what fails, and deliver */
	MTASTS_MODE_ENFORCE, /* do not deliver where it fails */
};

/* The word of the policy: "enforce" and so on. */
const char *mtasts_mode_str(enum mtasts_mode mode);

struct mtasts_policy {
	enum mtasts_mode mode;
	uint32_t max_age_s;
	struct str text; /* all of it: mx patterns are read from it again */
};

/*
 * Read a policy (section 3.2). NULL when it is right; else a sentence for
 * people (a constant). The policy points into text. Fields that are not
 * known are skipped; of a field that is there twice the first counts.
 */
const char *mtasts_policy_parse(
    struct str text, struct mtasts_policy *ret) WARN_UNUSED;

/*
 * Take the next mx pattern of *rest, which begins as the text of a right
 * policy. False at the end.
 */
bool mtasts_next_mx(struct str *rest, struct str *ret_pattern) WARN_UNUSED;

/*
 * May this host receive (section 4.1)? A pattern is a name, or "*." and a
 * name: that stands for one label. Case and one dot at the end of host do
 * not matter. True for mode none, which restricts nothing.
 */
bool mtasts_allows(const struct mtasts_policy *policy, struct str host);

/*
 * Write a policy for a domain of ours. False, and nothing is written, when a
 * pattern is none, there is none though the mode needs one, the age is over
 * the limit, or the policy gets too long.
 */
bool mtasts_put_policy(struct buf *to, enum mtasts_mode mode,
    uint32_t max_age_s, const struct str *patterns, size_t n) WARN_UNUSED;
/* Write its TXT record. False when id is not 1 to 32 letters and digits. */
bool mtasts_put_record(struct buf *to, struct str id) WARN_UNUSED;
