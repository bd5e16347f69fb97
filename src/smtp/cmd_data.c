/* SPDX-License-Identifier: ISC */
/* cmd_data.c - DATA: the message, up to CRLF.CRLF and nothing else. */
#include "smtp/command.h"
#include "smtp/deliver.h"

enum reply_id
cmd_data(struct session *s, UNUSED const struct smtp_command *c)
{
	struct message_config config = {
		.spool_bytes = &s->sv->spool_bytes,
		.spool_max = SERVER_SPOOL_MAX,
		.size_max = s->sv->conf->message_size_max,
	};

	if (s->env.count == 0)
		return session_is_lmtp(s) ? REPLY_NO_RCPT_LMTP : REPLY_NO_RCPT;
	if (s->env.body == SMTP_BODY_BINARYMIME)
		return REPLY_DATA_IS_BINARY; /* RFC 3030 section 3 */
	s->message = message_new(&config);
	smtp_data_init(&s->data);
	session_enter(s, STATE_DATA);
	return REPLY_GO_AHEAD;
}

size_t
data_input(struct session *s, struct str in)
{
	struct str rest = in, slice;

	for (;;) {
		switch (smtp_data_next(&s->data, &rest, &slice)) {
		case SMTP_DATA_MORE:
			return in.n;
		case SMTP_DATA_SLICE:
			message_put(s->message, slice);
			break;
		case SMTP_DATA_END:
			s->message->has_bare_eol = s->data.has_bad_eol;
			deliver_message(s);
			return in.n - rest.n;
		}
	}
}
