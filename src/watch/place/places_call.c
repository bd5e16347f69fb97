/* SPDX-License-Identifier: ISC */
/*
 * places_call.c - requests of agents, which role web hands on as they came.
 *
 * Web holds no secrets and decides nothing: who an agent is, and whether it may, is
 * decided here, in this order: is there such an agent, is the signature its
 * own, is it revoked, is the request new, are there not too many of them.
 */
#include "watch/place/places.h"

#include "base/log.h"
#include "base/secret.h"

#define REFUSED_LOG_MS 60000
/* Requests of one agent: so many at once, and so many a second in the long run. */
#define BURST       20
#define A_SECOND    5
#define CHECKS_MAX  KIB(600) /* of one list */
#define TOOK_MAX_MS (10u * 60 * 1000)
#define AGE_MAX_MS  (7u * 86400 * 1000)
/* Until the next request of an agent that then waits; it has looked before. */
#define SOON_MS 500
#define LOOK_MS 2000

struct calls {
	uint64_t epoch; /* of this process */
	uint64_t list;  /* number of the present list of checks */
};

struct calls *
calls_new(void)
{
	struct calls *c = X_NEW(struct calls);

	secret_random(&c->epoch, sizeof(c->epoch));
	/* Numbers of another process are other numbers, but for luck. */
	c->list = c->epoch | 1;
	return c;
}

void
calls_changed(struct server *sv)
{
	sv->calls->list += 2;
}

static void
reply(struct ipc_return *ret, unsigned status, struct str body)
{
	struct buf b = BUF_INIT(MIB(1));

	msg_agent_call_reply_put(
	    &b, &(struct msg_agent_call_reply){
		    .status = (uint16_t)status, .body = body });
	ipc_reply(ret, buf_str(&b), -1);
	buf_done(&b);
}

static void
reply_text(struct ipc_return *ret, unsigned status, const char *text)
{
	reply(ret, status, str_c(text));
}

/* Strangers cannot fill the log: who is not known is not in it, and who is, once
 * a minute. */
static void
refuse(
    struct ipc_return *ret, struct place *p, unsigned status, const char *why)
{
	uint64_t now = server_now_ms();

	if (p != NULL &&
	    (p->refused_ms == 0 || now >= p->refused_ms + REFUSED_LOG_MS)) {
		p->refused_ms = now;
		log_event(EV_WATCH_AGENT_REFUSED, LC("agent", p->id),
		    LU("status", status), LC("why", why));
	}
	reply_text(ret, status, why);
}

/* --- enrolment ------------------------------------------------------------------- */

struct enrolment {
	struct ipc_return ret;
	char *id;
};

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct enrolment *e = arg;

	if (m->outcome == DONE) {
		log_event(EV_WATCH_AGENT, LC("agent", e->id),
		    LC("state", "enrolled"));
		reply(&e->ret, 200, str_c(e->id));
	} else if (m->outcome == TEMPFAIL) {
		reply_text(&e->ret, 503, "try again in a moment");
	} else {
		reply_text(&e->ret, 403, "the token was used");
	}
	free(e->id);
	free(e);
}

static bool
is_token_good(const struct place *p, struct str token, uint64_t now_s)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, token);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	return p != NULL && p->agent.token.n > 0 && p->agent.revoked_s == 0 &&
	       now_s < p->agent.until_s &&
	       str_eq_constant_time(p->agent.token, crypt_sum_str(&sum));
}

static void
enrol(struct server *sv, struct place *p, const struct agent_enrol *q,
    struct ipc_return *ret)
{
	struct buf value = BUF_INIT(KIB(4)), rows = BUF_INIT(KIB(8));
	struct enrolment *e = X_NEW(struct enrolment);
	struct status_agent a = p->agent;

	a.token = STR_NONE;
	a.key = q->key;
	a.enrolled_s = a.seen_s = loop_time(sv->loop);
	status_agent_encode(&a, &value);
	msg_ledger_row_put(&rows, &(struct msg_ledger_row){ .key = str_c(p->id),
				      .value = buf_str(&value) });
	e->ret = *ret;
	e->id = x_strdup(p->id);
	/* Two who come with one token: the store lets one in. */
	ledger_put_if(sv->rt,
	    &(struct msg_ledger_put){ .table = LEDGER_AGENT,
		.rows = buf_str(&rows),
		.only_if = LEDGER_IF_SAME,
		.was = p->row },
	    on_put, e);
	buf_done(&value);
	buf_done(&rows);
}

static void
take_enrol(
    struct server *sv, const struct agent_envelope *env, struct ipc_return *ret)
{
	struct crypt_key *key = NULL;
	struct place *p = NULL;
	struct agent_enrol q;
	struct str id;
	bool is_own;

	if (!agent_enrol_read(env->payload, &q)) {
		refuse(ret, NULL, 400, "this is no enrolment");
		return;
	}
	if (status_agent_token_split(q.token, &id))
		p = place_find(sv, id);
	if (!is_token_good(p, q.token, loop_time(sv->loop))) {
		refuse(ret, p, 403,
		    "the token is unknown, was used, or is over; make another "
		    "one with 'mailstead watch agent add'");
		return;
	}
	key = crypt_key_from_public(CRYPT_ED25519, q.key);
	is_own =
	    key != NULL && agent_envelope_is_by(env, AGENT_PATH_ENROL, key);
	crypt_key_free(key);
	if (is_own)
		enrol(sv, p, &q, ret);
	else
		refuse(ret, p, 401, "not signed by the key that it brings");
}

/* --- results ----------------------------------------------------------------------- */

/* Not even an agent may steer a terminal. */
static void
tame(char *to, size_t max, struct str from)
{
	size_t n = MIN(from.n, max - 1);

	for (size_t i = 0; i < n; i++)
		to[i] = from.p[i] >= ' ' && (unsigned char)from.p[i] < 0x7F
		            ? from.p[i]
		            : '?';
	to[n] = '\0';
}

static void
note_seen(struct watched *w, struct seen *s, const struct agent_result *r,
    uint64_t at_wall_ms)
{
	s->at_wall_ms = at_wall_ms;
	s->outcome = (enum watch_outcome)r->outcome;
	s->cause = (enum watch_cause)r->cause;
	s->us = r->us;
	/* Of what is well an agent sends no words. */
	tame(s->text, sizeof(s->text),
	    r->text.n == 0 && r->outcome == WATCH_OK ? STR("it works")
						     : r->text);
	if (w->is_here)
		return;
	/* Nobody else speaks for it. */
	w->at_wall_ms = s->at_wall_ms;
	w->outcome = s->outcome;
	w->cause = s->cause;
	w->us = s->us;
	w->days = r->days;
	(void)snprintf(w->text, sizeof(w->text), "%s", s->text);
}

static struct seen *
seen_by(struct watched *w, const struct place *p, size_t *ret_i)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (w->seen[i].place == p) {
			*ret_i = i;
			return &w->seen[i];
		}
	return NULL;
}

static void
take_result(struct server *sv, struct place *p, const struct agent_result *r)
{
	struct watched *w = watched_find(sv, r->key);
	uint64_t now = server_now_ms(), ended, took;
	struct watch_result result = { .outcome =
					   (enum watch_outcome)r->outcome,
		.cause = (enum watch_cause)r->cause };
	struct seen *s;
	size_t i;

	/* Another's check, or one that is not there any more. */
	if (w == NULL || r->cause >= WATCH_CAUSES || r->age_ms > AGE_MAX_MS)
		return;
	s = seen_by(w, p, &i);
	if (s == NULL)
		return;
	took = MIN(r->took_ms, TOOK_MAX_MS);
	if (r->age_ms > PLACE_LIVE_MS || r->age_ms + took + w->born_ms > now) {
		uint64_t wall = loop_time_ms(sv->loop) - r->age_ms;

		lates_add(w, &(struct late){ .started_ms = wall - took,
				 .ended_ms = wall,
				 .place = p,
				 .us = r->us,
				 .outcome = r->outcome,
				 .cause = r->cause });
		return;
	}
	ended = now - r->age_ms;
	if (!agent_pace_take(&s->pace, ended))
		return;
	result.ended_ms = ended;
	result.started_ms = ended - took;
	note_seen(w, s, r, server_wall_ms(sv, ended));
	schedule_result(w, i, &result, r->us);
}

/* --- answers -------------------------------------------------------------------------- */

static uint32_t
put_checks(struct server *sv, const struct place *p, struct buf *to)
{
	uint32_t n = 0;
	size_t i;

	for (size_t k = 0; k < sv->n_watched; k++) {
		struct watched *w = sv->watched[k];

		if (seen_by(w, p, &i) == NULL)
			continue;
		if (to->n + w->row.n > CHECKS_MAX) {
			log_event(EV_WATCH_AGENT_REFUSED, LC("agent", p->id),
			    LC("why", "more checks than fit"));
			break;
		}
		agent_check_put(
		    to, &(struct agent_check){ str_c(w->key), w->row });
		n++;
	}
	return n;
}

/* Others see it failing, and this agent has not looked at it since. */
static bool
is_wanted(const struct place *p, struct watched *w, uint64_t now)
{
	const struct watch_state *s = &watched_state(w)->state;
	size_t i;

	return watch_state_is_suspected(s) && seen_by(w, p, &i) != NULL &&
	       watch_state_due_ms(s, i) <= now;
}

static void
put_look(struct server *sv, const struct place *p, struct buf *to)
{
	uint64_t now = server_now_ms();
	unsigned n = 0;

	for (size_t k = 0; k < sv->n_watched && n < AGENT_LOOK_MAX; k++) {
		struct watched *w = sv->watched[k];

		if (!is_wanted(p, w, now))
			continue;
		wire_put_vstr(to, str_c(w->key));
		n++;
	}
}

static void
answer(struct place *p, struct ipc_return *ret, unsigned status, uint64_t list)
{
	struct server *sv = p->sv;
	struct buf checks = BUF_INIT(KIB(700)), look = BUF_INIT(KIB(16)),
		   body = BUF_INIT(AGENT_REPLY_MAX);
	struct agent_reply r = { .epoch = sv->calls->epoch,
		.seq = p->seq,
		.time_ms = loop_time_ms(sv->loop),
		.list = sv->calls->list };

	if (status == 200) {
		r.has_checks = list != sv->calls->list;
		if (r.has_checks)
			r.n = put_checks(sv, p, &checks);
		put_look(sv, p, &look);
	}
	r.poll_ms = !p->can_wait ? PLACE_POLL_MS
	            : look.n > 0 ? LOOK_MS
	                         : SOON_MS;
	r.checks = buf_str(&checks);
	r.look = buf_str(&look);
	agent_reply_put(&body, &r);
	reply(ret, status, buf_str(&body));
	buf_done_secret(&checks);
	buf_done(&look);
	buf_done_secret(&body);
}

/* --- requests that wait ------------------------------------------------------------------ */

static void
answer_held(struct place *p)
{
	struct ipc_return ret = p->held;

	p->held_until_ms = 0;
	answer(p, &ret, 200, p->held_list);
}

void
calls_drop(struct place *p)
{
	if (p->held_until_ms == 0)
		return;
	p->held_until_ms = 0;
	refuse(&p->held, p, 403, "the agent was revoked");
}

static bool
has_news(struct place *p, uint64_t list, uint64_t now)
{
	struct server *sv = p->sv;

	if (list != sv->calls->list)
		return true;
	for (size_t k = 0; k < sv->n_watched; k++)
		if (is_wanted(p, sv->watched[k], now))
			return true;
	return false;
}

void
calls_tick(struct server *sv, uint64_t now_ms)
{
	for (size_t i = 0; i < place_count(sv); i++) {
		struct place *p = place_at(sv, i);

		if (p->held_until_ms == 0)
			continue;
		if (!p->is_active)
			calls_drop(p);
		else if (now_ms >= p->held_until_ms ||
			 has_news(p, p->held_list, now_ms))
			answer_held(p);
	}
}

/* --- requests ---------------------------------------------------------------------------- */

static bool
has_budget(struct place *p)
{
	uint64_t now = server_now_ms();

	p->budget = (uint32_t)MIN(p->budget + (now - p->budget_ms) * A_SECOND,
	    BURST * UINT64_C(1000));
	p->budget_ms = now;
	if (p->budget < 1000)
		return false;
	p->budget -= 1000;
	return true;
}

static void
take_sync(struct place *p, const struct agent_envelope *env,
    const struct agent_sync *q, struct ipc_return *ret)
{
	uint64_t now = server_now_ms();
	struct agent_result r;

	/* It did not wait for that. */
	if (p->held_until_ms != 0)
		answer_held(p);
	p->can_wait = q->wait_ms > 0;
	p->left = q->left;
	p->lost = q->lost;
	tame(p->software, sizeof(p->software), q->software);
	place_heard(p, env->time_ms);
	for (struct wire w = wire_read(q->results); agent_result_read(&w, &r);)
		take_result(p->sv, p, &r);
	if (q->left == 0)
		lates_hurry(p->sv);
	if (!p->can_wait || q->n > 0 || q->left > 0 ||
	    has_news(p, q->list, now)) {
		answer(p, ret, 200, q->list);
		return;
	}
	p->held = *ret;
	p->held_list = q->list;
	p->held_until_ms = now + MIN(q->wait_ms, (uint32_t)PLACE_WAIT_MS);
}

static void
judge_sync(
    struct server *sv, const struct agent_envelope *env, struct ipc_return *ret)
{
	struct place *p = place_find(sv, env->id);
	struct agent_sync q;

	if (p == NULL || p->key == NULL ||
	    !agent_envelope_is_by(env, AGENT_PATH_SYNC, p->key))
		refuse(ret, p, 401, "not signed by the key of such an agent");
	else if (!status_agent_is_active(&p->agent))
		refuse(ret, p, 403, "the agent was revoked");
	else if (!p->is_active)
		refuse(ret, p, 403, "there are 15 agents before this one");
	else if (env->epoch != sv->calls->epoch || env->seq <= p->seq)
		answer(p, ret, 409, 0);
	else if (!has_budget(p))
		refuse(ret, p, 429, "too many requests");
	else if (!agent_sync_read(env->payload, &q))
		refuse(ret, p, 400, "this is no message of an agent");
	else {
		p->seq = env->seq;
		take_sync(p, env, &q, ret);
	}
}

bool
calls_request(struct server *sv, struct ipc_peer *peer, struct ipc_msg *m)
{
	struct agent_envelope env;
	struct ipc_return ret;
	struct msg_agent_call q;

	if (!msg_agent_call_get(m->body, &q))
		return false;
	ret = ipc_return_new(peer, m);
	if (!ledger_mirror_is_ready(sv->mirror) || sv->is_stopping)
		reply_text(&ret, 503, "starting; try again in a moment");
	else if (!agent_envelope_read(q.body, &env))
		reply_text(&ret, 400, "this is no message of an agent");
	else if (q.is_enrol)
		take_enrol(sv, &env, &ret);
	else
		judge_sync(sv, &env, &ret);
	return true;
}
