/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_record.h - who wants TLS reports (RFC 8460 section 3).
 *
 * Layer: proto. No I/O, no allocation.
 */
#pragma once

#include "base/buf.h"

/* Bytes of a record, its strings joined; a longer one is wrong. */
#define TLSRPT_RECORD_MAX 4096

enum tlsrpt_found {
	TLSRPT_NONE,   /* nobody wants reports */
	TLSRPT_BROKEN, /* several records, or a wrong one: as if none */
	TLSRPT_FOUND,
};

/*
 * Find the record among the n TXT records of "_smtp._tls.DOMAIN". *ret_rua
 * is set on TLSRPT_FOUND: a list of one or more URIs, in a record.
 */
enum tlsrpt_found tlsrpt_find_record(
    const struct str *records, size_t n, struct str *ret_rua) WARN_UNUSED;

/*
 * Take the next URI of a list that was found: "mailto:..." or
 * "https://...". Others are passed over. False at the end.
 */
bool tlsrpt_next_uri(struct str *rua, struct str *ret_uri) WARN_UNUSED;

/*
 * Write a record of ours. False, and nothing is written, when a URI has
 * characters that the record cannot hold, or n is 0.
 */
bool tlsrpt_put_record(
    struct buf *to, const struct str *uris, size_t n) WARN_UNUSED;
