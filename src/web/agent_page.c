/* SPDX-License-Identifier: ISC */
/*
 * agent_page.c - /api/agent/v1/: vantage points elsewhere speak to role watch.
 *
 * Requests go on as they came, and so do the answers: who an agent is, and what
 * it may, is not known here. Over HTTPS only: a token, and passwords of
 * checks, may be in them.
 *
 * A watcher that says nothing, though its process is there, is waited for a little
 * longer than it may think; who was told then tries again, and is not heard twice:
 * results have numbers.
 */
#include "proto/agent/agent_message.h"
#include "web/page/pages.h"
#include "web/site.h"

#define ENROL_MS 5000
/* A request without results waits there for up to PLACE_WAIT_MS (watch/place). */
#define SYNC_MS 13000

/* The visit that a reply belongs to; NULL: nobody waits for it any more. */
struct agent_ask {
	struct visit *visit;
	struct loop_timer *limit;
};

static void
on_gone(void *arg)
{
	struct agent_ask *a = arg;

	a->visit = NULL;
	loop_timer_clear(a->limit);
}

static void
reply_later(struct visit *v)
{
	visit_reply(v, &(struct visit_reply){ .status = 503,
			   .type = "text/plain; charset=utf-8",
			   .body = STR("Nobody watches here now; try again in "
				       "a moment.\n"),
			   .fields = STR("Retry-After: 10\r\n"),
			   .is_private = true });
}

static void
pass_back(struct visit *v, const struct msg_agent_call_reply *r)
{
	bool is_binary = r->status == 200 || r->status == 409;

	visit_reply(v, &(struct visit_reply){ .status = r->status,
			   .type = is_binary ? AGENT_MEDIA_TYPE
	                                     : "text/plain; charset=utf-8",
			   .body = r->body,
			   .is_private = true });
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct agent_ask *a = arg;
	struct visit *v = a->visit;
	struct msg_agent_call_reply r;

	loop_timer_free(a->limit);
	free(a);
	if (v == NULL)
		return;
	if (m->outcome == DONE && msg_agent_call_reply_get(m->body, &r) &&
	    r.status >= 200 && r.status < 600)
		pass_back(v, &r);
	else
		reply_later(v);
}

static void
on_late(void *arg)
{
	struct agent_ask *a = arg;
	struct visit *v = TAKE_PTR(a->visit);

	reply_later(v);
}

static void
pass_on(struct visit *v, bool is_enrol)
{
	struct buf body = BUF_INIT(AGENT_BODY_MAX + KIB(1));
	struct agent_ask *a;

	if (!visit_is_https(v)) {
		visit_reply_error(v, 403, "Agents are heard over HTTPS only.");
		return;
	}
	/* It has been silent for a minute, and is not asked by pages either. */
	if (site_state(visit_server(v)->site)->is_stale) {
		reply_later(v);
		return;
	}
	a = X_NEW(struct agent_ask);
	a->visit = v;
	a->limit = loop_timer_new(visit_server(v)->loop, on_late, a);
	loop_timer_set(a->limit, is_enrol ? ENROL_MS : SYNC_MS);
	visit_wait(v, on_gone, a);
	msg_agent_call_put(
	    &body, &(struct msg_agent_call){
		       .is_enrol = is_enrol, .body = visit_body(v) });
	runtime_request(visit_server(v)->rt,
	    &(struct ipc_peer_request){ .to = ROLE_WATCH,
		.type = MSG_AGENT_CALL,
		.body = buf_str(&body),
		.fd = -1 },
	    on_reply, a);
	buf_done(&body);
}

void
page_agent_enrol(struct visit *v)
{
	pass_on(v, true);
}

void
page_agent_sync(struct visit *v)
{
	pass_on(v, false);
}
