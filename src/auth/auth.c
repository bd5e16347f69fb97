/* SPDX-License-Identifier: ISC */
/* auth.c - what the auth role keeps, and who may tell it what. See auth.h. */
#include "auth/auth_internal.h"

#define SWEEP_MS UINT64_C(5000)

static void
sweep(void *arg)
{
	struct auth *a = arg;

	exchange_sweep(a, loop_now_ms(a->loop));
	loop_timer_set(a->sweep, SWEEP_MS);
}

struct auth *
auth_new(struct loop *loop, const struct auth_config *config)
{
	struct auth *a = X_NEW(struct auth);

	password_init();
	(void)password_argon2_dummy();
	a->loop = loop;
	a->config = *config;
	a->throttle = throttle_new(&config->limits);
	a->cache = auth_cache_new();
	a->hasher = hasher_new(loop, config->threads);
	a->sweep = loop_timer_new(loop, sweep, a);
	loop_timer_set(a->sweep, SWEEP_MS);
	secret_random(a->fake_key, sizeof(a->fake_key));
	return a;
}

static void
drop_store(struct auth *a)
{
	if (!a->store)
		return;
	if (a->key_request)
		ipc_cancel(a->store, a->key_request);
	a->key_request = 0;
	ipc_peer_unref(TAKE_PTR(a->store));
}

void
auth_free(struct auth *a)
{
	if (!a)
		return;
	exchange_cancel_all(a, NULL);
	hasher_free(a->hasher);
	auth_cache_free(a->cache);
	throttle_free(a->throttle);
	loop_timer_free(a->sweep);
	drop_store(a);
	secret_wipe(a, sizeof(*a));
	free(a);
}

void
auth_configure(struct auth *a, const struct auth_config *config)
{
	uint32_t threads = a->config.threads;

	/* Entries made under a longer time must not outlive a shorter one. */
	if (config->cache_s < a->config.cache_s)
		auth_cache_forget(a->cache, STR_NONE);
	a->config = *config;
	a->config.threads = threads;
	throttle_set_limits(a->throttle, &config->limits);
}

static void
on_salt_key(void *arg, struct ipc_msg *m)
{
	struct auth *a = arg;
	struct msg_salt_key_reply reply;

	a->key_request = 0;
	if (m->outcome == DONE && msg_salt_key_reply_get(m->body, &reply) &&
	    reply.key.n == sizeof(a->fake_key))
		memcpy(a->fake_key, reply.key.p, sizeof(a->fake_key));
}

/*
 * The key is asked for before any verifier, and answers of the directory come
 * in order: so it is here before the first user is known not to exist. Until
 * the store has one, and when it cannot tell, a random one has to do.
 */
void
auth_set_store(struct auth *a, struct ipc_peer *store)
{
	drop_store(a);
	auth_cache_forget(a->cache, STR_NONE);
	if (!store)
		return;
	a->store = ipc_peer_ref(store);
	a->key_request =
	    ipc_request(store, MSG_SALT_KEY, 0, STR_NONE, -1, on_salt_key, a);
}

/* What one address has to bear. */
static bool
answer_client(struct auth *a, struct ipc_peer *p, const struct ipc_msg *m)
{
	static const uint8_t states[] = {
		[THROTTLE_FREE] = AUTH_CLIENT_FREE,
		[THROTTLE_SLOWED] = AUTH_CLIENT_SLOWED,
		[THROTTLE_BANNED] = AUTH_CLIENT_BANNED,
	};
	struct msg_auth_client_reply reply = { 0 };
	struct buf body = BUF_INIT(KIB(1));
	uint64_t now = loop_now_ms(a->loop), until;
	struct msg_auth_client q;
	struct ipc_return ret;

	if (!msg_auth_client_get(m->body, &q))
		return false;
	reply.state =
	    states[throttle_client(a->throttle, q.client_ip, now, &until)];
	if (until > now)
		reply.until = (loop_time_ms(a->loop) + until - now) / 1000;
	msg_auth_client_reply_put(&body, &reply);
	ret = ipc_return_new(p, m);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&body);
	return true;
}

void
auth_message(struct auth *a, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_auth_forget forget;

	if (m->type == MSG_AUTH_STEP) {
		exchange_step(a, p, m);
	} else if (m->type == MSG_AUTH_CANCEL) {
		exchange_cancel(a, p, m->session);
	} else if (m->type == MSG_AUTH_CLIENT) {
		if (!answer_client(a, p, m))
			ipc_peer_close(p);
	} else if (m->type == MSG_AUTH_FORGET) {
		/* When in doubt about whom, forget everybody. */
		if (!msg_auth_forget_get(m->body, &forget))
			forget.login = STR_NONE;
		auth_cache_forget(a->cache, forget.login);
	}
}

void
auth_peer_closed(struct auth *a, struct ipc_peer *p)
{
	if (p == a->store)
		auth_set_store(a, NULL);
	else
		exchange_cancel_all(a, p);
}

size_t
auth_exchanges(const struct auth *a)
{
	return a->exchanges;
}
