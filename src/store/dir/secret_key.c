/* SPDX-License-Identifier: ISC */
/*
 * secret_key.c - keys that are made once in the life of a data folder.
 *
 * The one for salts: auth makes salts with it for users who do not exist. Who
 * asks twice for the salt of a name, with a restart in between, must not learn
 * from another answer that there is no such user. It is no secret of any user:
 * with it one can tell who exists, and no more.
 *
 * The one for SRS (srs.c) does not leave this process.
 */
#include "store/dir/dir_internal.h"

#include "base/secret.h"

static struct verdict
make_key(struct dir *d, struct dir_key at, uint8_t *ret)
{
	struct dir_change c = dir_change_begin(d);

	secret_random(ret, DIR_SECRET_BYTES);
	wire_put_u8(&c.val, DIR_RECORD_VERSION);
	buf_put(&c.val, ret, DIR_SECRET_BYTES);
	dir_change_put(&c, at);
	return dir_change_commit(&c);
}

struct verdict
dir_secret(struct dir *d, const char *name, uint8_t *ret)
{
	struct dir_key at = dir_key('K', str_c(name));
	struct str val;
	int got = engine_get(d->engine, DIR_SHARD, dir_key_str(&at), &val);

	if (got < 0)
		return verdict_engine(got);
	if (got == 0)
		return make_key(d, at, ret);
	if (val.n != 1 + DIR_SECRET_BYTES || val.p[0] != DIR_RECORD_VERSION)
		return verdict_engine(ENGINE_CORRUPT);
	memcpy(ret, val.p + 1, DIR_SECRET_BYTES);
	return VERDICT_DONE;
}

struct verdict
dir_salt_key(struct dir *d, struct buf *out)
{
	uint8_t key[DIR_SECRET_BYTES];
	struct msg_salt_key_reply reply = { str_make(key, sizeof(key)) };
	struct verdict v = dir_secret(d, "salt", key);

	if (verdict_is_done(v))
		msg_salt_key_reply_put(out, &reply);
	secret_wipe(key, sizeof(key));
	return v;
}
