/* SPDX-License-Identifier: ISC */
/*
 * look_keys.c - is what DKIM keys are checked with in DNS? Role send looks, for the store
 * asks nobody outside.
 *
 * One request at a time. Keys of a request that gets no answer come again by themselves.
 */
#include "store/server.h"

#include "base/log.h"
#include "proc/dkim_found.h"

struct looking {
	struct server *s;
	struct buf keys; /* dkim_sought, as they were asked for */
};

/* What else went wrong is tried again by itself. */
static void
fail(struct verdict v)
{
	if (v.reason == REASON_CORRUPT)
		log_event(EV_STORE_CORRUPT, LC("during", "keys"));
}

static void
take(struct looking *l, struct str items)
{
	struct wire sought = wire_read(buf_str(&l->keys));
	struct wire seen = wire_read(items);
	struct msg_dkim_sought q;
	struct msg_dkim_seen m;

	while (msg_dkim_sought_read(&sought, &q) &&
	       msg_dkim_seen_read(&seen, &m)) {
		struct verdict v = dir_dkim_saw(l->s->dir, &q, m.found);

		if (!verdict_is_done(v))
			fail(v);
	}
}

static void
on_seen(void *arg, struct ipc_msg *m)
{
	struct looking *l = arg;
	struct msg_list_reply reply;

	l->s->is_looking = false;
	if (m->outcome == DONE && msg_list_reply_get(m->body, &reply))
		take(l, reply.items);
	buf_done(&l->keys);
	free(l);
}

void
look_for_keys(struct server *s)
{
	const struct peer *p = store_sender(s);
	struct buf keys = BUF_INIT(DIR_LOOK_BYTES);
	struct buf body = BUF_INIT(DIR_LOOK_BYTES + KIB(1));
	struct verdict v = VERDICT_DONE;

	if (p && !s->is_looking)
		v = dir_dkim_look_step(s->dir, &keys);
	if (!verdict_is_done(v))
		fail(v);
	if (keys.n > 0) {
		struct looking *l = X_NEW(struct looking);

		msg_dkim_look_put(
		    &body, &(struct msg_dkim_look){ buf_str(&keys) });
		*l = (struct looking){ s, keys };
		keys = BUF_INIT(1);
		s->is_looking = true;
		ipc_request(
		    p->ipc, MSG_DKIM_LOOK, 0, buf_str(&body), -1, on_seen, l);
	}
	buf_done(&keys);
	buf_done(&body);
}

void
log_key(UNUSED void *arg, struct str domain, struct str selector,
    enum dkim_turn turn, uint8_t found)
{
	static const enum event_id events[] = {
		[DKIM_TURN_SEEN] = EV_STORE_DKIM_SEEN,
		[DKIM_TURN_LOST] = EV_STORE_DKIM_LOST,
		[DKIM_TURN_SIGNS] = EV_STORE_DKIM_SIGNS,
	};

	log_event(events[turn], LS("domain", domain), LS("selector", selector),
	    LC("found", dkim_found_str(found)));
}
