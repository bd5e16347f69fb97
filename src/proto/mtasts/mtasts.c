/* SPDX-License-Identifier: ISC */
/*
 * mtasts.c - MTA-STS: read records and policies, match hosts, write both.
 */
#include "proto/mtasts/mtasts.h"

#include "base/hostname.h"
#include "base/taglist.h"

static const char *const modes[] = {
	[MTASTS_MODE_NONE] = "none",
	[MTASTS_MODE_TESTING] = "testing",
	[MTASTS_MODE_ENFORCE] = "enforce",
};

const char *
mtasts_mode_str(enum mtasts_mode mode)
{
	return modes[mode];
}

static bool
is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]))
			return false;
	return s.n > 0 && s.n <= MTASTS_ID_MAX;
}

/* Names and values of fields that are not known have this grammar, too. */
static bool
is_field(struct str name, struct str value)
{
	if (name.n == 0 || name.n > 32 || value.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
		    (i == 0 || !strchr("_-.", name.p[i])))
			return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~' || value.p[i] == '=')
			return false;
	return true;
}

static bool
read_record(struct str text, struct str *ret_id)
{
	struct str name, value, id = STR_NONE;

	if (text.n > MTASTS_RECORD_MAX)
		return false;
	while (taglist_next(&text, &name, &value)) {
		if (!is_field(name, value))
			return false;
		if (!id.p && str_eq(name, STR("id")))
			id = value;
	}
	if (!is_id(id))
		return false;
	*ret_id = id;
	return true;
}

enum mtasts_found
mtasts_find_record(const struct str *records, size_t n, struct str *ret_id)
{
	struct str text;

	switch (taglist_find(records, n, STR("v=STSv1"), &text)) {
	case TAGLIST_NONE:
		return MTASTS_NONE;
	case TAGLIST_ONE:
		return read_record(text, ret_id) ? MTASTS_FOUND : MTASTS_BROKEN;
	case TAGLIST_SEVERAL:
		break;
	}
	return MTASTS_BROKEN;
}

/* Take a line, which ends with LF, CRLF, or the text. */
static bool
take_line(struct str *rest, struct str *ret_line)
{
	struct str line;

	if (rest->n == 0)
		return false;
	*rest = str_split(*rest, '\n', &line);
	if (rest->p && str_ends(line, STR("\r")))
		line.n--;
	*ret_line = str_trim(line);
	return true;
}

/* Cut a line at its colon. Fields of later versions hold UTF-8, too. */
static bool
split_field(struct str line, struct str *ret_name, struct str *ret_value)
{
	ptrdiff_t colon = str_find(line, ':');

	if (colon < 1 || str_has_control(line, "\t") || !str_is_utf8(line))
		return false;
	*ret_name = str_first(line, (size_t)colon);
	*ret_value = str_trim(str_from(line, (size_t)colon + 1));
	return is_field(*ret_name, STR("x"));
}

static bool
is_pattern(struct str s)
{
	if (str_starts(s, STR("*.")))
		s = str_from(s, 2);
	return hostname_is_valid(s);
}

static bool
read_mode(struct str value, enum mtasts_mode *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (!str_eq(value, str_c(modes[i])))
			continue;
		*ret = (enum mtasts_mode)i;
		return true;
	}
	return false;
}

/* Section 3.2: up to ten digits; more than a year is a year. */
static bool
read_age(struct str value, uint32_t *ret)
{
	uint64_t age;

	if (value.n > 10 || !str_to_u64(value, UINT64_MAX, &age))
		return false;
	*ret = (uint32_t)MIN(age, (uint64_t)MTASTS_AGE_MAX);
	return true;
}

struct seen {
	bool version, mode, age, mx;
};

static const char *
read_field(struct str name, struct str value, struct seen *seen,
    struct mtasts_policy *p)
{
	if (str_eq(name, STR("mx"))) {
		seen->mx = true;
		return is_pattern(value) ? NULL : "an mx pattern is wrong";
	}
	if (str_eq(name, STR("version")) && !seen->version) {
		seen->version = true;
		return str_eq(value, STR("STSv1")) ? NULL
		                                   : "the version is not known";
	}
	if (str_eq(name, STR("mode")) && !seen->mode) {
		seen->mode = true;
		return read_mode(value, &p->mode) ? NULL
		                                  : "the mode is not known";
	}
	if (str_eq(name, STR("max_age")) && !seen->age) {
		seen->age = true;
		return read_age(value, &p->max_age_s) ? NULL
		                                      : "max_age is no number";
	}
	return NULL;
}

const char *
mtasts_policy_parse(struct str text, struct mtasts_policy *ret)
{
	struct mtasts_policy p = { .text = text };
	struct str rest = text, line, name, value;
	struct seen seen = { 0 };
	const char *problem;

	if (text.n > MTASTS_POLICY_MAX)
		return "the policy is too long";
	while (take_line(&rest, &line)) {
		if (line.n == 0)
			continue;
		if (!split_field(line, &name, &value))
			return "a line is not \"name: value\"";
		problem = read_field(name, value, &seen, &p);
		if (problem)
			return problem;
	}
	if (!seen.version)
		return "there is no version";
	if (!seen.mode)
		return "there is no mode";
	if (!seen.age)
		return "there is no max_age";
	if (!seen.mx && p.mode != MTASTS_MODE_NONE)
		return "there is no mx";
	*ret = p;
	return NULL;
}

bool
mtasts_next_mx(struct str *rest, struct str *ret_pattern)
{
	struct str line, name, value;

	while (take_line(rest, &line)) {
		if (!split_field(line, &name, &value) ||
		    !str_eq(name, STR("mx")))
			continue;
		*ret_pattern = value;
		return true;
	}
	return false;
}

static bool
matches(struct str pattern, struct str host)
{
	struct str label;

	if (!str_starts(pattern, STR("*.")))
		return str_eq_case(pattern, host);
	host = str_split(host, '.', &label);
	return label.n > 0 && str_eq_case(str_from(pattern, 2), host);
}

bool
mtasts_allows(const struct mtasts_policy *policy, struct str host)
{
	struct str rest = policy->text, pattern;

	if (policy->mode == MTASTS_MODE_NONE)
		return true;
	host = hostname_trim(host);
	while (mtasts_next_mx(&rest, &pattern))
		if (matches(pattern, host))
			return true;
	return false;
}

bool
mtasts_put_policy(struct buf *to, enum mtasts_mode mode, uint32_t max_age_s,
    const struct str *patterns, size_t n)
{
	struct buf b = BUF_INIT(MTASTS_POLICY_MAX);
	bool ok =
	    max_age_s <= MTASTS_AGE_MAX && (n > 0 || mode == MTASTS_MODE_NONE);

	buf_printf(&b, "version: STSv1\r\nmode: %s\r\n", mtasts_mode_str(mode));
	for (size_t i = 0; ok && i < n; i++) {
		ok = is_pattern(patterns[i]);
		buf_printf(&b, "mx: %.*s\r\n", STR_ARG(patterns[i]));
	}
	buf_printf(&b, "max_age: %u\r\n", max_age_s);
	ok = ok && !b.failed;
	if (ok)
		buf_put_str(to, buf_str(&b));
	buf_done(&b);
	return ok && !to->failed;
}

bool
mtasts_put_record(struct buf *to, struct str id)
{
	if (!is_id(id))
		return false;
	buf_printf(to, "v=STSv1; id=%.*s;", STR_ARG(id));
	return !to->failed;
}
