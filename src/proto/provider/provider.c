/* SPDX-License-Identifier: ISC */
/*
 * provider.c - read the table of providers, and look hosts up in it. See
 * provider.h.
 *
 * The built-in lines are text as well and go through the same parser: what is
 * shown to operators is what is in force.
 */
#include "proto/provider/provider.h"

static const char default_text[] =
#define GROUP(line) line "\n"
#include "proto/provider/provider.def"
#undef GROUP
    ;

struct suffix {
	struct str name;
	size_t group;
};

struct group {
	struct str name, title;
};

struct provider_table {
	struct group *groups;
	size_t n_groups, groups_cap;
	struct suffix *suffixes;
	size_t n_suffixes, suffixes_cap;
	/* Strings are in here, one allocation for each text. */
	char *texts[2];
	size_t n_texts;
};

const char *
provider_default_text(void)
{
	return default_text;
}

bool
provider_is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return s.n > 0 && s.n <= PROVIDER_NAME_MAX;
}

/* --- one line ------------------------------------------------------------------- */

static struct str
take_word(struct str *in)
{
	size_t n = 0;
	struct str word;

	*in = str_trim(*in);
	while (n < in->n && in->p[n] != ' ' && in->p[n] != '\t')
		n++;
	word = str_first(*in, n);
	*in = str_trim(str_from(*in, n));
	return word;
}

static bool
take_title(struct str *in, struct str *ret)
{
	struct str rest;

	if (in->n == 0 || in->p[0] != '"')
		return false;
	rest = str_split(str_from(*in, 1), '"', ret);
	if (rest.p == NULL || ret->n == 0 || ret->n > PROVIDER_TITLE_MAX)
		return false;
	*in = str_trim(rest);
	return true;
}

/* A host name of at least two labels: a suffix that is a whole top-level
 * domain would be a mistake. */
static bool
is_suffix(struct str s)
{
	bool has_dot = false;

	if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' && s.p[i - 1] == '.')
			return false;
		has_dot |= c == '.';
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '_' && c != '.')
			return false;
	}
	return has_dot;
}

static bool
find_group(const struct provider_table *t, struct str name, size_t *ret)
{
	for (size_t i = 0; i < t->n_groups; i++)
		if (str_eq_case(t->groups[i].name, name)) {
			*ret = i;
			return true;
		}
	return false;
}

static const char *
add_suffixes(struct provider_table *t, struct str line, size_t group)
{
	if (line.n == 0)
		return "no suffix of host names";
	while (line.n > 0) {
		struct str name = take_word(&line);

		if (!is_suffix(name))
			return "not a suffix of host names, as mx.example.com";
		if (t->n_suffixes == PROVIDER_SUFFIXES_MAX)
			return "too many suffixes";
		t->suffixes = x_grow(t->suffixes, &t->suffixes_cap,
		    t->n_suffixes + 1, sizeof(*t->suffixes));
		t->suffixes[t->n_suffixes++] = (struct suffix){ name, group };
	}
	return NULL;
}

static const char *
add_group(struct provider_table *t, struct str line)
{
	struct group g = { .name = take_word(&line) };
	size_t at;

	if (!provider_is_name(g.name))
		return "not a name: up to 32 letters, digits and -";
	if (!take_title(&line, &g.title))
		return "not a title in quotes";
	if (!find_group(t, g.name, &at)) {
		if (t->n_groups == PROVIDER_GROUPS_MAX)
			return "too many groups";
		at = t->n_groups;
		t->groups = x_grow(t->groups, &t->groups_cap, t->n_groups + 1,
		    sizeof(*t->groups));
		t->groups[t->n_groups++] = g;
	}
	return add_suffixes(t, line, at);
}

/* --- the table ------------------------------------------------------------------- */

static const char *add_lines(
    struct provider_table *t, struct str text, size_t *line_no);

static const char *
add_text(struct provider_table *t, struct str text, size_t *line_no)
{
	char *copy = str_dup(text);

	ASSERT(t->n_texts < ARRAY_LEN(t->texts));
	t->texts[t->n_texts++] = copy;
	return add_lines(t, str_make(copy, text.n), line_no);
}

/* "default": the built-in lines stand here, once. */
static const char *
add_default(struct provider_table *t)
{
	size_t line_no = 0;

	if (t->n_texts == ARRAY_LEN(t->texts))
		return "default is there already";
	return add_text(t, str_c(default_text), &line_no);
}

static const char *
add_lines(struct provider_table *t, struct str text, size_t *line_no)
{
	while (text.n > 0) {
		const char *error = NULL;
		struct str line;

		text = str_split(text, '\n', &line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = str_trim(line);
		++*line_no;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (line.n > PROVIDER_LINE_MAX)
			error = "the line is too long";
		else if (str_eq(line, STR("default")))
			error = add_default(t);
		else
			error = add_group(t, line);
		if (error)
			return error;
	}
	return NULL;
}

struct provider_table *
provider_table_parse(struct str text, struct provider_error *ret_error)
{
	struct provider_table *t = X_NEW(struct provider_table);
	const char *error = "the table is too large";
	size_t line_no = 0;

	if (text.n <= PROVIDER_TABLE_MAX)
		error = add_text(t, text, &line_no);
	if (!error)
		return t;
	ret_error->line = line_no;
	ret_error->text = error;
	return provider_table_free(t);
}

struct provider_table *
provider_table_new(void)
{
	struct provider_error error = { 0 };
	struct provider_table *t = provider_table_parse(STR("default"), &error);

	if (!t)
		die("provider.def: %s", error.text);
	return t;
}

struct provider_table *
provider_table_free(struct provider_table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_texts; i++)
		free(t->texts[i]);
	free(t->groups);
	free(t->suffixes);
	free(t);
	return NULL;
}

/* --- looking up -------------------------------------------------------------------- */

static bool
is_below(struct str host, struct str suffix)
{
	return str_ends_case(host, suffix) &&
	       (host.n == suffix.n || host.p[host.n - suffix.n - 1] == '.');
}

struct str
provider_of(const struct provider_table *t, struct str host)
{
	const struct suffix *best = NULL;

	for (size_t i = 0; i < t->n_suffixes; i++) {
		const struct suffix *s = &t->suffixes[i];

		if ((best == NULL || s->name.n > best->name.n) &&
		    is_below(host, s->name))
			best = s;
	}
	return best ? t->groups[best->group].name : STR_NONE;
}

struct str
provider_title(const struct provider_table *t, struct str name)
{
	size_t at;

	return find_group(t, name, &at) ? t->groups[at].title : STR_NONE;
}

size_t
provider_count(const struct provider_table *t)
{
	return t->n_groups;
}

struct str
provider_name(const struct provider_table *t, size_t i)
{
	ASSERT(i < t->n_groups);
	return t->groups[i].name;
}
