/* SPDX-License-Identifier: ISC */
/* mime_received.c - the way of a message. See mime_received.h. */
#include "proto/mime/mime_received.h"

#include "proto/mime/mime_token_internal.h"

/* Clocks that agree differ by a second when both are cut to whole ones. */
#define SPARE_S 2
/* Fields that are looked at: each is looked for from the beginning. */
#define FIELDS_MAX 50

/* --- one field -------------------------------------------------------------- */

/* Length of what stands at the start of s, which is not empty. */
static size_t
word_length(struct str s)
{
	size_t n = 0;

	if (s.p[0] == '(' || s.p[0] == '[' || s.p[0] == '"')
		return token_enclosed_length(s);
	while (n < s.n && !token_is_blank(s.p[n]) && s.p[n] != ';' &&
	       s.p[n] != '(')
		n++;
	return MAX(n, 1u);
}

/* "from X by Y ...; date": X may be "by", too. A date comes behind the last
 * semicolon. */
bool
mime_received_parse(struct str value, struct mime_received *ret)
{
	struct mime_received r = { 0 };
	struct str rest = token_skip_cfws(value), date = STR_NONE;
	bool is_first = true, is_name = false, is_by = false;

	while (rest.n > 0) {
		struct str word = str_first(rest, word_length(rest));

		rest = token_skip_cfws(str_from(rest, word.n));
		if (str_eq(word, STR(";"))) {
			date = rest;
			is_name = is_by = false;
		} else if (is_name) {
			if (is_by)
				r.by = word;
			is_name = is_by = false;
		} else if (is_first && str_eq_case(word, STR("from"))) {
			is_name = true;
		} else if (r.by.n == 0 && date.n == 0 &&
			   str_eq_case(word, STR("by"))) {
			is_name = is_by = true;
		}
		is_first = false;
	}
	r.has_date = mime_date_parse(date, &r.date);
	if (!r.has_date && r.by.n == 0)
		return false;
	*ret = r;
	return true;
}

/* --- all of them -------------------------------------------------------------- */

static bool
is_absurd(int64_t took_s, int64_t whole_s)
{
	return took_s < 0 || took_s > whole_s + SPARE_S;
}

/* The n-th that was put, the last of the header first. */
static bool
find_hop(struct str header, size_t count, size_t n, struct mime_received *ret)
{
	struct mime_field f;

	return mime_header_find_nth(
		   header, STR("Received"), count - 1 - n, &f) &&
	       mime_received_parse(f.value, ret) && ret->has_date &&
	       ret->by.n > 0;
}

void
mime_way_read(
    struct str header, int64_t sent_s, int64_t found_s, struct mime_way *ret)
{
	size_t count = mime_header_count(header, STR("Received"));
	int64_t last_s = sent_s, whole_s = found_s - sent_s;

	ret->n = 0;
	for (size_t i = 0;
	     i < count && i < FIELDS_MAX && ret->n < MIME_HOPS_MAX; i++) {
		struct mime_way_hop *hop = &ret->hops[ret->n];
		struct mime_received r;

		if (!find_hop(header, count, i, &r))
			continue;
		hop->by = r.by;
		hop->took_s = r.date.epoch - last_s;
		hop->is_absurd = is_absurd(hop->took_s, whole_s);
		last_s = r.date.epoch;
		ret->n++;
	}
	ret->rest_s = found_s - last_s;
	ret->is_rest_absurd = is_absurd(ret->rest_s, whole_s);
}
