/* SPDX-License-Identifier: ISC */
/*
 * salt_key.c - the key with which auth makes salts for users who do not exist.
 *
 * Who asks twice for the salt of a name, with a restart in between, must not
 * learn from another answer that there is no such user. The key is no secret
 * of any user: with it one can tell who exists, and no more.
 */
#include "store/dir/dir_internal.h"

#include "base/secret.h"

static struct verdict
make_key(struct dir *d, struct dir_key at, uint8_t *ret)
{
	struct dir_change c = dir_change_begin(d);

	secret_random(ret, DIR_SALT_KEY_BYTES);
	wire_put_u8(&c.val, DIR_RECORD_VERSION);
	buf_put(&c.val, ret, DIR_SALT_KEY_BYTES);
	dir_change_put(&c, at);
	return dir_change_commit(&c);
}

struct verdict
dir_salt_key(struct dir *d, struct buf *out)
{
	struct dir_key at = dir_key('K', STR("salt"));
	uint8_t key[DIR_SALT_KEY_BYTES];
	struct msg_salt_key_reply reply = { str_make(key, sizeof(key)) };
	struct verdict v = VERDICT_DONE;
	struct str val;
	int got = engine_get(d->engine, DIR_SHARD, dir_key_str(&at), &val);

	if (got < 0)
		return verdict_engine(got);
	if (got == 0)
		v = make_key(d, at, key);
	else if (val.n != 1 + sizeof(key) || val.p[0] != DIR_RECORD_VERSION)
		v = verdict_engine(ENGINE_CORRUPT);
	else
		memcpy(key, val.p + 1, sizeof(key));
	if (verdict_is_done(v))
		msg_salt_key_reply_put(out, &reply);
	secret_wipe(key, sizeof(key));
	return v;
}
