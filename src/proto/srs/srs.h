/* SPDX-License-Identifier: ISC */
/*
 * srs.h - the Sender Rewriting Scheme: senders of what is forwarded.
 *
 * A forwarder that keeps the sender fails SPF at the next host, so it puts
 * itself in its place and keeps the way back in the local part:
 *
 *	SRS0=HASH=TT=example.org=alice@forwarder.example
 *	SRS1=HASH=first.example==HASH=TT=example.org=alice@second.example
 *
 * The hash is an HMAC that only we can make, so that nobody can send through
 * us by writing such addresses; TT is the day, so that they do not last (days
 * have the same name after 1024 others: no key may live that long). SRS1
 * goes back to the first forwarder and skips those between, since only the
 * first knows its hash; its local part is not ours to understand.
 *
 * Hosts on the way back may have changed the case of letters: neither hash
 * nor day depends on it. Local parts are quoted on the outside only.
 *
 * Layer: proto. No I/O; the clock is an argument.
 */
#pragma once

#include "base/buf.h"

/* RFC 5321 section 4.5.3.1.1: octets of a local part, as it is written. */
#define SRS_LOCAL_MAX 64
/* Base32 characters of our hashes, five bits each. */
#define SRS_HASH_CHARS 6
/* Days that an address is good for; bounces come back within a week. */
#define SRS_DAYS_MAX 21
/* Keys that are accepted. The first one signs. */
#define SRS_KEYS_MAX 4
/* Bytes of a key, at least: less could be guessed. */
#define SRS_KEY_MIN 16

struct srs {
	struct str domain; /* of ours, that gets the bounces */
	const struct str *keys;
	size_t n_keys; /* 1 to SRS_KEYS_MAX */
	uint64_t now;  /* Unix time */
};

enum srs_result {
	SRS_OK,
	SRS_NOT_NEEDED,  /* forward: an empty sender, or one at our domain */
	SRS_NOT_OURS,    /* reverse: no SRS address, or of another domain */
	SRS_BAD_ADDRESS, /* not local@domain, or an SRS address that is cut */
	SRS_BAD_HASH,    /* reverse: forged, or a key that is gone */
	SRS_EXPIRED,     /* reverse: too old, or from the future */
	SRS_TOO_LONG,    /* forward: the new local part would be over the
	                    limit; what to do instead is the caller's choice */
};

/* For logs: "ok", "bad-hash" and so on. */
const char *srs_result_str(enum srs_result r);

/*
 * Append what takes the place of sender, an envelope address without angle
 * brackets. Nothing is appended on other answers than SRS_OK.
 */
enum srs_result srs_forward(
    const struct srs *srs, struct str sender, struct buf *to) WARN_UNUSED;

/*
 * Append where mail to recipient, an address of ours, goes back to. That is
 * the sender from before, its case as it came; or, for SRS1, the address at
 * the first forwarder. Nothing is appended on other answers than SRS_OK.
 */
enum srs_result srs_reverse(
    const struct srs *srs, struct str recipient, struct buf *to) WARN_UNUSED;

/* Does the local part look like one of SRS? Says nothing about its hash. */
bool srs_is_srs(struct str address);
