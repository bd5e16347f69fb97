/* SPDX-License-Identifier: ISC */
/* tls_rule.c - rules about TLS, by pattern. See tls_rule.h. */
#include "conf/tls_rule.h"

#include "base/wire.h"

#define ROW_VERSION 1
#define MX_PREFIX   STR("mx:")
#define LABEL_MAX   63

static const char *const words[] = {
	[TLS_RULE_AUTO] = "auto",
	[TLS_RULE_MAY] = "may",
	[TLS_RULE_MUST] = "must",
	[TLS_RULE_VERIFY] = "verify",
	[TLS_RULE_DANE] = "dane",
	[TLS_RULE_NEVER] = "never",
};

const char *
tls_rule_str(enum tls_rule r)
{
	return words[r];
}

bool
tls_rule_parse(struct str word, enum tls_rule *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(word, str_c(words[i]))) {
			*ret = (enum tls_rule)i;
			return true;
		}
	return false;
}

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-' &&
		    c != '_')
			return false;
	}
	return true;
}

bool
tls_rule_is_pattern(struct str s)
{
	struct str label;

	if (s.n > TLS_RULE_PATTERN_MAX)
		return false;
	if (str_starts(s, MX_PREFIX))
		s = str_from(s, MX_PREFIX.n);
	if (s.n > 0 && s.p[0] == '.')
		s = str_from(s, 1);
	if (s.n == 0 || s.p[s.n - 1] == '.')
		return false;
	while (s.n > 0) {
		s = str_split(s, '.', &label);
		if (!is_label(label))
			return false;
	}
	return true;
}

/* --- a row ---------------------------------------------------------------------- */

void
tls_rule_row_encode(const struct tls_rule_row *row, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, (uint8_t)row->rule);
	wire_put_u64(to, row->made);
}

bool
tls_rule_row_decode(struct str value, struct tls_rule_row *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	uint8_t rule = wire_get_u8(&w);
	uint64_t made = wire_get_u64(&w);

	if (!wire_is_complete(&w) || rule >= ARRAY_LEN(words))
		return false;
	*ret = (struct tls_rule_row){ (enum tls_rule)rule, made };
	return true;
}

/* --- all of them ----------------------------------------------------------------- */

struct item {
	char *pattern;
	enum tls_rule rule;
};

struct tls_rules {
	struct item *items; /* sorted by pattern */
	size_t n, cap;
};

struct tls_rules *
tls_rules_new(void)
{
	return X_NEW(struct tls_rules);
}

struct tls_rules *
tls_rules_free(struct tls_rules *rs)
{
	if (rs == NULL)
		return NULL;
	for (size_t i = 0; i < rs->n; i++)
		free(rs->items[i].pattern);
	free(rs->items);
	free(rs);
	return NULL;
}

/* Where the pattern is, or belongs. */
static bool
search(const struct tls_rules *rs, struct str pattern, size_t *ret_at)
{
	size_t low = 0, high = rs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = str_cmp(str_c(rs->items[middle].pattern), pattern);

		if (c == 0) {
			*ret_at = middle;
			return true;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

bool
tls_rules_add(struct tls_rules *rs, struct str pattern, enum tls_rule rule)
{
	size_t at;

	if (search(rs, pattern, &at)) {
		rs->items[at].rule = rule;
		return true;
	}
	if (rs->n == TLS_RULES_MAX)
		return false;
	rs->items = x_grow(rs->items, &rs->cap, rs->n + 1, sizeof(*rs->items));
	memmove(&rs->items[at + 1], &rs->items[at],
	    (rs->n - at) * sizeof(*rs->items));
	rs->items[at] = (struct item){ str_dup(pattern), rule };
	rs->n++;
	return true;
}

/* The name itself, then ".parent" after ".parent" of it. */
static bool
find_name(const struct tls_rules *rs, const char *prefix, struct str name,
    enum tls_rule *ret)
{
	char pattern[TLS_RULE_PATTERN_MAX + 1];
	size_t at;

	while (name.n > 0) {
		int n = snprintf(
		    pattern, sizeof(pattern), "%s%.*s", prefix, STR_ARG(name));
		ptrdiff_t dot = str_find(str_from(name, 1), '.');

		if (n > 0 && (size_t)n < sizeof(pattern) &&
		    search(rs, str_c(pattern), &at)) {
			*ret = rs->items[at].rule;
			return true;
		}
		if (dot < 0)
			break;
		name = str_from(name, (size_t)dot + 1);
	}
	return false;
}

enum tls_rule
tls_rules_find(const struct tls_rules *rs, struct str domain, struct str host)
{
	enum tls_rule rule = TLS_RULE_AUTO;

	if (!find_name(rs, "", domain, &rule))
		(void)!find_name(rs, "mx:", host, &rule);
	return rule;
}
