/* SPDX-License-Identifier: ISC */
/*
 * feedback_read.h - the report in a message that came to a domain's address
 * for reports: DMARC, TLS, or abuse.
 *
 * Anybody can send one. What it claims about domains that are not of the
 * address it came to is not taken; what is taken is shown as a claim. Files
 * are recognised by what they are, not by what the message says of them.
 */
#pragma once

#include "base/buf.h"
#include "proto/feedback/feedback.h"

/* Attachments looked at; bytes of one, as it came; of all, unpacked: a few
 * kilobytes can become so many. */
#define FEEDBACK_LEAVES_MAX   10
#define FEEDBACK_PACKED_MAX   MIB(10)
#define FEEDBACK_UNPACKED_MAX MIB(16)
/* Of one report: items, and bytes of all its rows. */
#define FEEDBACK_ITEMS_MAX 5000
#define FEEDBACK_ROWS_MAX  KIB(800)
#define FEEDBACK_KEEP_S    (90 * 86400U)

struct feedback_context {
	struct str domain;   /* of the address that it came to */
	struct str hostname; /* ours, in Received fields */
	uint64_t now;
	struct str tag; /* of that address; not empty: only a bounce is taken */
};

enum feedback_found {
	FEEDBACK_NOTHING,   /* no report, or none about this domain */
	FEEDBACK_ROWS,      /* rows are complete */
	FEEDBACK_BOUNCE,    /* rows, of another table; maybe none */
	FEEDBACK_COMPLAINT, /* whose account is to be asked for */
};

struct feedback {
	struct buf rows; /* msg_ledger_row */
	/* What was found, for the log; texts are owned. */
	enum feedback_kind kind;
	struct str reporter, about;
	/* Of a complaint. head and abuse point into texts. */
	struct buf texts;
	struct feedback_head head;
	struct feedback_abuse abuse;
	const char *fault; /* why there is nothing, or NULL */
	size_t unpacked;   /* bytes, so far */
};

/* The caller ends it with feedback_done(). */
enum feedback_found feedback_read(struct str message,
    const struct feedback_context *context, struct feedback *ret);
/* The row of a complaint, whose account is known now, or is not. */
void feedback_finish(struct feedback *f, struct str login, uint64_t account);
void feedback_done(struct feedback *f);
