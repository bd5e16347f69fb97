/* SPDX-License-Identifier: ISC */
/*
 * reply.c - the replies, and the one place where an outcome becomes one.
 *
 * Temporary is never permanent: "no such user" comes from NOT_FOUND alone,
 * and what could not be looked up is 4xx.
 */
#include "smtp/reply.h"

static const struct smtp_reply replies[] = {
#define REPLY(id, code_, esc_, text_) \
	[REPLY_##id] = { .code = (code_), .esc = (esc_), .text = (text_) },
#include "smtp/reply.def"
#undef REPLY
};

struct smtp_reply
reply_get(enum reply_id id)
{
	ASSERT(id > REPLY_NONE && id < ARRAY_LEN(replies));
	return replies[id];
}

bool
reply_has_host(enum reply_id id)
{
	int code = reply_get(id).code;

	return id != REPLY_START_TLS &&
	       (code == 220 || code == 221 || code == 421);
}

bool
reply_is_last(enum reply_id id)
{
	int code = reply_get(id).code;

	return code == 421 || code == 221;
}

static enum reply_id
reply_of_lack(enum reason r, enum reply_id other)
{
	if (r == REASON_DISK_FULL)
		return REPLY_DISK_FULL;
	if (r == REASON_OVERQUOTA)
		return REPLY_RCPT_FULL;
	return other;
}

enum reply_id
reply_of_delivery(enum outcome o, enum reason r)
{
	switch (o) {
	case DONE:
		return REPLY_ACCEPTED;
	case NOT_FOUND:
		return REPLY_NO_USER; /* removed since RCPT */
	case TEMPFAIL:
		if (r == REASON_QUEUE_LIMIT)
			return REPLY_QUEUE_LIMIT;
		return reply_of_lack(r, REPLY_MESSAGE_LATER);
	case PERMFAIL:
		if (r == REASON_TOO_BIG)
			return REPLY_TOO_BIG;
		if (r == REASON_BLOCKED)
			return REPLY_BLOCKED;
		return reply_of_lack(r, REPLY_MESSAGE_REFUSED);
	}
	return REPLY_MESSAGE_LATER;
}

enum reply_id
reply_of_rcpt(enum outcome o, enum reason r, bool is_submission)
{
	switch (o) {
	case DONE:
		return REPLY_RCPT_OK;
	case NOT_FOUND:
		return REPLY_NO_USER;
	case TEMPFAIL:
		return reply_of_lack(r, REPLY_RCPT_LATER);
	case PERMFAIL:
		if (r == REASON_NOT_LOCAL)
			return is_submission ? REPLY_RCPT_OK : REPLY_RELAY;
		if (r == REASON_NAME)
			return is_submission ? REPLY_BAD_RCPT : REPLY_RELAY;
		return reply_of_lack(r, REPLY_RCPT_REFUSED);
	}
	return REPLY_RCPT_LATER;
}

enum reply_id
reply_of_sender(enum outcome o, enum reason r)
{
	/* The store was restarted and knows the sign-in no more. */
	if (r == REASON_NOT_GRANTED)
		return REPLY_SIGN_IN_AGAIN;
	switch (o) {
	case DONE:
		return REPLY_MAIL_OK;
	case NOT_FOUND:
	case PERMFAIL:
		return r == REASON_BLOCKED ? REPLY_BLOCKED
		                           : REPLY_SENDER_NOT_OWN;
	case TEMPFAIL:
		break;
	}
	return REPLY_SENDER_LATER;
}

enum reply_id
reply_of_auth(enum outcome o, enum reason r)
{
	switch (o) {
	case DONE:
		return REPLY_AUTH_OK;
	case TEMPFAIL:
		return r == REASON_BANNED ? REPLY_AUTH_BANNED
		                          : REPLY_AUTH_LATER;
	case NOT_FOUND:
	case PERMFAIL:
		break;
	}
	if (r == REASON_BANNED)
		return REPLY_AUTH_BANNED;
	if (r == REASON_AUTH_MECHANISM)
		return REPLY_AUTH_MECHANISM;
	if (r == REASON_AUTH_SYNTAX)
		return REPLY_AUTH_SYNTAX;
	return REPLY_AUTH_FAILED;
}
