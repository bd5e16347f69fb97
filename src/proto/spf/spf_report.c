/* SPDX-License-Identifier: ISC */
/*
 * spf_report.c - the result of a check as header fields tell it.
 *
 * A value is written bare where every reader takes it for one atom, else as
 * a quoted string. Bytes that are not printable ASCII become "?": a field
 * that is lost for one odd byte would be worse.
 */
#include "proto/spf/spf_report.h"
#include "proto/spf/spf_internal.h"

/* Twice as many, all of them escaped, are still less than a line of mail. */
#define SHOWN_MAX 450

static char
printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

/* Characters of atoms that are characters of MIME tokens, too. */
static bool
is_atom(struct str s, const char *also)
{
	char last = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    (c == '\0' || !strchr(also, c)))
			return false;
		if (c == '.' && last == '.')
			return false;
		last = c;
	}
	return last != '.';
}

static void
put_escaped(struct buf *out, struct str s, const char *escape)
{
	for (size_t i = 0; i < MIN(s.n, SHOWN_MAX); i++) {
		char c = printable(s.p[i]);

		if (strchr(escape, c))
			buf_put_char(out, '\\');
		buf_put_char(out, c);
	}
}

static void
put_value(struct buf *out, struct str s, const char *also)
{
	if (is_atom(s, also)) {
		buf_put_str(out, s);
		return;
	}
	buf_put_char(out, '"');
	put_escaped(out, s, "\"\\");
	buf_put_char(out, '"');
}

/* dot-atom of RFC 5322, less what some readers of this field stumble on. */
static void
put_pair(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, ";\r\n\t%s=", key);
	put_value(out, value, "-_.+");
}

/* The comment: one sentence for people. */
static void
put_comment(const struct spf_check *c, struct str ip, struct buf *out)
{
	static const char *const says[] = {
		[SPF_NONE] = "",
		[SPF_NEUTRAL] = "neither permits nor denies",
		[SPF_PASS] = "permits",
		[SPF_FAIL] = "does not permit",
		[SPF_SOFTFAIL] = "probably does not permit",
		[SPF_TEMPERROR] = "",
		[SPF_PERMERROR] = "",
	};
	const struct spf_verdict *v = &c->verdict;
	struct str domain = c->env.sender_domain;

	buf_put_char(out, '(');
	put_escaped(out, c->request.receiver, "()\\");
	buf_put_c(out, ":\r\n\t");
	if (v->problem) {
		buf_put_c(out, v->problem);
	} else {
		buf_put_c(out, "domain of ");
		put_escaped(out, domain, "()\\");
		buf_printf(
		    out, " %s %.*s as a sender", says[v->result], STR_ARG(ip));
	}
	buf_put_char(out, ')');
}

static const char *
identity_str(const struct spf_check *c)
{
	return c->verdict.identity == SPF_HELO ? "helo" : "mailfrom";
}

void
spf_put_received(const struct spf_check *c, struct buf *out)
{
	const struct spf_verdict *v = spf_verdict(c);
	struct buf ip = BUF_INIT(64);

	spf_address_put(&c->request.client, &ip);
	buf_printf(out, "%s ", spf_result_str(v->result));
	put_comment(c, buf_str(&ip), out);
	buf_put_c(out, "\r\n\treceiver=");
	put_value(out, c->request.receiver, "-_.+");
	put_pair(out, "client-ip", buf_str(&ip));
	put_pair(out, "envelope-from", v->sender);
	put_pair(out, "helo", c->request.helo);
	put_pair(out, "identity", str_c(identity_str(c)));
	if (v->mechanism.n > 0)
		put_pair(out, "mechanism", v->mechanism);
	if (v->problem && v->result != SPF_NONE)
		put_pair(out, "problem", str_c(v->problem));
	buf_done(&ip);
}

void
spf_put_auth_result(const struct spf_check *c, struct buf *out)
{
	const struct spf_verdict *v = spf_verdict(c);
	bool has_local = v->used_local_part && v->identity == SPF_MAIL_FROM;

	buf_printf(out, "spf=%s", spf_result_str(v->result));
	if (v->problem && v->result != SPF_NONE) {
		buf_put_c(out, " reason=");
		put_value(out, str_c(v->problem), "");
	}
	buf_printf(out, " smtp.%s=", identity_str(c));
	put_value(out, has_local ? v->sender : c->env.sender_domain, "-_.+@");
}
