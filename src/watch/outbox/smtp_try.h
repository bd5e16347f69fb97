/* SPDX-License-Identifier: ISC */
/*
 * smtp_try.h - hand one mail to one host: a relay of ours, or a server of its
 * receiver.
 *
 * TLS is used where it is offered. Without a login any certificate will do, and
 * where the handshake fails the host is tried once more without TLS; behind a
 * login TLS has to be there, with a good certificate. A connection that carried another
 * mail to that host is used again (smtp_line.h).
 */
#pragma once

#include "watch/server.h"

#define SMTP_TRY_SAID_MAX 200

struct smtp_try_result {
	enum outcome outcome; /* DONE, TEMPFAIL, PERMFAIL */
	/* It was said to this receiver or this mail, not to us as a client. */
	bool is_about_mail;
	const char *said; /* of the other side, or ours about it */
};

typedef void (*smtp_try_fn)(void *arg, const struct smtp_try_result *r);

struct smtp_try_wish {
	struct server *sv;
	const char *host; /* ASCII; copied */
	uint16_t port;
	bool is_relay;       /* addresses of this machine are fine */
	struct str login;    /* empty: none */
	struct str password; /* these two live as long as the process */
	struct str from, to; /* until the end, and */
	struct str letter;   /* likewise; at most SMTP_CLIENT_CHUNK_MAX bytes */
	uint32_t limit_ms;   /* for all of it; 0: as long as usual */
	uint32_t lookup_ms;  /* of that, for the host's addresses; likewise */
};

/* fn runs once, from the loop. */
void smtp_try_start(
    const struct smtp_try_wish *wish, smtp_try_fn fn, void *arg);
