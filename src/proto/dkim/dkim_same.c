/* SPDX-License-Identifier: ISC */
/* dkim_same.c - is a published key ours? See dkim_same.h. */
#include "proto/dkim/dkim_same.h"

/* In whichever form each of them stands there. */
static bool
is_same_key(const struct crypt_key *a, const struct crypt_key *b)
{
	struct buf a_bytes = BUF_INIT(DKIM_RECORD_MAX);
	struct buf b_bytes = BUF_INIT(DKIM_RECORD_MAX);
	bool is_same;

	if (crypt_key_kind(a) != crypt_key_kind(b))
		return false;
	crypt_key_to_public(a, &a_bytes);
	crypt_key_to_public(b, &b_bytes);
	is_same = str_eq(buf_str(&a_bytes), buf_str(&b_bytes));
	buf_done(&a_bytes);
	buf_done(&b_bytes);
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

enum dkim_same
dkim_same(struct str ours, const struct str *found, size_t n)
{
	size_t keys = 0, same = 0;
	struct dkim_key mine = { .key = NULL }, key;
	struct dkim_finding why;
	bool is_known = dkim_key_parse(ours, &mine, &why);

	for (size_t i = 0; i < n; i++) {
		if (!dkim_key_parse(found[i], &key, &why))
			continue;
		keys++;
		same += mine.key && key.key && is_good_for_us(&key) &&
		        is_same_key(mine.key, key.key);
		dkim_key_done(&key);
	}
	if (is_known)
		dkim_key_done(&mine);
	return keys == 0                ? DKIM_SAME_NONE
	       : keys == 1 && same == 1 ? DKIM_SAME
	                                : DKIM_SAME_OTHER;
}

bool
dkim_is_same(struct str ours, struct str found)
{
	return dkim_same(ours, &found, 1) == DKIM_SAME;
}
