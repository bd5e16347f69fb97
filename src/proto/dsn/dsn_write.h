/* SPDX-License-Identifier: ISC */
/*
 * dsn_write.h - the message that tells a sender what became of his mail.
 *
 * A multipart/report (RFC 6522) of three parts: words for people, fields for
 * programs, and the message, or its header, that it is about. The words say
 * what happened to which address, what the other server answered, word for
 * word, and what to do now; they come from a table by language.
 *
 * What comes out is 7-bit unless the message it returns is not.
 *
 * Layer: proto. No I/O, no clock: dates, message-id and boundary are given.
 */
#pragma once

#include "proto/dsn/dsn.h"

/* Of the original message; a larger one is returned as its header. */
#define DSN_FULL_MAX   MIB(10)
#define DSN_HEADER_MAX KIB(64) /* of the original header; the rest is cut */
/* Of buf, besides the message: this much for each recipient is enough. */
#define DSN_RCPT_BYTES KIB(64)

/* Why, for the sentence that people read. */
enum dsn_hint {
	DSN_HINT_NONE, /* by the status code */
	DSN_HINT_UNKNOWN_USER,
	DSN_HINT_DISABLED,
	DSN_HINT_FULL,
	DSN_HINT_TOO_BIG,
	DSN_HINT_NO_DOMAIN, /* does not exist, or takes no mail */
	DSN_HINT_BLOCKED,   /* our address, not the sender's fault */
	DSN_HINT_CONTENT,   /* taken for spam */
	DSN_HINT_POLICY,    /* SPF, DKIM, DMARC and rules of the house */
	DSN_HINT_SENDER,    /* the sender's address is not accepted */
	DSN_HINT_TLS,
	DSN_HINT_FEATURE, /* 8BITMIME, SMTPUTF8, ... */
	DSN_HINT_UNREACHABLE,
	DSN_HINT_EXPIRED, /* tried for long enough */
	DSN_HINT_OTHER,
};

struct dsn_report {
	struct dsn_fields fields;
	const enum dsn_hint *hints; /* one a recipient, or NULL */
	struct str language;        /* "en", "de-AT"; unknown: English */
	struct str from;            /* address: MAILER-DAEMON@our.name */
	struct str to;              /* address: the original sender */
	struct str date;            /* RFC 5322 */
	struct str message_id;      /* without <> */
	struct str boundary;        /* letters and digits, at most 50 */
	struct str original;        /* the message, or a part from its start */
	size_t header_length;       /* of original, with the empty line */
	bool is_complete;           /* original is all of it */
	bool return_full;           /* RET=FULL, or the default */
	bool is_smtputf8;           /* the sender's server takes RFC 6531 */
};

/*
 * Append the whole message, CRLF line ends. False when it does not fit into
 * to, whose content is then of no use. *ret_is_8bit: it needs 8BITMIME.
 */
bool dsn_write(const struct dsn_report *report, struct buf *to,
    bool *ret_is_8bit) WARN_UNUSED;

/* Append only the fields: the body of message/delivery-status. */
void dsn_write_fields(
    const struct dsn_fields *fields, bool is_smtputf8, struct buf *to);

/* The sentence that fits a status code best. */
enum dsn_hint dsn_hint_of(struct dsn_status status);
