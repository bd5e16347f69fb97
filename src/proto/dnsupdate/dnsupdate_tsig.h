/* SPDX-License-Identifier: ISC */
/*
 * dnsupdate_tsig.h - signatures of messages with a shared key (RFC 8945).
 *
 * Layer: proto. No I/O, no clock: the time is an argument.
 */
#pragma once

#include "proto/dnsupdate/dnsupdate_key.h"
#include "proto/dnsupdate/dnsupdate_message.h"

#define DNSUPDATE_FUDGE 300 /* seconds; RFC 8945 section 10 */

/* Append a TSIG record to a message. *ret_mac: what the reply refers to. False
 * when it does not fit. */
bool dnsupdate_sign(const struct dnsupdate_key *k, uint64_t now,
    struct buf *message, struct crypt_sum *ret_mac) WARN_UNUSED;

enum dnsupdate_verdict {
	DNSUPDATE_SIGNED,        /* the server has the key and said this */
	DNSUPDATE_NOT_SIGNED,    /* no signature: anybody may have said this */
	DNSUPDATE_OTHER_KEY,     /* another key or algorithm */
	DNSUPDATE_BAD_SIGNATURE, /* it does not match, or was cut short */
	DNSUPDATE_OTHER_TIME,    /* it matches, and is from another time */
};

/*
 * Judge a reply, parsed from message, to what was signed with request_mac. A
 * TSIG record without a MAC, with which servers answer what they cannot sign
 * (BADKEY, BADSIG: RFC 8945 section 5.2), is NOT_SIGNED.
 */
enum dnsupdate_verdict dnsupdate_verify(const struct dnsupdate_key *k,
    uint64_t now, struct str message, const struct dnsupdate_reply *reply,
    const struct crypt_sum *request_mac);

/* The server's time in a BADTIME reply; false when it did not say it. */
bool dnsupdate_server_time(
    const struct dnsupdate_tsig *t, uint64_t *ret) WARN_UNUSED;
