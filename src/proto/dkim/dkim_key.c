/* SPDX-License-Identifier: ISC */
/*
 * dkim_key.c - key records, and which signatures they may judge.
 */
#include "proto/dkim/dkim_key.h"

#include "base/base64.h"
#include "proto/dkim/dkim_tag.h"

const struct dkim_policy dkim_policy_default = {
	.rsa_bits_min = 1024,
	.allows_sha1 = false,
	.allows_unsigned_body = false,
	.clock_skew_seconds = 600,
};

static bool
refuse(struct dkim_finding *why, enum dkim_verdict verdict, const char *reason)
{
	*why = (struct dkim_finding){ verdict, reason };
	return false;
}

static bool
list_has(struct str list, const char *word)
{
	struct str one;

	while (dkim_list_next(&list, ':', &one))
		if (str_eq_case(one, str_c(word)))
			return true;
	return false;
}

static bool
read_kind(const struct dkim_tags *tags, enum crypt_kind *ret)
{
	struct str k = dkim_tags_get(tags, "k");

	if (!dkim_tags_find(tags, "k") || str_eq_case(k, STR("rsa")))
		*ret = CRYPT_RSA;
	else if (str_eq_case(k, STR("ed25519")))
		*ret = CRYPT_ED25519;
	else
		return false;
	return true;
}

/* p=: an empty one says that the key was revoked (section 3.6.1). */
static bool
read_public(const struct dkim_tags *tags, struct dkim_key *ret)
{
	struct buf bytes = BUF_INIT(DKIM_RECORD_MAX);
	struct str p = dkim_tags_get(tags, "p");

	if (!dkim_tags_find(tags, "p"))
		return false;
	if (p.n == 0)
		return true;
	if (dkim_base64(p, &bytes))
		ret->key = crypt_key_from_public(ret->kind, buf_str(&bytes));
	buf_done(&bytes);
	return ret->key != NULL;
}

bool
dkim_key_parse(
    struct str record, struct dkim_key *ret, struct dkim_finding *ret_why)
{
	struct dkim_tags tags;
	struct dkim_key k = { 0 };

	if (record.n > DKIM_RECORD_MAX)
		return refuse(ret_why, DKIM_PERMERROR, "key record too long");
	if (!dkim_tags_parse(record, &tags))
		return refuse(ret_why, DKIM_PERMERROR, "no valid key record");
	/* v= may be missing, but else it is the first tag, and DKIM1. */
	if (dkim_tags_find(&tags, "v") &&
	    (!str_eq(tags.v[0].name, STR("v")) ||
		!str_eq(tags.v[0].value, STR("DKIM1"))))
		return refuse(ret_why, DKIM_PERMERROR, "no DKIM1 key record");
	if (!read_kind(&tags, &k.kind))
		return refuse(ret_why, DKIM_PERMERROR, "unknown kind of key");
	if (!read_public(&tags, &k))
		return refuse(ret_why, DKIM_PERMERROR, "no valid key (p=)");
	k.hashes = dkim_tags_get(&tags, "h");
	k.services = dkim_tags_get(&tags, "s");
	k.is_testing = list_has(dkim_tags_get(&tags, "t"), "y");
	k.is_strict = list_has(dkim_tags_get(&tags, "t"), "s");
	*ret = k;
	return true;
}

void
dkim_key_done(struct dkim_key *k)
{
	k->key = crypt_key_free(k->key);
}

bool
dkim_key_fits(const struct dkim_key *k, const struct dkim_signature *s,
    const struct dkim_policy *policy, struct dkim_finding *ret_why)
{
	bool is_sha1 = s->algorithm == DKIM_RSA_SHA1;

	if (!k->key)
		return refuse(ret_why, DKIM_PERMERROR, "the key was revoked");
	if (k->kind != dkim_algorithm_kind(s->algorithm))
		return refuse(ret_why, DKIM_PERMERROR,
		    "the key is not for this algorithm");
	if (k->hashes.n && !list_has(k->hashes, is_sha1 ? "sha1" : "sha256"))
		return refuse(ret_why, DKIM_PERMERROR,
		    "the key does not allow this hash (h=)");
	if (k->services.n && !list_has(k->services, "*") &&
	    !list_has(k->services, "email"))
		return refuse(
		    ret_why, DKIM_PERMERROR, "the key is not for mail (s=)");
	if (k->is_strict && s->is_identity_subdomain)
		return refuse(ret_why, DKIM_PERMERROR,
		    "the key is not for subdomains (t=s)");
	if (k->kind == CRYPT_RSA &&
	    crypt_key_bits(k->key) < policy->rsa_bits_min)
		return refuse(ret_why, DKIM_POLICY, "the RSA key is too short");
	return true;
}

void
dkim_key_format(const struct crypt_key *key, struct buf *to)
{
	struct buf bytes = BUF_INIT(DKIM_RECORD_MAX);

	crypt_key_to_public(key, &bytes);
	buf_put_c(to, crypt_key_kind(key) == CRYPT_RSA
			  ? "v=DKIM1; k=rsa; p="
			  : "v=DKIM1; k=ed25519; p=");
	base64_encode(to, buf_str(&bytes));
	buf_done(&bytes);
}

void
dkim_key_name(struct str selector, struct str domain, struct buf *to)
{
	buf_put_str(to, selector);
	buf_put_c(to, "._domainkey.");
	buf_put_str(to, domain);
}
