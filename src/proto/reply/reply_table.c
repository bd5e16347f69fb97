/* SPDX-License-Identifier: ISC */
/*
 * reply_table.c - read the table of rules. See reply.h.
 *
 * The built-in rules are text as well and go through the same parser: what is
 * shown to operators is what is in force.
 */
#include "proto/reply/reply_internal.h"

static const char default_text[] =
#define RULE(line) line "\n"
#include "proto/reply/reply.def"
#undef RULE
    ;

const char *
reply_default_text(void)
{
	return default_text;
}

/* --- one rule ------------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of *in; empty at the end. */
static struct str
take_word(struct str *in)
{
	size_t n = 0;
	struct str word;

	*in = str_trim(*in);
	while (n < in->n && !is_blank(in->p[n]))
		n++;
	word = str_first(*in, n);
	*in = str_trim(str_from(*in, n));
	return word;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return s.n > 0;
}

static bool
read_codes(struct str word, struct reply_rule *r)
{
	struct str code;

	if (str_eq(word, STR("*")))
		return true;
	while (word.p) {
		uint32_t v;

		word = str_split(word, ',', &code);
		if (str_eq(code, STR("4xx")))
			v = 4;
		else if (str_eq(code, STR("5xx")))
			v = 5;
		else if (!str_to_u32(code, 599, &v) || v < 400)
			return false;
		if (r->n_codes == REPLY_CODES_MAX)
			return false;
		r->codes[r->n_codes++] = (uint16_t)v;
	}
	return true;
}

static bool
read_number(struct str s, uint16_t *ret)
{
	uint32_t v;

	if (str_eq(s, STR("*"))) {
		*ret = REPLY_ANY;
		return true;
	}
	if (!str_to_u32(s, 999, &v))
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* "1", "600-699" or "*". */
static bool
read_detail(struct str s, struct reply_status *ret)
{
	struct str first, last = str_split(s, '-', &first);

	if (str_eq(s, STR("*"))) {
		ret->first = 0;
		ret->last = REPLY_ANY;
		return true;
	}
	if (!read_number(first, &ret->first) || ret->first == REPLY_ANY)
		return false;
	ret->last = ret->first;
	if (first.n == s.n)
		return true;
	return read_number(last, &ret->last) && ret->last != REPLY_ANY &&
	       ret->last >= ret->first;
}

static bool
read_status(struct str word, struct reply_status *ret)
{
	struct str class, subject, detail;

	if (str_eq(word, STR("*"))) {
		ret->is_any = true;
		return true;
	}
	detail = str_split(str_split(word, '.', &class), '.', &subject);
	return read_number(class, &ret->class) &&
	       (ret->class == 4 || ret->class == 5 ||
		   ret->class == REPLY_ANY) &&
	       read_number(subject, &ret->subject) && read_detail(detail, ret);
}

static bool
read_stages(struct str word, unsigned *ret)
{
	struct str stage;
	unsigned bit;

	if (str_eq(word, STR("*"))) {
		*ret = ~0u;
		return true;
	}
	while (word.p) {
		word = str_split(word, ',', &stage);
		if (!reply_stage_parse(stage, &bit))
			return false;
		*ret |= bit;
	}
	return true;
}

/* Quoted texts at the start of *rest, which is moved behind them. */
static bool
read_texts(struct str *rest, struct reply_rule *r)
{
	while (rest->n > 0 && rest->p[0] == '"') {
		struct str text, after;

		after = str_split(str_from(*rest, 1), '"', &text);
		/* No closing quote, nothing inside, or something glued to it. */
		if (!after.p || text.n == 0 ||
		    (after.n > 0 && !is_blank(after.p[0])))
			return false;
		if (r->n_texts == REPLY_TEXTS_MAX)
			return false;
		r->texts[r->n_texts++] = text;
		*rest = str_trim(after);
	}
	return true;
}

static const char *
read_rule(struct str line, struct reply_rule *r)
{
	r->name = take_word(&line);
	if (!is_name(r->name))
		return "not a name: letters, digits and -";
	if (!reply_class_parse(take_word(&line), &r->class))
		return "not a class";
	if (!read_codes(take_word(&line), r))
		return "not a code: *, 4xx, 5xx or up to 4 codes";
	if (!read_status(take_word(&line), &r->status))
		return "not a status: *, 5.7.1, 5.7.*, 5.7.600-699";
	if (!read_stages(take_word(&line), &r->stages))
		return "not a stage";
	if (!read_texts(&line, r))
		return "not up to 4 texts in quotes";
	r->link = take_word(&line);
	if (r->link.n > 0 && !str_starts(r->link, STR("https://")) &&
	    !str_starts(r->link, STR("http://")) &&
	    !str_starts(r->link, STR("mailto:")))
		return "not a link";
	return line.n > 0 ? "something behind the link" : NULL;
}

/* --- the table ------------------------------------------------------------------- */

/* A text of rules that is being read; the table owns it. */
struct source {
	char *text;
	size_t n;
	bool is_default;
	size_t line;       /* counts from 1 */
	struct str groups; /* of the rules that follow */
};

static const char *add_lines(struct reply_table *t, struct source *src);

/* Texts are compared in lower case: make them so, once. */
static void
lower_texts(const struct source *src, const struct reply_rule *r)
{
	for (size_t i = 0; i < r->n_texts; i++)
		for (size_t j = 0; j < r->texts[i].n; j++) {
			size_t at = (size_t)(r->texts[i].p - src->text) + j;

			src->text[at] = ascii_lower(src->text[at]);
		}
}

static struct source
add_source(struct reply_table *t, struct str text, bool is_default)
{
	ASSERT(t->n_texts < ARRAY_LEN(t->texts));
	t->texts[t->n_texts] = str_dup(text);
	return (struct source){
		.text = t->texts[t->n_texts++],
		.n = text.n,
		.is_default = is_default,
	};
}

/* "[one another]" or "[*]". */
static const char *
read_groups(struct source *src, struct str line)
{
	struct str words = str_trim(str_sub(line, 1, line.n - 2));
	struct str rest = words, word;

	src->groups = words;
	if (str_eq(words, STR("*"))) {
		src->groups = STR_NONE;
		return NULL;
	}
	do {
		rest = str_split(rest, ' ', &word);
		if (!is_name(word))
			return "not provider groups: [one another], or [*]";
	} while (rest.p);
	return NULL;
}

/* "default": the built-in rules stand here, once. */
static const char *
add_default(struct reply_table *t, const struct source *from)
{
	struct source src;

	if (from->is_default || t->n_texts == ARRAY_LEN(t->texts))
		return "default is there already";
	src = add_source(t, str_c(default_text), true);
	return add_lines(t, &src);
}

static const char *
add_line(struct reply_table *t, struct source *src, struct str line)
{
	struct reply_rule rule = { 0 };
	const char *error;

	if (line.n > REPLY_LINE_MAX)
		return "the line is too long";
	if (str_eq(line, STR("default")))
		return add_default(t, src);
	if (line.n > 1 && line.p[0] == '[' && line.p[line.n - 1] == ']')
		return read_groups(src, line);
	if (t->n == REPLY_RULES_MAX)
		return "too many rules";
	error = read_rule(line, &rule);
	if (error)
		return error;
	rule.groups = src->groups;
	lower_texts(src, &rule);
	t->rules = x_grow(t->rules, &t->cap, t->n + 1, sizeof(*t->rules));
	t->rules[t->n++] = rule;
	return NULL;
}

static const char *
add_lines(struct reply_table *t, struct source *src)
{
	struct str text = str_make(src->text, src->n);

	while (text.n > 0) {
		const char *error;
		struct str line;

		text = str_split(text, '\n', &line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = str_trim(line);
		src->line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		error = add_line(t, src, line);
		if (error)
			return error;
	}
	return NULL;
}

struct reply_table *
reply_table_parse(struct str text, struct reply_error *ret_error)
{
	struct reply_table *t = X_NEW(struct reply_table);
	const char *error = "the table is too large";
	struct source src = { 0 };

	if (text.n <= REPLY_TABLE_MAX) {
		src = add_source(t, text, false);
		error = add_lines(t, &src);
	}
	if (!error)
		return t;
	ret_error->line = src.line;
	ret_error->text = error;
	return reply_table_free(t);
}

struct reply_table *
reply_table_new(void)
{
	struct reply_error error = { 0 };
	struct reply_table *t = reply_table_parse(STR("default"), &error);

	if (!t)
		die("reply.def: %s", error.text);
	return t;
}

struct reply_table *
reply_table_free(struct reply_table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_texts; i++)
		free(t->texts[i]);
	free(t->rules);
	free(t);
	return NULL;
}

size_t
reply_table_count(const struct reply_table *t)
{
	return t->n;
}

struct str
reply_table_name(const struct reply_table *t, size_t i)
{
	ASSERT(i < t->n);
	return t->rules[i].name;
}

struct str
reply_table_groups(const struct reply_table *t, size_t i)
{
	ASSERT(i < t->n);
	return t->rules[i].groups;
}
