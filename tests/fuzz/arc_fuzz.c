/* SPDX-License-Identifier: ISC */
/*
 * LINK: arc dkim authres
 *
 * arc_fuzz.c - hostile chains are judged within their limits; what we seal
 * passes when it came without a chain, and again after another hop; a chain
 * that has failed is sealed once, stays failed, and is not sealed again.
 */
#include "proto/arc/arc_seal.h"
#include "proto/arc/arc_verify.h"

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

static enum arc_cv
cv_of(struct str header, struct str body)
{
	struct arc_verifier *v = arc_verifier_new(header, NULL);
	struct buf record = BUF_INIT(1000);
	struct arc_result r;

	ASSERT(arc_verifier_keys(v) <= ARC_SETS_MAX + 1);
	ASSERT(arc_verifier_hops(v) <= ARC_SETS_MAX);
	dkim_key_format(the_key(), &record);
	for (size_t i = 0; i < arc_verifier_keys(v); i++) {
		struct buf name = BUF_INIT(DKIM_DOMAIN_MAX);

		arc_verifier_query(v, i, &name);
		ASSERT(!name.failed);
		arc_verifier_key(v, i, DKIM_ANSWER_RECORD, buf_str(&record));
		buf_done(&name);
	}
	arc_verifier_body(v, body);
	r = arc_verifier_finish(v);
	ASSERT((r.cv == ARC_FAIL) == (r.reason != NULL));
	arc_verifier_free(v);
	buf_done(&record);
	return r.cv;
}

static bool
seal(struct buf *m, struct str body, enum arc_cv cv)
{
	struct buf results = BUF_INIT(KIB(8)), out = BUF_INIT(KIB(512));
	struct arc_seal_options o = {
		.domain = STR("example.org"),
		.selector = STR("s"),
		.key = the_key(),
		.authserv_id = STR("mx.example.org"),
		.cv = cv,
		.now = 1700000000,
	};
	struct arc_sealer *s;
	bool ok;

	if (arc_collect_results(buf_str(m), o.authserv_id, &results) &&
	    !results.failed)
		o.results = buf_str(&results);
	s = arc_sealer_new(buf_str(m), &o);
	ok = s != NULL;
	if (ok) {
		arc_sealer_body(s, body);
		ok = arc_sealer_finish(s, &out);
	}
	arc_sealer_free(s);
	if (ok) {
		buf_put_str(&out, buf_str(m));
		ASSERT(!out.failed);
		buf_done(m);
		*m = out;
	} else {
		buf_done(&out);
	}
	buf_done(&results);
	return ok;
}

static void
check_chain(struct buf *m, struct str body)
{
	enum arc_cv cv = cv_of(buf_str(m), body);

	if (!seal(m, body, cv))
		return;
	if (cv == ARC_FAIL) {
		ASSERT(cv_of(buf_str(m), body) == ARC_FAIL);
		ASSERT(!seal(m, body, ARC_FAIL));
		return;
	}
	ASSERT(cv_of(buf_str(m), body) == ARC_PASS);
	if (seal(m, body, ARC_PASS))
		ASSERT(cv_of(buf_str(m), body) == ARC_PASS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), header = in, body = STR_NONE;
	ptrdiff_t end = str_search(in, STR("\r\n\r\n"));
	struct buf m = BUF_INIT(KIB(256));

	if (size > KIB(16))
		return 0;
	if (end >= 0) {
		header = str_first(in, (size_t)end + 2);
		body = str_from(in, (size_t)end + 4);
	}
	buf_put_c(&m, FIRST);
	buf_put_str(&m, header);
	check_chain(&m, body);
	buf_done(&m);
	return 0;
}
