/* SPDX-License-Identifier: ISC */
/*
 * envelope.h - one mail transaction: sender, recipients, DSN parameters.
 *
 * Everything is copied into the envelope's own arena, which goes with it.
 */
#pragma once

#include "base/arena.h"
#include "proc/ipc_msgs.h"
#include "proto/smtp/smtp_command.h"

/* However large the configured limit: what one internal message can carry. */
#define ENVELOPE_RCPTS_MAX 4096
/* Seconds that a message may be held before it is sent (RFC 4865). */
#define ENVELOPE_HOLD_MAX (365U * 86400)

struct rcpt {
	struct rcpt *next;
	struct str address; /* local@domain: for the store */
	struct str mailbox; /* the same as it is written in headers */
	bool is_utf8;
	bool is_postmaster;  /* written without a domain */
	bool is_reports;     /* where others send reports about our domain */
	bool is_report_only; /* and no mailbox gets it */
	/* Delivery status notifications (RFC 3461), for the queue. */
	unsigned notify;   /* of enum smtp_notify */
	struct str orcpt;  /* "type;address", decoded; or empty */
	uint64_t max_size; /* what the mailbox takes now; 0: no limit */
};

struct envelope {
	struct arena arena;
	struct str from;         /* mailbox; empty: the null sender */
	struct str from_address; /* local@domain, as the directory knows it */
	uint64_t size;           /* declared; 0: not */
	enum smtp_body body;
	bool is_utf8; /* SMTPUTF8 was given */
	enum smtp_ret ret;
	struct str envid;
	bool has_requiretls;  /* RFC 8689 */
	bool is_tls_optional; /* the message says so: known at its end */
	uint64_t hold_until;  /* seconds since 1970 (RFC 4865); 0: do not */
	uint64_t deliver_by;  /* the same (RFC 2852) */
	unsigned by_mode;     /* of enum smtp_by; NONE: no deliver_by */
	int priority;         /* -9 to 9 (RFC 6710) */
	struct rcpt *first, **end;
	uint32_t count;
};

void envelope_init(struct envelope *e);
/* Frees everything; e is as after envelope_init(). */
void envelope_reset(struct envelope *e);

/* now: seconds since 1970, from which HOLDFOR and BY count. False when there
 * is no room. */
bool envelope_set_sender(
    struct envelope *e, const struct smtp_mail *mail, uint64_t now) WARN_UNUSED;
/* A recipient that is not in the list yet; NULL when there is no room. host
 * completes <Postmaster>. */
struct rcpt *envelope_make_rcpt(struct envelope *e,
    const struct smtp_rcpt *rcpt, const char *host) WARN_UNUSED;
void envelope_add_rcpt(struct envelope *e, struct rcpt *r);
/* The first recipient that takes reports, or the empty string. */
struct str envelope_reports_address(const struct envelope *e);
/* Does nobody get the mail but who reads reports? */
bool envelope_is_report_only(const struct envelope *e);
/* What was asked for with MAIL, for the queue; borrows from e. */
void envelope_put_wishes(const struct envelope *e, struct msg_deliver *m);
/* Postmaster of our host is not known: go one label up, as from
 * mail.example.net to example.net. False when there is no such domain. */
bool envelope_raise_postmaster(struct envelope *e, struct rcpt *r) WARN_UNUSED;
