/* SPDX-License-Identifier: ISC */
/*
 * author.c - the domains in From, and what their DMARC policies say of the
 * message (RFC 7489 section 6.6). What any reader might show as an author
 * counts, not only what the grammar finds.
 */
#include "base/secret.h"
#include "filter/check_internal.h"
#include "net/idn.h"
#include "proto/mime/mime_author.h"

static void on_answer(
    struct check *c, unsigned which, const struct dns_answer *a);

static void
go_on(struct check *c, unsigned which)
{
	struct str name;
	char *text;

	if (!dmarc_discovery_question(&c->authors[which].discovery, &name))
		return;
	text = str_dup(name);
	check_ask(c, text, DNS_TXT, on_answer, which);
	free(text);
}

static enum dmarc_answer
answer_of(enum dns_status s)
{
	switch (s) {
	case DNS_FOUND:
		return DMARC_ANSWER_RECORDS;
	case DNS_NO_NAME:
	case DNS_NO_DATA:
		return DMARC_ANSWER_NOTHING;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		break;
	}
	return DMARC_ANSWER_TEMPFAIL;
}

static void
on_answer(struct check *c, unsigned which, const struct dns_answer *a)
{
	struct dns_texts records;

	dns_texts_read(a, DNS_TXT, &records);
	dmarc_discovery_answer(&c->authors[which].discovery,
	    answer_of(a->status), records.v, records.n);
	dns_texts_done(&records);
	go_on(c, which);
}

/* The domain of an address is one to ask about, once. */
static void
add_domain(struct check *c, struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct str name = hostname_trim(str_from(address, (size_t)(at + 1)));
	char domain[HOSTNAME_MAX + 1];

	if (at < 0 || !idn_to_ascii(name, domain, sizeof(domain)) ||
	    !hostname_is_valid(str_c(domain)))
		return;
	for (size_t i = 0; i < c->n_authors; i++)
		if (str_eq_case(str_c(c->authors[i].domain), str_c(domain)))
			return;
	if (c->n_authors == DMARC_FROM_MAX) {
		c->has_too_many_authors = true;
		return;
	}
	memcpy(c->authors[c->n_authors].domain, domain, sizeof(domain));
	c->authors[c->n_authors++].comment = BUF_INIT(KIB(2));
}

void
check_author_start(struct check *c, struct str message)
{
	struct mime_authors found;
	struct arena a;

	c->authors = x_calloc(DMARC_FROM_MAX, sizeof(*c->authors));
	arena_init(&a, MIME_AUTHORS_ARENA);
	mime_from_read(message, &a, &found);
	c->author_faults = found.faults;
	c->has_too_many_authors = found.faults & MIME_AUTHOR_MANY;
	for (size_t i = 0; i < found.n; i++)
		add_domain(c, found.v[i]);
	arena_done(&a);
	for (size_t i = 0; i < c->n_authors; i++) {
		struct author *author = &c->authors[i];

		dmarc_discovery_start(
		    &author->discovery, str_c(author->domain), c->sv->suffixes);
		go_on(c, (unsigned)i);
	}
}

/* --- judging --------------------------------------------------------------------- */

static enum dmarc_auth
auth_of_spf(enum spf_result r)
{
	if (r == SPF_PASS)
		return DMARC_AUTH_PASS;
	return r == SPF_TEMPERROR ? DMARC_AUTH_TEMPERROR : DMARC_AUTH_FAIL;
}

static enum dmarc_auth
auth_of_dkim(enum dkim_verdict v)
{
	if (v == DKIM_PASS)
		return DMARC_AUTH_PASS;
	return v == DKIM_TEMPERROR ? DMARC_AUTH_TEMPERROR : DMARC_AUTH_FAIL;
}

/* RFC 7489 section 3.1.2: MAIL FROM, or HELO when that is the null sender. */
static void
describe(const struct check *c, struct dmarc_identifier dkim[DKIM_VERIFY_MAX],
    struct dmarc_message *ret)
{
	unsigned i = c->spf[CHECK_MAIL_FROM] ? CHECK_MAIL_FROM : CHECK_HELO;
	uint32_t random;

	*ret = (struct dmarc_message){ .dkim = dkim };
	if (c->spf[i] != NULL) {
		ret->spf.domain = check_spf_domain(c, i);
		ret->spf.result = auth_of_spf(spf_verdict(c->spf[i])->result);
	}
	for (size_t k = 0; k < dkim_verifier_count(c->dkim); k++) {
		const struct dkim_result *r = dkim_verifier_result(c->dkim, k);

		dkim[ret->n_dkim++] = (struct dmarc_identifier){ r->domain,
			auth_of_dkim(r->verdict) };
	}
	secret_random(&random, sizeof(random));
	ret->chance = random % 100;
}

void
check_author_finish(struct check *c)
{
	struct dmarc_identifier dkim[DKIM_VERIFY_MAX];
	struct dmarc_verdict verdicts[DMARC_FROM_MAX];
	struct dmarc_message m;
	struct str name;

	if (c->n_authors == 0)
		return;
	describe(c, dkim, &m);
	for (size_t i = 0; i < c->n_authors; i++) {
		struct author *a = &c->authors[i];

		/* Only when the time was over. */
		while (dmarc_discovery_question(&a->discovery, &name))
			dmarc_discovery_answer(
			    &a->discovery, DMARC_ANSWER_TEMPFAIL, NULL, 0);
		dmarc_evaluate(&a->discovery, &m, &a->verdict);
		check_override(c, a);
		verdicts[i] = a->verdict;
	}
	c->author = &c->authors[dmarc_strictest(verdicts, c->n_authors)];
}
