/* SPDX-License-Identifier: ISC */
/* status_secret.c - secrets that are told once. See status_secret.h. */
#include "proto/status/status_secret.h"

#include "base/base64.h"

_Static_assert(CRYPT_DIGEST_MAX >= STATUS_SECRET_HASH, "SHA-256");

void
status_put_base64url(struct buf *to, struct str bytes)
{
	size_t from = to->n;

	base64_encode(to, bytes);
	for (size_t i = from; i < to->n; i++)
		if (to->p[i] == '+')
			to->p[i] = '-';
		else if (to->p[i] == '/')
			to->p[i] = '_';
	while (to->n > from && to->p[to->n - 1] == '=')
		to->n--;
}

void
status_secret_put(struct buf *to, const unsigned char raw[STATUS_SECRET_RAW])
{
	status_put_base64url(to, str_make(raw, STATUS_SECRET_RAW));
}

bool
status_secret_is_sane(struct str secret)
{
	if (secret.n != STATUS_SECRET_LEN)
		return false;
	for (size_t i = 0; i < secret.n; i++)
		if (!ascii_is_alpha(secret.p[i]) &&
		    !ascii_is_digit(secret.p[i]) && secret.p[i] != '-' &&
		    secret.p[i] != '_')
			return false;
	return true;
}

void
status_secret_hash(struct str secret, unsigned char ret[STATUS_SECRET_HASH])
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, secret);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	ASSERT(sum.n == STATUS_SECRET_HASH);
	memcpy(ret, sum.v, STATUS_SECRET_HASH);
}

bool
status_secret_matches(struct str secret, struct str hash)
{
	unsigned char sum[STATUS_SECRET_HASH];

	status_secret_hash(secret, sum);
	return str_eq_constant_time(str_make(sum, sizeof(sum)), hash);
}
