/* SPDX-License-Identifier: ISC */
/*
 * LINK: acme
 *
 * acme_fuzz.c - what an authority answers, and header fields.
 *
 * Whatever is read is within its limits, addresses lead to https, tokens and
 * names cannot leave a folder or a header, and words are text without controls.
 */
#include "proto/acme/acme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_url(const char *s)
{
	struct acme_url u;

	ASSERT(strlen(s) <= ACME_URL_MAX);
	ASSERT(s[0] == '\0' || acme_url_parse(str_c(s), &u));
	if (s[0] != '\0')
		ASSERT(u.path[0] == '/' && u.port > 0 &&
		       hostname_is_valid(str_c(u.host)));
}

static void
check_problem(const struct acme_problem *p)
{
	struct str s = str_c(p->text);

	ASSERT(str_is_utf8(s) && str_is_utf8(str_c(p->type)));
	for (size_t i = 0; i < s.n; i++)
		ASSERT((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

static void
check_order(struct str in)
{
	struct acme_order *o = X_NEW(struct acme_order);

	if (acme_order_read(in, o)) {
		ASSERT(o->n > 0 && o->n <= ACME_NAMES_MAX);
		ASSERT(o->status != ACME_VALID || o->certificate[0] != '\0');
		check_url(o->finalize);
		check_url(o->certificate);
		for (size_t i = 0; i < o->n; i++)
			check_url(o->authorizations[i]);
		check_problem(&o->problem);
	}
	free(o);
}

static void
check_authorization(struct str in)
{
	struct acme_authorization a;

	if (!acme_authorization_read(in, &a))
		return;
	ASSERT(hostname_is_valid(str_c(a.name)));
	for (size_t k = 0; k < ACME_KINDS; k++) {
		struct acme_challenge *c = &a.challenges[k];

		if (c->is_there)
			ASSERT(acme_is_token(str_c(c->token)) &&
			       strchr(c->token, '/') == NULL);
		check_url(c->url);
	}
	check_problem(&a.problem);
}

static void
check_others(struct str in)
{
	struct buf contact = BUF_INIT(ACME_BODY_MAX);
	struct acme_directory d;
	struct acme_problem p;
	uint32_t s = 0;
	bool is_valid;

	if (acme_directory_read(in, &d)) {
		check_url(d.nonce);
		check_url(d.account);
		check_url(d.order);
		check_url(d.terms);
		ASSERT(d.order[0] != '\0');
	}
	acme_problem_read(in, &p);
	check_problem(&p);
	(void)!acme_account_read(in, &is_valid, &contact);
	if (acme_retry_after(in, 1796025600, &s))
		ASSERT(s <= ACME_RETRY_MAX);
	if (acme_is_nonce(in))
		ASSERT(memchr(in.p, '\n', in.n) == NULL);
	buf_done(&contact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_order(in);
	check_authorization(in);
	check_others(in);
	return 0;
}
