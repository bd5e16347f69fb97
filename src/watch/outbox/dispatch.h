/* SPDX-License-Identifier: ISC */
/*
 * dispatch.h - one round of attempts to get a message to its receiver: a mail
 * over each of its ways until one takes it, a webhook once.
 */
#pragma once

#include "proto/status/status_message.h"
#include "watch/outbox/author.h"
#include "watch/outbox/smtp_try.h"
#include "watch/server.h"
#include "watch/outbox/way.h"

struct dispatch;

/* An attempt of the round ended; texts are valid during the call. */
typedef void (*dispatch_note_fn)(void *arg, const struct status_attempt *a);
/*
 * The round is over. DONE: somebody took it. PERMFAIL: who has the last word
 * about this receiver said that it will never work. TEMPFAIL: try later.
 */
/* dead: what said that the receiver does not exist; NULL: nothing did. */
typedef void (*dispatch_done_fn)(
    void *arg, enum outcome outcome, const char *dead);

struct dispatch_wish {
	struct server *sv;
	const struct status_message *message; /* lives until the end */
	char id[LETTER_ID_LEN + 1];
	dispatch_note_fn note;
	dispatch_done_fn done;
	void *arg;
};

/* done runs once, from the loop. */
struct dispatch *dispatch_start(const struct dispatch_wish *wish);
/* Until then: who is being asked ("HOST:PORT", a domain whose servers are looked
 * up, "own queue"; empty: nobody yet), and since when, by server_now_ms(). */
struct str dispatch_trying(const struct dispatch *d, uint64_t *ret_since_ms);

/* --- for its own files ---------------------------------------------------------- */

struct dispatch {
	struct dispatch_wish w;
	struct buf letter; /* of a mail */
	struct author author;
	struct buf path;                  /* the sender in the envelope */
	char dead[SMTP_TRY_SAID_MAX + 1]; /* empty: nothing says so */
	struct way ways[WAYS_MAX];
	size_t n_ways, at;
	char *relays; /* what the ways point into */
	char by[DNS_NAME_MAX + 16];
	uint64_t by_ms; /* server_now_ms() */
	bool has_refusal;
	uint64_t until_ms;     /* server_now_ms(); 0: no end of its own */
	uint64_t way_until_ms; /* likewise, of the present way */
	/* The receiver's servers, while they are tried. */
	struct mx_list *mx;
	size_t mx_at;
};

/* One attempt begins. */
void dispatch_begin(struct dispatch *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* One attempt ended. */
void dispatch_note(struct dispatch *d, enum outcome outcome, const char *said);
/* The round ended; d is gone. */
void dispatch_end(struct dispatch *d, enum outcome outcome);
void dispatch_mail(struct dispatch *d);
void dispatch_hook(struct dispatch *d);
