/* SPDX-License-Identifier: ISC */
/*
 * dkim_sign.c - sign one message with one or two keys.
 */
#include "proto/dkim/dkim_sign.h"

#include "proto/dkim/dkim_bodies.h"
#include "proto/dkim/dkim_write.h"

/*
 * After RFC 6376 section 5.4.1. Mailing lists add List- fields and a Sender
 * of their own, and resenders theirs on top: these are not sealed.
 */
/* clang-format off */
static const struct dkim_sign_name usual_names[] = {
	{ "from",                      true },
	{ "to",                        true },
	{ "cc",                        true },
	{ "subject",                   true },
	{ "date",                      true },
	{ "reply-to",                  true },
	{ "message-id",                true },
	{ "in-reply-to",               true },
	{ "references",                true },
	{ "mime-version",              true },
	{ "content-type",              true },
	{ "content-transfer-encoding", true },
	{ "sender",                    false },
	{ "resent-from",               false },
	{ "resent-to",                 false },
	{ "resent-cc",                 false },
	{ "resent-date",               false },
	{ "resent-message-id",         false },
	{ "list-id",                   false },
	{ "list-help",                 false },
	{ "list-unsubscribe",          false },
	{ "list-unsubscribe-post",     false },
	{ "list-subscribe",            false },
	{ "list-post",                 false },
	{ "list-owner",                false },
	{ "list-archive",              false },
};
/* clang-format on */

struct dkim_signer {
	struct dkim_sign_options options;
	struct dkim_header header;
	struct buf names; /* h= */
	struct dkim_bodies *bodies;
	unsigned body;
};

const struct dkim_sign_name *
dkim_sign_usual(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(usual_names);
	return usual_names;
}

static size_t
count_fields(const struct dkim_header *header, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < header->n; i++)
		n += str_eq_case(header->v[i].name, name);
	return n;
}

bool
dkim_sign_list(const struct dkim_header *header,
    const struct dkim_sign_name *names, size_t names_n, struct buf *to)
{
	size_t total = 0;

	for (size_t i = 0; i < names_n; i++) {
		size_t n = count_fields(header, str_c(names[i].name)) +
		           names[i].is_sealed;

		total += n;
		if (total > DKIM_SIGNED_NAMES_MAX)
			return false;
		for (; n > 0; n--) {
			if (to->n)
				buf_put_char(to, ':');
			buf_put_c(to, names[i].name);
		}
	}
	return !to->failed;
}

struct dkim_signer *
dkim_signer_new(struct str header, const struct dkim_sign_options *options)
{
	struct dkim_signer *s = X_NEW(struct dkim_signer);
	struct dkim_body_want want = { DKIM_RELAXED, CRYPT_SHA256, false, 0 };

	ASSERT(options->keys_n <= DKIM_SIGN_KEYS_MAX);
	s->options = *options;
	if (!s->options.names)
		s->options.names = dkim_sign_usual(&s->options.names_n);
	s->names = BUF_INIT(DKIM_SIGNATURE_FIELD_MAX);
	s->bodies = dkim_bodies_new();
	s->body = dkim_bodies_add(s->bodies, &want);
	if (!dkim_header_parse(header, &s->header) ||
	    !dkim_sign_list(
		&s->header, s->options.names, s->options.names_n, &s->names))
		return dkim_signer_free(s);
	return s;
}

struct dkim_signer *
dkim_signer_free(struct dkim_signer *s)
{
	if (!s)
		return NULL;
	dkim_bodies_free(s->bodies);
	dkim_header_done(&s->header);
	buf_done(&s->names);
	free(s);
	return NULL;
}

void
dkim_signer_body(struct dkim_signer *s, struct str part)
{
	dkim_bodies_feed(s->bodies, part);
}

static void
draft(const struct dkim_signer *s, const struct dkim_sign_key *key,
    struct dkim_draft *d)
{
	const struct dkim_sign_options *o = &s->options;

	dkim_draft_init(d, "DKIM-Signature");
	dkim_draft_tag(d, "v", STR("1"));
	dkim_draft_tag(d, "a", str_c(dkim_key_algorithm(key->key)));
	dkim_draft_tag(d, "c", STR("relaxed/relaxed"));
	dkim_draft_tag(d, "d", o->domain);
	dkim_draft_tag(d, "s", key->selector);
	dkim_draft_number(d, "t", o->now);
	if (o->expiry_seconds)
		dkim_draft_number(d, "x", o->now + o->expiry_seconds);
	dkim_draft_names(d, "h", buf_str(&s->names));
	dkim_draft_base64(
	    d, "bh", crypt_sum_str(dkim_bodies_sum(s->bodies, s->body)));
	dkim_draft_b(d, true);
}

static bool
sign_draft(const struct dkim_signer *s, const struct crypt_key *key,
    const struct dkim_draft *d, struct buf *to)
{
	struct buf text = BUF_INIT(2 * DKIM_SIGNATURE_FIELD_MAX);
	struct buf bytes = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct dkim_signature sig;
	struct dkim_field own;
	struct crypt_sum sum;
	bool ok = dkim_draft_field(d, &text, &own);

	if (ok) {
		sig = (struct dkim_signature){
			.algorithm = DKIM_RSA_SHA256, /* or its equal */
			.header_canon = DKIM_RELAXED,
			.names = buf_str(&s->names),
		};
		dkim_hash_header(&sig, &s->header, s->header.n, &own, &sum);
		ok = crypt_sign(key, CRYPT_SHA256, &sum, &bytes);
	}
	if (ok)
		dkim_draft_finish(d, buf_str(&bytes), to);
	buf_done(&bytes);
	buf_done(&text);
	return ok;
}

bool
dkim_signer_finish(struct dkim_signer *s, struct buf *to)
{
	size_t before = to->n;
	bool ok = true;

	dkim_bodies_finish(s->bodies);
	for (size_t i = 0; ok && i < s->options.keys_n; i++) {
		const struct dkim_sign_key *key = &s->options.keys[i];
		struct dkim_draft d;

		draft(s, key, &d);
		ok = sign_draft(s, key->key, &d, to) && !to->failed;
		dkim_draft_done(&d);
	}
	if (!ok)
		to->n = before;
	return ok;
}
