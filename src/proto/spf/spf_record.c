/* SPDX-License-Identifier: ISC */
/*
 * spf_record.c - the text of an SPF record, RFC 7208 section 4.6.
 *
 * The grammar of section 12, read strictly. Names that RFC 7208 defines are
 * not open to other readings: "exp=-all" is a wrong explanation, and not a
 * modifier that nobody knows.
 */
#include "proto/spf/spf_record.h"
#include "proto/spf/spf_macro.h"

enum spec_rule {
	SPEC_NEVER,
	SPEC_OPTIONAL,
	SPEC_ALWAYS,
};

static const struct mechanism {
	const char *name;
	enum spf_term_kind kind;
	enum spec_rule spec;
	bool has_prefixes;
} mechanisms[] = {
	{ "all", SPF_TERM_ALL, SPEC_NEVER, false },
	{ "include", SPF_TERM_INCLUDE, SPEC_ALWAYS, false },
	{ "a", SPF_TERM_A, SPEC_OPTIONAL, true },
	{ "mx", SPF_TERM_MX, SPEC_OPTIONAL, true },
	{ "ptr", SPF_TERM_PTR, SPEC_OPTIONAL, false },
	{ "ip4", SPF_TERM_IP4, SPEC_NEVER, false },
	{ "ip6", SPF_TERM_IP6, SPEC_NEVER, false },
	{ "exists", SPF_TERM_EXISTS, SPEC_ALWAYS, false },
};

const char *
spf_result_str(enum spf_result r)
{
	static const char *const names[] = {
		[SPF_NONE] = "none",
		[SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",
		[SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",
		[SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};

	return names[r];
}

bool
spf_record_is_spf(struct str text)
{
	return str_starts_case(text, STR("v=spf1")) &&
	       (text.n == 6 || text.p[6] == ' ');
}

/*
 * Cut a prefix length behind its slash off the end of s; without one, s and
 * *ret stay. Leading zeros are refused, since some take them for octal.
 */
static const char *
take_prefix(struct str *s, struct str slash, uint32_t max, uint32_t *ret)
{
	size_t at = s->n;
	struct str digits;

	while (at > 0 && ascii_is_digit(s->p[at - 1]))
		at--;
	digits = str_from(*s, at);
	if (digits.n == 0 || !str_ends(str_first(*s, at), slash))
		return NULL;
	if ((digits.n > 1 && digits.p[0] == '0') ||
	    !str_to_u32(digits, max, ret))
		return "the prefix length is not one";
	s->n = at - slash.n;
	return NULL;
}

/* RFC 7208 section 5.6: ip4:192.0.2.0/24, with value behind the name. */
static const char *
read_network(struct str value, struct spf_term *t)
{
	bool is_v6 = t->kind == SPF_TERM_IP6;
	const char *problem;

	problem = is_v6 ? take_prefix(&value, STR("/"), 128, &t->prefix6)
	                : take_prefix(&value, STR("/"), 32, &t->prefix4);
	if (problem)
		return problem;
	if (!str_starts(value, STR(":")))
		return "the mechanism needs an address";
	value = str_from(value, 1);
	if (!(is_v6 ? spf_address_parse_v6(value, &t->network)
		    : spf_address_parse_v4(value, &t->network)))
		return "this is no address of the mechanism's kind";
	return NULL;
}

/* What is behind the name of a mechanism: nothing, ":...", or "/...". */
static const char *
read_value(const struct mechanism *m, struct str value, struct spf_term *t)
{
	const char *problem = NULL;

	if (m->kind == SPF_TERM_IP4 || m->kind == SPF_TERM_IP6)
		return read_network(value, t);
	if (m->has_prefixes)
		problem = take_prefix(&value, STR("//"), 128, &t->prefix6);
	if (m->has_prefixes && !problem)
		problem = take_prefix(&value, STR("/"), 32, &t->prefix4);
	if (problem)
		return problem;
	if (value.n == 0)
		return m->spec == SPEC_ALWAYS ? "the mechanism needs a domain"
		                              : NULL;
	if (value.p[0] != ':' || m->spec == SPEC_NEVER)
		return "the mechanism does not take this";
	t->spec = str_from(value, 1);
	return spf_macro_is_domain(t->spec) ? NULL : "this is no domain";
}

static struct str
take_qualifier(struct str word, enum spf_result *ret)
{
	switch (word.n ? word.p[0] : '\0') {
	case '-':
		*ret = SPF_FAIL;
		break;
	case '~':
		*ret = SPF_SOFTFAIL;
		break;
	case '?':
		*ret = SPF_NEUTRAL;
		break;
	case '+':
		*ret = SPF_PASS;
		break;
	default:
		*ret = SPF_PASS;
		return word;
	}
	return str_from(word, 1);
}

static const char *
read_mechanism(struct str word, struct spf_term *t)
{
	size_t n = 0;

	word = take_qualifier(word, &t->qualifier);
	while (n < word.n && word.p[n] != ':' && word.p[n] != '/')
		n++;
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
		const struct mechanism *m = &mechanisms[i];

		if (!str_eq_case(str_first(word, n), str_c(m->name)))
			continue;
		t->kind = m->kind;
		return read_value(m, str_from(word, n), t);
	}
	return "the mechanism is not known";
}

/* Length of the name before "=" when word is a modifier; else 0. */
static size_t
modifier_name_length(struct str word)
{
	size_t n = 0;

	while (n < word.n &&
	       (ascii_is_alpha(word.p[n]) ||
		   (n > 0 && (ascii_is_digit(word.p[n]) || word.p[n] == '-' ||
				 word.p[n] == '_' || word.p[n] == '.'))))
		n++;
	return n < word.n && word.p[n] == '=' ? n : 0;
}

static const char *
read_modifier(struct str name, struct str value, struct spf_term *t)
{
	t->spec = value;
	t->kind = SPF_TERM_OTHER;
	if (str_eq_case(name, STR("redirect")))
		t->kind = SPF_TERM_REDIRECT;
	else if (str_eq_case(name, STR("exp")))
		t->kind = SPF_TERM_EXP;

	if (t->kind == SPF_TERM_OTHER)
		return spf_macro_is_string(value) ? NULL
		                                  : "the macros are wrong";
	return spf_macro_is_domain(value) ? NULL : "this is no domain";
}

static const char *
read_term(struct str word, struct spf_term *ret)
{
	size_t n = modifier_name_length(word);

	*ret = (struct spf_term){ .text = word, .prefix4 = 32, .prefix6 = 128 };
	if (n > 0)
		return read_modifier(
		    str_first(word, n), str_from(word, n + 1), ret);
	return read_mechanism(word, ret);
}

/* Terms are separated by spaces, and by nothing else (section 4.6.1). */
static bool
take_word(struct str *terms, struct str *ret_word)
{
	while (terms->n > 0 && terms->p[0] == ' ')
		*terms = str_from(*terms, 1);
	if (terms->n == 0)
		return false;
	*terms = str_split(*terms, ' ', ret_word);
	return true;
}

const char *
spf_record_parse(struct str text, struct spf_record *ret, struct str *ret_term)
{
	struct spf_record r = { .terms = str_from(text, 6) };
	struct str rest = r.terms, word;
	struct spf_term t;

	*ret_term = STR_NONE;
	if (text.n > SPF_RECORD_MAX)
		return "the record is too long";
	while (take_word(&rest, &word)) {
		const char *problem = read_term(word, &t);
		struct str *once = NULL;

		if (!problem && t.kind == SPF_TERM_REDIRECT)
			once = &r.redirect;
		if (!problem && t.kind == SPF_TERM_EXP)
			once = &r.exp;
		if (once && once->n > 0)
			problem = "the modifier is there twice";
		if (once)
			*once = t.spec;
		if (problem) {
			*ret_term = word;
			return problem;
		}
	}
	*ret = r;
	return NULL;
}

bool
spf_record_next(struct str *terms, struct spf_term *ret)
{
	struct str word;

	if (!take_word(terms, &word))
		return false;
	ASSERT(!read_term(word, ret));
	return true;
}
