/* SPDX-License-Identifier: ISC */
/*
 * spf_check.c - the course of a check: records, includes, redirects, the end.
 *
 * What the single mechanisms do is in spf_mechanism.c. States only ever ask
 * one question at a time: most records are decided by the first or second
 * one, and questions that are not needed would cost the publisher.
 */
#include "proto/spf/spf_internal.h"

static void fetch_run(struct spf_check *c);
static void fetch_answered(struct spf_check *c, const struct spf_answer *a);

/* clang-format off */
static const struct {
	void (*run)(struct spf_check *);
	void (*answered)(struct spf_check *, const struct spf_answer *);
} states[] = {
	[SPF_STATE_FETCH]        = { fetch_run, fetch_answered },
	[SPF_STATE_TERM]         = { spf_term_run, NULL },
	[SPF_STATE_TARGET]       = { spf_target_run, NULL },
	[SPF_STATE_ADDRESS]      = { spf_address_run, spf_address_answered },
	[SPF_STATE_EXISTS]       = { spf_exists_run, spf_exists_answered },
	[SPF_STATE_MX]           = { spf_mx_run, spf_mx_answered },
	[SPF_STATE_MX_HOST]      = { spf_mx_host_run, spf_mx_host_answered },
	[SPF_STATE_PTR_MATCH]    = { spf_ptr_match_run, NULL },
	[SPF_STATE_NAMES]        = { spf_names_run, spf_names_answered },
	[SPF_STATE_NAMES_HOST]   = { spf_names_host_run,
	                             spf_names_host_answered },
	[SPF_STATE_EXPLAIN]      = { spf_explain_run, spf_explain_answered },
	[SPF_STATE_EXPLAIN_TEXT] = { spf_explain_text_run, NULL },
};
/* clang-format on */

const char *
spf_type_str(enum spf_type t)
{
	static const char *const names[] = {
		[SPF_TYPE_TXT] = "TXT",
		[SPF_TYPE_A] = "A",
		[SPF_TYPE_AAAA] = "AAAA",
		[SPF_TYPE_MX] = "MX",
		[SPF_TYPE_PTR] = "PTR",
	};

	return names[t];
}

void
spf_question_put_name(const struct spf_question *q, struct buf *out)
{
	for (size_t i = 0; i < q->name.n; i++) {
		char c = q->name.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' ||
		    c == '_' || c == '.')
			buf_put_char(out, c);
		else
			buf_printf(out, "\\%03u", (unsigned)(unsigned char)c);
	}
}

/* --- start ------------------------------------------------------------- */

/*
 * Who is checked (sections 2.4 and 4.1): the mailbox, or postmaster where
 * there is no local part, at the HELO name where there is no mailbox.
 */
static void
set_sender(struct spf_check *c)
{
	struct str path = c->request.mail_from, local, domain;
	ptrdiff_t at = str_rfind(path, '@');
	char *sender;

	if (c->request.identity == SPF_HELO || path.n == 0) {
		c->verdict.identity = SPF_HELO;
		domain = c->request.helo;
		local = STR_NONE;
	} else {
		domain = str_from(path, (size_t)(at + 1));
		local = str_first(path, (size_t)(at < 0 ? 0 : at));
	}
	if (local.n == 0)
		local = STR("postmaster");
	/* Too long for a mailbox; see domain_is_checkable(). */
	local = str_first(local, SPF_LOCAL_MAX + 1);
	domain = str_first(domain, SPF_NAME_MAX + 2);

	sender = x_malloc(local.n + 1 + domain.n);
	memcpy(sender, local.p, local.n);
	sender[local.n] = '@';
	if (domain.n)
		memcpy(sender + local.n + 1, domain.p, domain.n);
	c->env.sender = str_make(sender, local.n + 1 + domain.n);
	c->env.local = str_first(c->env.sender, local.n);
	c->env.sender_domain = str_from(c->env.sender, local.n + 1);
}

/*
 * Section 4.3: a domain with fewer than two labels, or none that the DNS
 * could know, has the result "none"; and so has an address literal.
 */
static bool
domain_is_checkable(struct spf_check *c)
{
	struct spf_name *name = &spf_top(c)->domain;

	return c->env.local.n <= SPF_LOCAL_MAX &&
	       spf_name_set(c->env.sender_domain, name) && name->p[0] != '[' &&
	       str_find(spf_name_str(name), '.') >= 0;
}

struct spf_check *
spf_start(const struct spf_request *request)
{
	struct spf_check *c = X_NEW(struct spf_check);

	c->request = *request;
	c->request.client = spf_address_unmap(request->client);
	c->request.helo = str_copy(str_first(request->helo, SPF_HELO_MAX));
	c->request.receiver =
	    str_copy(str_first(request->receiver, SPF_NAME_MAX));
	set_sender(c);
	c->request.mail_from = STR_NONE;
	c->env.helo = c->request.helo;
	c->env.receiver = c->request.receiver;
	c->env.client = c->request.client;
	c->env.now = request->now;
	c->verdict.sender = c->env.sender;
	for (size_t i = 0; i < SPF_DEPTH_MAX; i++)
		buf_init(&c->frames[i].text, SPF_RECORD_MAX);
	buf_init(&c->explanation, SPF_EXPLANATION_MAX);

	c->state = SPF_STATE_FETCH;
	if (!domain_is_checkable(c))
		spf_conclude(c, SPF_NONE, "the sender has no domain to check");
	return c;
}

void
spf_free(struct spf_check *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SPF_DEPTH_MAX; i++)
		buf_done(&c->frames[i].text);
	buf_done(&c->explanation);
	str_free(&c->request.helo);
	str_free(&c->request.receiver);
	str_free(&c->env.sender);
	free(c);
}

/* --- steps ------------------------------------------------------------- */

void
spf_ask(struct spf_check *c, enum spf_type type, const struct spf_name *name)
{
	ASSERT(!c->is_asking && c->verdict.questions < SPF_QUESTIONS_MAX);
	c->verdict.questions++;
	c->asked_type = type;
	c->asked = *name;
	c->is_asking = true;
}

enum spf_step
spf_step(struct spf_check *c, struct spf_question *ret_question)
{
	while (!c->is_asking && c->state != SPF_STATE_DECIDED)
		states[c->state].run(c);
	if (!c->is_asking)
		return SPF_DONE;
	*ret_question =
	    (struct spf_question){ c->asked_type, spf_name_str(&c->asked) };
	return SPF_ASK;
}

void
spf_answer(struct spf_check *c, const struct spf_answer *a)
{
	ASSERT(c->is_asking && states[c->state].answered);
	c->is_asking = false;
	states[c->state].answered(c, a);
}

void
spf_expire(struct spf_check *c)
{
	bool has_result = c->verdict.mechanism.n > 0;

	c->is_asking = false;
	if (!has_result && c->state != SPF_STATE_DECIDED)
		spf_conclude(c, SPF_TEMPERROR, "it took too long");
	c->state = SPF_STATE_DECIDED;
}

const struct spf_verdict *
spf_verdict(const struct spf_check *c)
{
	ASSERT(!c->is_asking && c->state == SPF_STATE_DECIDED);
	return &c->verdict;
}

/* --- records ----------------------------------------------------------- */

static void
fetch_run(struct spf_check *c)
{
	struct spf_frame *f = spf_top(c);

	/* What the last record here has left must not be seen any more. */
	f->record = (struct spf_record){ 0 };
	f->term = (struct spf_term){ 0 };
	spf_ask(c, SPF_TYPE_TXT, &f->domain);
}

/* A domain that another record names has to have one (5.2 and 6.1). */
static void
conclude_without_record(struct spf_check *c)
{
	if (c->verdict.lookups == 0)
		spf_conclude(c, SPF_NONE, "the domain has no SPF record");
	else
		spf_conclude(c, SPF_PERMERROR,
		    "the domain that another record names has none");
}

/* The records of the answer that are SPF's; *ret is the last (4.5). */
static size_t
select_records(const struct spf_answer *a, struct str *ret)
{
	size_t n = 0;

	if (a->status != SPF_DNS_FOUND)
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		if (!spf_record_is_spf(a->records[i]))
			continue;
		*ret = a->records[i];
		n++;
	}
	return n;
}

static void
fetch_answered(struct spf_check *c, const struct spf_answer *a)
{
	struct spf_frame *f = spf_top(c);
	struct str text = STR_NONE;
	const char *problem;
	size_t n = select_records(a, &text);

	if (a->status == SPF_DNS_FAILED) {
		spf_conclude(c, SPF_TEMPERROR, "the record could not be had");
	} else if (n == 0) {
		conclude_without_record(c);
	} else if (n > 1) {
		spf_conclude(
		    c, SPF_PERMERROR, "the domain has more than one record");
	} else {
		buf_reset(&f->text, SPF_RECORD_MAX);
		/* What is too long is refused where it lies. */
		if (text.n <= SPF_RECORD_MAX) {
			buf_put_str(&f->text, text);
			text = buf_str(&f->text);
		}
		problem = spf_record_parse(text, &f->record, &f->term.text);
		if (problem)
			spf_conclude(c, SPF_PERMERROR, problem);
		else
			c->state = SPF_STATE_TERM;
	}
}

static void
open_record(struct spf_check *c)
{
	spf_top(c)->domain = c->target;
	c->state = SPF_STATE_FETCH;
}

void
spf_include(struct spf_check *c)
{
	ASSERT(c->depth + 1 < SPF_DEPTH_MAX);
	c->depth++;
	open_record(c);
}

void
spf_redirect(struct spf_check *c)
{
	open_record(c);
}

/* --- the end ----------------------------------------------------------- */

void
spf_conclude(struct spf_check *c, enum spf_result r, const char *problem)
{
	struct spf_frame *f = spf_top(c);
	struct spf_verdict *v = &c->verdict;

	v->result = r;
	v->problem = problem;
	v->domain = spf_name_str(&f->domain);
	if (problem)
		v->term = f->term.text;
	c->state = r == SPF_FAIL && f->record.exp.n > 0 ? SPF_STATE_EXPLAIN
	                                                : SPF_STATE_DECIDED;
}

bool
spf_count_lookup(struct spf_check *c)
{
	if (c->verdict.lookups == SPF_LOOKUPS_MAX) {
		spf_conclude(
		    c, SPF_PERMERROR, "too many terms that need the DNS");
		return false;
	}
	c->verdict.lookups++;
	return true;
}

static struct str
without_qualifier(struct str text)
{
	return text.n > 0 && strchr("+-?~", text.p[0]) ? str_from(text, 1)
	                                               : text;
}

/*
 * A match with "pass" in an included record is a match of the include; with
 * another result the include does not match (section 5.2).
 */
void
spf_match(struct spf_check *c)
{
	while (c->depth > 0) {
		enum spf_result inner = spf_top(c)->term.qualifier;

		c->depth--;
		if (inner != SPF_PASS) {
			spf_next(c);
			return;
		}
	}
	c->verdict.mechanism = without_qualifier(spf_top(c)->term.text);
	spf_conclude(c, spf_top(c)->term.qualifier, NULL);
}

void
spf_next(struct spf_check *c)
{
	c->state = SPF_STATE_TERM;
}
