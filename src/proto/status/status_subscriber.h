/* SPDX-License-Identifier: ISC */
/*
 * status_subscriber.h - who is told of posts: rows of the ledger's table
 * SUBSCRIBER. The key is where it goes: an address in lower case, or an
 * https URL whose host is in lower case.
 *
 * A row begins as pending, with the hash of the token that is in the mail
 * which asks for the confirmation; what was not confirmed ends by itself. The token to
 * leave is made from that hash, so that each mail can carry it and nothing
 * else needs to be kept.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_post.h"
#include "proto/status/status_secret.h"

#define STATUS_SUBSCRIBER_MAX   160 /* bytes of a key */
#define STATUS_SUBSCRIBER_NAMES 16
#define STATUS_WHY_MAX          160
/* Seconds for which a pending row waits for its confirmation. */
#define STATUS_PENDING_S 172800

enum status_scope {
	STATUS_SCOPE_ALL,
	STATUS_SCOPE_SYSTEMS,
	STATUS_SCOPE_TAGS,
	STATUS_SCOPES
};

struct status_subscriber {
	bool is_confirmed;
	enum status_scope scope;
	size_t n_names; /* ids of systems, or tags */
	struct str names[STATUS_SUBSCRIBER_NAMES];
	struct str token_hash; /* STATUS_SECRET_HASH bytes */
	struct str secret;     /* that signs what goes to a webhook; or empty */
	struct str language;
	uint64_t created_s, confirmed_s;
	uint64_t asked_s; /* when the last mail for its confirmation was due */
	uint32_t asked;   /* how many there were */
	/* Mails that came back for good (status_bounce.h), the last that counted, and
	 * since when nothing is sent for that; 0: never. why: what was said of it. */
	uint32_t bounces;
	uint64_t bounced_s, paused_s;
	struct str why;
};

const char *status_scope_name(enum status_scope s);
bool status_scope_parse(struct str word, enum status_scope *ret) WARN_UNUSED;

/* Is the key a URL? */
bool status_subscriber_is_webhook(struct str key);
/*
 * Where it goes as people write it, in its one form. False: it is neither an
 * address of ASCII nor an https URL, or too long; *ret says what is wrong.
 */
bool status_subscriber_put_key(
    struct buf *to, struct str text, struct status_fault *ret) WARN_UNUSED;
bool status_subscriber_is_sane(struct str key,
    const struct status_subscriber *s, struct status_fault *ret) WARN_UNUSED;
/* "a, b" instead of the names that were there. */
bool status_subscriber_set_names(struct status_subscriber *s, struct str list,
    struct status_fault *ret) WARN_UNUSED;

void status_subscriber_encode(
    const struct status_subscriber *s, struct buf *to);
bool status_subscriber_decode(struct str key, struct str value,
    struct status_subscriber *ret) WARN_UNUSED;

/* One line of ASCII, at most STATUS_WHY_MAX bytes; may be empty. */
bool status_is_why(struct str s) WARN_UNUSED;
/* "confirmed", "pending", "paused" */
const char *status_subscriber_state(const struct status_subscriber *s);
/* Is it to hear of posts at all: confirmed, and not paused? */
bool status_subscriber_is_active(const struct status_subscriber *s);
/* Is it to hear of this post? (Active, and in its scope.) */
bool status_subscriber_wants(
    const struct status_subscriber *s, const struct status_post *p);

/* The token to leave, of STATUS_SECRET_LEN characters. */
void status_subscriber_put_leave(
    struct str key, const struct status_subscriber *s, struct buf *to);
bool status_subscriber_leave_matches(struct str key,
    const struct status_subscriber *s, struct str token) WARN_UNUSED;
