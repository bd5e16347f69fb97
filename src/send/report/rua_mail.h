/* SPDX-License-Identifier: ISC */
/*
 * rua_mail.h - mail a report about mail to who asked for it: DMARC aggregate
 * reports (RFC 7489), reports about TLS (RFC 8460).
 *
 * One mail has one receiver. It comes from the null sender, so that what
 * cannot be delivered ends there and answers nobody, and it takes the road of
 * all mail: it is analysed and put into the queue, or into a mailbox here.
 * Its trace id is made from the report's name. Whoever died after asking, and
 * asks again, does not send it twice.
 */
#pragma once

#include "send/server.h"

/* Bytes of the attachment; a report beyond it is not sent. */
#define RUA_MAIL_DATA_MAX MIB(10)
/* Room for the whole mail. */
#define RUA_MAIL_MAX (RUA_MAIL_DATA_MAX / 3 * 4 + MIB(1))

/* Texts are ASCII, and hold no line ends where nothing else is said. */
struct rua_mail {
	/* Names this mail and no other: kind, domain, period, receiver. */
	struct str id;
	struct str to;      /* local@domain */
	struct str subject; /* it may be folded at its blanks */
	struct str fields;  /* more fields of the header, each with CRLF */
	/* NULL: multipart/mixed; else the report-type of multipart/report. */
	const char *report_type;
	struct str text;      /* for people, lines with CRLF */
	const char *type;     /* media type of the attachment */
	struct str file_name; /* of the attachment: letters, digits, "!.-_" */
	struct str data;      /* its bytes, compressed already */
};

/*
 * DONE: it is durable, in the queue or in a mailbox, now or since an earlier
 * call. TEMPFAIL: not now; ask again later with the same id. PERMFAIL or
 * NOT_FOUND: there is no such mailbox here, or it is too large.
 */
typedef void (*rua_mail_fn)(void *arg, enum outcome outcome);
/* Nothing of mail is needed after the call. fn runs once, from the loop. */
void rua_mail_send(
    struct server *sv, const struct rua_mail *mail, rua_mail_fn fn, void *arg);

/* --- for the above and its test ---------------------------------------------------- */

struct rua_mail_stamp {
	struct str from;       /* local@domain */
	struct str message_id; /* without brackets */
	uint64_t now;          /* seconds since 1970 */
};
/* Append the mail, lines with CRLF. to->failed: it does not fit. */
void rua_mail_compose(const struct rua_mail *mail,
    const struct rua_mail_stamp *stamp, struct buf *to);

#define RUA_MAIL_TRACE_LEN 28
/* The trace id of what has this name. */
void rua_mail_trace(struct str id, char ret[RUA_MAIL_TRACE_LEN + 1]);
