/* SPDX-License-Identifier: ISC */
/* session_reply.c - what a client is told, and the end of its command. */
#include "imap/session_internal.h"

void
session_command_free(struct session *s)
{
	struct command *cmd = TAKE_PTR(s->cmd);

	if (!cmd)
		return;
	if (cmd->cleanup) {
		s->cmd = cmd;
		cmd->cleanup(s);
		s->cmd = NULL;
	}
	/* Unescaped copies of a password are in the arena. */
	arena_done_secret(&cmd->arena);
	free(cmd->data);
	s->silent = STR_NONE;
	s->yielded = NULL;
	append_free(s);
	buf_done_secret(&cmd->text);
	buf_done(&cmd->code);
	buf_done(&cmd->reply_text);
	free(cmd);
}

void *
session_cmd_data(struct session *s, size_t n)
{
	ASSERT(!s->cmd->data);
	s->cmd->data = x_zalloc(n);
	return s->cmd->data;
}

bool
session_wait_drained(struct session *s, session_fn fn)
{
	if (!conn_is_full(s->client.conn))
		return false;
	s->cmd->drained = fn;
	return true;
}

void
session_untagged(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&s->client.out, fmt, ap);
	va_end(ap);
}

static void
finish_now(struct session *s)
{
	struct command *cmd = s->cmd;

	if (cmd->word == IMAP_OK)
		s->client.bad_count = 0;
	imap_put_status(&s->client.out, cmd->c.tag, cmd->word,
	    buf_str(&cmd->code), buf_str(&cmd->reply_text));
	session_command_free(s);
	client_flush(&s->client);
	if (s->state != SESSION_LOGOUT)
		conn_resume(s->client.conn);
}

static void
finish_synced(struct session *s)
{
	if (s->cmd)
		finish_now(s);
}

void
session_finish(struct session *s, enum imap_status_word word, struct str code,
    struct str text)
{
	struct command *cmd = s->cmd;

	ASSERT(cmd && !cmd->is_finishing);
	cmd->is_finishing = true;
	cmd->line = NULL;
	cmd->drained = NULL;
	cmd->word = word;
	buf_put_str(&cmd->code, code);
	buf_put_str(&cmd->reply_text, text);
	ASSERT(!cmd->code.failed && !cmd->reply_text.failed);
	if (s->sync_then) /* IDLE ends while changes are being told */
		s->sync_then = finish_synced;
	else if (s->view && s->has_changes && s->state == SESSION_SELECTED)
		session_sync(s, session_may_expunge(s), finish_synced);
	else
		finish_now(s);
}

void
session_ok(struct session *s, const char *text)
{
	session_finish(s, IMAP_OK, STR_NONE, str_c(text));
}

void
session_no(struct session *s, const char *code, const char *text)
{
	session_finish(s, IMAP_NO, str_c(code), str_c(text));
}

void
session_bad(struct session *s, const char *text)
{
	session_finish(s, IMAP_BAD, STR_NONE, str_c(text));
}

/* RFC 5530 codes for what the store said. */
static const struct {
	enum reason reason;
	const char *code, *text;
} failures[] = {
	{ REASON_DISK_FULL, "UNAVAILABLE",
	    "The server's disk is full, try again later" },
	{ REASON_OVERQUOTA, "OVERQUOTA", "The mailbox is full" },
	{ REASON_TOO_BIG, "TOOBIG", "Too large" },
	{ REASON_LIMIT, "LIMIT", "A limit is reached" },
	{ REASON_NO_MAILBOX, "NONEXISTENT", "No such mailbox" },
	{ REASON_EXISTS, "ALREADYEXISTS", "The mailbox exists already" },
	{ REASON_NAME, "CANNOT", "Not a possible mailbox name" },
	{ REASON_HAS_CHILDREN, "HASCHILDREN",
	    "The mailbox has mailboxes below it" },
	{ REASON_FORBIDDEN, "CANNOT", "This cannot be done" },
	{ REASON_CORRUPT, "CORRUPTION",
	    "The message is damaged on disk; the operator has been told" },
	{ REASON_IO, "UNAVAILABLE", "Disk error, try again later" },
	{ REASON_GONE, "UNAVAILABLE", "Try again later" },
};

struct session_failure
session_failure_of(const struct ipc_msg *m, bool may_create)
{
	enum reason why = ipc_reason(m);

	ASSERT(m->outcome != DONE);
	if (why == REASON_NO_MAILBOX && may_create)
		return (
		    struct session_failure){ "TRYCREATE", "No such mailbox" };
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (failures[i].reason == why)
			return (struct session_failure){ failures[i].code,
				failures[i].text };
	if (m->outcome == TEMPFAIL)
		return (
		    struct session_failure){ "UNAVAILABLE", "Try again later" };
	return (struct session_failure){ NULL, "Refused" };
}

void
session_failed(struct session *s, const struct ipc_msg *m)
{
	enum imap_verb verb = s->cmd ? s->cmd->c.verb : IMAP_NOOP;
	struct session_failure f = session_failure_of(
	    m, verb == IMAP_APPEND || verb == IMAP_COPY || verb == IMAP_MOVE);

	if (ipc_reason(m) == REASON_NOT_GRANTED)
		session_bye(s, "UNAVAILABLE", "The account is gone");
	else
		session_no(s, f.code, f.text);
}

void
session_broken_reply(struct session *s)
{
	client_log_broken_reply(&s->client);
	session_no(s, "SERVERBUG", "Internal error");
}

void
session_bye(struct session *s, const char *code, const char *text)
{
	if (s->state == SESSION_LOGOUT)
		return;
	imap_put_status(
	    &s->client.out, STR_NONE, IMAP_BYE, str_c(code), str_c(text));
	client_flush(&s->client);
	s->state = SESSION_LOGOUT;
	conn_close(s->client.conn);
}
