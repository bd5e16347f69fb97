/* SPDX-License-Identifier: ISC */
/* scram_verifier.c - the text form of a SCRAM verifier. See the header. */
#include "proto/sasl/scram_verifier.h"

#include "base/base64.h"

static const char scheme[] = "SCRAM-SHA-256$";

/* Strict base64 of min to max bytes into to; *ret_n is how many. */
static bool
get_base64(struct str in, void *to, size_t min, size_t max, size_t *ret_n)
{
	struct buf b = BUF_INIT(SCRAM_VERIFIER_MAX);
	bool ok =
	    base64_decode(&b, in) && !b.failed && b.n >= min && b.n <= max;

	if (ok) {
		memcpy(to, b.p, b.n);
		*ret_n = b.n;
	}
	buf_done_secret(&b);
	return ok;
}

static bool
get_key(struct str in, uint8_t *to)
{
	size_t n;

	return get_base64(in, to, SCRAM_KEY_BYTES, SCRAM_KEY_BYTES, &n);
}

bool
scram_verifier_parse(struct str in, struct scram_verifier *ret)
{
	struct scram_verifier v = { 0 };
	struct str rest, info, iterations, salt, stored, server;

	if (in.n > SCRAM_VERIFIER_MAX || !str_starts(in, str_c(scheme)))
		return false;
	rest = str_split(str_from(in, sizeof(scheme) - 1), '$', &info);
	salt = str_split(info, ':', &iterations);
	server = str_split(rest, ':', &stored);
	if (!str_to_u32(iterations, SCRAM_ITERATIONS_MAX, &v.iterations) ||
	    iterations.p[0] == '0' || v.iterations < SCRAM_ITERATIONS_MIN)
		return false;
	if (!get_base64(
		salt, v.salt, SCRAM_SALT_MIN, SCRAM_SALT_MAX, &v.salt_n) ||
	    !get_key(stored, v.stored_key) || !get_key(server, v.server_key))
		return false;
	*ret = v;
	return true;
}

void
scram_verifier_format(const struct scram_verifier *v, struct buf *out)
{
	buf_put_c(out, scheme);
	buf_put_u64(out, v->iterations);
	buf_put_char(out, ':');
	base64_encode(out, str_make(v->salt, v->salt_n));
	buf_put_char(out, '$');
	base64_encode(out, str_make(v->stored_key, SCRAM_KEY_BYTES));
	buf_put_char(out, ':');
	base64_encode(out, str_make(v->server_key, SCRAM_KEY_BYTES));
}
