/* SPDX-License-Identifier: ISC */
/*
 * pop3_quit.c - QUIT: the UPDATE state, and the \Seen flags of what was read.
 *
 * Nothing but QUIT removes messages. Exactly the marked UIDs go, in requests
 * of bounded size; "+OK" means that all of them are gone for good.
 *
 * \Seen is set for many messages at once, since each change is made durable
 * by itself: after some messages, at QUIT, and when the connection ends.
 */
#include "imap/pop3_internal.h"

#include "proto/imap/imap_flags.h"

#define REMOVE_BYTES KIB(256) /* of UID ranges in one request */

/* --- \Seen ---------------------------------------------------------------------- */

static void
on_seen(UNUSED void *arg, UNUSED struct ipc_msg *m)
{
	/* A flag that could not be set costs nobody a message. */
}

void
pop3_send_seen(struct pop3 *p)
{
	struct msg_flags flags = { .mailbox = p->drop.mailbox,
		.uids = buf_str(&p->seen),
		.op = 1,
		.flags = IMAP_FLAG_SEEN };
	struct buf b = BUF_INIT(KIB(32));
	struct ipc_peer_request req = { .to = ROLE_STORE,
		.type = MSG_FLAGS,
		.session = p->client.id,
		.fd = -1 };

	if (p->seen_count) {
		msg_flags_put(&b, &flags);
		req.body = buf_str(&b);
		(void)runtime_request(p->client.sv->rt, &req, on_seen, NULL);
	}
	buf_reset(&p->seen, 0);
	p->seen_count = 0;
	buf_done(&b);
}

/* A UID set is ascending, and clients may read in any order. */
void
pop3_saw(struct pop3 *p, struct pop3_message *m)
{
	if (m->is_seen)
		return;
	m->is_seen = true;
	if (p->seen_count && m->uid <= p->seen_last)
		pop3_send_seen(p);
	uid_set_add(&p->seen, m->uid, m->uid);
	p->seen_last = m->uid;
	if (++p->seen_count >= POP3_SEEN_MAX)
		pop3_send_seen(p);
}

/* --- removal -------------------------------------------------------------------- */

static bool ask_removal(struct pop3 *p);

static void
on_removed(struct pop3 *p, struct ipc_msg *m)
{
	if (m->outcome == DONE && ask_removal(p))
		return;
	if (m->outcome == DONE)
		pop3_ok(p, "Bye");
	else
		pop3_err(p, m->outcome == TEMPFAIL ? "SYS/TEMP" : "SYS/PERM",
		    "Some marked messages were not removed");
	pop3_close(p);
	pop3_finish(p);
}

/* False: there is nothing (more) to remove. */
static bool
ask_removal(struct pop3 *p)
{
	struct buf uids = BUF_INIT(KIB(300)), b = BUF_INIT(KIB(512));
	struct msg_expunge req = { .mailbox = p->drop.mailbox,
		.is_any_flag = true };
	bool has_any = pop3_drop_marked(&p->drop, &p->at, &uids, REMOVE_BYTES);

	if (has_any) {
		req.uids = buf_str(&uids);
		msg_expunge_put(&b, &req);
		pop3_ask(p, MSG_EXPUNGE, &b, on_removed);
	}
	buf_done(&uids);
	buf_done(&b);
	return has_any;
}

void
pop3_cmd_quit(struct pop3 *p, UNUSED const struct pop3_command *c)
{
	bool is_signed_in = p->state == POP3_TRANSACTION;

	p->at = 0;
	p->client.attempt.is_well = true;
	if (is_signed_in) {
		p->state = POP3_UPDATE;
		pop3_send_seen(p);
		pop3_hold(p);
		if (ask_removal(p))
			return;
		pop3_finish(p);
	}
	pop3_ok(p, "Bye");
	pop3_close(p);
}
