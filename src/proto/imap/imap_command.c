/* SPDX-License-Identifier: ISC */
/*
 * imap_command.c - the table of commands, tags, and commands about the
 * session itself. Commands about mailboxes and messages are in
 * imap_parse_*.c, imap_fetch.c and imap_search.c.
 */
#include "proto/imap/imap_internal.h"

#include "proto/imap/imap_write.h"

typedef bool (*args_fn)(struct imap_cursor *c, struct imap_command *cmd);

static bool
parse_nothing(struct imap_cursor *c, UNUSED struct imap_command *cmd)
{
	return imap_get_end(c);
}

static bool
parse_login(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_login *login = &cmd->u.login;

	if (!imap_get_space(c) || !imap_get_astring(c, &login->user) ||
	    !imap_get_space(c) || !imap_get_astring(c, &login->password) ||
	    !imap_get_end(c))
		return false;
	if (login->user.n > IMAP_MAX_USER_BYTES ||
	    login->password.n > IMAP_MAX_PASSWORD_BYTES)
		return imap_fail(c, "User name or password is too long");
	return true;
}

static bool
is_base64(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' &&
		    c != '/' && c != '=')
			return false;
	}
	return s.n > 0;
}

static bool
parse_authenticate(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_authenticate *auth = &cmd->u.authenticate;

	if (!imap_get_space(c) || !imap_get_atom(c, &auth->mechanism))
		return false;
	auth->has_initial = imap_try(c, ' ');
	if (!auth->has_initial)
		return imap_get_end(c);
	auth->initial = c->in;
	if (!is_base64(auth->initial))
		return imap_fail(c, "Initial response is not base64");
	/* RFC 4959 3: "=" is a response of no bytes. */
	if (str_eq(auth->initial, STR("=")))
		auth->initial = STR("");
	return true;
}

static bool
get_id_pair(struct imap_cursor *c, struct imap_id_pair *pair)
{
	if (!imap_get_string(c, &pair->key) || !imap_get_space(c))
		return false;
	pair->is_nil = imap_try_word(c, STR("NIL"));
	if (!pair->is_nil && !imap_get_string(c, &pair->value))
		return false;
	if (pair->key.n > IMAP_MAX_ID_KEY || pair->value.n > IMAP_MAX_ID_VALUE)
		return imap_fail(c, "ID field is too long");
	return true;
}

static bool
parse_id(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_vec pairs =
	    IMAP_VEC(struct imap_id_pair, IMAP_MAX_ID_PAIRS);

	if (!imap_get_space(c))
		return false;
	if (imap_try_word(c, STR("NIL")))
		return imap_get_end(c);
	if (!imap_get(c, '('))
		return false;
	while (!imap_try(c, ')')) {
		struct imap_id_pair *pair;

		if (pairs.n && !imap_get_space(c))
			return false;
		pair = imap_vec_add(c, &pairs);
		if (!pair || !get_id_pair(c, pair))
			return false;
	}
	cmd->u.id = (struct imap_id){ pairs.p, pairs.n };
	return imap_get_end(c);
}

static bool
parse_enable(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_vec words = IMAP_VEC(struct str, IMAP_MAX_CAPABILITIES);

	do {
		struct str *word;

		if (!imap_get_space(c))
			return false;
		word = imap_vec_add(c, &words);
		if (!word || !imap_get_atom(c, word))
			return false;
	} while (c->in.n);
	cmd->u.enable = (struct imap_words){ words.p, words.n };
	return imap_get_end(c);
}

#define ANY     IMAP_IN_ANY
#define NOTAUTH IMAP_IN_NOT_AUTHENTICATED
#define AUTH    (IMAP_IN_AUTHENTICATED | IMAP_IN_SELECTED)
#define SEL     IMAP_IN_SELECTED
#define UIDS    IMAP_HAS_UID
#define SECRET  IMAP_HAS_SECRET
#define STILL   IMAP_NO_EXPUNGE

/* clang-format off */
static const struct {
	const char *name;
	unsigned flags;
	args_fn parse;
} verbs[] = {
	[IMAP_CAPABILITY]   = { "CAPABILITY",   ANY,              parse_nothing },
	[IMAP_NOOP]         = { "NOOP",         ANY,              parse_nothing },
	[IMAP_LOGOUT]       = { "LOGOUT",       ANY,              parse_nothing },
	[IMAP_ID]           = { "ID",           ANY,              parse_id },
	[IMAP_STARTTLS]     = { "STARTTLS",     NOTAUTH,          parse_nothing },
	[IMAP_AUTHENTICATE] = { "AUTHENTICATE", NOTAUTH | SECRET, parse_authenticate },
	[IMAP_LOGIN]        = { "LOGIN",        NOTAUTH | SECRET, parse_login },
	[IMAP_ENABLE]       = { "ENABLE",       AUTH,             parse_enable },
	[IMAP_SELECT]       = { "SELECT",       AUTH,             imap_parse_select },
	[IMAP_EXAMINE]      = { "EXAMINE",      AUTH,             imap_parse_select },
	[IMAP_CREATE]       = { "CREATE",       AUTH,             imap_parse_create },
	[IMAP_DELETE]       = { "DELETE",       AUTH,             imap_parse_mailbox },
	[IMAP_RENAME]       = { "RENAME",       AUTH,             imap_parse_rename },
	[IMAP_SUBSCRIBE]    = { "SUBSCRIBE",    AUTH,             imap_parse_mailbox },
	[IMAP_UNSUBSCRIBE]  = { "UNSUBSCRIBE",  AUTH,             imap_parse_mailbox },
	[IMAP_LIST]         = { "LIST",         AUTH,             imap_parse_list },
	[IMAP_LSUB]         = { "LSUB",         AUTH,             imap_parse_lsub },
	[IMAP_NAMESPACE]    = { "NAMESPACE",    AUTH,             parse_nothing },
	[IMAP_STATUS]       = { "STATUS",       AUTH,             imap_parse_status },
	[IMAP_APPEND]       = { "APPEND",       AUTH,             imap_parse_append },
	[IMAP_IDLE]         = { "IDLE",         AUTH,             parse_nothing },
	[IMAP_GETQUOTA]     = { "GETQUOTA",     AUTH,             imap_parse_getquota },
	[IMAP_GETQUOTAROOT] = { "GETQUOTAROOT", AUTH,             imap_parse_getquotaroot },
	[IMAP_SETQUOTA]     = { "SETQUOTA",     AUTH,             imap_parse_setquota },
	[IMAP_CHECK]        = { "CHECK",        SEL,              parse_nothing },
	[IMAP_CLOSE]        = { "CLOSE",        SEL,              parse_nothing },
	[IMAP_UNSELECT]     = { "UNSELECT",     SEL,              parse_nothing },
	[IMAP_EXPUNGE]      = { "EXPUNGE",      SEL | UIDS,       imap_parse_expunge },
	[IMAP_SEARCH]       = { "SEARCH",       SEL | UIDS | STILL, imap_parse_search },
	[IMAP_FETCH]        = { "FETCH",        SEL | UIDS | STILL, imap_parse_fetch },
	[IMAP_STORE]        = { "STORE",        SEL | UIDS | STILL, imap_parse_store },
	[IMAP_COPY]         = { "COPY",         SEL | UIDS,       imap_parse_copy },
	[IMAP_MOVE]         = { "MOVE",         SEL | UIDS,       imap_parse_copy },
};
/* clang-format on */

const char *
imap_verb_name(enum imap_verb verb)
{
	size_t i = (size_t)verb;

	return i < ARRAY_LEN(verbs) && verbs[i].name ? verbs[i].name : "";
}

unsigned
imap_verb_flags(enum imap_verb verb)
{
	size_t i = (size_t)verb;

	return i < ARRAY_LEN(verbs) ? verbs[i].flags : 0;
}

struct str
imap_command_tag(struct str text)
{
	size_t n = 0;

	/* "+" is not allowed: it would look like a continuation. */
	while (
	    n < text.n && imap_is_astring_char(text.p[n]) && text.p[n] != '+')
		n++;
	if (n == 0 || n > IMAP_MAX_TAG_BYTES)
		return STR_NONE;
	/* A line that has only a tag still has one. */
	if (n < text.n && text.p[n] != ' ')
		return STR_NONE;
	return str_first(text, n);
}

bool
imap_is_done(struct str text)
{
	return str_eq_case(text, STR("DONE"));
}

static enum imap_verb
find_verb(struct str name)
{
	for (size_t i = IMAP_NONE + 1; i < ARRAY_LEN(verbs); i++) {
		if (str_eq_case(name, str_c(verbs[i].name)))
			return (enum imap_verb)i;
	}
	return IMAP_NONE;
}

static bool
get_verb(struct imap_cursor *c, struct imap_command *cmd)
{
	struct str name;

	if (!imap_get_space(c) || !imap_get_atom(c, &name))
		return false;
	cmd->is_uid = str_eq_case(name, STR("UID"));
	if (cmd->is_uid && (!imap_get_space(c) || !imap_get_atom(c, &name)))
		return false;
	cmd->verb = find_verb(name);
	if (cmd->verb == IMAP_NONE ||
	    (cmd->is_uid && !(imap_verb_flags(cmd->verb) & IMAP_HAS_UID))) {
		cmd->verb = IMAP_NONE;
		return imap_fail_as(c, IMAP_PARSE_UNKNOWN, "Unknown command");
	}
	return true;
}

static enum imap_parse
parse(struct imap_cursor *c, struct imap_command *ret)
{
	*ret = (struct imap_command){ .tag = imap_command_tag(c->in) };
	if (ret->tag.n == 0) {
		imap_fail(c, "Missing or bad tag");
	} else {
		c->in = str_from(c->in, ret->tag.n);
		if (get_verb(c, ret))
			(void)verbs[ret->verb].parse(c, ret);
	}
	ret->error = c->error;
	return c->result;
}

enum imap_parse
imap_command_parse(
    struct arena *a, struct str text, bool utf8_names, struct imap_command *ret)
{
	struct imap_cursor c = {
		.arena = a, .in = text, .utf8_names = utf8_names
	};

	return parse(&c, ret);
}

enum imap_parse
imap_command_parse_append(
    struct arena *a, struct str text, bool utf8_names, struct imap_command *ret)
{
	struct imap_cursor c = { .arena = a,
		.in = text,
		.utf8_names = utf8_names,
		.is_prefix = true };
	enum imap_parse result = parse(&c, ret);

	if (result == IMAP_PARSE_OK && ret->verb != IMAP_APPEND) {
		ret->error = "Literal is not expected here";
		return IMAP_PARSE_BAD;
	}
	return result;
}
