/* SPDX-License-Identifier: ISC */
/*
 * dkim_signature.c - read signature fields and hash what they sign.
 */
#include "proto/dkim/dkim_signature.h"

#include "proto/dkim/dkim_tag.h"

const char *
dkim_verdict_str(enum dkim_verdict v)
{
	switch (v) {
	case DKIM_PASS:
		return "pass";
	case DKIM_FAIL:
		return "fail";
	case DKIM_POLICY:
		return "policy";
	case DKIM_NEUTRAL:
		return "neutral";
	case DKIM_TEMPERROR:
		return "temperror";
	case DKIM_PERMERROR:
		return "permerror";
	}
	return "permerror";
}

enum crypt_hash
dkim_algorithm_hash(enum dkim_algorithm a)
{
	return a == DKIM_RSA_SHA1 ? CRYPT_SHA1 : CRYPT_SHA256;
}

enum crypt_kind
dkim_algorithm_kind(enum dkim_algorithm a)
{
	return a == DKIM_ED25519_SHA256 ? CRYPT_ED25519 : CRYPT_RSA;
}

/* --- reading ------------------------------------------------------------- */

/* What the steps of reading one signature share. */
struct reader {
	const struct dkim_tags *tags;
	struct dkim_signature *sig;
	struct dkim_finding why;
};

static bool
refuse(struct reader *r, enum dkim_verdict verdict, const char *reason)
{
	r->why = (struct dkim_finding){ verdict, reason };
	return false;
}

static bool
broken(struct reader *r, const char *reason)
{
	return refuse(r, DKIM_PERMERROR, reason);
}

static bool
has(const struct reader *r, const char *name)
{
	return dkim_tags_find(r->tags, name) != NULL;
}

/* Labels of letters, digits, "-", "_" and UTF-8 (RFC 8616), with dots. */
static bool
is_domain(struct str s)
{
	size_t label = 0;

	if (s.n == 0 || s.n > DKIM_DOMAIN_MAX || !str_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (c < 0x80 && !ascii_is_alpha(s.p[i]) &&
		    !ascii_is_digit(s.p[i]) && c != '-' && c != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0;
}

static bool
read_algorithm(struct reader *r)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum dkim_algorithm algorithm;
	} known[] = {
		{ "rsa-sha1",       DKIM_RSA_SHA1 },
		{ "rsa-sha256",     DKIM_RSA_SHA256 },
		{ "ed25519-sha256", DKIM_ED25519_SHA256 },
	};
	/* clang-format on */

	r->sig->algorithm_name = dkim_tags_get(r->tags, "a");
	if (r->sig->algorithm_name.n == 0)
		return broken(r, "no algorithm (a=)");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_case(r->sig->algorithm_name, str_c(known[i].name))) {
			r->sig->algorithm = known[i].algorithm;
			return true;
		}
	return refuse(r, DKIM_NEUTRAL, "unknown algorithm (a=)");
}

static bool
read_domain(struct reader *r)
{
	r->sig->domain = dkim_tags_get(r->tags, "d");
	r->sig->selector = dkim_tags_get(r->tags, "s");
	if (!is_domain(r->sig->domain))
		return broken(r, "no valid domain (d=)");
	if (!is_domain(r->sig->selector))
		return broken(r, "no valid selector (s=)");
	/* "._domainkey." and both have to fit into a DNS name. */
	if (r->sig->domain.n + r->sig->selector.n + 12 > DKIM_DOMAIN_MAX)
		return broken(r, "domain and selector are too long");
	return true;
}

static bool
canon_of(struct str word, enum dkim_canon *ret)
{
	if (str_eq_case(word, STR("simple")))
		*ret = DKIM_SIMPLE;
	else if (str_eq_case(word, STR("relaxed")))
		*ret = DKIM_RELAXED;
	else
		return false;
	return true;
}

/*
 * c=header/body; without the body it is simple, without c= both are. Except
 * in ARC, where relaxed is what everybody takes for granted, and what the
 * public test suite asks for.
 */
static bool
read_canon(struct reader *r)
{
	struct str c = dkim_tags_get(r->tags, "c"), header, body;
	bool has_body = str_find(c, '/') >= 0;
	bool is_arc = r->sig->dialect == DKIM_ARC_MESSAGE;

	r->sig->header_canon = is_arc ? DKIM_RELAXED : DKIM_SIMPLE;
	r->sig->body_canon = r->sig->header_canon;
	if (!has(r, "c"))
		return true;
	body = str_split(c, '/', &header);
	r->sig->body_canon = DKIM_SIMPLE;
	if (!canon_of(header, &r->sig->header_canon) ||
	    (has_body && !canon_of(body, &r->sig->body_canon)))
		return refuse(r, DKIM_NEUTRAL, "unknown canonical form (c=)");
	return true;
}

static bool
read_number(struct reader *r, const char *name, bool *ret_has, uint64_t *ret)
{
	*ret_has = has(r, name);
	return !*ret_has ||
	       str_to_u64(dkim_tags_get(r->tags, name), UINT64_MAX, ret);
}

static bool
read_times(struct reader *r)
{
	struct dkim_signature *s = r->sig;

	if (!read_number(r, "t", &s->has_time, &s->time))
		return broken(r, "bad time (t=)");
	if (s->dialect != DKIM_SIGNATURE)
		return true;
	if (!read_number(r, "x", &s->has_expiry, &s->expiry))
		return broken(r, "bad expiry (x=)");
	if (s->has_time && s->has_expiry && s->expiry <= s->time)
		return broken(r, "expires before it was made (x=, t=)");
	return true;
}

static bool
read_bytes(struct reader *r)
{
	struct buf b = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct str text = dkim_tags_get(r->tags, "b");
	bool ok = dkim_base64(text, &b);

	r->sig->b_first = str_first(text, 8);
	r->sig->bytes_n = ok ? b.n : 0;
	if (ok)
		memcpy(r->sig->bytes, b.p, b.n);
	buf_done(&b);
	return ok || broken(r, "no valid signature (b=)");
}

static bool
read_body_hash(struct reader *r)
{
	struct buf b = BUF_INIT(CRYPT_DIGEST_MAX);
	bool ok = dkim_base64(dkim_tags_get(r->tags, "bh"), &b);
	size_t want = r->sig->algorithm == DKIM_RSA_SHA1 ? 20 : 32;

	ok = ok && b.n == want;
	if (ok) {
		memcpy(r->sig->body_sum.v, b.p, b.n);
		r->sig->body_sum.n = b.n;
	}
	buf_done(&b);
	return ok || broken(r, "no valid hash of the body (bh=)");
}

bool
dkim_signature_covers(const struct dkim_signature *s, struct str name)
{
	struct str rest = s->names, one;

	while (dkim_list_next(&rest, ':', &one))
		if (str_eq_case(one, name))
			return true;
	return false;
}

static bool
read_names(struct reader *r)
{
	struct str rest, one;
	size_t count = 0;

	if (!has(r, "h"))
		return broken(r, "no list of signed fields (h=)");
	r->sig->names = dkim_tags_get(r->tags, "h");
	rest = r->sig->names;
	while (dkim_list_next(&rest, ':', &one))
		if (++count > DKIM_SIGNED_NAMES_MAX)
			return broken(r, "too many signed fields (h=)");
	if (r->sig->dialect == DKIM_SIGNATURE &&
	    !dkim_signature_covers(r->sig, STR("from")))
		return broken(r, "From is not signed (h=)");
	/* RFC 8617 section 4.1.2: seals are added behind this signature. */
	if (r->sig->dialect == DKIM_ARC_MESSAGE &&
	    dkim_signature_covers(r->sig, STR("arc-seal")))
		return broken(r, "an ARC-Seal is signed (h=)");
	return true;
}

static int
hex_of(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* dkim-quoted-printable (section 2.11): "=" and two capital hex digits. */
static bool
decode_quoted(struct str s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' ||
		    s.p[i] == '\n')
			continue;
		if (s.p[i] != '=') {
			buf_put_char(to, s.p[i]);
			continue;
		}
		if (i + 2 >= s.n)
			return false;
		high = hex_of(s.p[i + 1]);
		low = hex_of(s.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		buf_put_char(to, (char)(high * 16 + low));
		i += 2;
	}
	return !to->failed;
}

/* The domain of i= is that of d=, or below it. */
static bool
read_identity(struct reader *r)
{
	struct buf text = BUF_INIT(DKIM_IDENTITY_MAX);
	struct str domain = r->sig->domain, own = STR_NONE;
	bool ok;

	r->sig->identity = dkim_tags_get(r->tags, "i");
	if (!has(r, "i"))
		return true;
	ok = decode_quoted(r->sig->identity, &text);
	if (ok) {
		ptrdiff_t at = str_rfind(buf_str(&text), '@');

		ok = at >= 0;
		own = str_from(buf_str(&text), (size_t)(at + 1));
	}
	if (ok && !str_eq_case(own, domain)) {
		r->sig->is_identity_subdomain = true;
		ok = own.n > domain.n + 1 && str_ends_case(own, domain) &&
		     own.p[own.n - domain.n - 1] == '.';
	}
	buf_done(&text);
	return ok || broken(r, "the identity is not of the domain (i=, d=)");
}

/* q= must offer the one way of finding keys there is. */
static bool
read_query(struct reader *r)
{
	struct str rest = dkim_tags_get(r->tags, "q"), one;

	if (!has(r, "q"))
		return true;
	while (dkim_list_next(&rest, ':', &one))
		if (str_eq_case(one, STR("dns/txt")))
			return true;
	return refuse(r, DKIM_NEUTRAL, "unknown way of finding keys (q=)");
}

static bool
read_version(struct reader *r)
{
	if (!has(r, "v"))
		return broken(r, "no version (v=)");
	if (!str_eq(dkim_tags_get(r->tags, "v"), STR("1")))
		return refuse(r, DKIM_NEUTRAL, "unknown version (v=)");
	return true;
}

static bool
read_instance(struct reader *r)
{
	uint32_t i;

	if (!str_to_u32(
		dkim_tags_get(r->tags, "i"), DKIM_ARC_INSTANCE_MAX, &i) ||
	    i == 0)
		return broken(r, "no valid instance (i=)");
	r->sig->instance = i;
	return true;
}

static bool
read_message_signature(struct reader *r)
{
	struct dkim_signature *s = r->sig;

	if (!read_canon(r) || !read_body_hash(r) || !read_names(r))
		return false;
	if (s->dialect == DKIM_ARC_MESSAGE)
		return true;
	if (!read_number(r, "l", &s->has_length, &s->length))
		return broken(r, "bad length (l=)");
	return read_identity(r) && read_query(r);
}

/* A seal has no h=, and no body that it could hash (RFC 8617, 4.1.3). */
static bool
read_seal(struct reader *r)
{
	if (has(r, "h") || has(r, "bh"))
		return broken(r, "a seal has no h= and no bh=");
	r->sig->header_canon = DKIM_RELAXED;
	r->sig->cv = dkim_tags_get(r->tags, "cv");
	return true;
}

static bool
read_all(struct reader *r)
{
	enum dkim_dialect dialect = r->sig->dialect;

	if (dialect == DKIM_SIGNATURE ? !read_version(r) : !read_instance(r))
		return false;
	if (!read_algorithm(r) || !read_domain(r) || !read_times(r) ||
	    !read_bytes(r))
		return false;
	return dialect == DKIM_ARC_SEAL ? read_seal(r)
	                                : read_message_signature(r);
}

bool
dkim_signature_parse(enum dkim_dialect dialect, struct str value,
    struct dkim_signature *ret, struct dkim_finding *ret_why)
{
	struct dkim_tags tags = { .n = 0 };
	struct reader r = { .tags = &tags, .sig = ret };
	bool ok;

	*ret = (struct dkim_signature){ .dialect = dialect };
	if (value.n > DKIM_SIGNATURE_FIELD_MAX)
		ok = broken(&r, "the field is too long");
	else if (!dkim_tags_parse(value, &tags))
		ok = broken(&r, "not a list of tags");
	else
		ok = read_all(&r);
	if (ok)
		return true;
	/* For the report, whatever the reading did not come to. */
	ret->domain = dkim_tags_get(&tags, "d");
	ret->selector = dkim_tags_get(&tags, "s");
	ret->algorithm_name = dkim_tags_get(&tags, "a");
	ret->b_first = str_first(dkim_tags_get(&tags, "b"), 8);
	*ret_why = r.why;
	return false;
}

/* --- hashing ------------------------------------------------------------- */

static void
put_digest(void *arg, struct str bytes)
{
	crypt_digest_put(arg, bytes);
}

struct dkim_sink
dkim_digest_sink(struct crypt_digest *d)
{
	return (struct dkim_sink){ put_digest, d };
}

void
dkim_put_own_field(enum dkim_canon canon, const struct dkim_field *own,
    const struct dkim_sink *to)
{
	struct buf b = BUF_INIT(own->whole.n + 1);
	size_t value_at = (size_t)(own->value.p - own->whole.p);
	struct dkim_tags tags;
	const struct dkim_tag *t = NULL;

	if (dkim_tags_parse(own->value, &tags))
		t = dkim_tags_find(&tags, "b");
	buf_put_str(&b, str_first(own->whole, value_at + (t ? t->begin : 0)));
	if (t)
		buf_put_str(&b, str_from(own->whole, value_at + t->end));
	dkim_canon_field(canon, buf_str(&b), false, to);
	buf_done(&b);
}

void
dkim_hash_header(const struct dkim_signature *s,
    const struct dkim_header *header, size_t except,
    const struct dkim_field *own, struct crypt_sum *ret)
{
	struct crypt_digest *d =
	    crypt_digest_new(dkim_algorithm_hash(s->algorithm));
	struct dkim_sink to = dkim_digest_sink(d);
	struct str rest = s->names, name;
	struct dkim_picker picker;

	dkim_picker_init(&picker, header, except);
	while (dkim_list_next(&rest, ':', &name)) {
		const struct dkim_field *f = dkim_picker_take(&picker, name);

		if (f)
			dkim_canon_field(s->header_canon, f->whole, true, &to);
	}
	dkim_put_own_field(s->header_canon, own, &to);
	crypt_digest_finish(d, ret);
	crypt_digest_free(d);
}
