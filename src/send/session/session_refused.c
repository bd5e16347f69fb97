/* SPDX-License-Identifier: ISC */
/*
 * session_refused.c - a server that refuses our address: the breaker hears of
 * it, and the recipients take another way. So does a canary's recipient when
 * its try fails for the time being: it was only lent.
 */
#include "send/route/breakers.h"
#include "send/session/session_internal.h"

void
session_note_refusal(struct session *s, const struct smtp_client_event *ev)
{
	s->is_refused = true;
	s->refused_host = session_host(s);
	s->refused_code = ev->code;
	s->refused_said = s->said;
	snprintf(s->refused_text, sizeof(s->refused_text), "%.*s",
	    STR_ARG(ev->text));
	memcpy(s->refused_ip, s->ip, sizeof(s->refused_ip));
	memcpy(s->refused_source, s->source, sizeof(s->refused_source));
}

void
session_tell_refusal(struct session *s)
{
	if (!s->is_refused || s->sv->is_stopping)
		return;
	breakers_refused(
	    s->sv->breakers, &(struct refusal){ .dest = s->dest,
				 .host = s->refused_host,
				 .mx_ip = s->refused_ip,
				 .own_ip = s->refused_source,
				 .is_of_host = true,
				 .code = s->refused_code,
				 .reply = str_c(s->refused_text),
				 .rule = s->refused_said.rule,
				 .link = s->refused_said.link,
				 .was_canary = dest_end_canary(s->dest) });
	s->verdict.is_blocked = true;
}

static void
tell_breakers(struct session *s, const struct judgement *j)
{
	struct breakers *bs = s->sv->breakers;
	bool was_canary = s->mail->is_canary;

	s->mail->is_canary = false;
	if (j->is_blocked)
		breakers_refused(bs, &(struct refusal){ .dest = s->dest,
					 .host = session_host(s),
					 .mx_ip = s->ip,
					 .own_ip = s->source,
					 .domain = domain_name(s->mail->domain),
					 .is_of_host = s->is_said_of_host,
					 .code = j->code,
					 .reply = j->text,
					 .rule = s->said.rule,
					 .link = s->said.link,
					 .was_canary = was_canary });
	else if (was_canary && j->outcome == DONE)
		breakers_accepted(bs, s->dest, domain_name(s->mail->domain));
	else if (was_canary)
		breakers_unsure(bs, s->dest, domain_name(s->mail->domain));
}

bool
session_moves(struct session *s, size_t i, const struct judgement *j)
{
	/* It may have arrived: not once more by another way. */
	bool is_lent = s->mail->is_canary && j->outcome == TEMPFAIL &&
	               !j->may_duplicate && !j->is_untried;

	tell_breakers(s, j);
	if ((!j->is_blocked && !is_lent) || s->sv->is_stopping)
		return false;
	if (s->moved == NULL) {
		s->moved = mail_new(s->mail->domain, s->mail->until_ms);
		s->moved->moves = s->mail->moves + 1;
	}
	mail_add(s->moved, mail_take(s->mail, i));
	return true;
}

void
session_move_rest(struct session *s)
{
	if (s->moved != NULL)
		lookup_mail(s->sv, TAKE_PTR(s->moved));
}
