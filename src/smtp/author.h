/* SPDX-License-Identifier: ISC */
/* author.h - the people in From and Sender must be who signed in. */
#pragma once

#include "smtp/session.h"

/*
 * Check what the filter found in the header of a submission: each address
 * must belong to the account. Then done(s), maybe at once; or the message is
 * refused, with a reply.
 */
void author_check(struct session *s, const struct msg_analyse_reply *found,
    void (*done)(struct session *s));
