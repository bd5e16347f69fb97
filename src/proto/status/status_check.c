/* SPDX-License-Identifier: ISC */
/* status_check.c - checks: words to rows, and rows. See status_check.h. */
#include "proto/status/status_check.h"

#include "proto/status/status_internal.h"

#define ROW_VERSION 1

bool
status_split_key(struct str key, struct str *ret_system, struct str *ret_check)
{
	struct str system, check = str_split(key, '/', &system);

	if (!status_is_id(system) || !status_is_id(check))
		return false;
	*ret_system = system;
	*ret_check = check;
	return true;
}

/* --- words ---------------------------------------------------------------- */

static bool
check_target(const struct status_check *c, struct status_fault *ret)
{
	struct status_target t;

	if (c->target.n > STATUS_VALUE_MAX ||
	    !status_target_parse(c->kind, c->target, &t))
		return status_fault_set(
		    ret, c->target, status_target_expected(c->kind));
	return true;
}

bool
status_check_begin(struct status_check *c, struct str kind, struct str target,
    struct status_fault *ret)
{
	*c = (struct status_check){ .target = target };
	if (!status_kind_parse(kind, &c->kind))
		return status_fault_set(ret, kind,
		    "tcp, ping, tls, smtp, submission, imap, pop3, sieve, "
		    "http, dns, soa, blocklist, sip or roundtrip");
	return check_target(c, ret);
}

bool
status_check_retarget(
    struct status_check *c, struct str target, struct status_fault *ret)
{
	struct str was = c->target;

	c->target = target;
	if (check_target(c, ret))
		return true;
	c->target = was;
	return false;
}

static void
take_away(struct status_check *c, enum status_opt o)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->options[i].opt != o)
			c->options[n++] = c->options[i];
	c->n = n;
}

static bool
add(struct status_check *c, enum status_opt o, struct str value,
    struct status_fault *ret)
{
	const struct status_opt_rule *rule = status_opt_rule(o);

	if (!(rule->kinds & (1U << c->kind)))
		return status_fault_set(
		    ret, str_c(rule->name), "an option of this kind of check");
	/* The part is shown to people. */
	if (!status_value_is_good(rule, value))
		return status_fault_set(ret,
		    status_opt_is_secret(o) ? str_c(rule->name) : value,
		    rule->expected);
	if (c->n == STATUS_OPTIONS_MAX || status_check_count(c, o) >= rule->max)
		return status_fault_set(ret, value, "not so many of them");
	c->options[c->n++] = (struct status_option){ o, value };
	return true;
}

/* The names, one after the other. */
#define OPT(id, name, type, kinds, max, help) name ", "
static const char names_expected[] = "NAME=VALUE, and as a name one of "
#include "proto/status/status_options.def"
				     "see 'mailstead check kinds'";
#undef OPT

void
status_check_forget(struct status_check *c, struct str word)
{
	struct str name;
	enum status_opt o;

	(void)str_split(word, '=', &name);
	if (name.n < word.n && status_opt_parse(name, &o))
		take_away(c, o);
}

bool
status_check_put(
    struct status_check *c, struct str word, struct status_fault *ret)
{
	struct str name, value = str_split(word, '=', &name);
	enum status_opt o;

	if (name.n == word.n || !status_opt_parse(name, &o))
		return status_fault_set(ret, name, names_expected);
	if (value.n == 0 || status_opt_rule(o)->max == 1)
		take_away(c, o);
	return value.n == 0 || add(c, o, value, ret);
}

/* --- the whole ------------------------------------------------------------- */

static bool
times_are_sane(const struct status_check *c, struct status_fault *ret)
{
	uint64_t every = status_check_ms(c, STATUS_OPT_EVERY);
	uint64_t timeout = status_check_ms(c, STATUS_OPT_TIMEOUT);
	uint64_t slow = status_check_ms(c, STATUS_OPT_SLOW);
	uint64_t limit = status_check_ms(c, STATUS_OPT_LIMIT);

	if (every < 2000 || every > 86400000)
		return status_fault_set(
		    ret, STR("every"), "a time from 2s to 1d");
	if (timeout < 500 || timeout > 300000 || timeout > every)
		return status_fault_set(ret, STR("timeout"),
		    "a time from 500ms to 5m that is not above every");
	if (slow > timeout)
		return status_fault_set(
		    ret, STR("slow"), "a time that is not above timeout");
	if (limit > timeout || (limit > 0 && slow > limit))
		return status_fault_set(ret, STR("limit"),
		    "a time that is not above timeout, and not below slow");
	return true;
}

static bool
thresholds_are_sane(const struct status_check *c, struct status_fault *ret)
{
	if (status_check_number(c, STATUS_OPT_CONFIRM, 1) > STATUS_RUN_MAX)
		return status_fault_set(
		    ret, STR("confirm"), "a number from 1 to 10");
	if (status_check_number(c, STATUS_OPT_RECOVER, 1) > STATUS_RUN_MAX)
		return status_fault_set(
		    ret, STR("recover"), "a number from 1 to 10");
	if (status_check_number(c, STATUS_OPT_LOSS, 1) > 100)
		return status_fault_set(
		    ret, STR("loss"), "a number from 1 to 100");
	return true;
}

/* Who asks one server has its answer, and not the keys up to an anchor. */
static bool
signatures_are_sane(const struct status_check *c, struct status_fault *ret)
{
	bool is_secure = status_check_is(c, STATUS_OPT_DNSSEC, false);
	bool has_server = status_check_count(c, STATUS_OPT_SERVER) > 0;

	if (c->kind != STATUS_DNS)
		return true;
	if (is_secure && has_server)
		return status_fault_set(ret, STR("dnssec"),
		    "no server with dnssec=yes: it is the resolver that "
		    "checks signatures; days=N looks at those of a server");
	if (status_check_count(c, STATUS_OPT_DAYS) > 0 && !is_secure &&
	    !has_server)
		return status_fault_set(ret, STR("days"),
		    "dnssec=yes or a server with it, whose signatures are "
		    "looked at");
	return true;
}

bool
status_check_finish(const struct status_check *c, struct status_fault *ret)
{
	bool has_login = status_check_count(c, STATUS_OPT_LOGIN) > 0;

	if (has_login != (status_check_count(c, STATUS_OPT_PASSWORD) > 0))
		return status_fault_set(ret,
		    has_login ? STR("login") : STR("password"),
		    "login and password together");
	if (c->kind == STATUS_SOA &&
	    status_check_count(c, STATUS_OPT_SERVER) < 2)
		return status_fault_set(ret, STR("server"),
		    "two or more servers, the primary first");
	if (!signatures_are_sane(c, ret))
		return false;
	if (c->kind == STATUS_BLOCKLIST &&
	    status_check_count(c, STATUS_OPT_LIST) == 0)
		return status_fault_set(ret, STR("list"), "a block list");
	if (c->kind == STATUS_ROUNDTRIP &&
	    (!has_login || status_check_count(c, STATUS_OPT_VIA) == 0 ||
		status_check_count(c, STATUS_OPT_IMAPHOST) == 0))
		return status_fault_set(
		    ret, STR("roundtrip"), "via, imap, login and password");
	if (has_login && c->kind != STATUS_ROUNDTRIP &&
	    status_check_tls(c) == STATUS_TLS_NEVER)
		return status_fault_set(
		    ret, STR("login"), "tls=starttls or tls=implicit with it");
	return thresholds_are_sane(c, ret) && times_are_sane(c, ret);
}

/* --- rows -------------------------------------------------------------------- */

void
status_check_encode(const struct status_check *c, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, (uint8_t)c->kind);
	wire_put_vstr(to, c->target);
	wire_put_varint(to, c->n);
	/* By name: the list of options may change. */
	for (size_t i = 0; i < c->n; i++) {
		wire_put_vstr(to, str_c(status_opt_name(c->options[i].opt)));
		wire_put_vstr(to, c->options[i].value);
	}
}

bool
status_check_decode(struct str value, struct status_check *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct status_check c = { 0 };
	struct status_fault fault;
	uint64_t n;

	c.kind = (enum status_kind)wire_get_u8(&w);
	c.target = wire_get_vstr(&w);
	n = wire_get_varint(&w);
	if (w.failed || (unsigned)c.kind >= STATUS_KINDS ||
	    n > STATUS_OPTIONS_MAX || !check_target(&c, &fault))
		return false;
	while (n-- > 0) {
		struct str name = wire_get_vstr(&w);
		struct str text = wire_get_vstr(&w);
		enum status_opt o;

		if (w.failed || !status_opt_parse(name, &o) ||
		    !add(&c, o, text, &fault))
			return false;
	}
	if (!wire_is_complete(&w) || !status_check_finish(&c, &fault))
		return false;
	*ret = c;
	return true;
}

void
status_check_put_options(const struct status_check *c, struct buf *to)
{
	bool is_first = true;

	for (size_t i = 0; i < c->n; i++) {
		const struct status_option *o = &c->options[i];

		if (status_opt_is_secret(o->opt))
			continue;
		buf_printf(to, "%s%s=%.*s", is_first ? "" : " ",
		    status_opt_name(o->opt), STR_ARG(o->value));
		is_first = false;
	}
}

/* --- asking ------------------------------------------------------------------ */

struct str
status_check_text(const struct status_check *c, enum status_opt o, size_t i)
{
	for (size_t k = 0; k < c->n; k++)
		if (c->options[k].opt == o && i-- == 0)
			return c->options[k].value;
	return STR_NONE;
}

size_t
status_check_count(const struct status_check *c, enum status_opt o)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->options[i].opt == o;
	return n;
}

uint64_t
status_check_ms(const struct status_check *c, enum status_opt o)
{
	static const uint32_t seldom[STATUS_KINDS] = { [STATUS_TLS] = 300000,
		[STATUS_SOA] = 300000,
		[STATUS_BLOCKLIST] = 1800000,
		[STATUS_ROUNDTRIP] = 300000 };
	struct str text = status_check_text(c, o, 0);
	uint64_t ms;

	if (text.n > 0 && status_time_parse(text, UINT32_MAX, &ms))
		return ms;
	if (o == STATUS_OPT_EVERY)
		return seldom[c->kind] ? seldom[c->kind] : 30000;
	if (o != STATUS_OPT_TIMEOUT)
		return 0;
	ms = c->kind == STATUS_ROUNDTRIP   ? 60000
	     : c->kind == STATUS_BLOCKLIST ? 10000
	                                   : 5000;
	return MIN(ms, status_check_ms(c, STATUS_OPT_EVERY));
}

uint32_t
status_check_number(
    const struct status_check *c, enum status_opt o, uint32_t fallback)
{
	uint32_t v;

	return str_to_u32(status_check_text(c, o, 0), UINT32_MAX, &v)
	           ? v
	           : fallback;
}

unsigned
status_check_word(
    const struct status_check *c, enum status_opt o, unsigned fallback)
{
	const struct status_opt_rule *rule = status_opt_rule(o);
	struct str text = status_check_text(c, o, 0);
	int i = text.n > 0 ? status_word_find(rule->words, rule->n_words, text)
	                   : -1;

	return i >= 0 ? (unsigned)i : fallback;
}

bool
status_check_is(const struct status_check *c, enum status_opt o, bool fallback)
{
	return status_check_word(c, o, fallback) == 1;
}

enum status_tls
status_check_tls(const struct status_check *c)
{
	uint16_t port = status_check_target(c).port;
	enum status_tls fallback = STATUS_TLS_START;

	if (c->kind == STATUS_SMTP)
		fallback = STATUS_TLS_NEVER;
	else if (port == 465 || port == 993 || port == 995)
		fallback = STATUS_TLS_IMPLICIT;
	return (enum status_tls)status_check_word(c, STATUS_OPT_TLS, fallback);
}

struct status_target
status_check_target(const struct status_check *c)
{
	struct status_target t = { 0 };

	if (!status_target_parse(c->kind, c->target, &t))
		return t;
	if (t.port == 0)
		t.port = status_port_usual(c);
	return t;
}
