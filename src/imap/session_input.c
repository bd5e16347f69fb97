/* SPDX-License-Identifier: ISC */
/*
 * session_input.c - from bytes to commands, and who carries them out.
 *
 * What comes from the client is framed and parsed only while no command is
 * under way, so that a pipelining client cannot make memory grow.
 */
#include "imap/session_internal.h"

#define STEPS_MAX 64 /* commands of one client before others' turn */

/* clang-format off */
static const session_fn handlers[] = {
	[IMAP_CAPABILITY]   = imap_cmd_capability,
	[IMAP_NOOP]         = imap_cmd_noop,
	[IMAP_LOGOUT]       = imap_cmd_logout,
	[IMAP_ID]           = imap_cmd_id,
	[IMAP_STARTTLS]     = imap_cmd_starttls,
	[IMAP_AUTHENTICATE] = imap_cmd_authenticate,
	[IMAP_LOGIN]        = imap_cmd_login,
	[IMAP_ENABLE]       = imap_cmd_enable,
	[IMAP_SELECT]       = imap_cmd_select,
	[IMAP_EXAMINE]      = imap_cmd_select,
	[IMAP_CREATE]       = imap_cmd_create,
	[IMAP_DELETE]       = imap_cmd_delete,
	[IMAP_RENAME]       = imap_cmd_rename,
	[IMAP_SUBSCRIBE]    = imap_cmd_subscribe,
	[IMAP_UNSUBSCRIBE]  = imap_cmd_subscribe,
	[IMAP_LIST]         = imap_cmd_list,
	[IMAP_LSUB]         = imap_cmd_list,
	[IMAP_NAMESPACE]    = imap_cmd_namespace,
	[IMAP_STATUS]       = imap_cmd_status,
	[IMAP_APPEND]       = imap_cmd_append,
	[IMAP_IDLE]         = imap_cmd_idle,
	[IMAP_GETQUOTA]     = imap_cmd_getquota,
	[IMAP_GETQUOTAROOT] = imap_cmd_getquotaroot,
	[IMAP_SETQUOTA]     = imap_cmd_setquota,
	[IMAP_CHECK]        = imap_cmd_check,
	[IMAP_CLOSE]        = imap_cmd_close,
	[IMAP_UNSELECT]     = imap_cmd_unselect,
	[IMAP_EXPUNGE]      = imap_cmd_expunge,
	[IMAP_SEARCH]       = imap_cmd_search,
	[IMAP_FETCH]        = imap_cmd_fetch,
	[IMAP_STORE]        = imap_cmd_store,
	[IMAP_COPY]         = imap_cmd_copy,
	[IMAP_MOVE]         = imap_cmd_copy,
};
/* clang-format on */

/* --- commands ----------------------------------------------------------------- */

static unsigned
state_bit(enum session_state state)
{
	switch (state) {
	case SESSION_NOT_AUTHENTICATED:
		return IMAP_IN_NOT_AUTHENTICATED;
	case SESSION_AUTHENTICATED:
		return IMAP_IN_AUTHENTICATED;
	case SESSION_SELECTED:
		return IMAP_IN_SELECTED;
	case SESSION_LOGOUT:
		return 0;
	}
	return 0;
}

static void
count_bad(struct session *s)
{
	if (client_was_bad(&s->client))
		session_bye(s, NULL, "Too many bad commands");
}

static void
refuse(struct session *s, enum imap_parse verdict)
{
	switch (verdict) {
	case IMAP_PARSE_BAD:
	case IMAP_PARSE_UNKNOWN:
		session_bad(s, s->cmd->c.error);
		count_bad(s);
		return;
	case IMAP_PARSE_BAD_NAME:
		session_no(s, "CANNOT", s->cmd->c.error);
		return;
	case IMAP_PARSE_BAD_CHARSET:
		session_no(s, "BADCHARSET (US-ASCII UTF-8)", s->cmd->c.error);
		return;
	case IMAP_PARSE_OK:
		break;
	}
	ASSERT(!"a command that parsed is not refused");
}

static void
dispatch(struct session *s)
{
	const struct imap_command *c = &s->cmd->c;

	if (!(imap_verb_flags(c->verb) & state_bit(s->state))) {
		session_bad(s, s->state == SESSION_NOT_AUTHENTICATED
				   ? "Sign in first"
				   : "Not in this state");
		return;
	}
	handlers[c->verb](s);
}

static void
start_command(struct session *s, struct str text)
{
	struct command *cmd = X_NEW(struct command);
	enum imap_parse verdict;

	arena_init(&cmd->arena, 4 * IMAP_COMMAND_ARENA);
	buf_init(&cmd->text, SIZE_MAX / 2);
	buf_init(&cmd->code, SESSION_CODE_MAX);
	buf_init(&cmd->reply_text, KIB(2));
	buf_put_str(&cmd->text, text);
	s->cmd = cmd;
	verdict = imap_command_parse(
	    &cmd->arena, buf_str(&cmd->text), session_utf8(s), &cmd->c);
	if (verdict == IMAP_PARSE_OK)
		dispatch(s);
	else
		refuse(s, verdict);
}

/* --- input --------------------------------------------------------------------- */

/* An error of the framer: the rest of the command is skipped by it. */
static void
frame_error(struct session *s, enum imap_frame what, struct str text)
{
	const char *why = what == IMAP_FRAME_LITERAL_BIG ? "Literal too large"
	                  : what == IMAP_FRAME_TOO_MANY  ? "Too many literals"
	                  : what == IMAP_FRAME_LINE_LONG ? "Line too long"
	                  : what == IMAP_FRAME_COMMAND_LONG ? "Command too long"
	                  : what == IMAP_FRAME_BAD_CHAR
	                      ? "NUL is not allowed"
	                      : "A line must end with CRLF";

	if (s->cmd) { /* in SASL or IDLE: that command ends */
		session_bad(s, why);
	} else {
		append_free(s);
		imap_put_status(&s->client.out, imap_command_tag(text),
		    IMAP_BAD, STR_NONE, str_c(why));
		client_flush(&s->client);
	}
	log_event(EV_IMAP_SYNTAX, LU("session", s->client.id),
	    LC("ip", conn_peer_ip(s->client.conn)), LC("what", why));
	count_bad(s);
}

static void
frame_literal(struct session *s, const struct imap_frame_event *ev)
{
	bool is_accepted = ev->literal.can_collect;

	if (s->cmd) { /* in SASL or IDLE: no command, so no literal */
		imap_framer_reject(&s->framer);
		session_bad(s, "A literal is not expected here");
		count_bad(s);
		return;
	}
	if (ev->literal.can_stream && s->state != SESSION_NOT_AUTHENTICATED) {
		append_literal(s, ev);
		return;
	}
	if (is_accepted)
		imap_framer_accept(&s->framer);
	else
		imap_put_status(&s->client.out, imap_command_tag(ev->text),
		    IMAP_NO, STR("TOOBIG"), STR("Literal too large"));
	if (!is_accepted)
		imap_framer_reject(&s->framer);
	else if (ev->literal.is_sync)
		buf_put_c(&s->client.out, "+ OK\r\n");
	client_flush(&s->client);
}

static void
frame_command(struct session *s, struct str text)
{
	if (!s->cmd)
		start_command(s, text);
	else if (s->cmd->line)
		s->cmd->line(s, text);
}

/* Before sign-in the input may hold a password. */
static void
consume(struct session *s, size_t n)
{
	if (s->state == SESSION_NOT_AUTHENTICATED)
		conn_consume_secret(s->client.conn, n);
	else
		conn_consume(s->client.conn, n);
}

/* One event of the framer. False: nothing more can be done now. */
static bool
input_step(struct session *s)
{
	struct imap_frame_event ev;
	struct str in = conn_in(s->client.conn);
	size_t used = 0;
	enum imap_frame what;

	what = imap_framer_next(&s->framer, in, &used, &ev);
	switch (what) {
	case IMAP_FRAME_MORE:
		consume(s, used);
		return false;
	case IMAP_FRAME_COMMAND:
		consume(s, used);
		frame_command(s, ev.text);
		return true;
	case IMAP_FRAME_LITERAL:
		consume(s, used);
		frame_literal(s, &ev);
		return true;
	case IMAP_FRAME_SLICE:
		append_slice(s, &ev);
		consume(s, used);
		return true;
	case IMAP_FRAME_BARE_EOL:
	case IMAP_FRAME_BAD_CHAR:
	case IMAP_FRAME_LINE_LONG:
	case IMAP_FRAME_LITERAL_BIG:
	case IMAP_FRAME_TOO_MANY:
	case IMAP_FRAME_COMMAND_LONG:
		consume(s, used);
		frame_error(s, what, ev.text);
		return true;
	case IMAP_FRAME_FATAL:
		consume(s, used);
		session_bye(s, NULL, "Too much to skip");
		return false;
	}
	return false;
}

/* A command is under way that does not listen, or it is not known yet whether
 * its message can be taken: input waits. */
static bool
is_busy(const struct session *s)
{
	if (append_is_waiting(s))
		return true;
	return s->cmd && (!s->cmd->line || s->cmd->is_finishing);
}

void
session_input(struct session *s)
{
	unsigned steps = 0;

	if (s->is_in_input)
		return;
	if (!s->cmd && client_is_dawdling(&s->client)) {
		client_expire(&s->client, "Too slow");
		return;
	}
	s->is_in_input = true;
	while (s->state != SESSION_LOGOUT && !s->client.is_dead &&
	       !is_busy(s) && !conn_is_full(s->client.conn) &&
	       steps++ < STEPS_MAX)
		if (!input_step(s))
			break;
	s->is_in_input = false;
	if (s->state == SESSION_LOGOUT || s->client.is_dead)
		return;
	if (steps > STEPS_MAX) /* others have their turn first */
		conn_resume(s->client.conn);
	else if (is_busy(s) || conn_is_full(s->client.conn))
		conn_pause(s->client.conn);
	else if (!s->cmd && imap_framer_is_idle(&s->framer))
		imap_framer_shrink(&s->framer);
}
