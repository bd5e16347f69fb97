/* SPDX-License-Identifier: ISC */
/*
 * letter.h - a message to somebody as the bytes of a mail (RFC 5322), or as the
 * fields of a webhook's request.
 *
 * Pure: the same arguments, the same bytes. Each attempt has the same
 * Message-ID, so that who gets it twice can see that.
 */
#pragma once

#include "proto/status/status_message.h"

#define LETTER_MAX    (STATUS_LETTER_MAX * 3 + KIB(16))
#define LETTER_ID_LEN 32

/* What names a message, in hexadecimal: made of its key in the ledger. */
void letter_id(struct str table, struct str key, char ret[LETTER_ID_LEN + 1]);

struct letter_stamp {
	const char *id;      /* letter_id() */
	struct str from;     /* local@domain */
	struct str name;     /* shown in front of it; may be empty */
	struct str host;     /* right side of the Message-ID */
	struct str reply_to; /* empty: to from */
	struct str list;     /* List-Id (RFC 2919) without <>; empty: none */
};

/* Append the mail, lines with CRLF, 7-bit. */
void letter_write(const struct status_message *m,
    const struct letter_stamp *stamp, struct buf *to);

/*
 * The signature of a webhook (Standard Webhooks: "v1," and the HMAC-SHA256 of
 * ID.TIME.BODY in base64). A secret "whsec_..." is base64; others are themselves.
 */
void letter_sign(const struct status_message *m, const char *id, uint64_t now_s,
    struct buf *to);
