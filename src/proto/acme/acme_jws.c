/* SPDX-License-Identifier: ISC */
/* acme_jws.c - what is signed. See acme.h. */
#include "proto/acme/acme.h"

#include "base/base64.h"
#include "base/crypt.h"
#include "base/jsondoc.h"

#define PART_MAX KIB(64)

static void
put_base64url(struct buf *to, const void *p, size_t n)
{
	base64url_encode(to, str_make(p, n));
}

/* Names in the order of the alphabet, no blanks (RFC 7638 section 3). */
void
acme_jwk_put(struct buf *to, const struct es256_key *key)
{
	unsigned char x[ES256_NUMBER_BYTES], y[ES256_NUMBER_BYTES];

	es256_key_point(key, x, y);
	buf_put_c(to, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	put_base64url(to, x, sizeof(x));
	buf_put_c(to, "\",\"y\":\"");
	put_base64url(to, y, sizeof(y));
	buf_put_c(to, "\"}");
}

void
acme_authorization_put(
    struct buf *to, struct str token, const struct es256_key *key)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct buf jwk = BUF_INIT(KIB(1));
	struct crypt_sum sum;

	acme_jwk_put(&jwk, key);
	crypt_digest_put(d, buf_str(&jwk));
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	buf_put_str(to, token);
	buf_put_char(to, '.');
	put_base64url(to, sum.v, sum.n);
	buf_done(&jwk);
}

/* {"protected":...,"payload":...} up to the signature, and what is signed. */
static void
put_parts(
    struct buf *to, struct buf *input, struct str header, struct str payload)
{
	size_t dot;

	base64url_encode(input, header);
	dot = input->n;
	buf_put_char(input, '.');
	base64url_encode(input, payload);
	buf_printf(to, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\"",
	    STR_ARG(str_first(buf_str(input), dot)),
	    STR_ARG(str_from(buf_str(input), dot + 1)));
}

static void
put_signature(struct buf *to, const void *p, size_t n)
{
	buf_put_c(to, ",\"signature\":\"");
	put_base64url(to, p, n);
	buf_put_c(to, "\"}");
}

bool
acme_jws_put(struct buf *to, const struct acme_jws *j)
{
	struct buf header = BUF_INIT(KIB(8)), input = BUF_INIT(PART_MAX);
	unsigned char signature[ES256_SIGNATURE_BYTES];
	bool ok;

	buf_put_c(&header, "{\"alg\":\"ES256\",");
	if (j->kid.n > 0) {
		buf_put_c(&header, "\"kid\":");
		jsondoc_put_text(&header, j->kid);
	} else {
		buf_put_c(&header, "\"jwk\":");
		acme_jwk_put(&header, j->key);
	}
	buf_put_c(&header, ",\"nonce\":");
	jsondoc_put_text(&header, j->nonce);
	buf_put_c(&header, ",\"url\":");
	jsondoc_put_text(&header, j->url);
	buf_put_char(&header, '}');
	put_parts(to, &input, buf_str(&header), j->payload);
	ok = !header.failed && !input.failed &&
	     es256_sign(j->key, buf_str(&input), signature);
	if (ok)
		put_signature(to, signature, sizeof(signature));
	buf_done(&header);
	buf_done(&input);
	return ok && !to->failed;
}

void
acme_binding_put(struct buf *to, const struct es256_key *key, struct str kid,
    struct str mac_key, struct str url)
{
	struct buf header = BUF_INIT(KIB(8)), input = BUF_INIT(PART_MAX);
	struct buf jwk = BUF_INIT(KIB(1));
	struct crypt_sum sum;

	buf_put_c(&header, "{\"alg\":\"HS256\",\"kid\":");
	jsondoc_put_text(&header, kid);
	buf_put_c(&header, ",\"url\":");
	jsondoc_put_text(&header, url);
	buf_put_char(&header, '}');
	acme_jwk_put(&jwk, key);
	put_parts(to, &input, buf_str(&header), buf_str(&jwk));
	crypt_hmac(mac_key, buf_str(&input), &sum);
	put_signature(to, sum.v, sum.n);
	buf_done(&header);
	buf_done(&input);
	buf_done(&jwk);
}

/* --- payloads -------------------------------------------------------------------- */

static void
put_contact_member(struct buf *to, struct str contact)
{
	struct buf uri = BUF_INIT(KIB(1));

	buf_put_c(to, "\"contact\":[");
	if (contact.n > 0) {
		buf_put_c(&uri, "mailto:");
		buf_put_str(&uri, contact);
		jsondoc_put_text(to, buf_str(&uri));
	}
	buf_put_char(to, ']');
	buf_done(&uri);
}

void
acme_put_account(
    struct buf *to, struct str contact, bool agrees, struct str binding)
{
	buf_printf(
	    to, "{\"termsOfServiceAgreed\":%s", agrees ? "true" : "false");
	if (contact.n > 0) {
		buf_put_char(to, ',');
		put_contact_member(to, contact);
	}
	if (binding.n > 0) {
		buf_put_c(to, ",\"externalAccountBinding\":");
		buf_put_str(to, binding);
	}
	buf_put_char(to, '}');
}

void
acme_put_contact(struct buf *to, struct str contact)
{
	buf_put_char(to, '{');
	put_contact_member(to, contact);
	buf_put_char(to, '}');
}

void
acme_put_order(struct buf *to, struct str names)
{
	const char *comma = "";
	struct str one;

	buf_put_c(to, "{\"identifiers\":[");
	while (names.n > 0) {
		names = str_split(names, '\n', &one);
		buf_printf(to, "%s{\"type\":\"dns\",\"value\":", comma);
		jsondoc_put_text(to, one);
		buf_put_char(to, '}');
		comma = ",";
	}
	buf_put_c(to, "]}");
}

void
acme_put_finalize(struct buf *to, struct str der)
{
	buf_put_c(to, "{\"csr\":\"");
	base64url_encode(to, der);
	buf_put_c(to, "\"}");
}
