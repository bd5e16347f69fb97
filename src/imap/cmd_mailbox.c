/* SPDX-License-Identifier: ISC */
/*
 * cmd_mailbox.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.
 *
 * The rules (INBOX, children, limits) are the store's; here is their wording.
 */
#include "imap/session.h"

static void
on_done(struct session *s, struct ipc_msg *m)
{
	if (m->outcome == DONE)
		session_ok(s, "Done");
	else
		session_failed(s, m);
}

void
imap_cmd_create(struct session *s)
{
	const struct imap_create *c = &s->cmd->c.u.create;
	struct msg_mailbox_create req = { .name = c->mailbox.name,
		.special = c->use };
	struct buf b = BUF_INIT(KIB(4));

	/* RFC 6154 3: what we do not keep must be refused. */
	if (c->use & (IMAP_USE_UNKNOWN | IMAP_USE_ALL | IMAP_USE_FLAGGED)) {
		session_no(s, "USEATTR", "No such special use here");
		return;
	}
	msg_mailbox_create_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_CREATE, &b, -1, on_done);
	buf_done(&b);
}

/* Whoever deletes what he has open has nothing open afterwards. */
static void
on_deleted(struct session *s, struct ipc_msg *m)
{
	if (m->outcome == DONE && s->view &&
	    str_eq(s->cmd->c.u.mailbox.name, str_c(s->view->name))) {
		session_deselect(s);
		session_untagged(s, "* OK [CLOSED] Closed\r\n");
	}
	on_done(s, m);
}

static void
on_renamed(struct session *s, struct ipc_msg *m)
{
	const struct imap_rename *r = &s->cmd->c.u.rename;

	/* Of INBOX only the messages move. */
	if (m->outcome == DONE && s->view &&
	    str_eq(r->from.name, str_c(s->view->name))) {
		if (str_eq(r->from.name, STR("INBOX")))
			s->has_changes = true;
		else
			view_rename(s->view, r->to.name);
	}
	on_done(s, m);
}

void
imap_cmd_delete(struct session *s)
{
	struct msg_mailbox_delete req = { .name = s->cmd->c.u.mailbox.name };
	struct buf b = BUF_INIT(KIB(4));

	msg_mailbox_delete_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_DELETE, &b, -1, on_deleted);
	buf_done(&b);
}

void
imap_cmd_rename(struct session *s)
{
	const struct imap_rename *r = &s->cmd->c.u.rename;
	struct msg_mailbox_rename req = { .name = r->from.name,
		.to = r->to.name };
	struct buf b = BUF_INIT(KIB(8));

	msg_mailbox_rename_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_RENAME, &b, -1, on_renamed);
	buf_done(&b);
}

void
imap_cmd_subscribe(struct session *s)
{
	struct msg_mailbox_subscribe req = {
		.name = s->cmd->c.u.mailbox.name,
		.is_subscribed = s->cmd->c.verb == IMAP_SUBSCRIBE,
	};
	struct buf b = BUF_INIT(KIB(4));

	msg_mailbox_subscribe_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_SUBSCRIBE, &b, -1, on_done);
	buf_done(&b);
}
