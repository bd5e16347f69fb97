/* SPDX-License-Identifier: ISC */
/*
 * pop3_open.c - read the maildrop at sign-in: INBOX, its entries, their
 * sizes. The client hears that it is signed in when all of that is here.
 *
 * A maildrop that cannot be read ends the connection: the client is signed
 * in then, and has nothing to do.
 */
#include "imap/pop3_internal.h"

static void
give_up(struct pop3 *p, const struct ipc_msg *m)
{
	pop3_err_store(p, m);
	pop3_close(p);
	pop3_finish(p);
}

static void
opened(struct pop3 *p)
{
	struct buf text = BUF_INIT(KIB(1));

	pop3_drop_ready(&p->drop);
	pop3_opened(p);
	buf_printf(&text, "%u message%s", p->drop.left, str_s(p->drop.left));
	pop3_put_ok(&p->client.out, buf_str(&text));
	buf_done(&text);
	pop3_finish(p);
}

static void ask_sizes(struct pop3 *p, uint32_t from_uid);

static void
on_sizes(struct pop3 *p, struct ipc_msg *m)
{
	struct msg_fetch_reply r;

	if (m->outcome != DONE || !msg_fetch_reply_get(m->body, &r) ||
	    !pop3_drop_load_sizes(&p->drop, r.items))
		give_up(p, m);
	else if (r.next_uid)
		ask_sizes(p, r.next_uid);
	else
		opened(p);
}

static void
ask_sizes(struct pop3 *p, uint32_t from_uid)
{
	struct buf b = BUF_INIT(KIB(1)), uids = BUF_INIT(KIB(1));
	struct msg_fetch req = { .mailbox = p->drop.mailbox,
		.want = FETCH_SIZE,
		.max_bytes = FETCH_MAX_BYTES };

	uid_set_add(&uids, from_uid, p->drop.v[p->drop.n - 1].uid);
	req.uids = buf_str(&uids);
	msg_fetch_put(&b, &req);
	pop3_ask(p, MSG_FETCH, &b, on_sizes);
	buf_done(&uids);
	buf_done(&b);
}

static void ask_entries(struct pop3 *p, uint32_t from_uid);

static void
on_entries(struct pop3 *p, struct ipc_msg *m)
{
	struct msg_entries_reply r;

	if (m->outcome != DONE || !msg_entries_reply_get(m->body, &r) ||
	    !pop3_drop_load(&p->drop, r.entries))
		give_up(p, m);
	else if (r.next_uid)
		ask_entries(p, r.next_uid);
	else if (p->drop.n == 0)
		opened(p);
	else
		ask_sizes(p, p->drop.v[0].uid);
}

static void
ask_entries(struct pop3 *p, uint32_t from_uid)
{
	/* No keyword is of interest: claim to know all of them. */
	struct msg_entries req = { .mailbox = p->drop.mailbox,
		.from_uid = from_uid,
		.known_keywords = IPC_KEYWORDS_MAX };
	struct buf b = BUF_INIT(KIB(1));

	msg_entries_put(&b, &req);
	pop3_ask(p, MSG_ENTRIES, &b, on_entries);
	buf_done(&b);
}

static void
on_open(struct pop3 *p, struct ipc_msg *m)
{
	struct msg_mailbox_open_reply r;
	struct msg_mailbox mb;

	if (m->outcome != DONE || !msg_mailbox_open_reply_get(m->body, &r) ||
	    !msg_mailbox_get(r.mailbox, &mb)) {
		give_up(p, m);
		return;
	}
	pop3_drop_init(&p->drop, &mb);
	ask_entries(p, 1);
}

/* Read-only, so that \Recent stays for IMAP; flags can be set all the same. */
void
pop3_open(struct pop3 *p)
{
	struct msg_mailbox_open req = { .name = STR("INBOX"),
		.is_readonly = true };
	struct buf b = BUF_INIT(KIB(1));

	msg_mailbox_open_put(&b, &req);
	pop3_ask(p, MSG_MAILBOX_OPEN, &b, on_open);
	buf_done(&b);
}
