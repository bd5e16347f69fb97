/* SPDX-License-Identifier: ISC */
/* dkim_same.c - is a published key ours? See dkim_same.h. */
#include "proto/dkim/dkim_same.h"

#include "proto/dkim/dkim_tag.h"

/* The bytes of a key record that was parsed already. */
static void
put_key_bytes(struct str record, struct buf *to)
{
	struct dkim_tags tags;

	if (dkim_tags_parse(record, &tags) &&
	    !dkim_base64(dkim_tags_get(&tags, "p"), to))
		buf_reset(to, to->cap);
}

/* Though it may stand there in the other form that RSA keys have, which is the end of ours. */
static bool
has_our_bytes(struct str ours, struct str found)
{
	struct buf want = BUF_INIT(DKIM_RECORD_MAX);
	struct buf have = BUF_INIT(DKIM_RECORD_MAX);
	bool is_same;

	put_key_bytes(ours, &want);
	put_key_bytes(found, &have);
	is_same = have.n > 0 && want.n > 0 &&
	          str_ends(buf_str(&want), buf_str(&have));
	buf_done(&want);
	buf_done(&have);
	return is_same;
}

/* May it judge what we sign (SHA-256, i= of the domain)? */
static bool
is_good_for_us(const struct dkim_key *key)
{
	const struct dkim_signature ours = {
		.algorithm = key->kind == CRYPT_RSA ? DKIM_RSA_SHA256
		                                    : DKIM_ED25519_SHA256,
	};
	struct dkim_finding why;

	return dkim_key_fits(key, &ours, &dkim_policy_default, &why);
}

/* Any 32 bytes are a key of Ed25519, also the last ones of an RSA key. */
static bool
has_our_kind(struct str ours, const struct dkim_key *found)
{
	struct dkim_finding why;
	struct dkim_key key;
	bool is_same;

	if (!dkim_key_parse(ours, &key, &why))
		return false;
	is_same = key.kind == found->kind;
	dkim_key_done(&key);
	return is_same;
}

bool
dkim_is_same(struct str ours, struct str found)
{
	struct dkim_finding why;
	struct dkim_key key;
	bool is_same;

	if (!dkim_key_parse(found, &key, &why))
		return false;
	is_same = has_our_kind(ours, &key) && is_good_for_us(&key) &&
	          has_our_bytes(ours, found);
	dkim_key_done(&key);
	return is_same;
}

static bool
is_key(struct str record)
{
	struct dkim_finding why;
	struct dkim_key key;

	if (!dkim_key_parse(record, &key, &why))
		return false;
	dkim_key_done(&key);
	return true;
}

enum dkim_same
dkim_same(struct str ours, const struct str *found, size_t n)
{
	size_t keys = 0, same = 0;

	for (size_t i = 0; i < n; i++) {
		keys += is_key(found[i]);
		same += dkim_is_same(ours, found[i]);
	}
	return keys == 0                ? DKIM_SAME_NONE
	       : keys == 1 && same == 1 ? DKIM_SAME
	                                : DKIM_SAME_OTHER;
}
