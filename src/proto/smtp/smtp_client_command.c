/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_command.c - MAIL and RCPT with the parameters that the server
 * knows, and what is not to be asked because it cannot go well.
 *
 * Addresses are parsed before they are sent, so that nothing that came from
 * anywhere can end a command line early.
 */
#include "proto/smtp/smtp_client_internal.h"

#include "proto/smtp/smtp_xtext.h"

static bool
knows(const struct smtp_client *c, enum smtp_cap cap)
{
	return c->caps.has & cap;
}

static bool
parse_mailbox(struct smtp_client *c, struct str in, struct smtp_path *ret)
{
	unsigned flags = SMTP_PATH_ALLOW_UTF8 | SMTP_PATH_ALLOW_UNDERSCORE;

	arena_reset(&c->arena);
	if (in.n == 0) {
		*ret = (struct smtp_path){ .is_null = true };
		return true;
	}
	return smtp_mailbox_parse(&c->arena, in, flags, ret) == SMTP_PATH_OK;
}

static bool
refuse(struct smtp_client *c, struct smtp_status status, const char *text,
    struct smtp_verdict *ret)
{
	*ret = smtp_client_local(c, PERMFAIL, status, text);
	return false;
}

static bool
can_body(struct smtp_client *c, const struct smtp_client_mail *mail)
{
	switch (mail->body) {
	case SMTP_BODY_7BIT:
		return true;
	case SMTP_BODY_8BITMIME:
		return knows(c, SMTP_CAP_8BITMIME);
	case SMTP_BODY_BINARYMIME:
		return knows(c, SMTP_CAP_BINARYMIME) &&
		       knows(c, SMTP_CAP_CHUNKING);
	}
	return false;
}

bool
smtp_client_can_mail(struct smtp_client *c, const struct smtp_client_mail *mail,
    struct smtp_verdict *ret)
{
	struct smtp_path from;

	if (!parse_mailbox(c, mail->from, &from))
		return refuse(c, (struct smtp_status){ 5, 1, 7 },
		    "the sender's address is not valid", ret);
	if ((from.is_utf8 || mail->is_smtputf8) && !knows(c, SMTP_CAP_SMTPUTF8))
		return refuse(c, (struct smtp_status){ 5, 6, 7 },
		    "the message needs SMTPUTF8, which the server lacks", ret);
	if (!can_body(c, mail))
		return refuse(c, (struct smtp_status){ 5, 6, 3 },
		    mail->body == SMTP_BODY_8BITMIME
			? "the message needs 8BITMIME, which the server lacks"
			: "the message needs BINARYMIME, which the server "
			  "lacks",
		    ret);
	if (c->caps.size_max > 0 && mail->size > c->caps.size_max)
		return refuse(c, (struct smtp_status){ 5, 3, 4 },
		    "the message is larger than the server takes", ret);
	if (mail->has_requiretls &&
	    !(knows(c, SMTP_CAP_REQUIRETLS) && c->has_tls))
		return refuse(c, (struct smtp_status){ 5, 7, 30 },
		    "the message needs REQUIRETLS, which the server lacks",
		    ret);
	/* RFC 2852 section 4.2: with N it may be relayed all the same. */
	if (mail->by_mode == 'R' && !knows(c, SMTP_CAP_DELIVERBY))
		return refuse(c, (struct smtp_status){ 5, 3, 3 },
		    "the message needs DELIVERBY, which the server lacks", ret);
	return true;
}

bool
smtp_client_can_rcpt(struct smtp_client *c, const struct smtp_client_rcpt *rcpt,
    struct smtp_verdict *ret)
{
	struct smtp_path to;

	if (!parse_mailbox(c, rcpt->to, &to) || to.is_null)
		return refuse(c, (struct smtp_status){ 5, 1, 3 },
		    "the recipient's address is not valid", ret);
	if (to.is_utf8 && !knows(c, SMTP_CAP_SMTPUTF8))
		return refuse(c, (struct smtp_status){ 5, 6, 7 },
		    "the address needs SMTPUTF8, which the server lacks", ret);
	return true;
}

/* As it was checked when the transaction began. */
static void
put_path(struct smtp_client *c, struct str mailbox, bool *ret_is_utf8)
{
	struct smtp_path path;

	ASSERT(parse_mailbox(c, mailbox, &path));
	smtp_path_format(&c->out, &path);
	*ret_is_utf8 = path.is_utf8;
}

static bool
any_rcpt_is_utf8(const struct smtp_transaction *t)
{
	for (size_t i = 0; i < t->n_order; i++)
		if (!str_is_ascii(t->mail->rcpts[t->order[i]].to))
			return true;
	return false;
}

static void
put_dsn(struct smtp_client *c, const struct smtp_client_mail *mail)
{
	if (mail->ret != SMTP_RET_UNSET)
		buf_printf(&c->out, " RET=%s",
		    mail->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
	if (mail->envid.n > 0 && mail->envid.n <= SMTP_ENVID_MAX) {
		buf_put_c(&c->out, " ENVID=");
		smtp_xtext_encode(&c->out, mail->envid);
	}
}

/* The characters of an RFC 3339 date-time. */
static bool
is_date_time(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && !strchr("TZtz:.+-", s.p[i]))
			return false;
	return s.n > 0 && s.n <= strlen("2026-11-23T18:20:05.123456789+01:00");
}

static void
put_times(struct smtp_client *c, const struct smtp_client_mail *mail)
{
	if (knows(c, SMTP_CAP_FUTURERELEASE) && is_date_time(mail->hold_until))
		buf_printf(
		    &c->out, " HOLDUNTIL=%.*s", STR_ARG(mail->hold_until));
	if (knows(c, SMTP_CAP_DELIVERBY) && mail->by_mode)
		buf_printf(&c->out, " BY=%lld;%c%s",
		    (long long)MAX(
			MIN(mail->by_seconds, 999999999), -999999999),
		    mail->by_mode, mail->by_trace ? "T" : "");
}

void
smtp_client_put_mail(struct smtp_client *c)
{
	const struct smtp_client_mail *mail = c->t.mail;
	bool is_utf8;

	buf_put_c(&c->out, "MAIL FROM:");
	put_path(c, mail->from, &is_utf8);
	if (knows(c, SMTP_CAP_SIZE) && mail->size > 0)
		buf_printf(
		    &c->out, " SIZE=%llu", (unsigned long long)mail->size);
	if (mail->body == SMTP_BODY_8BITMIME)
		buf_put_c(&c->out, " BODY=8BITMIME");
	else if (mail->body == SMTP_BODY_BINARYMIME)
		buf_put_c(&c->out, " BODY=BINARYMIME");
	if (is_utf8 || mail->is_smtputf8 || any_rcpt_is_utf8(&c->t))
		buf_put_c(&c->out, " SMTPUTF8");
	if (knows(c, SMTP_CAP_DSN))
		put_dsn(c, mail);
	if (mail->has_requiretls)
		buf_put_c(&c->out, " REQUIRETLS");
	if (mail->has_priority && knows(c, SMTP_CAP_MT_PRIORITY))
		buf_printf(&c->out, " MT-PRIORITY=%d",
		    MAX(-9, MIN(9, mail->priority)));
	put_times(c, mail);
	buf_put_c(&c->out, "\r\n");
}

static void
put_notify(struct smtp_client *c, unsigned notify)
{
	static const struct {
		enum smtp_notify bit;
		const char *word;
	} words[] = {
		{ SMTP_NOTIFY_SUCCESS, "SUCCESS" },
		{ SMTP_NOTIFY_FAILURE, "FAILURE" },
		{ SMTP_NOTIFY_DELAY, "DELAY" },
	};
	const char *sep = " NOTIFY=";

	if (notify & SMTP_NOTIFY_NEVER) {
		buf_put_c(&c->out, " NOTIFY=NEVER");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (notify & words[i].bit) {
			buf_printf(&c->out, "%s%s", sep, words[i].word);
			sep = ",";
		}
}

/*
 * The type is letters and "-". The address of type utf-8 is in its own
 * encoding already, where only non-ASCII characters, if any, need SMTPUTF8
 * (RFC 6533 section 3): those are left to servers that know it.
 */
static void
put_orcpt(struct smtp_client *c, struct str orcpt)
{
	struct str type, address = str_split(orcpt, ';', &type);
	bool is_utf8 = str_eq_case(type, STR("utf-8"));

	if (address.n == 0 || type.n == 0 || orcpt.n > SMTP_ORCPT_MAX)
		return;
	for (size_t i = 0; i < type.n; i++)
		if (!ascii_is_alpha(type.p[i]) && !ascii_is_digit(type.p[i]) &&
		    type.p[i] != '-')
			return;
	for (size_t i = 0; is_utf8 && i < address.n; i++) {
		unsigned char b = (unsigned char)address.p[i];

		if (b <= ' ' || b == 0x7F || b == '=' || b == '+' ||
		    (b >= 0x80 && !knows(c, SMTP_CAP_SMTPUTF8)))
			return;
	}
	buf_printf(&c->out, " ORCPT=%.*s;", STR_ARG(type));
	if (is_utf8)
		buf_put_str(&c->out, address);
	else
		smtp_xtext_encode(&c->out, address);
}

void
smtp_client_put_rcpt(struct smtp_client *c, size_t rcpt)
{
	const struct smtp_client_rcpt *r = &c->t.mail->rcpts[rcpt];
	bool is_utf8;

	buf_put_c(&c->out, "RCPT TO:");
	put_path(c, r->to, &is_utf8);
	if (knows(c, SMTP_CAP_DSN)) {
		put_notify(c, r->notify);
		put_orcpt(c, r->orcpt);
	}
	buf_put_c(&c->out, "\r\n");
}
