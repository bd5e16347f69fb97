/* SPDX-License-Identifier: ISC */
/*
 * status_message.h - something that role watch sends to somebody: a mail or a
 * webhook, and what came of it so far. A row of the ledger's tables OUTBOX (what
 * other roles want sent) and TOLD (what role watch says by itself).
 *
 * While it waits it has its text; once it is over, the row stays for a while
 * without it, as a log.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_SUBJECT_MAX 400
#define STATUS_LETTER_MAX  KIB(48)
#define STATUS_URL_MAX     1000
#define STATUS_SECRET_MAX  256
#define STATUS_SAID_MAX    200
/* Attempts that are kept: the first ones, and the last. */
#define STATUS_ATTEMPTS_MAX   12
#define STATUS_ATTEMPTS_FIRST 3
/* In front of a TOLD row's key when it is a message. */
#define STATUS_TOLD_MESSAGE "m/"

enum status_channel { STATUS_BY_MAIL, STATUS_BY_WEBHOOK, STATUS_CHANNELS };

enum status_purpose {
	STATUS_FOR_ALERT,   /* to an operator */
	STATUS_FOR_TEST,    /* likewise, because he wanted to see one */
	STATUS_FOR_CONFIRM, /* does a new subscriber really want it? */
	STATUS_FOR_NEWS,    /* to a subscriber */
	STATUS_PURPOSES
};

enum status_progress {
	STATUS_WAITING,
	STATUS_SENT,
	STATUS_REFUSED, /* the other side wants no such thing */
	STATUS_EXPIRED,
	STATUS_PROGRESSES
};

struct status_attempt {
	uint64_t at_ms;
	enum outcome outcome; /* DONE, TEMPFAIL, PERMFAIL */
	struct str by;        /* "relay.example.net:25", "own queue" */
	struct str said;      /* one line, of the other side or of ours */
};

struct status_message {
	enum status_channel channel;
	enum status_purpose purpose;
	enum status_progress progress;
	struct str to; /* an address, or a URL */
	struct str subject;
	struct str body;     /* text with LF; of a webhook JSON */
	struct str language; /* "en" */
	struct str about;    /* "box/smtp", the number of a post; for people */
	uint32_t n_more;     /* an alert is about so many other checks, too */
	/* The same for all about one thing; of several, with commas; may be empty. */
	struct str thread;
	struct str unsubscribe; /* a URL; may be empty */
	struct str secret;      /* of a webhook */
	uint64_t made_ms, next_ms, expires_ms;
	uint32_t rounds; /* over all of its ways; each may have several tries */
	uint32_t tries;
	size_t n_attempts;
	struct status_attempt attempts[STATUS_ATTEMPTS_MAX];
};

const char *status_channel_name(enum status_channel c);
const char *status_purpose_name(enum status_purpose p);
const char *status_progress_name(enum status_progress p);

/* Are all its parts what they may be? Said texts are cut by the encoder. */
bool status_message_is_sane(
    const struct status_message *m, struct status_fault *ret) WARN_UNUSED;
void status_message_encode(const struct status_message *m, struct buf *to);
/* Texts point into the value. False: not sane, or another version. */
bool status_message_decode(
    struct str value, struct status_message *ret) WARN_UNUSED;

/* One more attempt was made; its texts are borrowed. One in the middle goes
 * where there are too many. */
void status_message_note(
    struct status_message *m, const struct status_attempt *attempt);
/* It is over: what only the receiver was to see goes. */
void status_message_finish(
    struct status_message *m, enum status_progress progress);

/*
 * LOCAL@DOMAIN in ASCII, as a mail server takes it without quotes: no blanks,
 * no controls, nothing that ends a field or a command.
 */
bool status_is_mailbox(struct str s) WARN_UNUSED;
/* http:// or https://, a host, and no user. */
bool status_is_url(struct str s) WARN_UNUSED;
/* Of a URL that is one: where it goes. */
struct status_url {
	struct str host;
	uint16_t port;
	struct str path; /* with its query; at least "/" */
	bool is_https;
};
struct status_url status_url_parts(struct str url);
