/* SPDX-License-Identifier: ISC */
/*
 * author.h - whom our mail is from.
 *
 *	operators get it from the monitoring of this host: report.from
 *	subscribers from the provider: site.title, site.from, answers to site.contact
 */
#pragma once

#include "conf/conf.h"
#include "proto/status/status_message.h"
#include "watch/outbox/letter.h"

/* Texts are owned. */
struct author {
	char *name, *from;
	char *reply_to; /* NULL: to from */
	char *list;     /* List-Id of news (RFC 2919); NULL: none */
};

void author_init(
    struct author *a, const struct conf *c, enum status_purpose purpose);
/* Subscribers, and who asks to be one. */
bool author_is_for_readers(enum status_purpose purpose);
void author_done(struct author *a);
/* Which points into a. */
struct letter_stamp author_stamp(
    const struct author *a, const struct conf *c, const char *id);
