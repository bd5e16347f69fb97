/* SPDX-License-Identifier: ISC */
/*
 * smtp_param.c - ESMTP parameters (RFC 5321 section 4.1.2).
 *
 * One table names each keyword, the command it belongs to and the function
 * that reads its value. An extension that the session has not announced is
 * unknown, like any other word.
 */
#include "proto/smtp/smtp_param.h"
#include "proto/smtp/smtp_time.h"
#include "proto/smtp/smtp_xtext.h"

struct param {
	struct arena *arena;
	struct str value; /* behind "=" */
	bool has_value;
	unsigned allowed;
	struct smtp_command *cmd;
};

typedef enum smtp_command_error param_fn(const struct param *p);

struct param_word {
	const char *keyword;
	enum smtp_verb verb;
	unsigned bit;
	param_fn *read;
};

static enum smtp_command_error
ok_if(bool ok)
{
	return ok ? SMTP_COMMAND_OK : SMTP_COMMAND_BAD_PARAM;
}

static bool
value_is(const struct param *p, const char *word)
{
	return str_eq_case(p->value, str_c(word));
}

/*
 * RFC 1870 section 4: up to 20 digits. A number too large for us is larger
 * than any limit, so it becomes the largest we have.
 */
static enum smtp_command_error
read_size(const struct param *p)
{
	uint64_t size = 0;

	if (p->value.n > 20)
		return SMTP_COMMAND_BAD_PARAM;
	for (size_t i = 0; i < p->value.n; i++)
		if (!ascii_is_digit(p->value.p[i]))
			return SMTP_COMMAND_BAD_PARAM;
	if (!str_to_u64(p->value, UINT64_MAX, &size))
		size = UINT64_MAX;
	p->cmd->u.mail.size = size;
	return SMTP_COMMAND_OK;
}

static enum smtp_command_error
read_body(const struct param *p)
{
	struct smtp_mail *mail = &p->cmd->u.mail;

	if (value_is(p, "7BIT"))
		mail->body = SMTP_BODY_7BIT;
	else if (value_is(p, "8BITMIME"))
		mail->body = SMTP_BODY_8BITMIME;
	else if (value_is(p, "BINARYMIME") &&
		 (p->allowed & SMTP_PARAM_BINARYMIME))
		mail->body = SMTP_BODY_BINARYMIME;
	else
		return SMTP_COMMAND_BAD_PARAM;
	return SMTP_COMMAND_OK;
}

static enum smtp_command_error
read_ret(const struct param *p)
{
	struct smtp_mail *mail = &p->cmd->u.mail;

	if (value_is(p, "FULL"))
		mail->ret = SMTP_RET_FULL;
	else if (value_is(p, "HDRS"))
		mail->ret = SMTP_RET_HDRS;
	return ok_if(mail->ret != SMTP_RET_UNSET);
}

/*
 * Decode xtext into the arena. What it hides ends up in headers of reports,
 * so controls are refused: a CR or LF there would write new headers.
 */
static enum smtp_command_error
read_xtext(struct arena *a, struct str in, struct str *ret)
{
	struct buf text = BUF_INIT(in.n);
	enum smtp_command_error e = SMTP_COMMAND_OK;

	if (!smtp_xtext_decode(&text, in) ||
	    str_has_control(buf_str(&text), ""))
		e = SMTP_COMMAND_BAD_PARAM;
	else if (!arena_str(a, buf_str(&text), ret))
		e = SMTP_COMMAND_NO_MEMORY;
	buf_done(&text);
	return e;
}

static enum smtp_command_error
read_envid(const struct param *p)
{
	struct str *envid = &p->cmd->u.mail.envid;
	enum smtp_command_error e;

	if (p->value.n > SMTP_ENVID_MAX)
		return SMTP_COMMAND_BAD_PARAM;
	e = read_xtext(p->arena, p->value, envid);
	return e ? e : ok_if(str_is_ascii(*envid));
}

/* RFC 4954 section 5: xtext of a mailbox, or "<>". */
static enum smtp_command_error
read_auth(const struct param *p)
{
	struct smtp_path *auth = &p->cmd->u.mail.auth;
	unsigned flags = SMTP_PATH_ALLOW_UNDERSCORE;
	enum smtp_command_error e;
	struct str text;

	e = read_xtext(p->arena, p->value, &text);
	if (e)
		return e;
	if (str_eq(text, STR("<>"))) {
		auth->is_null = true;
		return SMTP_COMMAND_OK;
	}
	if (p->allowed & SMTP_PARAM_SMTPUTF8)
		flags |= SMTP_PATH_ALLOW_UTF8;
	switch (smtp_mailbox_parse(p->arena, text, flags, auth)) {
	case SMTP_PATH_OK:
		return SMTP_COMMAND_OK;
	case SMTP_PATH_NO_MEMORY:
		return SMTP_COMMAND_NO_MEMORY;
	case SMTP_PATH_SYNTAX:
	case SMTP_PATH_NO_DOMAIN:
	case SMTP_PATH_LOCAL_TOO_LONG:
	case SMTP_PATH_DOMAIN_TOO_LONG:
	case SMTP_PATH_TOO_LONG:
	case SMTP_PATH_NEEDS_UTF8:
		break;
	}
	return SMTP_COMMAND_BAD_PARAM;
}

/* RFC 6710 section 4: one digit, with a sign or without. */
static enum smtp_command_error
read_priority(const struct param *p)
{
	bool is_negative = str_starts(p->value, STR("-"));
	bool is_signed = is_negative || str_starts(p->value, STR("+"));
	uint32_t v;

	if (!str_to_u32(str_from(p->value, is_signed), 9, &v) ||
	    p->value.n != (is_signed ? 2u : 1u))
		return SMTP_COMMAND_BAD_PARAM;
	p->cmd->u.mail.mt_priority = is_negative ? -(int)v : (int)v;
	return SMTP_COMMAND_OK;
}

/* RFC 4865 section 4.2: up to nine digits. */
static enum smtp_command_error
read_holdfor(const struct param *p)
{
	return ok_if(p->value.n <= 9 && str_to_u32(p->value, 999999999,
					    &p->cmd->u.mail.hold_seconds));
}

static enum smtp_command_error
read_holduntil(const struct param *p)
{
	return ok_if(smtp_time_parse(p->value, &p->cmd->u.mail.hold_until));
}

static unsigned
by_mode(struct str word)
{
	static const struct {
		const char *word;
		unsigned mode;
	} modes[] = {
		{ "R", SMTP_BY_RETURN },
		{ "N", SMTP_BY_NOTIFY },
		{ "RT", SMTP_BY_RETURN | SMTP_BY_TRACE },
		{ "NT", SMTP_BY_NOTIFY | SMTP_BY_TRACE },
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (str_eq_case(word, str_c(modes[i].word)))
			return modes[i].mode;
	return SMTP_BY_NONE;
}

/*
 * RFC 2852 section 4: seconds, ";", R or N, and T when traced. A time that
 * has passed already cannot be kept, so it goes with N alone.
 */
static enum smtp_command_error
read_by(const struct param *p)
{
	struct smtp_mail *mail = &p->cmd->u.mail;
	struct str seconds, mode = str_split(p->value, ';', &seconds);
	bool is_negative = str_starts(seconds, STR("-"));
	bool is_signed = is_negative || str_starts(seconds, STR("+"));
	uint32_t v;

	seconds = str_from(seconds, is_signed);
	if (seconds.n > 9 || !str_to_u32(seconds, 999999999, &v))
		return SMTP_COMMAND_BAD_PARAM;
	mail->by_seconds = is_negative ? -(int32_t)v : (int32_t)v;
	mail->by_mode = by_mode(mode);
	if ((mail->by_mode & SMTP_BY_MODE) == SMTP_BY_RETURN)
		return ok_if(mail->by_seconds > 0);
	return ok_if(mail->by_mode != SMTP_BY_NONE);
}

/* For a keyword that is the whole parameter. */
static enum smtp_command_error
read_nothing(const struct param *p)
{
	return ok_if(!p->has_value);
}

static unsigned
notify_bit(struct str word)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "SUCCESS", SMTP_NOTIFY_SUCCESS },
		{ "FAILURE", SMTP_NOTIFY_FAILURE },
		{ "DELAY", SMTP_NOTIFY_DELAY },
		{ "NEVER", SMTP_NOTIFY_NEVER },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_case(word, str_c(words[i].word)))
			return words[i].bit;
	return 0;
}

static enum smtp_command_error
read_notify(const struct param *p)
{
	struct str rest = p->value, word;
	unsigned notify = 0;

	do {
		unsigned bit;

		rest = str_split(rest, ',', &word);
		bit = notify_bit(word);
		if (bit == 0 || (notify & bit))
			return SMTP_COMMAND_BAD_PARAM;
		notify |= bit;
	} while (rest.p);
	if ((notify & SMTP_NOTIFY_NEVER) && notify != SMTP_NOTIFY_NEVER)
		return SMTP_COMMAND_BAD_PARAM;
	p->cmd->u.rcpt.notify = notify;
	return SMTP_COMMAND_OK;
}

static bool
is_atom(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return s.n > 0;
}

/*
 * addr-type ";" xtext. An address of type utf-8 may also be written with the
 * characters themselves, or "\x{...}" (RFC 6533 section 3): it is kept as it
 * is written, which is how a report shows it.
 */
static enum smtp_command_error
read_orcpt(const struct param *p)
{
	struct smtp_rcpt *rcpt = &p->cmd->u.rcpt;
	struct str type, text = str_split(p->value, ';', &type);
	char *lower;

	if (p->value.n > SMTP_ORCPT_MAX || !is_atom(type) || text.n == 0)
		return SMTP_COMMAND_BAD_PARAM;
	lower = arena_alloc(p->arena, type.n);
	if (!lower)
		return SMTP_COMMAND_NO_MEMORY;
	for (size_t i = 0; i < type.n; i++)
		lower[i] = ascii_lower(type.p[i]);
	rcpt->orcpt_type = str_make(lower, type.n);
	if (str_eq(rcpt->orcpt_type, STR("utf-8"))) {
		rcpt->orcpt = text;
		return SMTP_COMMAND_OK;
	}
	return read_xtext(p->arena, text, &rcpt->orcpt);
}

/* clang-format off */
static const struct param_word words[] = {
	{ "SIZE",        SMTP_VERB_MAIL, SMTP_PARAM_SIZE,        read_size },
	{ "BODY",        SMTP_VERB_MAIL, SMTP_PARAM_BODY,        read_body },
	{ "SMTPUTF8",    SMTP_VERB_MAIL, SMTP_PARAM_SMTPUTF8,    read_nothing },
	{ "RET",         SMTP_VERB_MAIL, SMTP_PARAM_RET,         read_ret },
	{ "ENVID",       SMTP_VERB_MAIL, SMTP_PARAM_ENVID,       read_envid },
	{ "AUTH",        SMTP_VERB_MAIL, SMTP_PARAM_AUTH,        read_auth },
	{ "REQUIRETLS",  SMTP_VERB_MAIL, SMTP_PARAM_REQUIRETLS,  read_nothing },
	{ "MT-PRIORITY", SMTP_VERB_MAIL, SMTP_PARAM_MT_PRIORITY, read_priority },
	{ "HOLDFOR",     SMTP_VERB_MAIL, SMTP_PARAM_HOLDFOR,     read_holdfor },
	{ "HOLDUNTIL",   SMTP_VERB_MAIL, SMTP_PARAM_HOLDUNTIL,   read_holduntil },
	{ "BY",          SMTP_VERB_MAIL, SMTP_PARAM_BY,          read_by },
	{ "NOTIFY",      SMTP_VERB_RCPT, SMTP_PARAM_NOTIFY,      read_notify },
	{ "ORCPT",       SMTP_VERB_RCPT, SMTP_PARAM_ORCPT,       read_orcpt },
};
/* clang-format on */

static const struct param_word *
find_word(enum smtp_verb verb, struct str keyword)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].verb == verb &&
		    str_eq_case(keyword, str_c(words[i].keyword)))
			return &words[i];
	return NULL;
}

/* esmtp-value; RFC 6531 section 3.3 adds the non-ASCII characters. */
static bool
is_value(const struct param *p)
{
	for (size_t i = 0; i < p->value.n; i++) {
		unsigned char c = (unsigned char)p->value.p[i];

		if (c <= ' ' || c == '=' || c == 0x7F ||
		    (c >= 0x80 && !(p->allowed & SMTP_PARAM_SMTPUTF8)))
			return false;
	}
	return p->value.n > 0;
}

static enum smtp_command_error
read_one(struct param *p, struct str text, unsigned *given)
{
	const struct param_word *word;

	p->value = str_split(text, '=', &p->cmd->culprit);
	p->has_value = p->cmd->culprit.n < text.n;
	word = find_word(p->cmd->verb, p->cmd->culprit);
	if (!word || !(p->allowed & word->bit))
		return is_atom(p->cmd->culprit) ? SMTP_COMMAND_UNKNOWN_PARAM
		                                : SMTP_COMMAND_SYNTAX;
	if (*given & word->bit)
		return SMTP_COMMAND_TWICE;
	*given |= word->bit;
	if (p->has_value ? !is_value(p) : word->read != read_nothing)
		return SMTP_COMMAND_BAD_PARAM;
	return word->read(p);
}

static enum smtp_command_error
read_all(struct param *p, struct str in, unsigned *given)
{
	/* What follows ">" must be a space. */
	if (in.n > 0 && in.p[0] != ' ')
		return SMTP_COMMAND_SYNTAX;
	while (in.n > 0) {
		enum smtp_command_error e;
		struct str word;

		in = str_split(in, ' ', &word);
		if (word.n == 0)
			continue;
		e = read_one(p, word, given);
		if (e)
			return e;
	}
	p->cmd->culprit = STR_NONE;
	return SMTP_COMMAND_OK;
}

enum smtp_command_error
smtp_mail_params(
    struct arena *a, struct str in, unsigned allowed, struct smtp_command *cmd)
{
	struct param p = { .arena = a, .allowed = allowed, .cmd = cmd };
	struct smtp_mail *mail = &cmd->u.mail;
	enum smtp_command_error e = read_all(&p, in, &mail->given);

	if (e)
		return e;
	/* RFC 4865 section 4: one of the two. */
	if ((mail->given & SMTP_PARAM_HOLDFOR) &&
	    (mail->given & SMTP_PARAM_HOLDUNTIL)) {
		cmd->culprit = STR("HOLDUNTIL");
		return SMTP_COMMAND_BAD_PARAM;
	}
	if (mail->from.is_utf8 && !(mail->given & SMTP_PARAM_SMTPUTF8))
		return SMTP_COMMAND_NEEDS_UTF8;
	return SMTP_COMMAND_OK;
}

enum smtp_command_error
smtp_rcpt_params(
    struct arena *a, struct str in, unsigned allowed, struct smtp_command *cmd)
{
	struct param p = { .arena = a, .allowed = allowed, .cmd = cmd };

	return read_all(&p, in, &cmd->u.rcpt.given);
}
