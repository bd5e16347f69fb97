/* SPDX-License-Identifier: ISC */
/*
 * cmd_bdat.c - BDAT: the message in counted chunks (RFC 3030).
 *
 * The bytes of a chunk follow its command whatever the reply will be, so they
 * are always read, and thrown away when the command was not legal.
 */
#include "smtp/command.h"
#include "smtp/deliver.h"

/* A chunk that is refused is skipped up to this many times the largest
 * message; beyond that the connection ends. */
#define SKIP_FACTOR 2

static void
begin_message(struct session *s)
{
	struct message_config config = {
		.spool_bytes = &s->sv->spool_bytes,
		.spool_max = SERVER_SPOOL_MAX,
		.size_max = s->sv->conf->message_size_max,
	};

	if (s->message == NULL)
		s->message = message_new(&config);
}

static enum reply_id
order_of(struct session *s)
{
	switch (s->state) {
	case STATE_RCPT:
	case STATE_BDAT:
		return REPLY_NONE;
	case STATE_MAIL:
		return session_is_lmtp(s) ? REPLY_NO_RCPT_LMTP : REPLY_NO_RCPT;
	case STATE_GREETING:
	case STATE_HELLO:
	case STATE_READY:
	case STATE_AUTH:
	case STATE_DATA:
	case STATE_CHUNK:
	case STATE_DELIVERING:
	case STATE_ENDED:
		break;
	}
	return REPLY_MAIL_FIRST;
}

/* All bytes of the chunk were read. */
static void
chunk_end(struct session *s)
{
	char text[64];

	if (s->chunk_reply != REPLY_NONE) {
		session_reset(s);
		session_reply(s, s->chunk_reply);
		return;
	}
	if (s->chunk_is_last) {
		if (s->env.body != SMTP_BODY_BINARYMIME)
			message_check_eol(s->message, STR_NONE);
		deliver_message(s);
		return;
	}
	session_enter(s, STATE_BDAT);
	snprintf(text, sizeof(text), "%llu bytes so far",
	    (unsigned long long)s->message->size);
	session_reply_text(s, REPLY_CHUNK_OK, text);
}

size_t
bdat_input(struct session *s, struct str in)
{
	struct str part = str_first(in, (size_t)MIN(s->chunk_left, in.n));

	s->chunk_left -= part.n;
	if (s->chunk_reply == REPLY_NONE) {
		message_put(s->message, part);
		if (s->env.body != SMTP_BODY_BINARYMIME)
			message_check_eol(s->message, part);
	}
	if (s->chunk_left == 0)
		chunk_end(s);
	return part.n;
}

enum reply_id
cmd_bdat(struct session *s, const struct smtp_command *c)
{
	uint64_t most = s->sv->conf->message_size_max;

	if (c->u.bdat.size > SKIP_FACTOR * most) {
		session_log_limit(s, "size");
		session_end(s, REPLY_CHUNK_TOO_BIG);
		return REPLY_NONE;
	}
	s->chunk_left = c->u.bdat.size;
	s->chunk_is_last = c->u.bdat.is_last;
	s->chunk_reply = order_of(s);
	if (s->chunk_reply == REPLY_NONE)
		begin_message(s);
	session_enter(s, STATE_CHUNK);
	if (s->chunk_left == 0)
		chunk_end(s);
	return REPLY_NONE;
}
