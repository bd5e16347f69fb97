/* SPDX-License-Identifier: ISC */
/*
 * dsn.h - delivery status notifications as values (RFC 3464, RFC 6533).
 *
 * The same structs are written by dsn_write.h and read by dsn_parse.h. Dates
 * are RFC 5322 date-times as text: who has a clock writes and reads them.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,   /* to a server that will not report further */
	DSN_EXPANDED,  /* to a list */
	DSN_NO_ACTION, /* parsed: missing or unknown */
};

struct dsn_status {
	uint8_t class; /* 2, 4, 5; 0: none */
	uint16_t subject, detail;
};

struct dsn_rcpt {
	/* "rfc822;address", decoded; empty: not known. */
	struct str original;
	/* The address alone; its type is rfc822, or utf-8 when not ASCII. */
	struct str final;
	enum dsn_action action;
	struct dsn_status status;
	struct str remote_mta; /* host name or address; empty: none */
	/* The reply, "550 5.1.1 No such user", when remote_mta is the one that
	 * said it or has_smtp_code; else a reason in our own words. */
	struct str diagnostic;
	bool has_smtp_code; /* Diagnostic-Code has the type smtp */
	struct str last_attempt, will_retry_until;
};

/* The fields of message/delivery-status. Empty strings are not given. */
struct dsn_fields {
	struct str envid;
	struct str reporting_mta;
	struct str received_from_mta;
	struct str arrival_date;
	struct dsn_rcpt *rcpts;
	size_t n_rcpts;
};

/* "failed"; "" for DSN_NO_ACTION. */
const char *dsn_action_str(enum dsn_action action);
