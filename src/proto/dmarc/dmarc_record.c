/* SPDX-License-Identifier: ISC */
/*
 * dmarc_record.c - the text of a DMARC record, RFC 7489 sections 6.3 and 6.4.
 *
 * Names of tags and words do not depend on case, as the ABNF has it; the
 * value of v does.
 */
#include "proto/dmarc/dmarc_record.h"

#include "base/hostname.h"
#include "base/taglist.h"

#define INTERVAL_DEFAULT_S 86400

static const char *const policies[] = {
	[DMARC_POLICY_NONE] = "none",
	[DMARC_POLICY_QUARANTINE] = "quarantine",
	[DMARC_POLICY_REJECT] = "reject",
};

const char *
dmarc_policy_str(enum dmarc_policy p)
{
	return policies[p];
}

static bool
read_policy(struct str value, enum dmarc_policy *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		if (!str_eq_case(value, str_c(policies[i])))
			continue;
		*ret = (enum dmarc_policy)i;
		return true;
	}
	return false;
}

static void
read_alignment(struct str value, enum dmarc_alignment *ret)
{
	*ret = str_eq_case(value, STR("s")) ? DMARC_STRICT : DMARC_RELAXED;
}

/* fo: options with colons between. One that is not known spoils the tag. */
static void
read_failure(struct str value, unsigned *ret)
{
	unsigned bits = 0;
	struct str option;

	while (value.p) {
		value = str_split(value, ':', &option);
		option = str_trim(option);
		if (str_eq(option, STR("0")))
			bits |= DMARC_FAILURE_ALL;
		else if (str_eq(option, STR("1")))
			bits |= DMARC_FAILURE_ANY;
		else if (str_eq_case(option, STR("d")))
			bits |= DMARC_FAILURE_DKIM;
		else if (str_eq_case(option, STR("s")))
			bits |= DMARC_FAILURE_SPF;
		else
			return;
	}
	if (bits)
		*ret = bits;
}

static void
read_number(struct str value, uint32_t max, uint32_t *ret)
{
	uint32_t n;

	if (str_to_u32(value, max, &n))
		*ret = n;
}

/* The tag's value, trimmed; STR_NONE when it is absent or there twice. */
static struct str
find_tag(struct str text, const char *wanted)
{
	struct str name, value, found = STR_NONE;
	unsigned n = 0;

	while (taglist_next(&text, &name, &value)) {
		if (!str_eq_case(name, str_c(wanted)))
			continue;
		found = value;
		n++;
	}
	return n == 1 ? found : STR_NONE;
}

bool
dmarc_is_record(struct str text)
{
	struct str name, value;

	return text.n <= DMARC_RECORD_MAX &&
	       taglist_next(&text, &name, &value) &&
	       str_eq_case(name, STR("v")) && str_eq(value, STR("DMARC1"));
}

static bool
has_uri(struct str list)
{
	struct dmarc_uri uri;

	return dmarc_next_uri(&list, &uri);
}

/* p and sp, or what is left of them (section 6.6.3, step 6). */
static bool
read_policies(struct str text, struct dmarc_record *r)
{
	struct str p = find_tag(text, "p"), sp = find_tag(text, "sp");
	bool ok = read_policy(p, &r->policy);

	r->has_subdomain_policy = sp.p != NULL;
	if (sp.p)
		ok = read_policy(sp, &r->subdomain_policy) && ok;
	else
		r->subdomain_policy = r->policy;
	if (ok)
		return true;
	r->policy = r->subdomain_policy = DMARC_POLICY_NONE;
	r->has_subdomain_policy = false;
	return has_uri(r->rua);
}

bool
dmarc_record_parse(struct str text, struct dmarc_record *ret)
{
	struct dmarc_record r = {
		.failure = DMARC_FAILURE_ALL,
		.percent = 100,
		.interval_s = INTERVAL_DEFAULT_S,
		.rua = find_tag(text, "rua"),
		.ruf = find_tag(text, "ruf"),
	};

	if (!dmarc_is_record(text) || !read_policies(text, &r))
		return false;
	read_alignment(find_tag(text, "adkim"), &r.dkim);
	read_alignment(find_tag(text, "aspf"), &r.spf);
	read_failure(find_tag(text, "fo"), &r.failure);
	read_number(find_tag(text, "pct"), 100, &r.percent);
	read_number(find_tag(text, "ri"), UINT32_MAX, &r.interval_s);
	*ret = r;
	return true;
}

bool
dmarc_external_parse(struct str text, struct str *ret_rua)
{
	if (!dmarc_is_record(text))
		return false;
	*ret_rua = find_tag(text, "rua");
	return true;
}

/* "10m": bytes with a unit, which counts by 1024. */
static bool
read_size(struct str s, uint64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit;
	unsigned shift = 0;
	uint64_t n;

	if (s.n > 0 && !ascii_is_digit(s.p[s.n - 1])) {
		unit = strchr(units, ascii_lower(s.p[--s.n]));
		if (!unit || !*unit)
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (!str_to_u64(s, UINT64_MAX >> shift, &n))
		return false;
	*ret = n << shift;
	return true;
}

/* A scheme and something behind it, in printable ASCII. */
static bool
is_uri(struct str s)
{
	ptrdiff_t colon = str_find(s, ':');

	if (colon < 1 || (size_t)colon + 1 == s.n || !ascii_is_alpha(s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("<>\"\\", s.p[i]))
			return false;
	return true;
}

bool
dmarc_next_uri(struct str *list, struct dmarc_uri *ret)
{
	struct str member, size;

	while (list->p) {
		struct dmarc_uri u = { 0 };
		bool has_size;

		*list = str_split(*list, ',', &member);
		member = str_trim(member);
		/* In the URI itself it would have been encoded. */
		has_size = str_find(member, '!') >= 0;
		size = str_split(member, '!', &u.uri);
		if (!is_uri(u.uri) ||
		    (has_size && !read_size(size, &u.max_bytes)))
			continue;
		*ret = u;
		return true;
	}
	return false;
}

static int
hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
decode_percent(struct str s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_put_char(to, s.p[i]);
			continue;
		}
		if (s.n - i < 3 || hex_value(s.p[i + 1]) < 0 ||
		    hex_value(s.p[i + 2]) < 0)
			return false;
		buf_put_char(to,
		    (char)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2])));
		i += 2;
	}
	return !to->failed;
}

static bool
is_local(struct str s)
{
	char last = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_dot = c == '.';

		if (is_dot ? last == '.'
			   : !ascii_is_alpha(c) && !ascii_is_digit(c) &&
				 (!c || !strchr("!#$%&'*+-/=?^_`{|}~", c)))
			return false;
		last = c;
	}
	return last != '.' && s.n <= 64;
}

bool
dmarc_uri_mailbox(struct str uri, struct buf *to, struct str *ret_domain)
{
	size_t before = to->n;
	struct str path, address;
	ptrdiff_t at;

	if (!str_starts_case(uri, STR("mailto:")))
		return false;
	/* What follows would be fields of a header; reports have their own. */
	str_split(str_from(uri, 7), '?', &path);
	if (decode_percent(path, to)) {
		address = str_from(buf_str(to), before);
		at = str_rfind(address, '@');
		if (at > 0 && is_local(str_first(address, (size_t)at)) &&
		    hostname_is_valid(str_from(address, (size_t)at + 1))) {
			*ret_domain = str_from(address, (size_t)at + 1);
			return true;
		}
	}
	to->n = before;
	return false;
}
