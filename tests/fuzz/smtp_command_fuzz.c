/* SPDX-License-Identifier: ISC */
/*
 * LINK: smtp
 *
 * Properties: a path that was parsed is written and parsed to the same path,
 * within the limits; xtext round-trips; decoded values hold no controls; and
 * one line never needs more arena than is set aside for it.
 */
#include "proto/smtp/smtp_command.h"
#include "proto/smtp/smtp_xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned path_flags =
    SMTP_PATH_ALLOW_NULL | SMTP_PATH_ALLOW_POSTMASTER | SMTP_PATH_ALLOW_UTF8 |
    SMTP_PATH_ALLOW_UNDERSCORE;

static void
check_path(const struct smtp_path *path)
{
	struct buf text = BUF_INIT(KIB(4));
	struct smtp_path again = { 0 };
	struct arena a;
	struct str rest;

	arena_init(&a, KIB(8));
	smtp_path_format(&text, path);
	ASSERT(!text.failed && text.n <= SMTP_PATH_MAX * 4);
	ASSERT(smtp_path_parse(&a, buf_str(&text), path_flags, &again, &rest) ==
	       SMTP_PATH_OK);
	ASSERT(rest.n == 0 && smtp_path_eq(path, &again));
	ASSERT(path->is_literal == again.is_literal);
	ASSERT(path->is_utf8 == again.is_utf8);
	if (!path->is_null && !path->is_postmaster) {
		struct str mailbox = str_sub(buf_str(&text), 1, text.n - 2);

		ASSERT(smtp_mailbox_parse(&a, mailbox, path_flags, &again) ==
		       SMTP_PATH_OK);
		ASSERT(smtp_path_eq(path, &again));
	}
	arena_done(&a);
	buf_done(&text);
}

static void
check_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		ASSERT((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7F);
}

static void
check_mail(const struct smtp_mail *mail)
{
	check_path(&mail->from);
	check_clean(mail->envid);
	ASSERT((mail->by_mode & SMTP_BY_MODE) != SMTP_BY_RETURN ||
	       mail->by_seconds > 0);
	ASSERT(!(mail->given & SMTP_PARAM_BY) == !mail->by_mode);
	ASSERT(mail->mt_priority >= -9 && mail->mt_priority <= 9);
	/* The last second of the year 9999, in the westernmost zone. */
	ASSERT(mail->hold_until < UINT64_C(253402300800) + 86400);
	ASSERT(mail->envid.n <= SMTP_ENVID_MAX);
	if (mail->given & SMTP_PARAM_AUTH)
		check_path(&mail->auth);
	if (mail->from.is_utf8)
		ASSERT(mail->given & SMTP_PARAM_SMTPUTF8);
}

static void
check_rcpt(const struct smtp_rcpt *rcpt, bool is_utf8)
{
	check_path(&rcpt->to);
	check_clean(rcpt->orcpt_type);
	check_clean(rcpt->orcpt);
	ASSERT(!rcpt->to.is_null);
	ASSERT(is_utf8 || !rcpt->to.is_utf8);
	if (rcpt->notify & SMTP_NOTIFY_NEVER)
		ASSERT(rcpt->notify == SMTP_NOTIFY_NEVER);
}

static void
check_xtext(struct str in)
{
	struct buf a = BUF_INIT(in.n * 3), b = BUF_INIT(in.n * 3);

	smtp_xtext_encode(&a, in);
	ASSERT(!a.failed && smtp_xtext_decode(&b, buf_str(&a)));
	ASSERT(str_eq(buf_str(&b), in));
	buf_done(&a);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_command_options options = {
		.params = size && (data[0] & 1) ? ~0u : SMTP_PARAMS_DSN,
		.is_utf8 = size && (data[0] & 2),
		.allow_underscore = size && (data[0] & 4),
	};
	struct str line = str_from(str_make(data, size), 1);
	struct smtp_command cmd;
	enum smtp_command_error e;
	struct arena a;

	line = str_first(line, SMTP_COMMAND_LINE_MAX);
	arena_init(&a, SMTP_COMMAND_ARENA);
	e = smtp_command_parse(&a, line, &options, &cmd);
	ASSERT(e != SMTP_COMMAND_NO_MEMORY);
	if (e == SMTP_COMMAND_OK && cmd.verb == SMTP_VERB_MAIL)
		check_mail(&cmd.u.mail);
	if (e == SMTP_COMMAND_OK && cmd.verb == SMTP_VERB_RCPT)
		check_rcpt(&cmd.u.rcpt, options.is_utf8);
	if (e == SMTP_COMMAND_BAD_PATH || e == SMTP_COMMAND_BAD_DOMAIN)
		ASSERT(cmd.path_error != SMTP_PATH_OK);
	check_xtext(line);
	arena_done(&a);
	return 0;
}
