/* SPDX-License-Identifier: ISC */
/*
 * cmd_any.c - CAPABILITY, NOOP, CHECK, LOGOUT, ID, STARTTLS, ENABLE,
 * NAMESPACE: the small commands.
 */
#include "imap/session.h"

void
session_put_capability(struct session *s, struct buf *b)
{
	bool may_tls = !conn_has_tls(s->client.conn) && s->client.sv->tls;

	buf_put_c(b, "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE");
	if (s->state == SESSION_NOT_AUTHENTICATED) {
		if (may_tls)
			buf_put_c(b, " STARTTLS");
		if (!auth_may_plain(s->client.sv, s->client.conn))
			buf_put_c(b, " LOGINDISABLED");
		auth_put_mechanisms(b, s->client.sv, s->client.conn, " AUTH=");
		return;
	}
	buf_put_c(b, " NAMESPACE UIDPLUS UNSELECT CHILDREN MOVE SPECIAL-USE"
		     " CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE"
		     " CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN QUOTA "
		     "QUOTA=RES-STORAGE"
		     " QUOTA=RES-MESSAGE MULTIAPPEND BINARY");
	buf_printf(b, " APPENDLIMIT=%llu",
	    (unsigned long long)server_append_max(s->client.sv));
}

void
imap_cmd_capability(struct session *s)
{
	buf_put_c(&s->client.out, "* CAPABILITY ");
	session_put_capability(s, &s->client.out);
	buf_put_c(&s->client.out, "\r\n");
	session_ok(s, "Done");
}

/* What others changed is told in any case: ask, whether or not we were
 * notified yet. */
void
imap_cmd_noop(struct session *s)
{
	if (s->state == SESSION_SELECTED)
		s->has_changes = true;
	session_ok(s, "Done");
}

void
imap_cmd_check(struct session *s)
{
	imap_cmd_noop(s);
}

void
imap_cmd_logout(struct session *s)
{
	struct buf tag = BUF_INIT(IMAP_MAX_TAG_BYTES);

	buf_put_str(&tag, s->cmd->c.tag);
	imap_put_status(
	    &s->client.out, STR_NONE, IMAP_BYE, STR_NONE, STR("Bye"));
	imap_put_status(&s->client.out, buf_str(&tag), IMAP_OK, STR_NONE,
	    STR("Signed out"));
	client_flush(&s->client);
	s->state = SESSION_LOGOUT;
	s->client.attempt.is_well = true;
	conn_close(s->client.conn);
	buf_done(&tag);
}

/* RFC 2971. What the client says of itself goes to the log. */
void
imap_cmd_id(struct session *s)
{
	const struct imap_id *id = &s->cmd->c.u.id;
	struct str name = STR_NONE, version = STR_NONE;

	for (size_t i = 0; i < id->n; i++) {
		if (str_eq_case(id->pairs[i].key, STR("name")))
			name = id->pairs[i].value;
		if (str_eq_case(id->pairs[i].key, STR("version")))
			version = id->pairs[i].value;
	}
	log_event(EV_IMAP_ID, LU("session", s->client.id),
	    LC("user", s->client.login), LS("name", name),
	    LS("version", version));
	buf_put_c(&s->client.out, "* ID (\"name\" \"Mailstead\")\r\n");
	session_ok(s, "Done");
}

void
imap_cmd_starttls(struct session *s)
{
	struct tls_context *tls = s->client.sv->tls;

	if (conn_has_tls(s->client.conn)) {
		session_bad(s, "TLS is on already");
		return;
	}
	if (!tls) {
		session_no(s, "UNAVAILABLE", "TLS is not set up here");
		return;
	}
	session_ok(s, "Begin TLS now");
	/* What was sent behind STARTTLS is thrown away by conn_start_tls();
	 * the framer is between commands and holds nothing of it. */
	conn_start_tls(s->client.conn, tls);
}

void
imap_cmd_enable(struct session *s)
{
	static const struct {
		struct str name;
		unsigned bit;
	} known[] = {
		{ STR("CONDSTORE"), ENABLED_CONDSTORE },
		{ STR("QRESYNC"), ENABLED_QRESYNC | ENABLED_CONDSTORE },
	};
	const struct imap_words *w = &s->cmd->c.u.enable;

	unsigned bits = 0;

	buf_put_c(&s->client.out, "* ENABLED");
	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			if (str_eq_case(w->words[i], known[k].name)) {
				bits |= known[k].bit;
				buf_printf(&s->client.out, " %.*s",
				    STR_ARG(known[k].name));
			}
	buf_put_c(&s->client.out, "\r\n");
	session_enable(s, bits);
	session_ok(s, "Done");
}

void
imap_cmd_namespace(struct session *s)
{
	buf_put_c(&s->client.out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	session_ok(s, "Done");
}
