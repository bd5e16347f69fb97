/* SPDX-License-Identifier: ISC */
/*
 * deliver.h - a complete message: filter, then store, then the reply.
 */
#pragma once

#include "smtp/session.h"

/* s->message has all bytes. The reply comes later. */
void deliver_message(struct session *s);
/* The whole message is refused or put off: one reply, or for LMTP one for
 * each recipient (RFC 2033 section 4.2); the transaction is over. */
void deliver_refuse(struct session *s, enum reply_id id);
