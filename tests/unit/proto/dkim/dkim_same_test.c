/* SPDX-License-Identifier: ISC */
/* dkim_same_test.c - what receivers make of the records that are there. */
#include "../../test.h"
#include "base/base64.h"
#include "proto/dkim/dkim_same.h"

static struct crypt_key *rsa, *other, *ed25519;
static struct buf ours, theirs, ours_ed25519;

static int
setup(UNUSED void **state)
{
	rsa = crypt_key_generate(CRYPT_RSA, 1024);
	other = crypt_key_generate(CRYPT_RSA, 1024);
	ed25519 = crypt_key_generate(CRYPT_ED25519, 0);
	ours = theirs = ours_ed25519 = BUF_INIT(DKIM_RECORD_MAX);
	if (!rsa || !other || !ed25519)
		return -1;
	dkim_key_format(rsa, &ours);
	dkim_key_format(other, &theirs);
	dkim_key_format(ed25519, &ours_ed25519);
	return 0;
}

static int
teardown(UNUSED void **state)
{
	rsa = crypt_key_free(rsa);
	other = crypt_key_free(other);
	ed25519 = crypt_key_free(ed25519);
	buf_done(&ours);
	buf_done(&theirs);
	buf_done(&ours_ed25519);
	return 0;
}

/* The value of p= of a record that dkim_key_format() made. */
static struct str
key_of(const struct buf *record)
{
	ptrdiff_t at = str_search(buf_str(record), STR("p="));

	return str_from(buf_str(record), (size_t)at + 2);
}

/* What one record is, with our key in the place of %K. */
static enum dkim_same
same(const struct buf *key, const char *format)
{
	struct str head = str_c(format), tail = STR_NONE;
	ptrdiff_t at = str_search(head, STR("%K"));
	struct buf b = BUF_INIT(KIB(8));
	enum dkim_same s;
	struct str text;

	if (at >= 0) {
		tail = str_from(head, (size_t)at + 2);
		head = str_first(head, (size_t)at);
	}
	buf_put_str(&b, head);
	if (at >= 0)
		buf_put_str(&b, key_of(key));
	buf_put_str(&b, tail);
	text = buf_str(&b);
	s = dkim_same(buf_str(&ours), &text, 1);
	buf_done(&b);
	return s;
}

TEST(one_record)
{
	static const struct {
		const char *text;
		enum dkim_same want;
	} cases[] = {
		{ "v=DKIM1; k=rsa; p=%K", DKIM_SAME },
		{ "p=%K", DKIM_SAME },
		{ "v=DKIM1;p=%K;t=y:s;n=note;x=later", DKIM_SAME },
		{ "v=DKIM1; h=sha256; s=email; p=%K", DKIM_SAME },
		{ "v=DKIM1; h=sha1:sha256; s=*; p=%K", DKIM_SAME },
		{ "v=DKIM1; h=sha1; p=%K", DKIM_SAME_OTHER },
		{ "v=DKIM1; s=tlsrpt; p=%K", DKIM_SAME_OTHER },
		{ "v=DKIM1; k=rsa; p=", DKIM_SAME_OTHER },
		{ "v=DKIM1; k=ed25519; p=%K", DKIM_SAME_NONE },
		{ "v=DKIM2; p=%K", DKIM_SAME_NONE },
		{ "k=rsa; v=DKIM1; p=%K", DKIM_SAME_NONE },
		{ "v=spf1 -all", DKIM_SAME_NONE },
		{ "", DKIM_SAME_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(
		    same(&ours, cases[i].text) == cases[i].want, cases[i].text);
	CHECK(same(&theirs, "v=DKIM1; p=%K") == DKIM_SAME_OTHER, "theirs");
	CHECK(
	    same(&ours_ed25519, "v=DKIM1; k=ed25519; p=%K") == DKIM_SAME_OTHER,
	    "of another kind");
}

TEST(a_key_may_stand_there_without_its_wrapping)
{
	struct buf der = BUF_INIT(KIB(2)), text = BUF_INIT(KIB(4));
	struct str record;

	/* SubjectPublicKeyInfo of RSA 1024: 22 bytes, then RSAPublicKey. */
	crypt_key_to_public(rsa, &der);
	buf_put_c(&text, "v=DKIM1; p=");
	base64_encode(&text, str_from(buf_str(&der), 22));
	record = buf_str(&text);
	CHECK(dkim_same(buf_str(&ours), &record, 1) == DKIM_SAME, "bare");
	buf_done(&der);
	buf_done(&text);
}

TEST(the_end_of_an_rsa_key_is_no_key_of_ed25519)
{
	struct buf der = BUF_INIT(KIB(2)), text = BUF_INIT(KIB(4));
	struct str record;

	crypt_key_to_public(rsa, &der);
	buf_put_c(&text, "v=DKIM1; k=ed25519; p=");
	base64_encode(&text, str_from(buf_str(&der), der.n - 32));
	record = buf_str(&text);
	CHECK(dkim_same(buf_str(&ours), &record, 1) == DKIM_SAME_OTHER,
	    "of another kind");
	buf_done(&der);
	buf_done(&text);
}

TEST(several_records)
{
	const struct str both[] = { buf_str(&ours), buf_str(&theirs) };
	const struct str twice[] = { buf_str(&ours), buf_str(&ours) };
	const struct str note[] = { STR("a note"), buf_str(&ours) };

	CHECK(dkim_same(buf_str(&ours), both, 2) == DKIM_SAME_OTHER, "both");
	CHECK(dkim_same(buf_str(&ours), twice, 2) == DKIM_SAME_OTHER, "twice");
	CHECK(dkim_same(buf_str(&ours), note, 2) == DKIM_SAME, "and a note");
	CHECK(dkim_same(buf_str(&ours), NULL, 0) == DKIM_SAME_NONE, "none");
}

TEST_MAIN(CASE(one_record), CASE(a_key_may_stand_there_without_its_wrapping),
    CASE(the_end_of_an_rsa_key_is_no_key_of_ed25519), CASE(several_records))
