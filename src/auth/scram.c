/* SPDX-License-Identifier: ISC */
/* scram.c - SCRAM-SHA-256 verifiers. See scram.h. */
#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/secret.h"

void
scram_hmac(struct str key, struct str in, uint8_t *ret)
{
	unsigned n = SCRAM_KEY_BYTES;

	if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)in.p,
		in.n, ret, &n))
		die("HMAC-SHA-256 does not work");
}

void
scram_hash(struct str in, uint8_t *ret)
{
	unsigned n = SCRAM_KEY_BYTES;

	if (EVP_Digest(in.p, in.n, ret, &n, EVP_sha256(), NULL) != 1)
		die("SHA-256 does not work");
}

void
scram_verifier_make_with(struct str password, uint32_t iterations,
    struct str salt, struct scram_verifier *ret)
{
	uint8_t salted[SCRAM_KEY_BYTES], client_key[SCRAM_KEY_BYTES];
	struct scram_verifier v = { .iterations = iterations,
		.salt_n = salt.n };

	ASSERT(salt.n <= sizeof(v.salt) && password.n <= INT_MAX);
	memcpy(v.salt, salt.p, salt.n);
	if (PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n,
		v.salt, (int)v.salt_n, (int)iterations, EVP_sha256(),
		SCRAM_KEY_BYTES, salted) != 1)
		die("PBKDF2 does not work");
	scram_hmac(
	    str_make(salted, sizeof(salted)), STR("Client Key"), client_key);
	scram_hash(str_make(client_key, sizeof(client_key)), v.stored_key);
	scram_hmac(
	    str_make(salted, sizeof(salted)), STR("Server Key"), v.server_key);
	secret_wipe(salted, sizeof(salted));
	secret_wipe(client_key, sizeof(client_key));
	*ret = v;
}

void
scram_verifier_make(struct str password, struct scram_verifier *ret)
{
	uint8_t salt[SCRAM_SALT_BYTES];

	secret_random(salt, sizeof(salt));
	scram_verifier_make_with(
	    password, SCRAM_ITERATIONS, str_make(salt, sizeof(salt)), ret);
}

bool
scram_verifier_check(const struct scram_verifier *v, struct str password)
{
	struct scram_verifier made;
	bool ok;

	scram_verifier_make_with(
	    password, v->iterations, str_make(v->salt, v->salt_n), &made);
	ok = str_eq_constant_time(str_make(v->stored_key, SCRAM_KEY_BYTES),
	    str_make(made.stored_key, SCRAM_KEY_BYTES));
	secret_wipe(&made, sizeof(made));
	return ok;
}
