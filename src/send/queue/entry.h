/* SPDX-License-Identifier: ISC */
/*
 * entry.h - what is under way: entries of the queue that were leased, and
 * mails: the recipients of one message that travel in one transaction.
 *
 * An entry has one owner at a time: a mail, or the report that is written
 * about it. It ends by a result to the store (results.h), in every case: what
 * cannot be tried is released.
 */
#pragma once

#include "base/buf.h"
#include "proc/ipc_msgs.h"
#include "proto/smtp/smtp_reply.h"

#include <sys/queue.h>

struct domain;
struct held;
struct report;

/* A reply is kept up to so many bytes. */
#define VERDICT_TEXT_MAX 1000

/* What was said about a recipient, by a server or by ourselves. */
struct judgement {
	enum outcome outcome;   /* DONE, TEMPFAIL, PERMFAIL */
	bool is_held;           /* TEMPFAIL that waits for the operator */
	bool is_untried;        /* TEMPFAIL that is no attempt: released */
	bool is_local;          /* our words, not a server's */
	bool may_duplicate;     /* the connection was lost behind the message */
	bool has_dsn;           /* DONE: the server reports further itself */
	bool is_no_user;        /* PERMFAIL: the address does not exist */
	bool is_blocked;        /* TEMPFAIL: it refuses our address */
	bool is_policy;         /* a server refuses it by a rule of its own */
	uint64_t not_before_ms; /* TEMPFAIL: wall clock; no use before */
	bool has_class;         /* class says what the reply means */
	uint8_t class;          /* enum reply_class (proto/reply) */
	int code;               /* of the reply; 0: none */
	struct smtp_status status;
	struct str text;
};

/* Where a transaction took place; empty strings: not so far. */
struct trip {
	struct str route, mx, mx_ip, source_ip, tls;
};

struct entry {
	struct msg_queue_item item; /* strings point into bytes */
	char *bytes;
	struct held *held; /* its lease */
	uint32_t slot;     /* of its result on the slate (slate.h) */
};

/* What a mail was counted for, once (sent_count.h). */
enum {
	MAIL_COUNTED_WAIT = 1 << 0,
	MAIL_COUNTED_DONE = 1 << 1,
	MAIL_COUNTED_REFUSED = 1 << 2,
};

struct mail {
	TAILQ_ENTRY(mail) link; /* of the domain or destination it waits for */
	struct domain *domain;
	struct entry **entries; /* open ones; NULL: settled */
	size_t n, cap, open;
	uint64_t
	    until_ms; /* of the loop's clock: what is not done is released */
	struct report *reports; /* to be sent when it ends */
	bool is_canary;         /* tries a way that was refused (breaker.h) */
	unsigned moves;         /* ways that refused it, in this lease */
	uint8_t counted;        /* MAIL_COUNTED_* */
	/* Wall clock: at its destination since; its attempt began (0: not yet). */
	uint64_t there_ms, attempt_ms;
	char *via; /* its way, in results, when that is not the usual one */
	/* Hosts that lack what it needs, in this lease: the others are to be
	 * tried. One name a line. */
	struct buf unfit;
	bool is_unfit_for_now; /* one of them may be fit another time */
};
TAILQ_HEAD(mails, mail);

/* From when on it could be handed over: it was accepted, or let go by who had it held. */
uint64_t entry_free_ms(const struct msg_queue_item *item);
/* Copies the item, from its encoding. */
struct entry *entry_new(struct str encoded);
void entry_free(struct entry *e);
/* The domain of an address: what follows the last @. */
struct str address_domain(struct str address);

struct mail *mail_new(struct domain *d, uint64_t until_ms);
void mail_add(struct mail *m, struct entry *e);
/* May e travel with those of m? */
bool mail_fits(const struct mail *m, const struct entry *e);
/* Take entry i out of the mail, which is done with it. */
struct entry *mail_take(struct mail *m, size_t i);
/* This host will not do for it. False: that was known, or there are too many. */
bool mail_note_unfit(struct mail *m, struct str host) WARN_UNUSED;
bool mail_is_unfit(const struct mail *m, struct str host);
/* Without open entries, and its reports are sent. */
void mail_free(struct mail *m);
/* Any open entry of it; all agree about the message. */
const struct msg_queue_item *mail_item(const struct mail *m);
