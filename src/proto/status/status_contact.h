/* SPDX-License-Identifier: ISC */
/*
 * status_contact.h - who of the operators is told when something fails: a row
 * of the ledger's table ALERT, whose key is its name in lower case.
 *
 *	ops mail=ops@example.org
 *	pager webhook=https://pager.example.net/hook system=mx1 min=down
 *
 * And what was told about a check last: rows of table TOLD, "c/" and the key of
 * the check, so that a restart neither repeats alerts nor forgets them.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_message.h"

#define STATUS_CONTACT_SYSTEMS_MAX 16

enum status_least {
	STATUS_FROM_DEGRADED, /* everything */
	STATUS_FROM_DOWN,     /* not what is only slow, or ends soon */
};

struct status_contact {
	struct str id;
	enum status_channel channel;
	struct str to;
	struct str secret; /* of a webhook; may be empty */
	enum status_least least;
	uint64_t added_s;
	/* Of these systems alone; none: of all. */
	size_t n_systems;
	struct str systems[STATUS_CONTACT_SYSTEMS_MAX];
};

/*
 * Build one: zeroed, its id set; then each "NAME=VALUE" (mail, webhook, system,
 * min), then finish, which looks at the whole. Texts are borrowed. False: *ret
 * says why.
 */
bool status_contact_put(struct status_contact *c, struct str word,
    struct status_fault *ret) WARN_UNUSED;
bool status_contact_finish(
    const struct status_contact *c, struct status_fault *ret) WARN_UNUSED;

/*
 * Change one that there is: first, with all words, forget what they name, then
 * put those that have a value. Its secret is of a channel: it goes with it.
 */
void status_contact_forget(struct status_contact *c, struct str word);

/* "mail=ops@example.org min=down system=mx1", for people: without its secret, and of
 * a webhook not what stands behind the host, which may be one too. */
void status_contact_put_words(const struct status_contact *c, struct buf *to);

void status_contact_encode(const struct status_contact *c, struct buf *to);
/* Texts point into the value. False: not sane, or another version. */
bool status_contact_decode(
    struct str value, struct status_contact *ret) WARN_UNUSED;
/* Is it told about this system (in any case of letters)? */
bool status_contact_wants(const struct status_contact *c, struct str system);

#define STATUS_TOLD_CHECK "c/"

/* Times of the wall clock; 0: not known. */
struct status_told {
	uint8_t told; /* enum watch_told */
	uint32_t incident;
	uint32_t
	    serial; /* of the last alert; the first is the time in seconds */
	uint64_t told_ms;
	uint64_t bad_since_ms;  /* of this incident */
	uint64_t fine_since_ms; /* when "up again" was told */
	/* Of this incident, with the last one, and when that began; 0: not known. */
	uint32_t outages;
	uint64_t outage_since_ms;
};

void status_told_encode(const struct status_told *t, struct buf *to);
bool status_told_decode(struct str value, struct status_told *ret) WARN_UNUSED;
/*
 * The serial of the next alert, told now. The first one is the time: a check that
 * was removed and comes again under its name has no Message-ID of before, which
 * receivers would drop as a duplicate.
 */
uint32_t status_told_next(const struct status_told *t, uint64_t now_ms);
