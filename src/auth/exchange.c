/* SPDX-License-Identifier: ISC */
/*
 * exchange.c - one sign-in of one session of a front, step by step.
 *
 *   AUTH_STEP --> STEP --challenge--> IDLE --AUTH_STEP--> STEP ...
 *                  |                    (reply state 0: the client is next)
 *                  | login known, not in the cache
 *                  v
 *              VERIFIER --SCRAM: real or fake verifier--> challenge, IDLE
 *                  | password
 *                  v
 *               HASHING --right--> GRANTING --> reply state 1, end
 *                  | wrong
 *                  v
 *               DELAYED (throttle) --> reply PERMFAIL, end
 *
 * An unknown user takes the same road with a dummy hash (or a fake salt that
 * stays the same), so that neither answers nor their times tell who exists.
 * In every state but IDLE exactly one reply is owed, and given even to a front
 * that cancels; ending an exchange cancels whatever is under way for it. Only
 * a grant is waited for.
 */
#include "auth/auth_internal.h"
#include "auth/scram.h"
#include "base/log.h"
#include "base/metrics.h"

enum state {
	STATE_IDLE,
	STATE_STEP,
	STATE_VERIFIER,
	STATE_HASHING,
	STATE_GRANTING,
	STATE_DELAYED,
};

struct exchange {
	struct auth *auth;
	struct exchange *next_in_bucket;
	struct exchange *older, *newer;
	uint64_t deadline_ms;
	struct ipc_peer *peer; /* a reference */
	uint32_t session;
	enum state state;
	struct ipc_return ret; /* owed unless STATE_IDLE */

	enum sasl_mech mech;
	uint8_t service;
	char ip[64];
	struct sasl_server *sasl;
	char *login; /* canonical, or as typed while not known */
	uint64_t account;
	bool is_known;    /* the store has this user */
	bool is_cached;   /* the password came from the cache */
	struct buf final; /* server data that goes with success */

	struct ipc_peer *asked; /* the store, while request is under way */
	uint32_t request;
	struct hasher_job *job;
	struct loop_timer *delay;
};

/* --- the table -------------------------------------------------------------- */

static struct exchange **
bucket_of(struct auth *a, const struct ipc_peer *p, uint32_t session)
{
	uint64_t h = (uintptr_t)p / 64 * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ session) * UINT64_C(0x9e3779b97f4a7c15);
	return &a->buckets[(h >> 32) % EXCHANGE_BUCKETS];
}

static struct exchange *
find(struct auth *a, const struct ipc_peer *p, uint32_t session)
{
	struct exchange *x = *bucket_of(a, p, session);

	while (x && (x->peer != p || x->session != session))
		x = x->next_in_bucket;
	return x;
}

static struct exchange *
exchange_new(struct auth *a, struct ipc_peer *p, uint32_t session)
{
	struct exchange **bucket = bucket_of(a, p, session);
	struct exchange *x = X_NEW(struct exchange);

	x->auth = a;
	x->peer = ipc_peer_ref(p);
	x->session = session;
	x->deadline_ms = loop_now_ms(a->loop) + AUTH_EXCHANGE_TIMEOUT_MS;
	buf_init(&x->final, SASL_OUT_MAX);
	x->next_in_bucket = *bucket;
	*bucket = x;
	x->older = a->newest;
	*(x->older ? &x->older->newer : &a->oldest) = x;
	a->newest = x;
	a->exchanges++;
	return x;
}

static void
unlink_exchange(struct exchange *x)
{
	struct auth *a = x->auth;
	struct exchange **at = bucket_of(a, x->peer, x->session);

	while (*at != x)
		at = &(*at)->next_in_bucket;
	*at = x->next_in_bucket;
	*(x->older ? &x->older->newer : &a->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &a->newest) = x->older;
	a->exchanges--;
}

/* The store's reply is there, or no longer wanted. */
static void
end_request(struct exchange *x)
{
	x->request = 0;
	if (x->asked)
		x->asked = ipc_peer_unref(x->asked);
}

/* The reply, if one is owed, was given or dropped before. */
static void
exchange_free(struct exchange *x)
{
	unlink_exchange(x);
	if (x->request)
		ipc_cancel(x->asked, x->request);
	end_request(x);
	if (x->job)
		hasher_cancel(x->job);
	loop_timer_free(x->delay);
	sasl_server_free(x->sasl);
	buf_done_secret(&x->final);
	free(x->login);
	ipc_peer_unref(x->peer);
	free(x);
}

/* --- answers ------------------------------------------------------------------ */

static struct throttle_who
who_of(const struct exchange *x)
{
	return (struct throttle_who){
		.ip = str_c(x->ip),
		.login = sasl_server_login(x->sasl),
		.password = sasl_server_password(x->sasl),
	};
}

static void
log_end(const struct exchange *x, enum event_id event, const char *why)
{
	log_event(event, LC("login", x->login ? x->login : ""), LC("ip", x->ip),
	    LC("mech", sasl_mech_name(x->mech)),
	    LC("service", service_name((enum service)x->service)),
	    LU("session", x->session), LC("reason", why));
}

static void
fail_now(struct exchange *x, enum outcome o, enum reason reason)
{
	x->state = STATE_IDLE;
	ipc_reply_error(&x->ret, o, reason, NULL);
	exchange_free(x);
}

static void
tempfail(struct exchange *x, enum reason reason)
{
	log_end(x, EV_AUTH_TEMPFAIL, reason_str(reason));
	fail_now(x, TEMPFAIL, reason);
}

/* The client hears the same in both cases. */
static void
delay_is_over(void *arg)
{
	struct exchange *x = arg;
	struct throttle_who who = who_of(x);
	bool is_known = throttle_is_known(
	    x->auth->throttle, &who, loop_now_ms(x->auth->loop));

	fail_now(x, PERMFAIL, is_known ? REASON_AUTH_KNOWN : REASON_AUTH);
}

/* Wrong: count it, and let them wait for the answer. */
static void
wrong(struct exchange *x, const char *why)
{
	struct auth *a = x->auth;
	struct throttle_who who = who_of(x);
	struct throttle_verdict v =
	    throttle_fail(a->throttle, &who, loop_now_ms(a->loop));

	log_end(x, EV_AUTH_FAIL, why);
	if (v.is_new_ban)
		log_end(x, EV_AUTH_BAN, "too many failures");
	x->state = STATE_DELAYED;
	x->delay = loop_timer_new(a->loop, delay_is_over, x);
	loop_timer_set(x->delay, v.delay_ms);
}

static void
challenge(struct exchange *x, struct buf *data)
{
	struct msg_auth_step_reply reply = { .data = buf_str(data) };
	struct buf b = BUF_INIT(KIB(16));

	msg_auth_step_reply_put(&b, &reply);
	x->state = STATE_IDLE;
	ipc_reply(&x->ret, buf_str(&b), -1);
	buf_done_secret(&b);
}

static void
signed_in(struct exchange *x)
{
	struct auth *a = x->auth;
	struct msg_auth_step_reply reply = {
		.state = 1,
		.data = buf_str(&x->final),
		.login = str_c(x->login),
		.account = x->account,
	};
	struct throttle_who who = who_of(x);
	struct buf b = BUF_INIT(KIB(16));

	reply.is_known =
	    throttle_is_known(a->throttle, &who, loop_now_ms(a->loop));
	throttle_succeed(a->throttle, &who, loop_now_ms(a->loop));
	log_end(x, EV_AUTH_OK, x->is_cached ? "cached" : "verified");
	msg_auth_step_reply_put(&b, &reply);
	x->state = STATE_IDLE;
	ipc_reply(&x->ret, buf_str(&b), -1);
	buf_done_secret(&b);
	exchange_free(x);
}

/* --- the store ------------------------------------------------------------------ */

static void
ask_store(
    struct exchange *x, enum msg_type type, struct str body, ipc_reply_fn fn)
{
	x->asked = ipc_peer_ref(x->auth->store);
	x->request = ipc_request(x->asked, type, 0, body, -1, fn, x);
}

static void
granted(void *arg, struct ipc_msg *m)
{
	struct exchange *x = arg;

	end_request(x);
	if (m->outcome == DONE)
		signed_in(x);
	else if (m->outcome == NOT_FOUND)
		fail_now(x, PERMFAIL, REASON_AUTH); /* gone meanwhile */
	else
		tempfail(x, ipc_reason(m));
}

/* Right: the store must know before the front does. */
static void
grant(struct exchange *x)
{
	struct msg_session_grant msg = {
		.worker = ipc_peer_worker(x->peer),
		.session = x->session,
		.account = x->account,
	};
	struct buf b = BUF_INIT(KIB(1));

	x->state = STATE_GRANTING;
	if (!x->auth->store) {
		tempfail(x, REASON_GONE);
		return;
	}
	msg_session_grant_put(&b, &msg);
	ask_store(x, MSG_SESSION_GRANT, buf_str(&b), granted);
	buf_done(&b);
}

/* A salt for somebody who does not exist: always the same one for a name. */
static void
fake_verifier(const struct exchange *x, struct scram_verifier *ret)
{
	uint8_t salt[PASSWORD_DIGEST_BYTES];

	password_digest(x->auth->fake_key,
	    &(struct password_digest_of){
		.label = 's', .name = sasl_server_login(x->sasl) },
	    salt);
	*ret = (struct scram_verifier){ .iterations = SCRAM_ITERATIONS,
		.salt_n = SCRAM_SALT_BYTES };
	memcpy(ret->salt, salt, SCRAM_SALT_BYTES);
	secret_random(ret->stored_key, sizeof(ret->stored_key));
	secret_random(ret->server_key, sizeof(ret->server_key));
}

static void
give_scram_verifier(struct exchange *x, struct str text)
{
	struct buf out = BUF_INIT(SASL_OUT_MAX + SASL_MESSAGE_MAX);
	struct scram_verifier v;

	if (!scram_verifier_parse(text, &v)) {
		x->is_known = false;
		fake_verifier(x, &v);
	}
	if (sasl_server_set_verifier(x->sasl, &v, &out) == SASL_CHALLENGE &&
	    !out.failed)
		challenge(x, &out);
	else
		fail_now(x, PERMFAIL, REASON_AUTH_SYNTAX);
	secret_wipe(&v, sizeof(v));
	buf_done_secret(&out);
}

/* --- passwords -------------------------------------------------------------------- */

static bool
ask_cache(struct exchange *x)
{
	struct auth *a = x->auth;
	struct auth_cache_hit hit;

	if (!auth_cache_get(a->cache, sasl_server_login(x->sasl),
		sasl_server_password(x->sasl), loop_now_ms(a->loop), &hit))
		return false;
	x->account = hit.account;
	free(x->login);
	x->login = x_strdup(hit.login);
	x->is_cached = true;
	metric_add(M_AUTH_CACHED, 1);
	return true;
}

/* Its turn: another session may have proven the same password meanwhile, or
 * the address may have been banned while it waited. */
static enum hasher_turn
hash_turn(void *arg)
{
	struct exchange *x = arg;
	struct throttle_who who = who_of(x);

	if (x->is_known && ask_cache(x))
		return HASHER_YES;
	if (throttle_is_banned(
		x->auth->throttle, &who, loop_now_ms(x->auth->loop)))
		return HASHER_NO;
	metric_add(M_AUTH_HASHES, 1);
	return HASHER_RUN;
}

static void
hash_done(void *arg, bool is_right)
{
	struct exchange *x = arg;
	struct auth *a = x->auth;

	x->job = NULL;
	if (!is_right || !x->is_known) {
		wrong(x, x->is_known ? "wrong password" : "unknown user");
		return;
	}
	if (!x->is_cached && a->config.cache_s > 0)
		auth_cache_put(a->cache,
		    &(struct auth_cache_put){
			.login = sasl_server_login(x->sasl),
			.password = sasl_server_password(x->sasl),
			.until_ms = loop_now_ms(a->loop) +
		                    UINT64_C(1000) * a->config.cache_s,
			.account = x->account,
			.canonical = str_c(x->login) });
	grant(x);
}

static void
check_password(struct exchange *x, struct str hash)
{
	struct hasher_work work = {
		.hash = hash.n > 0 ? hash : str_c(password_argon2_dummy()),
		.password = sasl_server_password(x->sasl),
		.turn = hash_turn,
		.done = hash_done,
		.arg = x,
	};

	x->state = STATE_HASHING;
	if (hash.n == 0)
		x->is_known = false;
	x->job = hasher_submit(x->auth->hasher, &work);
	if (!x->job)
		tempfail(x, REASON_LIMIT);
}

static void
take_user(struct exchange *x, const struct msg_verifier_get_reply *v)
{
	x->is_known = true;
	x->account = v->account;
	free(x->login);
	x->login = str_dup(v->login);
}

static void
got_verifier(void *arg, struct ipc_msg *m)
{
	struct msg_verifier_get_reply v = { 0 };
	struct exchange *x = arg;
	struct str hash;

	end_request(x);
	/* A look-up that failed is not "no such user". */
	if (m->outcome != DONE && m->outcome != NOT_FOUND) {
		tempfail(x, ipc_reason(m));
		return;
	}
	if (m->outcome == DONE && !msg_verifier_get_reply_get(m->body, &v)) {
		tempfail(x, REASON_INTERNAL);
		return;
	}
	if (m->outcome == DONE)
		take_user(x, &v);
	if (!sasl_mech_is_plaintext(x->mech)) {
		give_scram_verifier(x, v.scram_sha256);
		return;
	}
	hash = v.argon2.n > 0 ? v.argon2 : v.crypt;
	check_password(x, hash.n > 0 ? hash : v.scram_sha256);
}

static void
look_up(struct exchange *x)
{
	struct msg_verifier_get msg = { sasl_server_login(x->sasl) };
	struct buf b = BUF_INIT(KIB(4));

	x->state = STATE_VERIFIER;
	if (!x->auth->store) {
		tempfail(x, REASON_GONE);
		return;
	}
	msg_verifier_get_put(&b, &msg);
	ask_store(x, MSG_VERIFIER_GET, buf_str(&b), got_verifier);
	buf_done(&b);
}

/* --- steps of the client --------------------------------------------------------- */

/* The login is known: is it worth going on? */
static bool
refuse_banned(struct exchange *x)
{
	struct throttle_who who = who_of(x);

	if (!throttle_is_banned(
		x->auth->throttle, &who, loop_now_ms(x->auth->loop)))
		return false;
	fail_now(x, PERMFAIL, REASON_BANNED);
	return true;
}

static void
login_known(struct exchange *x, enum sasl_step step)
{
	free(x->login);
	x->login = str_dup(sasl_server_login(x->sasl));
	if (refuse_banned(x))
		return;
	if (step == SASL_HAS_PASSWORD && ask_cache(x))
		grant(x);
	else
		look_up(x);
}

static void
run_step(struct exchange *x, const struct msg_auth_step *msg)
{
	struct sasl_input in = { msg->has_data != 0, msg->data };
	struct buf out = BUF_INIT(SASL_OUT_MAX);
	enum sasl_step step;

	x->state = STATE_STEP;
	step = sasl_server_step(x->sasl, &in, &out);
	switch (step) {
	case SASL_CHALLENGE:
		challenge(x, &out);
		break;
	case SASL_HAS_PASSWORD:
	case SASL_WANT_VERIFIER:
		login_known(x, step);
		break;
	case SASL_PROVEN:
		if (!x->is_known) {
			wrong(x, "unknown user");
			break;
		}
		buf_put_str(&x->final, buf_str(&out));
		grant(x);
		break;
	case SASL_WRONG:
		wrong(x, "wrong proof or channel binding");
		break;
	case SASL_SYNTAX:
		fail_now(x, PERMFAIL, REASON_AUTH_SYNTAX);
		break;
	}
	buf_done_secret(&out);
}

static void
begin(struct exchange *x, const struct msg_auth_step *msg)
{
	struct sasl_binding binding = { msg->binding_type, msg->binding };

	x->service = msg->service;
	snprintf(x->ip, sizeof(x->ip), "%.*s", STR_ARG(msg->client_ip));
	/* Passwords travel inside of TLS only, whatever a front thinks. */
	if (!sasl_mech_from_name(msg->mechanism, &x->mech) ||
	    (sasl_mech_is_plaintext(x->mech) && !msg->has_tls &&
		!x->auth->config.allow_plaintext)) {
		fail_now(x, PERMFAIL, REASON_AUTH_MECHANISM);
		return;
	}
	x->sasl = sasl_server_new(x->mech, &binding);
	if (!x->sasl) {
		fail_now(x, PERMFAIL, REASON_AUTH_MECHANISM);
		return;
	}
	if (!refuse_banned(x))
		run_step(x, msg);
}

void
exchange_step(struct auth *a, struct ipc_peer *p, const struct ipc_msg *m)
{
	struct exchange *x = find(a, p, m->session);
	struct ipc_return ret = ipc_return_new(p, m);
	struct msg_auth_step msg;

	if (!msg_auth_step_get(m->body, &msg) || msg.service >= SERVICE_COUNT ||
	    (x && x->state != STATE_IDLE)) {
		ipc_reply_error(&ret, PERMFAIL, REASON_AUTH_SYNTAX, NULL);
		return;
	}
	if (msg.mechanism.n > 0) {
		/* A new exchange takes the place of one that was left. */
		if (x)
			exchange_free(x);
		if (a->exchanges >= AUTH_EXCHANGES_MAX) {
			ipc_reply_error(&ret, TEMPFAIL, REASON_LIMIT, NULL);
			return;
		}
		x = exchange_new(a, p, m->session);
		x->ret = ret;
		begin(x, &msg);
	} else if (x) {
		x->ret = ret;
		run_step(x, &msg);
	} else {
		ipc_reply_error(&ret, PERMFAIL, REASON_AUTH_SYNTAX, NULL);
	}
}

/* --- ends from outside ------------------------------------------------------------- */

/* The front has room for so many requests only, and keeps each until it is
 * answered: also one that nobody waits for any more. */
static void
drop(struct exchange *x)
{
	if (x->state != STATE_IDLE)
		ipc_reply_error(&x->ret, TEMPFAIL, REASON_GONE, NULL);
	exchange_free(x);
}

void
exchange_cancel(struct auth *a, struct ipc_peer *p, uint32_t session)
{
	struct exchange *x = find(a, p, session);

	/* The store may have granted the session by now, after the front has
	 * closed it: the front has to hear of that, to close it again. */
	if (x && x->state != STATE_GRANTING)
		drop(x);
}

void
exchange_cancel_all(struct auth *a, struct ipc_peer *p)
{
	struct exchange *x = a->oldest, *next;

	for (; x; x = next) {
		next = x->newer;
		if (!p || x->peer == p)
			drop(x);
	}
}

uint64_t
exchange_sweep(struct auth *a, uint64_t now_ms)
{
	while (a->oldest && a->oldest->deadline_ms <= now_ms) {
		struct exchange *x = a->oldest;

		/* Nobody waits for an idle one; the next step finds none. */
		if (x->state == STATE_IDLE)
			exchange_free(x);
		else
			tempfail(x, REASON_LIMIT);
	}
	return a->oldest ? a->oldest->deadline_ms : 0;
}
