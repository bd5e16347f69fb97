/* SPDX-License-Identifier: ISC */
/*
 * dkim_lookup.c - from the answers of a look-up to a key, or to why not.
 */
#include "proto/dkim/dkim_lookup.h"

void
dkim_lookup_init(struct dkim_lookup *l)
{
	*l = (struct dkim_lookup){ .record = BUF_INIT(DKIM_RECORD_MAX) };
}

void
dkim_lookup_done(struct dkim_lookup *l)
{
	dkim_key_done(&l->key);
	buf_done(&l->record);
}

void
dkim_lookup_take(
    struct dkim_lookup *l, enum dkim_answer answer, struct str record)
{
	if (l->has_key)
		return;
	l->has_answer = true;
	l->answer = answer;
	if (answer != DKIM_ANSWER_RECORD)
		return;
	if (record.n > DKIM_RECORD_MAX) {
		l->why = (struct dkim_finding){ DKIM_PERMERROR,
			"key record too long" };
		return;
	}
	buf_reset(&l->record, DKIM_RECORD_MAX);
	buf_put_str(&l->record, record);
	l->has_key = dkim_key_parse(buf_str(&l->record), &l->key, &l->why);
}

static const struct crypt_key *
refuse(struct dkim_finding *why, enum dkim_verdict verdict, const char *reason)
{
	*why = (struct dkim_finding){ verdict, reason };
	return NULL;
}

const struct crypt_key *
dkim_lookup_key(const struct dkim_lookup *l, const struct dkim_signature *s,
    const struct dkim_policy *policy, struct dkim_finding *ret_why)
{
	if (!l->has_answer || l->answer == DKIM_ANSWER_TEMPFAIL)
		return refuse(
		    ret_why, DKIM_TEMPERROR, "the key could not be looked up");
	if (l->answer == DKIM_ANSWER_NONE)
		return refuse(ret_why, DKIM_PERMERROR, "there is no key");
	if (!l->has_key) {
		*ret_why = l->why;
		return NULL;
	}
	return dkim_key_fits(&l->key, s, policy, ret_why) ? l->key.key : NULL;
}
