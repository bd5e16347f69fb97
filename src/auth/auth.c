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
	if (a->store)
		ipc_peer_unref(a->store);
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

void
auth_set_store(struct auth *a, struct ipc_peer *store)
{
	if (a->store)
		ipc_peer_unref(a->store);
	a->store = store ? ipc_peer_ref(store) : NULL;
	auth_cache_forget(a->cache, STR_NONE);
}

void
auth_message(struct auth *a, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_auth_forget forget;

	if (m->type == MSG_AUTH_STEP) {
		exchange_step(a, p, m);
	} else if (m->type == MSG_AUTH_CANCEL) {
		exchange_cancel(a, p, m->session);
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
