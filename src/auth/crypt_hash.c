/* SPDX-License-Identifier: ISC */
/* crypt_hash.c - imported crypt(3) hashes. See crypt_hash.h. */
#include "auth/crypt_hash.h"

#include <crypt.h>

#include "base/secret.h"

/* clang-format off */
static const char *const accepted[] = {
	"$y$", "$gy$", "$7$",           /* yescrypt, scrypt */
	"$2a$", "$2b$", "$2x$", "$2y$", /* bcrypt */
	"$6$", "$5$", "$1$",            /* SHA-512, SHA-256, MD5 */
};
/* clang-format on */

static bool
has_accepted_method(struct str hash)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
		if (str_starts(hash, str_c(accepted[i])))
			return true;
	return false;
}

bool
crypt_hash_is_valid(struct str hash)
{
	char c[CRYPT_HASH_MAX] = "";

	if (hash.n >= sizeof(c) || memchr(hash.p ? hash.p : "", 0, hash.n) ||
	    !has_accepted_method(hash))
		return false;
	memcpy(c, hash.p, hash.n);
	return crypt_checksalt(c) != CRYPT_SALT_INVALID;
}

bool
crypt_hash_check(struct str hash, struct str password)
{
	struct crypt_data *data;
	const char *made;
	char setting[CRYPT_HASH_MAX] = "", phrase[512] = "";
	bool ok;

	if (!crypt_hash_is_valid(hash) || password.n >= sizeof(phrase) ||
	    memchr(password.p ? password.p : "", 0, password.n))
		return false;
	memcpy(setting, hash.p, hash.n);
	if (password.n > 0)
		memcpy(phrase, password.p, password.n);
	data = X_NEW(struct crypt_data);
	made = crypt_rn(phrase, setting, data, sizeof(*data));
	ok = made && str_eq_constant_time(str_c(made), hash);
	secret_wipe(phrase, sizeof(phrase));
	secret_wipe(data, sizeof(*data));
	free(data);
	return ok;
}
