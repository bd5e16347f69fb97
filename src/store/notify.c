/* SPDX-License-Identifier: ISC */
/*
 * notify.c - tell sessions that the mailbox they watch has changed.
 *
 * Changes of one round of the loop are told together, and only once they are
 * durable: a crash must not take back what a client has been shown. A session
 * is told once, and again only after it has asked for the entries.
 *
 * In the same way role send hears that a domain's keys are others.
 */
#include "store/server.h"

struct notice {
	struct server *s;
	struct changed *v;
	size_t n;
};

void
notify_changed(void *arg, uint64_t account, uint32_t mailbox)
{
	struct server *s = arg;
	struct changed c = { account, mailbox };

	if (!map_get(&s->watchers, account))
		return;
	if (s->n_changed) {
		const struct changed *last = &s->changed[s->n_changed - 1];

		if (last->account == account && last->mailbox == mailbox)
			return;
	}
	s->changed =
	    x_grow(s->changed, &s->cap_changed, s->n_changed + 1, sizeof(c));
	s->changed[s->n_changed++] = c;
}

static void
tell(struct session *ss, uint64_t modseq)
{
	struct msg_mailbox_changed msg = { ss->mailbox, modseq };
	struct buf body = BUF_INIT(KIB(1));

	ss->is_armed = false;
	msg_mailbox_changed_put(&body, &msg);
	ipc_notify(
	    ss->peer->ipc, MSG_MAILBOX_CHANGED, ss->id, buf_str(&body), -1);
	buf_done(&body);
}

static void
tell_all(struct server *s, const struct changed *c)
{
	struct session *ss = map_get(&s->watchers, c->account);
	uint64_t modseq = 0;

	if (ss)
		modseq = mail_mailbox_modseq(s->mail, c->account, c->mailbox);
	/* Only imap workers hear; a mailbox that is gone has modseq 0. */
	for (; ss; ss = ss->next_watch)
		if (ss->mailbox == c->mailbox && ss->is_armed &&
		    ss->peer->role == ROLE_IMAP &&
		    (modseq == 0 || modseq > ss->seen))
			tell(ss, modseq);
}

static void
on_durable(void *arg, UNUSED int err)
{
	struct notice *n = arg;

	for (size_t i = 0; i < n->n; i++)
		tell_all(n->s, &n->v[i]);
	free(n->v);
	free(n);
}

void
notify_flush(struct server *s)
{
	struct notice *n;

	if (s->n_changed == 0)
		return;
	n = X_NEW(struct notice);
	*n = (struct notice){ s, s->changed, s->n_changed };
	s->changed = NULL;
	s->n_changed = s->cap_changed = 0;
	engine_sync(s->engine, engine_position(s->engine), on_durable, n);
}

/* --- keys ------------------------------------------------------------------------- */

struct keys_notice {
	struct server *s;
	char *domain;
};

static void
on_keys_durable(void *arg, UNUSED int err)
{
	struct keys_notice *n = arg;
	const struct peer *send = store_sender(n->s);
	struct msg_name msg = { str_c(n->domain) };
	struct buf body = BUF_INIT(KIB(1));

	msg_name_put(&body, &msg);
	if (send)
		ipc_notify(send->ipc, MSG_DKIM_CHANGED, 0, buf_str(&body), -1);
	buf_done(&body);
	free(n->domain);
	free(n);
}

/* Not before: it would ask for the old ones again, and be given them. */
void
notify_keys(void *arg, struct str domain)
{
	struct server *s = arg;
	struct keys_notice *n = X_NEW(struct keys_notice);

	*n = (struct keys_notice){ s, str_dup(domain) };
	engine_sync(s->engine, engine_position(s->engine), on_keys_durable, n);
}
