/* SPDX-License-Identifier: ISC */
/*
 * api_watch.c - what role watch answers for the API: the state of a system, and a check
 * that is run now. See api.h.
 */
#include "net/limits.h"
#include "proto/watch/watch_state.h"
#include "web/api/api.h"

const struct api_row api_check_row = { LEDGER_CHECK, "check.remove",
	"There is no such check." };

/* --- asking it ------------------------------------------------------------------------ */

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct api_call *c = arg;

	if (c->v == NULL) {
		api_call_free(c);
		return;
	}
	buf_reset(&c->keys, c->keys.cap);
	if (m->outcome == DONE) {
		buf_put_str(&c->keys, m->body);
		c->then(c);
	} else if (m->outcome != NOT_FOUND) {
		api_fail(c, 503, "The watcher cannot be asked now: try again.");
	} else if (c->missing != NULL) {
		api_fail(c, 404, c->missing);
	} else {
		c->then(c);
	}
}

void
api_watch_ask(struct api_call *c, enum msg_type type, struct str body,
    const char *missing, void (*then)(struct api_call *c))
{
	c->then = then;
	c->missing = missing;
	runtime_request(c->sv->rt,
	    &(struct ipc_peer_request){
		.to = ROLE_WATCH, .type = type, .body = body, .fd = -1 },
	    on_answer, c);
}

bool
api_check_key(struct api_call *c)
{
	if (!api_key(c, 0, &c->slug))
		return false;
	buf_put_char(&c->slug, '/');
	return api_key(c, 1, &c->slug);
}

/* A number, or null. */
static void
put_known(struct buf *to, const char *name, uint64_t n, bool is_known)
{
	if (is_known) {
		status_json_number(to, name, n);
		return;
	}
	status_json_name(to, name);
	buf_put_c(to, "null");
}

/* --- a system --------------------------------------------------------------------------- */

/* Of one without checks nothing is known: there m is all zeros. */
static void
put_state(struct api_call *c, const struct msg_watch_system *m)
{
	bool is_checked = (m->flags & WATCH_SITE_CHECKED) != 0;
	unsigned status = MIN(m->status, (unsigned)WATCH_DOWN);

	buf_put_char(&c->out, '{');
	status_json_text(&c->out, "system", c->system.id);
	status_json_word(&c->out, "state",
	    is_checked ? str_c(watch_status_name((enum watch_status)status))
		       : STR_NONE);
	status_json_time(&c->out, "since", is_checked ? m->since_s : 0);
	status_json_time(&c->out, "at", m->at_s);
	put_known(&c->out, "latency_us", m->us, m->us > 0);
	put_known(&c->out, "uptime_ppm", m->uptime_ppm,
	    (m->flags & WATCH_SITE_UPTIME) != 0);
	status_json_number(&c->out, "coverage_ppm", m->coverage_ppm);
	status_json_bool(
	    &c->out, "planned", (m->flags & WATCH_SITE_PLANNED) != 0);
	status_json_bool(
	    &c->out, "unstable", (m->flags & WATCH_SITE_UNSTABLE) != 0);
	buf_put_char(&c->out, '}');
}

static void
show_state(struct api_call *c)
{
	struct msg_watch_system m = { 0 };
	struct wire w = wire_read(buf_str(&c->keys));

	/* It is new, and watch has not heard of it: that is as without checks. */
	if (c->keys.n > 0 && !msg_watch_system_read(&w, &m)) {
		api_fail(c, 503, NULL);
		return;
	}
	put_state(c, &m);
	/* The tag is the one of the system, and not of how it is. */
	c->hash = 0;
	api_reply(c, 200);
}

static void
ask_state(struct api_call *c)
{
	struct buf body = BUF_INIT(KIB(1));

	if (!c->is_found ||
	    !status_system_decode(buf_str(&c->row_now), &c->system)) {
		api_fail(c, 404, "There is no such system.");
	} else {
		msg_watch_state_put(
		    &body, &(struct msg_watch_state){ buf_str(&c->slug) });
		api_watch_ask(
		    c, MSG_WATCH_STATE, buf_str(&body), NULL, show_state);
	}
	buf_done(&body);
}

void
api_systems_state(struct api_call *c)
{
	if (api_key(c, 0, &c->slug))
		api_row_find(c, LEDGER_SYSTEM, ask_state);
}

/* --- a check, now ----------------------------------------------------------------------- */

/* Seconds that lie before are negative. */
static void
put_stage(struct buf *to, const struct msg_watch_stage *s)
{
	static const char *const hows[] = { [WATCH_STAGE_DONE] = "measured",
		[WATCH_STAGE_OPEN] = "open",
		[WATCH_STAGE_TOLD] = "told",
		[WATCH_STAGE_ABSURD] = "absurd",
		[WATCH_STAGE_BEFORE] = "absurd" };

	buf_put_c(to, to->p[to->n - 1] == '[' ? "{" : ",{");
	status_json_text(to, "name", s->name);
	status_json_word(to, "host", s->host);
	status_json_text(
	    to, "how", str_c(hows[MIN(s->how, (unsigned)WATCH_STAGE_BEFORE)]));
	status_json_name(to, "time_us");
	buf_put_c(to, s->how == WATCH_STAGE_BEFORE ? "-" : "");
	buf_put_u64(to, s->us);
	buf_put_char(to, '}');
}

void
api_put_stages(struct buf *to, struct str stages)
{
	struct msg_watch_stage s;

	status_json_name(to, "stages");
	buf_put_char(to, '[');
	for (struct wire w = wire_read(stages); msg_watch_stage_read(&w, &s);)
		put_stage(to, &s);
	buf_put_char(to, ']');
}

static void
put_dialogue(struct buf *to, struct str dialogue)
{
	struct str line;

	status_json_name(to, "dialogue");
	buf_put_char(to, '[');
	while (dialogue.n > 0) {
		dialogue = str_split(dialogue, '\n', &line);
		if (to->p[to->n - 1] != '[')
			buf_put_char(to, ',');
		jsondoc_put_text(to, line);
	}
	buf_put_char(to, ']');
}

static void
show_run(struct api_call *c)
{
	struct msg_watch_run_reply m;
	struct str system, check;

	if (!msg_watch_run_reply_get(buf_str(&c->keys), &m) ||
	    !status_split_key(buf_str(&c->slug), &system, &check)) {
		/* It is there, and watch has not heard of it yet. */
		api_fail(
		    c, 503, "The watcher does not know it yet: try again.");
		return;
	}
	buf_put_char(&c->out, '{');
	status_json_text(&c->out, "system", system);
	status_json_text(&c->out, "check", check);
	status_json_text(&c->out, "outcome",
	    str_c(watch_outcome_name((enum watch_outcome)m.outcome)));
	status_json_word(&c->out, "cause",
	    m.outcome == WATCH_FAILED
		? str_c(watch_cause_name((enum watch_cause)m.cause))
		: STR_NONE);
	status_json_word(&c->out, "text", m.text);
	put_known(&c->out, "time_us", m.us, m.us > 0);
	put_known(&c->out, "certificate_days", m.days, m.days != UINT16_MAX);
	api_put_stages(&c->out, m.stages);
	put_dialogue(&c->out, m.dialogue);
	buf_put_char(&c->out, '}');
	c->hash = 0;
	api_reply(c, 200);
}

static void
ask_run(struct api_call *c)
{
	struct buf body = BUF_INIT(KIB(1));

	if (!c->is_found) {
		api_fail(c, 404, api_check_row.missing);
	} else {
		msg_watch_run_put(
		    &body, &(struct msg_watch_run){ buf_str(&c->slug) });
		api_watch_ask(c, MSG_WATCH_RUN, buf_str(&body), NULL, show_run);
	}
	buf_done(&body);
}

/* Each goes to somebody's server: 429 was answered when there are too many. */
static bool
may_run(struct api_call *c)
{
	const struct sockaddr_storage *addr = visit_addr(c->v);
	uint64_t now_ms = loop_now_ms(c->sv->loop), wait_ms = 0;

	if (limits_enter(c->sv->runs, addr, now_ms) == LIMITS_OK) {
		limits_leave(c->sv->runs, addr);
		return true;
	}
	(void)!limits_look(c->sv->runs, addr, now_ms, &wait_ms);
	c->retry_s = (unsigned)(wait_ms / 1000) + 1;
	api_fail(c, 429, "Too many checks were run: try again later.");
	return false;
}

void
api_checks_run(struct api_call *c)
{
	if (api_check_key(c) && may_run(c))
		api_row_find(c, LEDGER_CHECK, ask_run);
}
