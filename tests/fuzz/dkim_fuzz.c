/* SPDX-License-Identifier: ISC */
/*
 * LINK: dkim
 *
 * dkim_fuzz.c - canonical forms are the same however the body is split, and
 * their own canonical forms; what we sign passes, and no longer when a byte
 * that counts is changed; limits hold on hostile signatures and keys.
 */
#include "proto/dkim/dkim_sign.h"
#include "proto/dkim/dkim_tag.h"
#include "proto/dkim/dkim_verify.h"

#define NOW   1700000000
#define FIRST "From: a@example.org\r\nSubject: one\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct crypt_key *
the_key(void)
{
	static struct crypt_key *key;

	if (!key)
		key = crypt_key_generate(CRYPT_ED25519, 0);
	ASSERT(key);
	return key;
}

static void
put_buf(void *arg, struct str bytes)
{
	buf_put_str(arg, bytes);
}

static void
canon(enum dkim_canon c, struct str in, size_t step, struct buf *out)
{
	struct dkim_sink to = { put_buf, out };
	struct dkim_body b;

	dkim_body_init(&b, c, &to);
	for (; in.n; in = str_from(in, step))
		dkim_body_feed(&b, str_first(in, step));
	dkim_body_finish(&b);
	ASSERT(!out->failed);
}

static void
check_canon(enum dkim_canon c, struct str in)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64 };
	struct buf whole = BUF_INIT(in.n + 2), again = BUF_INIT(in.n + 4);

	canon(c, in, MAX(in.n, (size_t)1), &whole);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct buf parts = BUF_INIT(in.n + 2);

		canon(c, in, steps[i], &parts);
		ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
		buf_done(&parts);
	}
	canon(c, buf_str(&whole), 5, &again);
	ASSERT(str_eq(buf_str(&whole), buf_str(&again)));
	buf_done(&whole);
	buf_done(&again);
}

/* The verdict on the topmost signature, with our key for all. */
static enum dkim_verdict
verdict(struct str header, struct str body)
{
	struct dkim_verifier *v = dkim_verifier_new(header, NULL);
	struct buf record = BUF_INIT(1000);
	enum dkim_verdict r = DKIM_PERMERROR;
	size_t n = dkim_verifier_count(v);

	ASSERT(n <= DKIM_VERIFY_MAX);
	dkim_key_format(the_key(), &record);
	for (size_t i = 0; i < n; i++) {
		struct buf name = BUF_INIT(DKIM_DOMAIN_MAX);

		if (dkim_verifier_query(v, i, &name))
			dkim_verifier_key(
			    v, i, DKIM_ANSWER_RECORD, buf_str(&record));
		ASSERT(!name.failed);
		buf_done(&name);
	}
	dkim_verifier_body(v, body);
	dkim_verifier_finish(v, NOW);
	for (size_t i = 0; i < n; i++)
		ASSERT((dkim_verifier_result(v, i)->verdict == DKIM_PASS) ==
		       (dkim_verifier_result(v, i)->reason == NULL));
	if (n > 0)
		r = dkim_verifier_result(v, 0)->verdict;
	dkim_verifier_free(v);
	buf_done(&record);
	return r;
}

static bool
sign(struct str header, struct str body, struct buf *to)
{
	struct dkim_sign_options o = {
		.domain = STR("example.org"),
		.keys = { { STR("s"), the_key() } },
		.keys_n = 1,
		.now = NOW,
	};
	struct dkim_signer *s = dkim_signer_new(header, &o);
	bool ok = s != NULL;

	if (ok) {
		dkim_signer_body(s, body);
		ok = dkim_signer_finish(s, to);
	}
	dkim_signer_free(s);
	return ok;
}

/* With one byte of the body changed, the verdict follows its form. */
static void
check_changed_body(struct str header, struct str body, size_t at)
{
	struct buf other = BUF_INIT(body.n), a = BUF_INIT(body.n + 2),
		   b = BUF_INIT(body.n + 2);
	bool same;

	buf_put_str(&other, body);
	other.p[at] ^= 1;
	canon(DKIM_RELAXED, body, body.n, &a);
	canon(DKIM_RELAXED, buf_str(&other), body.n, &b);
	same = str_eq(buf_str(&a), buf_str(&b));
	ASSERT(
	    verdict(header, buf_str(&other)) == (same ? DKIM_PASS : DKIM_FAIL));
	buf_done(&other);
	buf_done(&a);
	buf_done(&b);
}

static void
check_signing(struct str header, struct str body)
{
	struct buf h = BUF_INIT(KIB(256)), m = BUF_INIT(KIB(512));
	size_t begin;

	buf_put_c(&h, FIRST);
	buf_put_str(&h, header);
	if (sign(buf_str(&h), body, &m)) {
		begin = m.n;
		buf_put_str(&m, buf_str(&h));
		ASSERT(!m.failed);
		ASSERT(verdict(buf_str(&m), body) == DKIM_PASS);
		if (body.n)
			check_changed_body(
			    buf_str(&m), body, (body.n * 7 + 3) % body.n);
		/* The "a" of the sender's address. */
		m.p[begin + 6] ^= 1;
		ASSERT(verdict(buf_str(&m), body) == DKIM_FAIL);
	}
	buf_done(&h);
	buf_done(&m);
}

static void
check_parsers(struct str in)
{
	static const enum dkim_dialect dialects[] = { DKIM_SIGNATURE,
		DKIM_ARC_MESSAGE, DKIM_ARC_SEAL };
	struct dkim_tags tags;
	struct dkim_finding why;
	struct dkim_key key;

	if (dkim_tags_parse(in, &tags)) {
		ASSERT(tags.n > 0 && tags.n <= DKIM_TAGS_MAX);
		for (size_t i = 0; i < tags.n; i++)
			ASSERT(tags.v[i].begin <= tags.v[i].end &&
			       tags.v[i].end <= in.n);
	}
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		struct dkim_signature s;

		if (dkim_signature_parse(dialects[i], in, &s, &why))
			ASSERT(s.bytes_n > 0 &&
			       s.bytes_n <= CRYPT_SIGNATURE_MAX &&
			       s.instance <= DKIM_ARC_INSTANCE_MAX);
	}
	if (dkim_key_parse(in, &key, &why)) {
		ASSERT(
		    !key.key || crypt_key_bits(key.key) <= CRYPT_RSA_BITS_MAX);
		dkim_key_done(&key);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), header = in, body = in;
	ptrdiff_t end = str_search(in, STR("\r\n\r\n"));

	if (size > KIB(16))
		return 0;
	if (end >= 0) {
		header = str_first(in, (size_t)end + 2);
		body = str_from(in, (size_t)end + 4);
	}
	check_canon(DKIM_SIMPLE, body);
	check_canon(DKIM_RELAXED, body);
	check_parsers(in);
	(void)verdict(header, body);
	check_signing(header, body);
	return 0;
}
