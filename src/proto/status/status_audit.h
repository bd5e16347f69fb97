/* SPDX-License-Identifier: ISC */
/*
 * status_audit.h - who changed what of the status site: rows of the ledger's
 * table AUDIT. The store takes new rows of it only; they end by their time.
 *
 * The key is the time in milliseconds (13 digits), a '/', and eight random
 * digits of base 16, so that two changes of one moment have two rows.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_AUDIT_KEEP_S  63072000 /* two years */
#define STATUS_AUDIT_KEY_LEN 22
#define STATUS_AUDIT_ROW_MAX KIB(2)

struct status_audit {
	uint64_t at_ms;
	struct str who;    /* "key 1234abcd (billing)", "user root" */
	struct str what;   /* "post.update" */
	struct str object; /* "17", "alice@example.org" */
	struct str from;   /* an address, or "command line" */
	struct str detail; /* one line; never a secret, never a body */
};

/* Texts are cut to STATUS_TEXT_MAX bytes and made text: what is logged may be
 * wrong, and is then written down as well as it can be. */
void status_audit_put_key(struct buf *to, uint64_t at_ms, uint32_t random);
void status_audit_encode(const struct status_audit *a, struct buf *to);
/* Texts point into the value. */
bool status_audit_decode(
    struct str key, struct str value, struct status_audit *ret) WARN_UNUSED;
