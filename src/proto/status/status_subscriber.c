/* SPDX-License-Identifier: ISC */
/* status_subscriber.c - who is told of posts. See status_subscriber.h. */
#include "proto/status/status_subscriber.h"

#include "proto/status/status_internal.h"

#define ROW_VERSION 1
#define LOCAL_MAX   64
#define YEAR_10000  UINT64_C(253402300800)
#define SECRET_MAX  64

#define KEY_EXPECTED \
	"a mail address, or an https URL, of at most 160 characters"

static const char *const scopes[STATUS_SCOPES] = {
	[STATUS_SCOPE_ALL] = "all",
	[STATUS_SCOPE_SYSTEMS] = "systems",
	[STATUS_SCOPE_TAGS] = "tags",
};

const char *
status_scope_name(enum status_scope s)
{
	ASSERT((unsigned)s < STATUS_SCOPES);
	return scopes[s];
}

bool
status_scope_parse(struct str word, enum status_scope *ret)
{
	int i = status_word_find(scopes, STATUS_SCOPES, word);

	if (i >= 0)
		*ret = (enum status_scope)i;
	return i >= 0;
}

/* --- keys ------------------------------------------------------------------------ */

static struct str
url_host(struct str url)
{
	size_t end = 8;

	while (end < url.n && url.p[end] != '/' && url.p[end] != '?')
		end++;
	return str_sub(url, 8, end - 8);
}

/* What is sent to it takes it apart as a target. */
static bool
is_url(struct str s)
{
	struct status_target t;

	if (!str_starts_case(s, STR("https://")) ||
	    !status_target_parse(STATUS_HTTP, s, &t))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7F || s.p[i] == '#' ||
		    s.p[i] == '"' || s.p[i] == '<' || s.p[i] == '>')
			return false;
	return true;
}

/* Dots and the atoms between them (RFC 5321 section 4.1.2), ASCII: what has
 * quotes or more is nobody's who wants news. */
static bool
is_local(struct str s)
{
	if (s.n == 0 || s.n > LOCAL_MAX || s.p[0] == '.' ||
	    s.p[s.n - 1] == '.' || str_search(s, STR("..")) >= 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    (s.p[i] <= ' ' || s.p[i] >= 0x7F ||
			strchr("!#$%&'*+-/=?^_`{|}~.", s.p[i]) == NULL))
			return false;
	return true;
}

static bool
is_address(struct str s)
{
	ptrdiff_t at = str_rfind(s, '@');
	struct str domain;

	if (at < 0)
		return false;
	domain = str_from(s, (size_t)at + 1);
	return is_local(str_first(s, (size_t)at)) && status_is_host(domain) &&
	       str_find(domain, ':') < 0 && str_find(domain, '_') < 0 &&
	       str_find(domain, '.') > 0 &&
	       ascii_is_alpha(domain.p[domain.n - 1]);
}

bool
status_subscriber_is_webhook(struct str key)
{
	return str_starts(key, STR("https://"));
}

bool
status_subscriber_put_key(
    struct buf *to, struct str text, struct status_fault *ret)
{
	size_t lower = text.n;

	if (text.n > STATUS_SUBSCRIBER_MAX ||
	    (!is_url(text) && !is_address(text)))
		return status_fault_set(ret, text, KEY_EXPECTED);
	if (is_url(text))
		lower = 8 + url_host(text).n;
	status_put_key(to, str_first(text, lower));
	buf_put_str(to, str_from(text, lower));
	return true;
}

static bool
is_key(struct str key)
{
	struct buf one = BUF_INIT(STATUS_SUBSCRIBER_MAX);
	struct status_fault fault;
	bool is = status_subscriber_put_key(&one, key, &fault) &&
	          str_eq(buf_str(&one), key);

	buf_done(&one);
	return is;
}

/* --- the whole --------------------------------------------------------------------- */

static bool
names_are_sane(const struct status_subscriber *s, struct status_fault *ret)
{
	if (s->n_names > STATUS_SUBSCRIBER_NAMES)
		return status_fault_set(ret, STR("names"), "at most 16 names");
	if ((s->scope == STATUS_SCOPE_ALL) != (s->n_names == 0))
		return status_fault_set(ret, STR("scope"),
		    "all, or systems or tags with their names");
	for (size_t i = 0; i < s->n_names; i++)
		if (s->scope == STATUS_SCOPE_SYSTEMS
			? !status_is_id(s->names[i])
			: !status_is_tag(s->names[i]))
			return status_fault_set(
			    ret, s->names[i], "the name of a system, or a tag");
	return true;
}

bool
status_is_why(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] >= 0x7F)
			return false;
	return s.n <= STATUS_WHY_MAX;
}

static bool
bounces_are_sane(const struct status_subscriber *s)
{
	if (s->bounced_s >= YEAR_10000 || s->paused_s >= YEAR_10000)
		return false;
	return status_is_why(s->why) &&
	       (s->bounces > 0) == (s->bounced_s > 0) &&
	       (s->paused_s == 0 || (s->bounces > 0 && s->is_confirmed));
}

bool
status_subscriber_is_sane(
    struct str key, const struct status_subscriber *s, struct status_fault *ret)
{
	if (key.n > STATUS_SUBSCRIBER_MAX || !is_key(key))
		return status_fault_set(ret, key, KEY_EXPECTED);
	if ((unsigned)s->scope >= STATUS_SCOPES)
		return status_fault_set(
		    ret, STR("scope"), "all, systems or tags");
	if (s->token_hash.n != STATUS_SECRET_HASH)
		return status_fault_set(ret, STR("token"), "a token");
	if (s->secret.n > SECRET_MAX ||
	    (s->secret.n > 0 && !status_subscriber_is_webhook(key)))
		return status_fault_set(
		    ret, STR("secret"), "a secret of a webhook only");
	if (!status_is_language(s->language))
		return status_fault_set(
		    ret, s->language, "a language such as en or pt-BR");
	if (s->created_s == 0 || s->created_s >= YEAR_10000 ||
	    s->confirmed_s >= YEAR_10000 || s->asked_s >= YEAR_10000 ||
	    (s->confirmed_s > 0) != s->is_confirmed)
		return status_fault_set(ret, STR("time"), "a sane time");
	if (!bounces_are_sane(s))
		return status_fault_set(ret, STR("bounces"), "sane bounces");
	return names_are_sane(s, ret);
}

bool
status_subscriber_set_names(
    struct status_subscriber *s, struct str list, struct status_fault *ret)
{
	struct str one;

	s->n_names = 0;
	while (list.n > 0) {
		list = str_split(list, ',', &one);
		if (s->n_names == STATUS_SUBSCRIBER_NAMES)
			return status_fault_set(ret, one, "at most 16 names");
		s->names[s->n_names++] = str_trim(one);
	}
	return names_are_sane(s, ret);
}

/* --- rows ---------------------------------------------------------------------------- */

void
status_subscriber_encode(const struct status_subscriber *s, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, s->is_confirmed);
	wire_put_u8(to, (uint8_t)s->scope);
	wire_put_varint(to, s->n_names);
	for (size_t i = 0; i < s->n_names; i++)
		wire_put_vstr(to, s->names[i]);
	wire_put_vstr(to, s->token_hash);
	wire_put_vstr(to, s->secret);
	wire_put_vstr(to, s->language);
	wire_put_varint(to, s->created_s);
	wire_put_varint(to, s->confirmed_s);
	wire_put_varint(to, s->asked_s);
	wire_put_varint(to, s->asked);
	if (s->bounces == 0)
		return;
	wire_put_varint(to, s->bounces);
	wire_put_varint(to, s->bounced_s);
	wire_put_varint(to, s->paused_s);
	wire_put_vstr(to, s->why);
}

bool
status_subscriber_decode(
    struct str key, struct str value, struct status_subscriber *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct status_subscriber s = { 0 };
	struct status_fault fault;
	uint8_t confirmed = wire_get_u8(&w);
	uint64_t n;

	s.is_confirmed = confirmed != 0;
	s.scope = (enum status_scope)wire_get_u8(&w);
	n = wire_get_varint(&w);
	if (n > STATUS_SUBSCRIBER_NAMES)
		return false;
	while (n-- > 0)
		s.names[s.n_names++] = wire_get_vstr(&w);
	s.token_hash = wire_get_vstr(&w);
	s.secret = wire_get_vstr(&w);
	s.language = wire_get_vstr(&w);
	s.created_s = wire_get_varint(&w);
	s.confirmed_s = wire_get_varint(&w);
	s.asked_s = wire_get_varint(&w);
	s.asked = wire_get_v32(&w);
	/* Only who has some has this. */
	if (!w.failed && w.in.n > 0) {
		s.bounces = wire_get_v32(&w);
		s.bounced_s = wire_get_varint(&w);
		s.paused_s = wire_get_varint(&w);
		s.why = wire_get_vstr(&w);
	}
	if (confirmed > 1 || !wire_is_complete(&w) ||
	    !status_subscriber_is_sane(key, &s, &fault))
		return false;
	*ret = s;
	return true;
}

/* --- asking ---------------------------------------------------------------------------- */

const char *
status_subscriber_state(const struct status_subscriber *s)
{
	if (!s->is_confirmed)
		return "pending";
	return s->paused_s > 0 ? "paused" : "confirmed";
}

bool
status_subscriber_is_active(const struct status_subscriber *s)
{
	return s->is_confirmed && s->paused_s == 0;
}

bool
status_subscriber_wants(
    const struct status_subscriber *s, const struct status_post *p)
{
	enum status_impact impact;

	if (!status_subscriber_is_active(s))
		return false;
	if (s->scope == STATUS_SCOPE_ALL)
		return true;
	for (size_t i = 0; i < s->n_names; i++)
		if (s->scope == STATUS_SCOPE_SYSTEMS
			? status_affects_find(&p->affects, s->names[i], &impact)
			: status_post_has_tag(p, s->names[i]))
			return true;
	return false;
}

void
status_subscriber_put_leave(
    struct str key, const struct status_subscriber *s, struct buf *to)
{
	struct buf text = BUF_INIT(STATUS_SUBSCRIBER_MAX + 16);
	struct crypt_sum sum;

	buf_put_c(&text, "leave ");
	buf_put_str(&text, key);
	crypt_hmac(s->token_hash, buf_str(&text), &sum);
	status_put_base64url(to, crypt_sum_str(&sum));
	buf_done(&text);
}

bool
status_subscriber_leave_matches(
    struct str key, const struct status_subscriber *s, struct str token)
{
	struct buf own = BUF_INIT(STATUS_SECRET_LEN + 8);
	bool is;

	status_subscriber_put_leave(key, s, &own);
	is = str_eq_constant_time(buf_str(&own), token);
	buf_done(&own);
	return is;
}
