/* SPDX-License-Identifier: ISC */
/* retry_rule.c - other times for some mail. See retry_rule.h. */
#include "conf/retry_rule.h"

#include "base/wire.h"

#define ROW_VERSION 1
#define LABELS_MAX  32

static const char *const names[] = {
	[RETRY_TIME_FIRST] = "retry",
	[RETRY_TIME_MAX] = "retry_max",
	[RETRY_TIME_EXPIRE] = "expire",
	[RETRY_TIME_DELAY] = "delay_notice",
};

const char *
retry_time_str(enum retry_time t)
{
	return names[t];
}

static bool
is_lower_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    s.p[i] != ascii_lower(s.p[i]))
			return false;
	return s.n > 0;
}

static bool
is_domain(struct str s)
{
	struct str label;

	if (!is_lower_text(s))
		return false;
	while (s.p) {
		s = str_split(s, '.', &label);
		if (label.n == 0 || label.n > 63 || str_find(label, '@') >= 0 ||
		    str_find(label, ':') >= 0 || str_find(label, '/') >= 0)
			return false;
	}
	return true;
}

bool
retry_rule_is_pattern(struct str s)
{
	ptrdiff_t at;

	if (s.n > RETRY_RULE_PATTERN_MAX || !is_lower_text(s))
		return false;
	if (str_starts(s, STR("priority:")))
		return str_eq(s, STR("priority:high")) ||
		       str_eq(s, STR("priority:low"));
	if (str_starts(s, STR("from:"))) {
		s = str_from(s, 5);
		at = str_rfind(s, '@');
		return at != 0 && is_domain(str_from(s, (size_t)(at + 1)));
	}
	return is_domain(s.p[0] == '.' ? str_from(s, 1) : s);
}

const char *
retry_rule_fault(const struct retry_rule *r)
{
	if (r->set == 0)
		return "it sets no time";
	for (size_t i = 0; i < RETRY_TIMES; i++)
		if (r->v[i] > RETRY_RULE_TIME_MAX)
			return "no time may be over 30 days";
	for (size_t i = 0; i < RETRY_TIME_DELAY; i++)
		if ((r->set & 1U << i) && r->v[i] == 0)
			return "only delay_notice may be 0";
	return NULL;
}

void
retry_rule_encode(const struct retry_rule *r, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, (uint8_t)r->set);
	for (size_t i = 0; i < RETRY_TIMES; i++)
		if (r->set & 1U << i)
			wire_put_varint(to, r->v[i]);
}

bool
retry_rule_decode(struct str value, struct retry_rule *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct retry_rule r = { .set = wire_get_u8(&w) };

	for (size_t i = 0; i < RETRY_TIMES; i++)
		if (r.set & 1U << i)
			r.v[i] = wire_get_v32(&w);
	if (!wire_is_complete(&w) || r.set >> RETRY_TIMES ||
	    retry_rule_fault(&r))
		return false;
	*ret = r;
	return true;
}

/* --- which count --------------------------------------------------------------------- */

struct search {
	retry_find_fn find;
	const void *arg;
	struct retry_rule found;
};

/* What the rule of this pattern sets replaces what was set before. */
static void
add(struct search *s, const char *kind, struct str name)
{
	struct buf key = BUF_INIT(RETRY_RULE_PATTERN_MAX + 20);
	struct retry_rule r;
	struct str value;

	buf_put_c(&key, RETRY_RULE_PREFIX);
	buf_put_c(&key, kind);
	for (size_t i = 0; i < name.n; i++)
		buf_put_char(&key, ascii_lower(name.p[i]));
	if (!key.failed && s->find(s->arg, buf_str(&key), &value) &&
	    retry_rule_decode(value, &r)) {
		for (size_t i = 0; i < RETRY_TIMES; i++)
			if (r.set & 1U << i)
				s->found.v[i] = r.v[i];
		s->found.set |= r.set;
	}
	buf_done(&key);
}

/* The parts of a domain behind its dots, the shortest first. */
static void
add_parts(struct search *s, struct str domain)
{
	struct str parts[LABELS_MAX], label;
	size_t n = 0;

	domain = str_split(domain, '.', &label);
	while (domain.n && n < LABELS_MAX) {
		parts[n++] = domain;
		domain = str_split(domain, '.', &label);
	}
	while (n)
		add(s, ".", parts[--n]);
}

struct retry_rule
retry_rules_for(
    const struct retry_mail *mail, retry_find_fn find, const void *arg)
{
	struct search s = { .find = find, .arg = arg };
	ptrdiff_t at = str_rfind(mail->sender, '@');

	if (mail->priority > 0)
		add(&s, "priority:high", STR_NONE);
	if (mail->priority < 0)
		add(&s, "priority:low", STR_NONE);
	if (at > 0) {
		add(&s, "from:", str_from(mail->sender, (size_t)at + 1));
		add(&s, "from:", mail->sender);
	}
	add_parts(&s, mail->domain);
	add(&s, "", mail->domain);
	return s.found;
}
