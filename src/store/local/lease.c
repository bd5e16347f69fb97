/* SPDX-License-Identifier: ISC */
/*
 * lease.c - one owner of a shard at a time, with fencing.
 *
 * A lease is a key of the engine's own shard: it is logged, moved and
 * rebuilt like any other. Its end is wall-clock time, because it must mean
 * something after a restart. The epoch stays when a lease is given back, so
 * that an old owner never fits again.
 */
#include "store/local/batch.h"

#include <time.h>

#define OWNER_MAX 255

struct lease {
	uint64_t epoch, until_ms;
	struct str owner;
};

static uint64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct str
lease_key(char to[9], struct engine_shard shard)
{
	to[0] = (char)shard.kind;
	be64_put(to + 1, shard.id);
	return str_make(to, 9);
}

/* 1 there is one, 0 there never was, or an error. */
static int
lease_get(struct engine *e, struct engine_shard shard, struct lease *ret)
{
	struct kv_entry en;
	struct kv_key k;
	char key[9];
	struct wire w;
	int r;

	kv_key_make(&k, LEASE_SHARD, lease_key(key, shard));
	r = kv_entry_get(e, str_make(k.b, k.n), &en);
	if (r <= 0)
		return r;
	w = wire_read(en.val);
	ret->epoch = wire_get_u64(&w);
	ret->until_ms = wire_get_u64(&w);
	ret->owner = wire_get_str(&w);
	return wire_is_complete(&w) ? 1 : ENGINE_CORRUPT;
}

static int
lease_put(struct engine *e, struct engine_shard shard, const struct lease *l,
    engine_commit_fn fn, void *arg)
{
	struct engine_batch *b = engine_batch_new(e);
	struct buf val = BUF_INIT(KIB(1));
	char key[9];
	int r;

	wire_put_u64(&val, l->epoch);
	wire_put_u64(&val, l->until_ms);
	wire_put_str(&val, l->owner);
	batch_put_any(b, LEASE_SHARD, lease_key(key, shard), buf_str(&val));
	/* An owner who cannot renew could not clean up either. */
	b->is_freeing = true;
	r = engine_commit(e, b, fn, arg);
	buf_done(&val);
	return r;
}

int
lease_check(struct engine *e, struct engine_shard shard, uint64_t epoch)
{
	struct lease l;
	int r = lease_get(e, shard, &l);

	if (r < 0)
		return r;
	if (r == 0 || l.epoch != epoch || l.until_ms <= wall_ms())
		return ENGINE_FENCED;
	return 0;
}

struct lease_call {
	engine_lease_fn fn;
	void *arg;
	uint64_t epoch;
};

static void
lease_done(void *arg, int err)
{
	struct lease_call *call = arg;

	call->fn(call->arg, err, call->epoch);
	free(call);
}

void
engine_lease(struct engine *e, struct engine_shard shard, struct str owner,
    uint32_t ttl_ms, engine_lease_fn fn, void *arg)
{
	struct lease l = { 0 };
	struct lease_call *call;
	uint64_t now = wall_ms();
	int r = lease_get(e, shard, &l);
	bool is_mine = r > 0 && str_eq(l.owner, owner);

	if (r > 0 && !is_mine && l.until_ms > now)
		r = -EBUSY;
	if (owner.n == 0 || owner.n > OWNER_MAX)
		r = -EINVAL;
	if (r < 0) {
		fn(arg, r, 0);
		return;
	}
	if (!is_mine)
		l.epoch++;
	l.owner = owner;
	l.until_ms = now + ttl_ms;
	call = X_NEW(struct lease_call);
	*call = (struct lease_call){ fn, arg, l.epoch };
	r = lease_put(e, shard, &l, lease_done, call);
	if (r < 0) {
		free(call);
		fn(arg, r, 0);
	}
}

int
engine_release(struct engine *e, struct engine_shard shard, uint64_t epoch)
{
	struct lease l;
	int r = lease_get(e, shard, &l);

	if (r < 0)
		return r;
	if (r == 0 || l.epoch != epoch || l.owner.n == 0)
		return ENGINE_FENCED;
	l.until_ms = 0;
	l.owner = STR_NONE;
	return lease_put(e, shard, &l, NULL, NULL);
}
