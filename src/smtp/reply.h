/* SPDX-License-Identifier: ISC */
/* reply.h - the replies of reply.def as values, and how outcomes become one. */
#pragma once

#include "proc/ipc_msgs.h"
#include "proto/smtp/smtp_reply.h"

enum reply_id {
	REPLY_NONE, /* the answer comes later, or was sent */
#define REPLY(id, code, esc, text) REPLY_##id,
#include "smtp/reply.def"
#undef REPLY
};

/* Not for REPLY_NONE. */
struct smtp_reply reply_get(enum reply_id id);
/* Text begins with our host name. */
bool reply_has_host(enum reply_id id);
/* 421: the connection ends behind it. */
bool reply_is_last(enum reply_id id);

/* Why the store did not take a message, or did not take it for a recipient. */
enum reply_id reply_of_delivery(enum outcome o, enum reason r);
/* Its answer to RCPT_CHECK. */
enum reply_id reply_of_rcpt(enum outcome o, enum reason r, bool is_submission);
enum reply_id reply_of_sender(enum outcome o, enum reason r);
enum reply_id reply_of_auth(enum outcome o, enum reason r);
