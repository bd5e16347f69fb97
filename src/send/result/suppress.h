/* SPDX-License-Identifier: ISC */
/*
 * suppress.h - addresses that do not exist are not tried for ever: what role
 * send does with proto/suppress/suppress.h.
 */
#pragma once

#include "send/mirror.h"
#include "send/server.h"

struct suppressed;

struct suppressed *suppressed_new(struct server *sv);
struct mirror *suppressed_mirror(struct suppressed *s);
/*
 * Fail the recipients of m that are suppressed. False: nobody is left, and m
 * is gone; else m goes on with the others.
 */
bool suppress_mail(struct server *sv, struct mail *m) WARN_UNUSED;
/* A server has answered about this recipient. */
void suppress_learn(struct server *sv, const struct msg_queue_item *item,
    const struct judgement *j, struct str reply);
