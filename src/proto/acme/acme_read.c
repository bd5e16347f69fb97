/* SPDX-License-Identifier: ISC */
/* acme_read.c - what an authority answers. See acme.h. */
#include "proto/acme/acme.h"

#include "base/jsondoc.h"

#define SUBPROBLEMS_MAX 10
#define CHALLENGES_MAX  20

/* An address of ours to be; the empty string when there is none. */
static bool
get_url(
    const struct jsonnode *from, const char *name, char to[ACME_URL_MAX + 1])
{
	struct str s = jsonnode_text(jsonnode_get(from, name));
	struct acme_url url;

	if (!acme_url_parse(s, &url))
		return false;
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

bool
acme_directory_read(struct str json, struct acme_directory *ret)
{
	struct jsondoc *doc = jsondoc_parse(json, ACME_BODY_MAX);
	const struct jsonnode *root = jsondoc_root(doc);
	const struct jsonnode *meta = jsonnode_get(root, "meta");
	struct acme_directory d = { 0 };
	bool ok = get_url(root, "newNonce", d.nonce) &&
	          get_url(root, "newAccount", d.account) &&
	          get_url(root, "newOrder", d.order);

	if (!get_url(meta, "termsOfService", d.terms))
		d.terms[0] = '\0';
	d.wants_binding =
	    jsonnode_bool(jsonnode_get(meta, "externalAccountRequired")) == 1;
	if (ok)
		*ret = d;
	jsondoc_free(doc);
	return ok;
}

/* --- problems -------------------------------------------------------------------- */

/* Cut at the end of a character; controls become blanks. */
static void
put_tame(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool is_c1 = c == 0xc2 && i + 1 < s.n &&
		             (unsigned char)s.p[i + 1] < 0xa0;

		i += is_c1;
		buf_put_char(to, is_c1 || c < ' ' || c == 0x7f ? ' ' : s.p[i]);
	}
}

static void
cut(struct buf *b, size_t max)
{
	if (b->n <= max)
		return;
	b->n = max;
	while (b->n > 0 && !str_is_utf8(buf_str(b)))
		b->n--;
}

/* "detail" and, for each name, ": " and its own detail. */
static void
put_problem(struct buf *to, const struct jsonnode *p)
{
	const struct jsonnode *subs = jsonnode_get(p, "subproblems");
	size_t n = MIN(jsonnode_count(subs), (size_t)SUBPROBLEMS_MAX);

	put_tame(to, jsonnode_text(jsonnode_get(p, "detail")));
	for (size_t i = 0; i < n; i++) {
		const struct jsonnode *sub = jsonnode_at(subs, i);
		struct str name = jsonnode_text(
		    jsonnode_get(jsonnode_get(sub, "identifier"), "value"));

		buf_put_c(to, "; ");
		put_tame(to, name);
		buf_put_c(to, name.n > 0 ? ": " : "");
		put_tame(to, jsonnode_text(jsonnode_get(sub, "detail")));
	}
}

static void
read_problem(const struct jsonnode *p, struct acme_problem *ret)
{
	struct str type = jsonnode_text(jsonnode_get(p, "type"));
	struct buf text = BUF_INIT(ACME_BODY_MAX * 2);
	struct buf word = BUF_INIT(ACME_BODY_MAX * 2);

	*ret = (struct acme_problem){ 0 };
	if (str_starts(type, STR(ACME_PROBLEM_TYPE)))
		type = str_from(type, strlen(ACME_PROBLEM_TYPE));
	put_tame(&word, type);
	cut(&word, ACME_TYPE_MAX);
	if (word.n > 0)
		memcpy(ret->type, word.p, word.n);
	put_problem(&text, p);
	cut(&text, ACME_DETAIL_MAX);
	if (text.n > 0)
		memcpy(ret->text, text.p, text.n);
	buf_done(&word);
	buf_done(&text);
}

void
acme_problem_read(struct str json, struct acme_problem *ret)
{
	struct jsondoc *doc = jsondoc_parse(json, ACME_BODY_MAX);

	read_problem(jsondoc_root(doc), ret);
	jsondoc_free(doc);
}

bool
acme_problem_is(const struct acme_problem *p, const char *type)
{
	return strcmp(p->type, type) == 0;
}

/* --- accounts ---------------------------------------------------------------------- */

bool
acme_account_read(struct str json, bool *ret_is_valid, struct buf *ret_contact)
{
	struct jsondoc *doc = jsondoc_parse(json, ACME_BODY_MAX);
	const struct jsonnode *root = jsondoc_root(doc);
	struct str status = jsonnode_text(jsonnode_get(root, "status"));
	struct str contact =
	    jsonnode_text(jsonnode_at(jsonnode_get(root, "contact"), 0));
	bool ok = jsonnode_is_object(root);

	if (ok) {
		/* Some leave it out where it is plain. */
		*ret_is_valid = status.n == 0 || str_eq(status, STR("valid"));
		if (str_starts_case(contact, STR("mailto:")))
			buf_put_str(ret_contact, str_from(contact, 7));
	}
	jsondoc_free(doc);
	return ok;
}

/* --- orders and authorizations ----------------------------------------------------- */

static bool
get_status(const struct jsonnode *from, enum acme_status *ret)
{
	static const struct {
		const char *word;
		enum acme_status status;
	} words[] = {
		{ "pending", ACME_PENDING },
		{ "ready", ACME_READY },
		{ "processing", ACME_PROCESSING },
		{ "valid", ACME_VALID },
		{ "invalid", ACME_INVALID },
		{ "deactivated", ACME_INVALID },
		{ "expired", ACME_INVALID },
		{ "revoked", ACME_INVALID },
	};
	struct str s = jsonnode_text(jsonnode_get(from, "status"));

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(s, str_c(words[i].word))) {
			*ret = words[i].status;
			return true;
		}
	return false;
}

static bool
get_authorizations(const struct jsonnode *list, struct acme_order *o)
{
	size_t n = jsonnode_count(list);

	if (n == 0 || n > ACME_NAMES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct str s = jsonnode_text(jsonnode_at(list, i));
		struct acme_url url;

		if (!acme_url_parse(s, &url))
			return false;
		memcpy(o->authorizations[i], s.p, s.n);
		o->authorizations[i][s.n] = '\0';
	}
	o->n = n;
	return true;
}

bool
acme_order_read(struct str json, struct acme_order *ret)
{
	struct jsondoc *doc = jsondoc_parse(json, ACME_BODY_MAX);
	const struct jsonnode *root = jsondoc_root(doc);
	bool ok = get_status(root, &ret->status) &&
	          get_url(root, "finalize", ret->finalize) &&
	          get_authorizations(jsonnode_get(root, "authorizations"), ret);

	if (!get_url(root, "certificate", ret->certificate))
		ret->certificate[0] = '\0';
	if (ok && ret->status == ACME_VALID)
		ok = ret->certificate[0] != '\0';
	read_problem(jsonnode_get(root, "error"), &ret->problem);
	jsondoc_free(doc);
	return ok;
}

const char *
acme_kind_str(enum acme_kind k)
{
	static const char *const names[ACME_KINDS] = {
		[ACME_HTTP_01] = "http-01",
		[ACME_TLS_ALPN_01] = "tls-alpn-01",
	};

	ASSERT((unsigned)k < ACME_KINDS);
	return names[k];
}

static void
take_challenge(const struct jsonnode *c, struct acme_authorization *a)
{
	struct str type = jsonnode_text(jsonnode_get(c, "type"));
	struct str token = jsonnode_text(jsonnode_get(c, "token"));

	for (unsigned k = 0; k < ACME_KINDS; k++) {
		struct acme_challenge *to = &a->challenges[k];

		if (!str_eq(type, str_c(acme_kind_str((enum acme_kind)k))) ||
		    !acme_is_token(token) || !get_url(c, "url", to->url))
			continue;
		memcpy(to->token, token.p, token.n);
		to->token[token.n] = '\0';
		to->is_there = true;
	}
	if (jsonnode_is_object(jsonnode_get(c, "error")))
		read_problem(jsonnode_get(c, "error"), &a->problem);
}

static bool
get_name(const struct jsonnode *root, struct acme_authorization *a)
{
	const struct jsonnode *id = jsonnode_get(root, "identifier");
	struct str name = jsonnode_text(jsonnode_get(id, "value"));

	if (!str_eq(jsonnode_text(jsonnode_get(id, "type")), STR("dns")) ||
	    !hostname_is_valid(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		a->name[i] = ascii_lower(name.p[i]);
	return true;
}

bool
acme_authorization_read(struct str json, struct acme_authorization *ret)
{
	struct jsondoc *doc = jsondoc_parse(json, ACME_BODY_MAX);
	const struct jsonnode *root = jsondoc_root(doc);
	const struct jsonnode *list = jsonnode_get(root, "challenges");
	bool ok;

	*ret = (struct acme_authorization){ 0 };
	ok = get_status(root, &ret->status) && get_name(root, ret);
	for (size_t i = 0;
	     i < MIN(jsonnode_count(list), (size_t)CHALLENGES_MAX); i++)
		take_challenge(jsonnode_at(list, i), ret);
	jsondoc_free(doc);
	return ok;
}
