/* SPDX-License-Identifier: ISC */
/* status_value.c - kinds, targets and values of options. See status_check.h. */
#include "proto/status/status_internal.h"

static const char *const kinds[STATUS_KINDS] = {
	[STATUS_TCP] = "tcp",
	[STATUS_PING] = "ping",
	[STATUS_TLS] = "tls",
	[STATUS_SMTP] = "smtp",
	[STATUS_SUBMISSION] = "submission",
	[STATUS_IMAP] = "imap",
	[STATUS_POP3] = "pop3",
	[STATUS_SIEVE] = "sieve",
	[STATUS_HTTP] = "http",
	[STATUS_DNS] = "dns",
	[STATUS_SOA] = "soa",
	[STATUS_BLOCKLIST] = "blocklist",
	[STATUS_SIP] = "sip",
	[STATUS_ROUNDTRIP] = "roundtrip",
};

const char *
status_kind_name(enum status_kind k)
{
	ASSERT((unsigned)k < STATUS_KINDS);
	return kinds[k];
}

bool
status_kind_parse(struct str word, enum status_kind *ret)
{
	int i = status_word_find(kinds, STATUS_KINDS, word);

	if (i >= 0)
		*ret = (enum status_kind)i;
	return i >= 0;
}

/* --- options --------------------------------------------------------------- */

enum type {
	TIME,
	COUNT,
	FAMILY,
	TLS,
	PROTOCOL,
	TRANSPORT,
	RECORD,
	YESNO,
	SERVICE,
	HOST,
	SERVER,
	TEXT,
	SECRET,
	CODES,
	FIELD,
	PLACE,
};

static const char *const family_words[] = { "4", "6" };
static const char *const tls_words[] = { "never", "starttls", "implicit" };
static const char *const protocol_words[] = { "tls", "smtp", "imap", "pop3",
	"sieve" };
static const char *const transport_words[] = { "udp", "tcp", "tls" };
static const char *const record_words[] = { "A", "AAAA", "CNAME", "MX", "NS",
	"TXT", "SRV", "PTR" };
static const char *const service_words[] = { "receive", "send", "read",
	"webmail", "sign-in", "none" };
static const char *const yesno_words[] = { "no", "yes" };

#define EXPECTED_TIME(name)      "a time with its unit, such as " name "=10s"
#define EXPECTED_COUNT(name)     "a number from 1 to 10000"
#define EXPECTED_FAMILY(name)    "4 or 6"
#define EXPECTED_TLS(name)       "never, starttls or implicit"
#define EXPECTED_PROTOCOL(name)  "tls, smtp, imap, pop3 or sieve"
#define EXPECTED_TRANSPORT(name) "udp, tcp or tls"
#define EXPECTED_RECORD(name)    "A, AAAA, CNAME, MX, NS, TXT, SRV or PTR"
#define EXPECTED_YESNO(name)     "yes or no"
#define EXPECTED_SERVICE(name)   "receive, send, read, webmail, sign-in or none"
#define EXPECTED_HOST(name)      "a host name or address"
#define EXPECTED_SERVER(name)    "a host such as 192.0.2.1 or ns.example.org:5353"
#define EXPECTED_TEXT(name)      "a text of at most 200 bytes"
#define EXPECTED_SECRET(name)    "a text of at most 200 bytes"
#define EXPECTED_CODES(name)     "status codes such as 200 or 200-299,301"
#define EXPECTED_FIELD(name)     "a field and its value such as state.ok=true"
#define EXPECTED_PLACE(name)     "all, here, or the name of an agent"

#define NO_WORDS        NULL, 0
#define WORDS(list)     list, ARRAY_LEN(list)
#define WORDS_TIME      NO_WORDS
#define WORDS_COUNT     NO_WORDS
#define WORDS_FAMILY    WORDS(family_words)
#define WORDS_TLS       WORDS(tls_words)
#define WORDS_PROTOCOL  WORDS(protocol_words)
#define WORDS_TRANSPORT WORDS(transport_words)
#define WORDS_RECORD    WORDS(record_words)
#define WORDS_YESNO     WORDS(yesno_words)
#define WORDS_SERVICE   WORDS(service_words)
#define WORDS_HOST      NO_WORDS
#define WORDS_SERVER    NO_WORDS
#define WORDS_TEXT      NO_WORDS
#define WORDS_SECRET    NO_WORDS
#define WORDS_CODES     NO_WORDS
#define WORDS_FIELD     NO_WORDS
#define WORDS_PLACE     NO_WORDS

#define BIT(kind) (1U << STATUS_##kind)
#define ANY       ((1U << STATUS_KINDS) - 1)
#define SUBMIT    BIT(SUBMISSION)
#define IMAP      BIT(IMAP)
#define POP3      BIT(POP3)
#define MAIL      (BIT(SMTP) | SUBMIT | IMAP | POP3)
#define SIEVE     BIT(SIEVE)
#define CERT      BIT(TLS)
#define HTTP      BIT(HTTP)
#define SIP       BIT(SIP)
#define DNS       BIT(DNS)
#define SOA       BIT(SOA)
#define LISTS     BIT(BLOCKLIST)
#define PING      BIT(PING)
#define TRIP      BIT(ROUNDTRIP)
#define TLSUSER   (MAIL | SIEVE | CERT | HTTP | SIP | TRIP)
#define NET       (MAIL | SIEVE | CERT | HTTP | SIP | BIT(TCP))

static const struct status_opt_rule rules[STATUS_OPTS] = {
#define OPT(id, name_, type_, kinds_, max_, help) \
	[STATUS_OPT_##id] = { name_, type_, kinds_, max_, \
		EXPECTED_##type_(name_), WORDS_##type_ },
#include "proto/status/status_options.def"
#undef OPT
};

const struct status_opt_rule *
status_opt_rule(enum status_opt o)
{
	ASSERT((unsigned)o < STATUS_OPTS);
	return &rules[o];
}

const char *
status_opt_name(enum status_opt o)
{
	return status_opt_rule(o)->name;
}

bool
status_opt_is_secret(enum status_opt o)
{
	return status_opt_rule(o)->type == SECRET;
}

bool
status_opt_is_of(enum status_opt o, enum status_kind k)
{
	return (status_opt_rule(o)->kinds & (1U << k)) != 0;
}

bool
status_opt_parse(struct str name, enum status_opt *ret)
{
	for (unsigned i = 0; i < STATUS_OPTS; i++)
		if (str_eq_case(name, str_c(rules[i].name))) {
			*ret = (enum status_opt)i;
			return true;
		}
	return false;
}

/* --- values ----------------------------------------------------------------- */

struct range {
	uint32_t from, to;
};

static bool
read_range(struct str s, struct range *ret)
{
	struct str first, second = str_split(s, '-', &first);

	if (!str_to_u32(first, 599, &ret->from) || ret->from < 100)
		return false;
	ret->to = ret->from;
	return str_find(s, '-') < 0 ||
	       (str_to_u32(second, 599, &ret->to) && ret->to >= ret->from);
}

static bool
is_codes(struct str s)
{
	struct range range;
	struct str one;

	if (s.n == 0 || s.n > STATUS_TEXT_MAX || s.p[s.n - 1] == ',')
		return false;
	while (s.n > 0) {
		s = str_split(s, ',', &one);
		if (!read_range(one, &range))
			return false;
	}
	return true;
}

bool
status_codes_contain(struct str codes, unsigned code)
{
	struct range range;
	struct str one;

	while (codes.n > 0) {
		codes = str_split(codes, ',', &one);
		if (read_range(one, &range) && code >= range.from &&
		    code <= range.to)
			return true;
	}
	return false;
}

struct str
status_field_path(struct str field, struct str *ret_value)
{
	struct str path;

	*ret_value = str_split(field, '=', &path);
	return path;
}

static bool
is_field(struct str s)
{
	struct str value, path = status_field_path(s, &value);

	return status_is_text(s) && path.n > 0 && value.n > 0 &&
	       path.p[0] != '.' && path.p[path.n - 1] != '.';
}

bool
status_value_is_good(const struct status_opt_rule *rule, struct str value)
{
	struct str host;
	uint16_t port;
	uint64_t ms;
	uint32_t n;

	if (rule->words != NULL)
		return status_word_find(rule->words, rule->n_words, value) >= 0;
	switch ((enum type)rule->type) {
	case TIME:
		return status_time_parse(value, UINT32_MAX, &ms) && ms > 0;
	case COUNT:
		return str_to_u32(value, 10000, &n) && n > 0;
	case HOST:
		return status_is_host(value);
	case SERVER:
		return status_host_port(value, &host, &port);
	case TEXT:
	case SECRET:
		return value.n > 0 && status_is_text(value);
	case CODES:
		return is_codes(value);
	case FIELD:
		return is_field(value);
	case PLACE:
		return status_is_id(value);
	case FAMILY:
	case TLS:
	case PROTOCOL:
	case TRANSPORT:
	case RECORD:
	case YESNO:
	case SERVICE:
		break;
	}
	return false;
}

/* --- targets ------------------------------------------------------------------ */

static bool
parse_url(struct str s, struct status_target *t)
{
	size_t end;

	t->is_https = str_starts_case(s, STR("https://"));
	if (!t->is_https && !str_starts_case(s, STR("http://")))
		return false;
	s = str_from(s, t->is_https ? 8 : 7);
	for (end = 0; end < s.n && s.p[end] != '/' && s.p[end] != '?';)
		end++;
	t->path = str_from(s, end);
	if (t->path.n == 0)
		t->path = STR("/");
	for (size_t i = 0; i < t->path.n; i++)
		if (t->path.p[i] <= ' ' || t->path.p[i] == 0x7F ||
		    t->path.p[i] == '#')
			return false;
	return t->path.p[0] == '/' &&
	       status_host_port(str_first(s, end), &t->host, &t->port);
}

/* LOCAL@DOMAIN of a mailbox, as strict as it needs to be. */
static bool
parse_mailbox(struct str s, struct status_target *t)
{
	ptrdiff_t at = str_rfind(s, '@');

	if (at <= 0 || at > 64)
		return false;
	for (ptrdiff_t i = 0; i < at; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7F ||
		    strchr("<>()[]\\,;:@\"", s.p[i]) != NULL)
			return false;
	t->host = str_from(s, (size_t)at + 1);
	return status_is_host(t->host);
}

bool
status_target_parse(
    enum status_kind kind, struct str text, struct status_target *ret)
{
	*ret = (struct status_target){ 0 };
	switch (kind) {
	case STATUS_HTTP:
		return parse_url(text, ret);
	case STATUS_ROUNDTRIP:
		return parse_mailbox(text, ret);
	case STATUS_PING:
	case STATUS_DNS:
	case STATUS_SOA:
	case STATUS_BLOCKLIST:
		ret->host = text;
		return status_is_host(text);
	case STATUS_TCP:
		return status_host_port(text, &ret->host, &ret->port) &&
		       ret->port != 0;
	case STATUS_TLS:
	case STATUS_SMTP:
	case STATUS_SUBMISSION:
	case STATUS_IMAP:
	case STATUS_POP3:
	case STATUS_SIEVE:
	case STATUS_SIP:
		return status_host_port(text, &ret->host, &ret->port);
	case STATUS_KINDS:
		break;
	}
	return false;
}

const char *
status_target_expected(enum status_kind kind)
{
	if (kind == STATUS_HTTP)
		return "a URL such as https://www.example.org/";
	if (kind == STATUS_ROUNDTRIP)
		return "the address of a mailbox";
	if (kind == STATUS_TCP)
		return "HOST:PORT, with a port from 1 to 65535";
	if (kind == STATUS_DNS || kind == STATUS_SOA)
		return "a domain name";
	return "a host such as mail.example.org, 192.0.2.1:25 or "
	       "[2001:db8::1]:25, with a port from 1 to 65535";
}

uint16_t
status_port_usual(const struct status_check *c)
{
	static const uint16_t behind[] = { [STATUS_PROTOCOL_TLS] = 443,
		[STATUS_PROTOCOL_SMTP] = 25,
		[STATUS_PROTOCOL_IMAP] = 143,
		[STATUS_PROTOCOL_POP3] = 110,
		[STATUS_PROTOCOL_SIEVE] = 4190 };
	bool is_implicit = status_check_word(c, STATUS_OPT_TLS,
			       STATUS_TLS_IMPLICIT) == STATUS_TLS_IMPLICIT;
	struct status_target t;

	switch (c->kind) {
	case STATUS_TLS:
		return behind[status_check_word(
		    c, STATUS_OPT_PROTOCOL, STATUS_PROTOCOL_TLS)];
	case STATUS_SMTP:
		return 25;
	case STATUS_SUBMISSION:
		return is_implicit && status_check_count(c, STATUS_OPT_TLS)
		           ? 465
		           : 587;
	case STATUS_IMAP:
		return is_implicit ? 993 : 143;
	case STATUS_POP3:
		return is_implicit ? 995 : 110;
	case STATUS_SIEVE:
		return 4190;
	case STATUS_HTTP:
		if (!status_target_parse(c->kind, c->target, &t))
			return 0;
		return t.is_https ? 443 : 80;
	case STATUS_SIP:
		return status_check_word(c, STATUS_OPT_TRANSPORT, STATUS_UDP) ==
		               STATUS_OVER_TLS
		           ? 5061
		           : 5060;
	case STATUS_TCP:
	case STATUS_PING:
	case STATUS_DNS:
	case STATUS_SOA:
	case STATUS_BLOCKLIST:
	case STATUS_ROUNDTRIP:
	case STATUS_KINDS:
		break;
	}
	return 0;
}
