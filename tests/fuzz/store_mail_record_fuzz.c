/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/store/mail/record.c src/store/dir/dir_record.c
 *
 * store_mail_record_fuzz.c - records of accounts and of the directory, from
 * bytes that lay on a bad disk. The first byte chooses the record. What
 * decodes, encoded again, decodes to the same bytes once more: no field is
 * lost and none is made up.
 */
#include "store/dir/dir_record.h"
#include "store/mail/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/*
 * Decode, encode, decode, encode: the two encodings are the same bytes. (The
 * input need not be: a varint can be written longer than it must be.)
 */
#define ROUND(type) \
	static void round_##type(struct str in) \
	{ \
		struct buf one = BUF_INIT(MIB(4)), two = BUF_INIT(MIB(4)); \
		struct type##_record a, b; \
\
		if (type##_record_decode(in, &a)) { \
			type##_record_encode(&one, &a); \
			must(!one.failed); \
			must(type##_record_decode(buf_str(&one), &b)); \
			type##_record_encode(&two, &b); \
			must(str_eq(buf_str(&one), buf_str(&two))); \
		} \
		buf_done(&one); \
		buf_done(&two); \
	}

ROUND(account)
ROUND(mailbox)
ROUND(entry)
ROUND(message)
ROUND(grave)
ROUND(domain)
ROUND(user)
ROUND(verifier)
ROUND(removed)
ROUND(alias)

static void
round_numbers(struct str in)
{
	struct buf b = BUF_INIT(100);
	uint64_t refs, again, next;

	if (refs_decode(in, &refs)) {
		must(refs >= 2);
		refs_encode(&b, refs);
		must(refs_decode(buf_str(&b), &again) && again == refs);
	}
	buf_reset(&b, 0);
	if (counter_record_decode(in, &next)) {
		must(next >= 1);
		counter_record_encode(&b, next);
		must(counter_record_decode(buf_str(&b), &again) &&
		     again == next);
	}
	buf_done(&b);
}

/* A key that reads is the key that its parts make. */
static void
round_keys(struct str in)
{
	uint32_t a, b;
	uint64_t c;

	if (key_read_id(in, 'B', &a))
		must(str_eq(in, KEY(key_mailbox(a))));
	if (key_read_id(in, 'G', &a))
		must(str_eq(in, KEY(key_grave(a))));
	if (key_read_id(in, 'S', &a))
		must(str_eq(in, KEY(key_subscription(a))));
	if (key_read_entry(in, &a, &b))
		must(str_eq(in, KEY(key_entry(a, b))));
	if (key_read_change(in, &a, &c, &b))
		must(str_eq(in, in.p[0] == 'C' ? KEY(key_change(a, c, b))
					       : KEY(key_expunged(a, c, b))));
	if (key_read_lost(in, &c, &a, &b))
		must(str_eq(in, KEY(key_lost(c, a, b))));
	if (key_read_msgid(in, 'M', &c))
		must(str_eq(in, KEY(key_message(c))));
	if (key_read_msgid(in, 'R', &c))
		must(str_eq(in, KEY(key_refs(c))));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const rounds[])(struct str) = { round_account,
		round_mailbox, round_entry, round_message, round_grave,
		round_domain, round_user, round_verifier, round_removed,
		round_alias, round_numbers, round_keys };

	if (n == 0)
		return 0;
	rounds[data[0] % ARRAY_LEN(rounds)](str_make(data + 1, n - 1));
	return 0;
}
