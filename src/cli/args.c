/* SPDX-License-Identifier: ISC */
/* args.c - words, options, sizes and times. See args.h. */
#include "cli/args.h"

#include <time.h>

/* "--to" does not stand in "[--token N]". */
static bool
is_in_usage(const char *usage, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = usage; (at = strstr(at, name)) != NULL; at += n)
		if (!ascii_is_alpha(at[n]) && at[n] != '-')
			return true;
	return false;
}

static const struct arg_option *
find_option(const struct args *a, struct str name, const char *usage)
{
	for (size_t i = 0; i < a->n_options; i++)
		if (str_eq(str_c(a->options[i].name), name) &&
		    (usage == NULL || is_in_usage(usage, a->options[i].name)))
			return &a->options[i];
	return NULL;
}

static bool
take_option(struct args *a, int argc, char **argv, const char *usage, int *at)
{
	struct str name, value = str_split(str_c(argv[*at]), '=', &name);
	const struct arg_option *o = find_option(a, name, usage);

	if (!o) {
		snprintf(a->error, sizeof(a->error),
		    "unknown option %.*s (see --help)", STR_ARG(name));
		return false;
	}
	if (!o->value) {
		*o->flag = true;
		return true;
	}
	if (!value.p && *at + 1 < argc)
		value = str_c(argv[++*at]);
	if (!value.p) {
		snprintf(
		    a->error, sizeof(a->error), "%s needs a value", o->name);
		return false;
	}
	*o->value = value.p;
	return true;
}

bool
args_parse(struct args *a, int argc, char **argv, const char *usage)
{
	bool is_over = false;

	a->n_words = 0;
	for (int i = 0; i < argc; i++) {
		if (!is_over && strcmp(argv[i], "--") == 0) {
			is_over = true;
		} else if (!is_over && argv[i][0] == '-' && argv[i][1]) {
			if (!take_option(a, argc, argv, usage, &i))
				return false;
		} else if (a->n_words == ARRAY_LEN(a->words)) {
			snprintf(a->error, sizeof(a->error),
			    "more than %zu words", ARRAY_LEN(a->words));
			return false;
		} else {
			a->words[a->n_words++] = argv[i];
		}
	}
	return true;
}

bool
args_count(const char *s, uint64_t *ret)
{
	if (strcmp(s, "none") == 0 || strcmp(s, "unlimited") == 0) {
		*ret = 0;
		return true;
	}
	return str_to_u64(str_c(s), UINT64_C(1) << 62, ret);
}

/* "", "B", "K", "KB", "KiB", ...: how many bits to shift by. */
static bool
unit_parse(struct str s, unsigned *ret)
{
	static const char units[] = "KMGT";
	ptrdiff_t at;

	*ret = 0;
	if (s.n == 0 || str_eq_case(s, STR("B")))
		return true;
	at = str_find(str_c(units), ascii_upper(s.p[0]));
	*ret = (unsigned)(at + 1) * 10;
	s = str_from(s, 1);
	return at >= 0 && (s.n == 0 || str_eq_case(s, STR("B")) ||
			      str_eq_case(s, STR("iB")));
}

bool
args_size(const char *s, uint64_t *ret)
{
	struct str in = str_c(s), whole, fraction;
	uint64_t n, tenths = 0;
	size_t digits = 0;
	unsigned shift;

	if (args_count(s, ret))
		return true;
	while (digits < in.n &&
	       (ascii_is_digit(in.p[digits]) || in.p[digits] == '.'))
		digits++;
	fraction = str_split(str_first(in, digits), '.', &whole);
	if (!unit_parse(str_trim(str_from(in, digits)), &shift) ||
	    !str_to_u64(whole, UINT64_MAX >> (shift + 2), &n))
		return false;
	/* One digit behind the point is enough for people. */
	if (fraction.p && (fraction.n != 1 || shift == 0 ||
			      !str_to_u64(fraction, 9, &tenths)))
		return false;
	*ret = (n << shift) + (tenths << shift) / 10;
	return true;
}

static bool
ago_parse(struct str s, uint64_t now, uint64_t *ret)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 } };
	uint32_t n;

	if (s.n < 2 || !str_to_u32(str_first(s, s.n - 1), 1000000, &n))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s.p[s.n - 1] == units[i].unit) {
			uint64_t ago = (uint64_t)n * units[i].seconds;

			*ret = ago < now ? now - ago : 0;
			return true;
		}
	return false;
}

bool
args_time(const char *s, uint64_t now, uint64_t *ret)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M",
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };

	if (ago_parse(str_c(s), now, ret))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(s, forms[i], &tm);
		bool is_utc = end && strcmp(end, "Z") == 0;
		time_t t;

		if (!end || (*end && !is_utc))
			continue;
		t = is_utc ? timegm(&tm) : mktime(&tm);
		if (t < 0)
			return false;
		*ret = (uint64_t)t;
		return true;
	}
	return false;
}

bool
args_when(const char *s, uint64_t now, uint64_t *ret)
{
	uint64_t ahead;

	if (strcmp(s, "now") == 0) {
		*ret = now;
		return true;
	}
	if (s[0] == '+' && args_duration(str_c(s + 1), &ahead)) {
		*ret = now + ahead;
		return true;
	}
	return args_time(s, now, ret);
}

bool
args_duration(struct str s, uint64_t *ret)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	ptrdiff_t at;
	uint64_t n;

	if (str_eq(s, STR("0"))) {
		*ret = 0;
		return true;
	}
	at = s.n ? str_find(str_c(units), s.p[s.n - 1]) : -1;
	if (at < 0 || !str_to_u64(str_first(s, s.n - 1), 1000000000, &n))
		return false;
	*ret = n * seconds[at];
	return true;
}
