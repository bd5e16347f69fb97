/* SPDX-License-Identifier: ISC */
/*
 * local.h - recipients here whose mail was held until a time (RFC 4865): they
 * wait in the queue as others do, and when they are due they are delivered into
 * their mailboxes instead of going to a server.
 */
#pragma once

#include "send/server.h"

struct locals;

struct locals *locals_new(struct server *sv);
/* Takes m, all of whose recipients are here (msg_queue_item.is_local). One mail
 * after the other: their bytes are in memory as a whole. */
void local_mail(struct locals *ls, struct mail *m);
