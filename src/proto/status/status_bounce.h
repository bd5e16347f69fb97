/* SPDX-License-Identifier: ISC */
/*
 * status_bounce.h - news that come back: the return path of a mail to a subscriber names
 * the subscription and the post (as VERP does), and what is reported to it is a row of
 * the ledger's table BOUNCE until role watch has counted it.
 *
 *	mail-reports+TAG@DOMAIN
 *	TAG: base32 of  id of the subscription (8) post (4) update (2) seal (6)
 *
 * Id and seal are HMACs with a key that only role watch has: who did not get the mail
 * cannot make a tag, and a tag says nothing of the address. Letters have no case, since
 * servers on the way may change it.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_subscriber.h"

#define STATUS_BOUNCE_KEY 32 /* bytes */
#define STATUS_BOUNCE_TAG 32 /* characters */
#define STATUS_BOUNCE_ID  8

/* Before the tag, with a plus between; store/dir takes mail for both. */
#define STATUS_BOUNCE_LOCAL "mail-reports"

struct status_bounce_tag {
	unsigned char id[STATUS_BOUNCE_ID];
	uint32_t post; /* 0: it asked for a confirmation */
	uint16_t update;
};

/* to: the key of the subscriber. */
void status_bounce_id(
    struct str key, struct str to, unsigned char ret[STATUS_BOUNCE_ID]);
void status_bounce_put_tag(
    struct str key, const struct status_bounce_tag *tag, struct buf *to);
/* False: it is none that was made with this key. */
bool status_bounce_read_tag(
    struct str key, struct str text, struct status_bounce_tag *ret) WARN_UNUSED;
/* Has it the form of one? */
bool status_bounce_is_tag(struct str text);

/* The value of a row of BOUNCE, whose key is the tag in lower case: one line of what was
 * said, cut and made tame. */
void status_bounce_put_row(struct buf *to, struct str said);
bool status_bounce_read_row(struct str value, struct str *ret_said) WARN_UNUSED;

/*
 * One more bounce of a confirmed subscriber. Of a day only one counts; after
 * STATUS_BOUNCES on different days, each within STATUS_BOUNCE_STALE_S of the one before, it
 * is paused. said is borrowed. True: the row is another one now.
 */
#define STATUS_BOUNCES        3
#define STATUS_BOUNCE_APART_S (20U * 3600)
#define STATUS_BOUNCE_STALE_S (60U * 86400)
bool status_bounce_count(
    struct status_subscriber *s, struct str said, uint64_t now_s);
/* Its server took a mail, or the operator says so. True: as above. */
bool status_bounce_forgive(struct status_subscriber *s);
