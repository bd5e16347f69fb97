/* SPDX-License-Identifier: ISC */
/*
 * imap_parse_list.c - LIST and LSUB (RFC 3501 6.3.8, RFC 5258, RFC 5819,
 * RFC 6154).
 */
#include "proto/imap/imap_internal.h"

#include "proto/imap/imap_match.h"

static const struct imap_word select_options[] = {
	{ { "SUBSCRIBED", 10 }, IMAP_LIST_SUBSCRIBED },
	{ { "REMOTE", 6 }, IMAP_LIST_REMOTE },
	{ { "RECURSIVEMATCH", 14 }, IMAP_LIST_RECURSIVE },
	{ { "SPECIAL-USE", 11 }, IMAP_LIST_SPECIAL_USE },
};

static const struct imap_word return_options[] = {
	{ { "SUBSCRIBED", 10 }, IMAP_LIST_RETURN_SUBSCRIBED },
	{ { "CHILDREN", 8 }, IMAP_LIST_RETURN_CHILDREN },
	{ { "SPECIAL-USE", 11 }, IMAP_LIST_RETURN_SPECIAL_USE },
	{ { "STATUS", 6 }, IMAP_LIST_RETURN_STATUS },
};

static bool
get_select_options(struct imap_cursor *c, struct imap_list *list)
{
	unsigned base = IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE;

	list->is_extended = true;
	if (!imap_get(c, '('))
		return false;
	if (!imap_try(c, ')')) {
		do {
			if (!imap_get_word_bit(c, select_options,
				ARRAY_LEN(select_options), &list->select))
				return false;
		} while (imap_try(c, ' '));
		if (!imap_get(c, ')'))
			return false;
	}
	/* RFC 5258 3.1: it modifies another option and is not one alone. */
	if ((list->select & IMAP_LIST_RECURSIVE) && !(list->select & base))
		return imap_fail(c, "RECURSIVEMATCH needs a selection");
	if (list->select & IMAP_LIST_SUBSCRIBED)
		list->returns |= IMAP_LIST_RETURN_SUBSCRIBED;
	if (list->select & IMAP_LIST_SPECIAL_USE)
		list->returns |= IMAP_LIST_RETURN_SPECIAL_USE;
	return true;
}

static bool
get_return_options(struct imap_cursor *c, struct imap_list *list)
{
	list->is_extended = true;
	if (!imap_try_word(c, STR("RETURN")))
		return imap_fail(c, "Expected RETURN");
	if (!imap_get_space(c) || !imap_get(c, '('))
		return false;
	if (imap_try(c, ')'))
		return true;
	do {
		unsigned option = 0;

		if (!imap_get_word_bit(
			c, return_options, ARRAY_LEN(return_options), &option))
			return false;
		list->returns |= option;
		if (option == IMAP_LIST_RETURN_STATUS &&
		    (!imap_get_space(c) ||
			!imap_get_status_items(c, &list->status_items)))
			return false;
	} while (imap_try(c, ' '));
	return imap_get(c, ')');
}

/*
 * One pattern, joined with the reference. One that is not a name can match
 * nothing and is left out: that is no error (RFC 3501 6.3.8).
 */
static bool
get_pattern(
    struct imap_cursor *c, struct imap_list *list, struct imap_vec *patterns)
{
	struct str wire, utf8, joined, *slot;

	if (!imap_get_pattern(c, &wire))
		return false;
	if (wire.n == 0 && !list->is_extended)
		list->is_root = true;
	if (!list->reference.p || !imap_decode_name(c, wire, &utf8))
		return c->result == IMAP_PARSE_OK;
	if (!imap_pattern_make(c->arena, list->reference, utf8, &joined))
		return true;
	slot = imap_vec_add(c, patterns);
	if (!slot)
		return false;
	*slot = joined;
	return true;
}

static bool
get_patterns(struct imap_cursor *c, struct imap_list *list)
{
	struct imap_vec patterns = IMAP_VEC(struct str, IMAP_MAX_PATTERNS);

	if (!imap_try(c, '(')) {
		if (!get_pattern(c, list, &patterns))
			return false;
	} else {
		list->is_extended = true;
		do {
			if (!get_pattern(c, list, &patterns))
				return false;
		} while (imap_try(c, ' '));
		if (!imap_get(c, ')'))
			return false;
	}
	list->patterns = patterns.p;
	list->n_patterns = patterns.n;
	return true;
}

/* An empty reference still has an address; STR_NONE means "not a name". */
static bool
get_reference(struct imap_cursor *c, struct imap_list *list)
{
	struct str wire;

	if (!imap_get_astring(c, &wire))
		return false;
	if (!imap_decode_name(c, wire, &list->reference))
		list->reference = STR_NONE;
	else if (!list->reference.p)
		list->reference = STR("");
	return c->result == IMAP_PARSE_OK;
}

bool
imap_parse_list(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_list *list = &cmd->u.list;

	if (!imap_get_space(c))
		return false;
	if (imap_peek(c) == '(' &&
	    (!get_select_options(c, list) || !imap_get_space(c)))
		return false;
	if (!get_reference(c, list) || !imap_get_space(c) ||
	    !get_patterns(c, list))
		return false;
	if (imap_try(c, ' ') && !get_return_options(c, list))
		return false;
	/* Extended LIST has no special meaning for "" (RFC 5258 3). */
	if (list->is_extended)
		list->is_root = false;
	return imap_get_end(c);
}

bool
imap_parse_lsub(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_list *list = &cmd->u.list;
	struct imap_vec patterns = IMAP_VEC(struct str, 1);

	list->select = IMAP_LIST_SUBSCRIBED;
	if (!imap_get_space(c) || !get_reference(c, list) ||
	    !imap_get_space(c) || !get_pattern(c, list, &patterns))
		return false;
	list->is_root = false;
	list->patterns = patterns.p;
	list->n_patterns = patterns.n;
	return imap_get_end(c);
}
