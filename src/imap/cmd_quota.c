/* SPDX-License-Identifier: ISC */
/*
 * cmd_quota.c - GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208).
 *
 * One quota root, "": the account. STORAGE is in units of 1024 octets. Of an
 * account without limits no mailbox has a quota root: a QUOTA response must
 * name at least one resource. QUOTASET is not offered: limits are set with
 * mailstead(8).
 */
#include "imap/session.h"

static void
put_quota(struct session *s, const struct msg_quota_reply *q)
{
	const char *blank = "";

	buf_put_c(&s->client.out, "* QUOTA \"\" (");
	if (q->bytes_limit) {
		buf_printf(&s->client.out, "STORAGE %llu %llu",
		    (unsigned long long)((q->bytes + 1023) / 1024),
		    (unsigned long long)(q->bytes_limit / 1024));
		blank = " ";
	}
	if (q->messages_limit)
		buf_printf(&s->client.out, "%sMESSAGE %llu %llu", blank,
		    (unsigned long long)q->messages,
		    (unsigned long long)q->messages_limit);
	buf_put_c(&s->client.out, ")\r\n");
}

static bool
read_quota(struct session *s, struct ipc_msg *m, struct msg_quota_reply *ret)
{
	if (m->outcome != DONE) {
		session_failed(s, m);
		return false;
	}
	if (!msg_quota_reply_get(m->body, ret)) {
		session_broken_reply(s);
		return false;
	}
	return true;
}

static bool
has_limit(const struct msg_quota_reply *q)
{
	return q->bytes_limit || q->messages_limit;
}

static void
on_quota(struct session *s, struct ipc_msg *m)
{
	struct msg_quota_reply q;

	if (!read_quota(s, m, &q))
		return;
	if (!has_limit(&q)) {
		session_no(s, "NONEXISTENT", "This account has no limits");
		return;
	}
	put_quota(s, &q);
	session_ok(s, "Done");
}

void
imap_cmd_getquota(struct session *s)
{
	if (s->cmd->c.u.quota.root.n) {
		session_no(s, "NONEXISTENT", "No such quota root");
		return;
	}
	imap_session_ask(s, MSG_QUOTA, NULL, -1, on_quota);
}

static void
on_root_quota(struct session *s, struct ipc_msg *m)
{
	struct msg_quota_reply q;

	if (!read_quota(s, m, &q))
		return;
	buf_put_c(&s->client.out, "* QUOTAROOT ");
	imap_put_mailbox(
	    &s->client.out, s->cmd->c.u.quota.mailbox.name, session_utf8(s));
	buf_put_c(&s->client.out, has_limit(&q) ? " \"\"\r\n" : "\r\n");
	if (has_limit(&q))
		put_quota(s, &q);
	session_ok(s, "Done");
}

static void
on_root(struct session *s, struct ipc_msg *m)
{
	if (m->outcome != DONE)
		session_failed(s, m);
	else
		imap_session_ask(s, MSG_QUOTA, NULL, -1, on_root_quota);
}

/* Only of mailboxes that exist. */
void
imap_cmd_getquotaroot(struct session *s)
{
	struct msg_mailbox_status req = { .name =
					      s->cmd->c.u.quota.mailbox.name };
	struct buf b = BUF_INIT(KIB(4));

	msg_mailbox_status_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_STATUS, &b, -1, on_root);
	buf_done(&b);
}

void
imap_cmd_setquota(struct session *s)
{
	session_no(s, "NOPERM", "Only the administrator sets limits");
}
