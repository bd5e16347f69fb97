/* SPDX-License-Identifier: ISC */
/*
 * alert_digest.h - one mail about several alerts: those of one moment, when what they
 * are about failed, or came back, at about the same time.
 */
#pragma once

#include "proto/status/status_contact.h"
#include "watch/alert/alert_text.h"
#include "watch/server.h"

/* Texts that the facts of an alert point into. */
struct alert_texts {
	struct buf place, silenced, site;
	struct status_system system;
};

/* An alert that is being told. */
struct raised {
	struct watched *w;
	struct watch_alert a;
	bool is_removed; /* told so, and the check goes */
	struct alert_texts texts;
	struct alert_facts facts;
	size_t n_contacts; /* who are told */
};

/* At least two, in the order of their checks. */
void alert_digest_send(struct server *sv, const struct status_contact *c,
    struct raised *const *v, size_t n);

/* --- for its test: pure ------------------------------------------------------------ */

void alert_digest_subject(struct raised *const *v, size_t n, struct buf *to);
/* Lines with LF, at most STATUS_LETTER_MAX bytes. */
void alert_digest_body(struct raised *const *v, size_t n, struct buf *to);
