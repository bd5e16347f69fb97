/* SPDX-License-Identifier: ISC */
/* accept.c - lists with weights. See accept.h. */
#include "base/accept.h"

bool
accept_list_next(struct str *rest, struct str *ret)
{
	while (rest->n > 0) {
		struct str one;

		*rest = str_split(*rest, ',', &one);
		one = str_trim(one);
		if (one.n > 0) {
			*ret = one;
			return true;
		}
	}
	return false;
}

/* "0.5" in thousandths (RFC 9110 section 12.4.2); what is none counts as 0. */
static unsigned
read_weight(struct str s)
{
	unsigned v = 0, unit = 1000;

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (!ascii_is_digit(s.p[i]))
			return 0;
		v += (unsigned)(s.p[i] - '0') * unit;
		unit /= 10;
	}
	return MIN(v, 1000U);
}

/* A member of a list and its weight. */
static bool
next_weighted(struct str *rest, struct str *ret_token, unsigned *ret_weight)
{
	struct str one, parameters;

	if (!accept_list_next(rest, &one))
		return false;
	parameters = str_split(one, ';', ret_token);
	*ret_token = str_trim(*ret_token);
	parameters = str_trim(parameters);
	*ret_weight = str_starts_case(parameters, STR("q="))
	                  ? read_weight(str_trim(str_from(parameters, 2)))
	                  : 1000;
	return true;
}

unsigned
accept_weight(struct str field, struct str token)
{
	struct str one;
	unsigned weight, others = 0;

	while (next_weighted(&field, &one, &weight)) {
		if (str_eq_case(one, token))
			return weight;
		if (str_eq(one, STR("*")))
			others = weight;
	}
	return others;
}

/* "pt-BR" for "pt", and "pt" for itself. */
static bool
is_language(struct str range, struct str language)
{
	return str_starts_case(range, language) &&
	       (range.n == language.n || range.p[language.n] == '-');
}

bool
accept_language(
    struct str field, const struct str *languages, size_t n, size_t *ret)
{
	struct str one;
	unsigned weight, best = 0;

	while (next_weighted(&field, &one, &weight))
		for (size_t i = 0; i < n && weight > best; i++)
			if (is_language(one, languages[i])) {
				best = weight;
				*ret = i;
			}
	return best > 0;
}
