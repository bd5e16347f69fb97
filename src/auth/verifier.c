/* SPDX-License-Identifier: ISC */
/* verifier.c - the hashes of one password. See verifier.h. */
#include "auth/verifier.h"

#include "auth/crypt_hash.h"
#include "auth/gsasl_wrap.h"
#include "auth/password.h"
#include "auth/scram.h"
#include "base/secret.h"

enum verifier_error
verifier_make(
    struct str password, struct buf *ret_argon2, struct buf *ret_scram)
{
	struct secret prepared CLEANUP(secret_done) = SECRET_NONE;
	struct scram_verifier v;
	char *hash;

	if (password.n == 0)
		return VERIFIER_EMPTY;
	if (password.n > SASL_PASSWORD_MAX)
		return VERIFIER_TOO_LONG;
	if (!str_is_utf8(password) || !sasl_prepare(password, &prepared))
		return VERIFIER_BAD_CHAR;
	if (prepared.n == 0)
		return VERIFIER_EMPTY;
	hash = password_argon2_make(secret_str(&prepared));
	buf_put_c(ret_argon2, hash);
	free(hash);
	scram_verifier_make(secret_str(&prepared), &v);
	scram_verifier_format(&v, ret_scram);
	secret_wipe(&v, sizeof(v));
	return VERIFIER_OK;
}

const char *
verifier_error_str(enum verifier_error e)
{
	switch (e) {
	case VERIFIER_OK:
		return "fine";
	case VERIFIER_EMPTY:
		return "the password is empty";
	case VERIFIER_TOO_LONG:
		return "the password is longer than 1024 bytes";
	case VERIFIER_BAD_CHAR:
		return "the password has characters that sign-in does not "
		       "allow (control characters, or not UTF-8)";
	}
	return "?";
}

static bool
is_scram(struct str hash)
{
	return str_starts(hash, STR("SCRAM-SHA-256$"));
}

static bool
is_argon2(struct str hash)
{
	return str_starts(hash, STR("$argon2id$"));
}

bool
verifier_is_valid(struct str hash)
{
	struct scram_verifier v;

	if (is_argon2(hash))
		return password_argon2_is_valid(hash);
	if (is_scram(hash))
		return scram_verifier_parse(hash, &v);
	return crypt_hash_is_valid(hash);
}

static bool
check_scram(struct str hash, struct str password)
{
	struct scram_verifier v;
	bool ok = scram_verifier_parse(hash, &v) &&
	          scram_verifier_check(&v, password);

	secret_wipe(&v, sizeof(v));
	return ok;
}

bool
verifier_check(struct str hash, struct str password)
{
	struct secret prepared CLEANUP(secret_done) = SECRET_NONE;

	if (!is_argon2(hash) && !is_scram(hash))
		return crypt_hash_check(hash, password);
	/* What cannot be prepared is wrong, but not sooner than others. */
	if (!sasl_prepare(password, &prepared))
		secret_set(&prepared, STR("\x7f"));
	if (is_scram(hash))
		return check_scram(hash, secret_str(&prepared));
	return password_argon2_check(hash, secret_str(&prepared));
}
