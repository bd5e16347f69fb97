/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_caps.c - the reply to EHLO. See smtp_client_caps.h.
 */
#include "proto/smtp/smtp_client_caps.h"

typedef void (*params_fn)(struct str params, struct smtp_caps *caps);

/* The next word of *in, which is moved behind it; empty at the end. */
static struct str
next_word(struct str *in)
{
	struct str word;

	*in = str_trim(*in);
	*in = str_split(*in, ' ', &word);
	return word;
}

static void
read_size(struct str params, struct smtp_caps *caps)
{
	uint64_t n;

	if (str_to_u64(next_word(&params), UINT64_MAX, &n))
		caps->size_max = n;
}

static void
read_hold(struct str params, struct smtp_caps *caps)
{
	uint64_t n;

	if (str_to_u64(next_word(&params), UINT64_MAX, &n))
		caps->hold_max = n;
}

static void
read_by(struct str params, struct smtp_caps *caps)
{
	uint64_t n;

	if (str_to_u64(next_word(&params), UINT64_MAX, &n))
		caps->by_min = n;
}

static void
read_auth(struct str params, struct smtp_caps *caps)
{
	struct str word;

	while ((word = next_word(&params)).n > 0) {
		if (str_eq_case(word, STR("PLAIN")))
			caps->auth |= SMTP_MECHANISM_PLAIN;
		else if (str_eq_case(word, STR("LOGIN")))
			caps->auth |= SMTP_MECHANISM_LOGIN;
		else if (str_eq_case(word, STR("SCRAM-SHA-256")))
			caps->auth |= SMTP_MECHANISM_SCRAM_SHA_256;
		else
			caps->auth |= SMTP_MECHANISM_OTHER;
	}
}

/* A limit of 0 is not allowed (RFC 9422 section 4), so it counts as none. */
static void
read_limits(struct str params, struct smtp_caps *caps)
{
	struct str word, name;
	uint32_t n;

	while ((word = next_word(&params)).n > 0) {
		if (!str_to_u32(str_split(word, '=', &name), 999999, &n))
			continue;
		if (str_eq_case(name, STR("RCPTMAX")))
			caps->rcpt_max = n;
		else if (str_eq_case(name, STR("MAILMAX")))
			caps->mail_max = n;
		else if (str_eq_case(name, STR("RCPTDOMAINMAX")))
			caps->rcpt_domain_max = n;
	}
}

/* clang-format off */
static const struct {
	const char *keyword;
	enum smtp_cap cap;
	params_fn params;
} keywords[] = {
	{ "SIZE",                SMTP_CAP_SIZE,           read_size },
	{ "PIPELINING",          SMTP_CAP_PIPELINING,     NULL },
	{ "8BITMIME",            SMTP_CAP_8BITMIME,       NULL },
	{ "SMTPUTF8",            SMTP_CAP_SMTPUTF8,       NULL },
	{ "DSN",                 SMTP_CAP_DSN,            NULL },
	{ "STARTTLS",            SMTP_CAP_STARTTLS,       NULL },
	{ "CHUNKING",            SMTP_CAP_CHUNKING,       NULL },
	{ "BINARYMIME",          SMTP_CAP_BINARYMIME,     NULL },
	{ "REQUIRETLS",          SMTP_CAP_REQUIRETLS,     NULL },
	{ "FUTURERELEASE",       SMTP_CAP_FUTURERELEASE,  read_hold },
	{ "DELIVERBY",           SMTP_CAP_DELIVERBY,      read_by },
	{ "MT-PRIORITY",         SMTP_CAP_MT_PRIORITY,    NULL },
	{ "AUTH",                SMTP_CAP_AUTH,           read_auth },
	{ "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCEDSTATUS, NULL },
	{ "LIMITS",              SMTP_CAP_LIMITS,         read_limits },
};
/* clang-format on */

static void
read_line(struct str line, struct smtp_caps *caps)
{
	struct str word = next_word(&line);

	/* What old clients wanted, and some servers still send as well. */
	if (str_starts_case(word, STR("AUTH="))) {
		caps->has |= SMTP_CAP_AUTH;
		read_auth(str_from(word, 5), caps);
		read_auth(line, caps);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (str_eq_case(word, str_c(keywords[i].keyword))) {
			caps->has |= keywords[i].cap;
			if (keywords[i].params)
				keywords[i].params(line, caps);
			return;
		}
}

struct smtp_caps
smtp_caps_parse(struct str text)
{
	struct smtp_caps caps = { 0 };
	struct str line;

	text = str_split(text, '\n', &line);
	while (text.p) {
		text = str_split(text, '\n', &line);
		read_line(line, &caps);
	}
	return caps;
}

struct smtp_caps
smtp_caps_without(struct smtp_caps caps, unsigned ignored)
{
	caps.has &= ~ignored;
	if (ignored & SMTP_CAP_SIZE)
		caps.size_max = 0;
	if (ignored & SMTP_CAP_AUTH)
		caps.auth = 0;
	if (ignored & SMTP_CAP_LIMITS)
		caps.rcpt_max = caps.mail_max = caps.rcpt_domain_max = 0;
	return caps;
}

const char *
smtp_cap_str(enum smtp_cap cap)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (keywords[i].cap == cap)
			return keywords[i].keyword;
	return "UNKNOWN";
}
