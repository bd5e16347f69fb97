/* SPDX-License-Identifier: ISC */
/* certificate.c - reading certificates, by OpenSSL. See certificate.h. */
#include "base/certificate_internal.h"

#include "base/hostname.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <time.h>

#define WORD_MAX 200 /* of an issuer's name */

const char *
certificate_kind_str(enum certificate_kind k)
{
	static const char *const names[CERTIFICATE_KINDS] = {
		[CERTIFICATE_RSA] = "RSA",
		[CERTIFICATE_EC] = "ECDSA",
		[CERTIFICATE_OTHER] = "other",
	};

	ASSERT((unsigned)k < CERTIFICATE_KINDS);
	return names[k];
}

/* A key with a pass phrase is an error, not a question on the terminal. */
static int
no_passphrase(UNUSED char *to, UNUSED int size, UNUSED int rw, UNUSED void *arg)
{
	return -1;
}

static BIO *
bio_of(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(
	    pem.n > 0 ? pem.p : "", (int)MIN(pem.n, CERTIFICATE_CHAIN_MAX));

	if (bio == NULL)
		die("BIO_new_mem_buf: out of memory");
	return bio;
}

static X509 *
read_first(struct str chain)
{
	BIO *bio = bio_of(chain);
	X509 *x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return x;
}

EVP_PKEY *
certificate_read_key(struct str pem)
{
	BIO *bio = bio_of(str_first(pem, CERTIFICATE_KEY_MAX));
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* --- names --------------------------------------------------------------------- */

static bool
is_name(struct str s)
{
	if (str_starts(s, STR("*.")))
		s = str_from(s, 2);
	return hostname_is_valid(s);
}

static void
put_name(struct buf *to, const ASN1_STRING *a)
{
	struct str s = str_make(
	    ASN1_STRING_get0_data(a), (size_t)MAX(ASN1_STRING_length(a), 0));

	if (!is_name(s))
		return;
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(to, ascii_lower(s.p[i]));
	buf_put_char(to, '\n');
}

static void
put_alternatives(struct buf *to, const X509 *x)
{
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = all != NULL ? sk_GENERAL_NAME_num(all) : 0;

	for (int i = 0; i < MIN(n, CERTIFICATE_NAMES_MAX); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type == GEN_DNS)
			put_name(to, g->d.dNSName);
	}
	GENERAL_NAMES_free(all);
}

static const ASN1_STRING *
find_part(const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);

	return at < 0 ? NULL
	              : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
}

static char *
names_of(const X509 *x)
{
	struct buf names = BUF_INIT(CERTIFICATE_CHAIN_MAX);
	const ASN1_STRING *common;
	char *text;

	put_alternatives(&names, x);
	common = find_part(X509_get_subject_name(x), NID_commonName);
	if (names.n == 0 && common != NULL)
		put_name(&names, common);
	text = str_dup(buf_str(&names));
	buf_done(&names);
	return text;
}

static void
put_part(struct buf *to, const X509_NAME *name, int nid)
{
	const ASN1_STRING *part = find_part(name, nid);
	unsigned char *utf8 = NULL;
	int n = part != NULL ? ASN1_STRING_to_UTF8(&utf8, part) : -1;

	if (n <= 0)
		return;
	if (to->n > 0)
		buf_put_char(to, ' ');
	buf_put_str(to, str_first(str_make(utf8, (size_t)n), WORD_MAX));
	OPENSSL_free(utf8);
}

static char *
issuer_of(const X509 *x)
{
	const X509_NAME *name = X509_get_issuer_name(x);
	struct buf words = BUF_INIT(KIB(1));
	char *text;

	put_part(&words, name, NID_organizationName);
	put_part(&words, name, NID_commonName);
	text = str_dup(buf_str(&words));
	buf_done(&words);
	return text;
}

/* --- facts ---------------------------------------------------------------------- */

static bool
read_time(const ASN1_TIME *t, uint64_t *ret)
{
	struct tm tm;
	time_t v;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	v = timegm(&tm);
	*ret = v > 0 ? (uint64_t)v : 0;
	return true;
}

static enum certificate_kind
kind_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return CERTIFICATE_RSA;
	case EVP_PKEY_EC:
		return CERTIFICATE_EC;
	default:
		return CERTIFICATE_OTHER;
	}
}

bool
certificate_read(struct str chain, struct certificate_facts *ret)
{
	X509 *x = read_first(chain);
	EVP_PKEY *key = x != NULL ? X509_get0_pubkey(x) : NULL;
	struct certificate_facts f = { 0 };
	bool ok = key != NULL && read_time(X509_get0_notBefore(x), &f.begins) &&
	          read_time(X509_get0_notAfter(x), &f.ends);

	if (ok) {
		f.kind = kind_of(key);
		f.bits = (uint32_t)MAX(EVP_PKEY_get_bits(key), 0);
		f.names = names_of(x);
		f.issuer = issuer_of(x);
		f.is_own = X509_check_issued(x, x) == X509_V_OK &&
		           X509_verify(x, key) == 1;
		*ret = f;
	}
	X509_free(x);
	ERR_clear_error();
	return ok;
}

void
certificate_facts_done(struct certificate_facts *f)
{
	free(f->names);
	free(f->issuer);
	*f = (struct certificate_facts){ 0 };
}

/* All that the text holds can be read. */
static bool
is_whole(struct str chain)
{
	BIO *bio = bio_of(chain);
	bool ok;
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
		X509_free(x);
	ok = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

const char *
certificate_fault(struct str chain, struct str key)
{
	X509 *x = read_first(chain);
	EVP_PKEY *k = certificate_read_key(key);
	const char *fault = NULL;

	if (x == NULL || X509_get0_pubkey(x) == NULL)
		fault = "no certificate in PEM form was found";
	else if (!is_whole(chain))
		fault = "a certificate of the chain is damaged";
	else if (k == NULL)
		fault = "no private key in PEM form without a pass phrase was "
			"found";
	else if (X509_check_private_key(x, k) != 1)
		fault = "the private key does not belong to the certificate";
	X509_free(x);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return fault;
}
