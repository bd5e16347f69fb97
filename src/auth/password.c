/* SPDX-License-Identifier: ISC */
/* password.c - argon2id and keyed hashes, from libsodium. See password.h. */
#include "auth/password.h"

#include <sodium.h>

#include "base/secret.h"

static char dummy[crypto_pwhash_STRBYTES];

void
password_init(void)
{
	if (sodium_init() < 0)
		die("libsodium does not start");
}

const char *
password_argon2_dummy(void)
{
	uint8_t random[16];
	char *hash;

	if (dummy[0])
		return dummy;
	/* Made anew in each process: there is no password to it. */
	secret_random(random, sizeof(random));
	hash = password_argon2_make(str_make(random, sizeof(random)));
	memcpy(dummy, hash, strlen(hash) + 1);
	free(hash);
	return dummy;
}

char *
password_argon2_make(struct str password)
{
	char *hash = x_zalloc(crypto_pwhash_STRBYTES);

	if (crypto_pwhash_str_alg(hash, password.p ? password.p : "",
		password.n, PASSWORD_ARGON2_PASSES, PASSWORD_ARGON2_MEMORY,
		crypto_pwhash_ALG_ARGON2ID13) != 0)
		die("no memory for argon2id");
	return hash;
}

bool
password_argon2_check(struct str hash, struct str password)
{
	char c[crypto_pwhash_STRBYTES] = "";

	if (hash.n >= sizeof(c) || password.n > PASSWORD_MAX)
		return false;
	memcpy(c, hash.p, hash.n);
	return crypto_pwhash_str_verify(
		   c, password.p ? password.p : "", password.n) == 0;
}

/* The number behind name in "m=24576,t=2,p=1". */
static bool
cost(struct str params, struct str name, uint32_t max, uint32_t *ret)
{
	struct str one;

	while (params.n > 0) {
		params = str_split(params, ',', &one);
		if (str_starts(one, name))
			return str_to_u32(str_from(one, name.n), max, ret);
	}
	return false;
}

bool
password_argon2_is_valid(struct str hash)
{
	struct str rest = hash, params;
	uint32_t m, t, p;

	if (!str_starts(hash, STR("$argon2id$v=19$")) ||
	    hash.n >= crypto_pwhash_STRBYTES)
		return false;
	rest = str_from(hash, sizeof("$argon2id$v=19$") - 1);
	rest = str_split(rest, '$', &params);
	return cost(params, STR("m="), PASSWORD_ARGON2_MEMORY_MAX >> 10, &m) &&
	       cost(params, STR("t="), PASSWORD_ARGON2_PASSES_MAX, &t) &&
	       cost(params, STR("p="), 16, &p) && m >= 8 && t >= 1 && p >= 1 &&
	       str_find(rest, '$') > 0;
}

static void
add(crypto_generichash_state *h, struct str s)
{
	uint64_t n = s.n;

	crypto_generichash_update(h, (const unsigned char *)&n, sizeof(n));
	if (s.n > 0)
		crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

void
password_digest(const uint8_t key[PASSWORD_KEY_BYTES],
    const struct password_digest_of *in, uint8_t ret[PASSWORD_DIGEST_BYTES])
{
	crypto_generichash_state h;

	crypto_generichash_init(
	    &h, key, PASSWORD_KEY_BYTES, PASSWORD_DIGEST_BYTES);
	add(&h, str_make(&in->label, 1));
	add(&h, in->name);
	add(&h, in->password);
	crypto_generichash_final(&h, ret, PASSWORD_DIGEST_BYTES);
	secret_wipe(&h, sizeof(h));
}

bool
password_digest_eq(const uint8_t a[PASSWORD_DIGEST_BYTES],
    const uint8_t b[PASSWORD_DIGEST_BYTES])
{
	return sodium_memcmp(a, b, PASSWORD_DIGEST_BYTES) == 0;
}
