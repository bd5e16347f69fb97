/* SPDX-License-Identifier: ISC */
/*
 * LINK: dnsupdate
 *
 * The input as a reply of a name server, as a name, and as a key file.
 * Properties: what is read lies within the limits; names survive being written
 * and read; nobody signs a reply without the key, also not with what we signed;
 * a key file gives a key, or a reason.
 */
#include "proto/dnsupdate/dnsupdate_tsig.h"

#define NOW UINT64_C(1795392000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct crypt_sum request = { .v = "request", .n = 7 };

static void
check_name(struct str text)
{
	struct buf wire = BUF_INIT(DNSUPDATE_NAME_MAX);
	struct buf again = BUF_INIT(DNSUPDATE_NAME_MAX);
	struct buf back = BUF_INIT(DNSUPDATE_TEXT_MAX);
	size_t at = 0;

	if (dnsupdate_name_put(text, &wire)) {
		ASSERT(dnsupdate_name_read(buf_str(&wire), &at, &back));
		ASSERT(at == wire.n);
		ASSERT(dnsupdate_name_put(buf_str(&back), &again));
		ASSERT(str_eq(buf_str(&wire), buf_str(&again)));
	} else {
		ASSERT(wire.n == 0);
	}
	buf_done(&wire);
	buf_done(&again);
	buf_done(&back);
}

static void
check_records(const struct dnsupdate_record *v, size_t n)
{
	struct buf primary = BUF_INIT(DNSUPDATE_TEXT_MAX);
	uint32_t serial;

	for (size_t i = 0; i < n; i++) {
		ASSERT(v[i].type != DNSUPDATE_TYPE_TSIG);
		check_name(v[i].name);
		buf_reset(&primary, primary.cap);
		/* Data with names in it was made whole, or is empty. */
		if (v[i].type == DNSUPDATE_TYPE_SOA && v[i].data.n)
			ASSERT(
			    dnsupdate_read_soa(v[i].data, &primary, &serial));
	}
	buf_done(&primary);
}

static void
check_reply(struct str in)
{
	struct dnsupdate_key k = { .name = (char[]){ "k" },
		.secret = { (char[]){ "0123456789" }, 10 } };
	struct dnsupdate_reply r;
	struct arena arena;

	arena_init(&arena, MIB(1));
	if (dnsupdate_reply_parse(in, &arena, &r)) {
		ASSERT(r.n_answer + r.n_authority <= DNSUPDATE_RECORDS_MAX);
		ASSERT(!r.has_tsig || r.tsig_at < in.n);
		check_records(r.answer, r.n_answer);
		check_records(r.authority, r.n_authority);
		/* Nobody knows the key. */
		ASSERT(dnsupdate_verify(&k, NOW, in, &r, &request) !=
		       DNSUPDATE_SIGNED);
	}
	arena_done(&arena);
}

/* A reply, signed as if it were a question. */
static void
check_signed(struct str in)
{
	struct buf message = BUF_INIT(DNSUPDATE_MESSAGE_MAX);
	struct dnsupdate_key k = { .name = (char[]){ "k" },
		.secret = { (char[]){ "0123456789" }, 10 } };
	struct dnsupdate_reply r;
	struct crypt_sum mac;
	struct arena arena;

	arena_init(&arena, MIB(1));
	buf_put_str(&message, in);
	if (dnsupdate_reply_parse(in, &arena, &r) && !r.has_tsig &&
	    dnsupdate_sign(&k, NOW, &message, &mac)) {
		arena_reset(&arena);
		/* One record more may be one too many. */
		if (!dnsupdate_reply_parse(buf_str(&message), &arena, &r))
			goto out;
		ASSERT(r.has_tsig && r.tsig_at == in.n);
		ASSERT(str_eq(r.tsig.mac, crypt_sum_str(&mac)));
		ASSERT(dnsupdate_verify(&k, NOW, buf_str(&message), &r,
			   &request) == DNSUPDATE_BAD_SIGNATURE);
	}
out:
	buf_done(&message);
	arena_done(&arena);
}

static void
check_key(struct str in)
{
	struct dnsupdate_key k = { 0 };
	const char *why = NULL;

	if (dnsupdate_key_parse(in, &k, &why)) {
		ASSERT(k.name[0] && k.secret.n >= DNSUPDATE_SECRET_MIN);
		check_name(str_c(k.name));
	} else {
		ASSERT(why && why[0] && !k.name);
	}
	dnsupdate_key_done(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_reply(in);
	check_signed(in);
	check_name(in);
	check_key(in);
	return 0;
}
