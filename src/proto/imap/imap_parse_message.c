/* SPDX-License-Identifier: ISC */
/*
 * imap_parse_message.c - APPEND, STORE, COPY, MOVE and UID EXPUNGE.
 */
#include "proto/imap/imap_internal.h"

static bool
get_flag_name(struct imap_cursor *c, struct str *ret)
{
	const char *start = c->in.p;
	bool is_system = imap_try(c, '\\');
	struct str name;

	if (!imap_get_atom(c, &name))
		return false;
	*ret = str_make(start, name.n + is_system);
	return true;
}

static bool
has_keyword(const struct imap_vec *keywords, struct str name)
{
	const struct str *list = keywords->p;

	for (size_t i = 0; i < keywords->n; i++) {
		if (str_eq_case(list[i], name))
			return true;
	}
	return false;
}

bool
imap_get_flags(struct imap_cursor *c, struct imap_flags *ret)
{
	struct imap_vec keywords = IMAP_VEC(struct str, IMAP_MAX_KEYWORDS);
	unsigned bits = 0;

	do {
		enum imap_flag_kind kind;
		struct str name, *slot;
		unsigned bit = 0;

		if (!get_flag_name(c, &name))
			return false;
		kind = imap_flag_parse(name, &bit);
		if (kind == IMAP_FLAG_KIND_BAD)
			return imap_fail(c, "Bad flag");
		bits |= bit;
		if (kind == IMAP_FLAG_KIND_SYSTEM ||
		    has_keyword(&keywords, name))
			continue;
		slot = imap_vec_add(c, &keywords);
		if (!slot)
			return false;
		*slot = name;
	} while (imap_try(c, ' '));
	*ret = (struct imap_flags){ bits, keywords.p, keywords.n };
	return true;
}

bool
imap_get_flag_list(struct imap_cursor *c, struct imap_flags *ret)
{
	if (!imap_get(c, '('))
		return false;
	if (imap_try(c, ')')) {
		*ret = (struct imap_flags){ 0 };
		return true;
	}
	return imap_get_flags(c, ret) && imap_get(c, ')');
}

static bool
get_date_time(struct imap_cursor *c, struct imap_time *ret)
{
	struct str text;

	if (!imap_get_string(c, &text))
		return false;
	if (!imap_date_time_parse(text, ret))
		return imap_fail(c, "Bad date-time");
	return true;
}

/* [flag-list SP] [date-time SP] literal */
static bool
get_append_message(struct imap_cursor *c, struct imap_append_message *m)
{
	struct imap_literal_arg lit;

	if (imap_peek(c) == '(' &&
	    (!imap_get_flag_list(c, &m->flags) || !imap_get_space(c)))
		return false;
	m->has_date = imap_peek(c) == '"';
	if (m->has_date && (!get_date_time(c, &m->date) || !imap_get_space(c)))
		return false;
	if (!imap_get_literal(c, &lit))
		return false;
	m->size = lit.size;
	m->is_binary = lit.is_binary;
	m->is_streamed = lit.is_streamed;
	m->data = lit.data;
	return true;
}

/* MULTIAPPEND (RFC 3502): several messages behind each other. */
bool
imap_parse_append(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_append *append = &cmd->u.append;
	struct imap_vec messages =
	    IMAP_VEC(struct imap_append_message, IMAP_MAX_APPENDS);

	if (!imap_get_space(c) || !imap_get_mailbox(c, &append->mailbox))
		return false;
	do {
		struct imap_append_message *m;

		if (!imap_get_space(c))
			return false;
		m = imap_vec_add(c, &messages);
		if (!m || !get_append_message(c, m))
			return false;
	} while (c->in.n);
	append->messages = messages.p;
	append->n = messages.n;
	return imap_get_end(c);
}

bool
imap_parse_expunge(struct imap_cursor *c, struct imap_command *cmd)
{
	if (!cmd->is_uid)
		return imap_get_end(c);
	return imap_get_space(c) && imap_get_set(c, &cmd->u.expunge) &&
	       imap_get_end(c);
}

bool
imap_parse_copy(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_copy *copy = &cmd->u.copy;

	return imap_get_space(c) && imap_get_set(c, &copy->set) &&
	       imap_get_space(c) && imap_get_mailbox(c, &copy->mailbox) &&
	       imap_get_end(c);
}

/* store-modifiers of RFC 7162 3.1.3: "(UNCHANGEDSINCE n)". */
static bool
get_store_modifiers(struct imap_cursor *c, struct imap_store *store)
{
	if (!imap_get(c, '('))
		return false;
	if (!imap_try_word(c, STR("UNCHANGEDSINCE")))
		return imap_fail(c, "Unknown modifier");
	store->has_unchanged_since = true;
	return imap_get_space(c) &&
	       imap_get_u64(c, IMAP_MOD_SEQ_MAX, &store->unchanged_since) &&
	       imap_get(c, ')') && imap_get_space(c);
}

static bool
get_store_item(struct imap_cursor *c, struct imap_store *store)
{
	struct str name;

	if (imap_try(c, '+'))
		store->op = IMAP_STORE_ADD;
	else if (imap_try(c, '-'))
		store->op = IMAP_STORE_REMOVE;
	if (!imap_get_name(c, &name))
		return false;
	store->is_silent = str_eq_case(name, STR("FLAGS.SILENT"));
	if (!store->is_silent && !str_eq_case(name, STR("FLAGS")))
		return imap_fail(c, "Expected FLAGS");
	return true;
}

bool
imap_parse_store(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_store *store = &cmd->u.store;
	bool ok;

	if (!imap_get_space(c) || !imap_get_set(c, &store->set) ||
	    !imap_get_space(c))
		return false;
	if (imap_peek(c) == '(' && !get_store_modifiers(c, store))
		return false;
	if (!get_store_item(c, store) || !imap_get_space(c))
		return false;
	ok = imap_peek(c) == '(' ? imap_get_flag_list(c, &store->flags)
	                         : imap_get_flags(c, &store->flags);
	return ok && imap_get_end(c);
}
