/* SPDX-License-Identifier: ISC */
/*
 * imap_parse_mailbox.c - arguments of the commands about mailboxes, but for
 * LIST and APPEND.
 */
#include "proto/imap/imap_internal.h"

static const struct imap_word special_uses[] = {
	{ { "\\All", 4 }, IMAP_USE_ALL },
	{ { "\\Archive", 8 }, IMAP_USE_ARCHIVE },
	{ { "\\Drafts", 7 }, IMAP_USE_DRAFTS },
	{ { "\\Flagged", 8 }, IMAP_USE_FLAGGED },
	{ { "\\Junk", 5 }, IMAP_USE_JUNK },
	{ { "\\Sent", 5 }, IMAP_USE_SENT },
	{ { "\\Trash", 6 }, IMAP_USE_TRASH },
};

static const struct imap_word status_items[] = {
	{ { "MESSAGES", 8 }, IMAP_STATUS_MESSAGES },
	{ { "RECENT", 6 }, IMAP_STATUS_RECENT },
	{ { "UIDNEXT", 7 }, IMAP_STATUS_UIDNEXT },
	{ { "UIDVALIDITY", 11 }, IMAP_STATUS_UIDVALIDITY },
	{ { "UNSEEN", 6 }, IMAP_STATUS_UNSEEN },
	{ { "HIGHESTMODSEQ", 13 }, IMAP_STATUS_HIGHESTMODSEQ },
	{ { "SIZE", 4 }, IMAP_STATUS_SIZE },
	{ { "DELETED", 7 }, IMAP_STATUS_DELETED },
	{ { "APPENDLIMIT", 11 }, IMAP_STATUS_APPENDLIMIT },
	{ { "DELETED-STORAGE", 15 }, IMAP_STATUS_DELETED_STORAGE },
};

const char *
imap_special_use_name(enum imap_special_use use)
{
	for (size_t i = 0; i < ARRAY_LEN(special_uses); i++) {
		if (special_uses[i].bit == (unsigned)use)
			return special_uses[i].word.p;
	}
	return NULL;
}

/* A set without "*" and "$" (RFC 7162 7, known-uids and known-sequence-set). */
static bool
get_known_set(struct imap_cursor *c, struct imap_set *ret)
{
	struct imap_set set;

	if (!imap_get_set(c, &set))
		return false;
	if (set.is_saved)
		return imap_fail(c, "\"$\" is not allowed here");
	for (size_t i = 0; i < set.n; i++) {
		if (set.ranges[i].lo == IMAP_SET_STAR ||
		    set.ranges[i].hi == IMAP_SET_STAR)
			return imap_fail(c, "\"*\" is not allowed here");
		if (set.ranges[i].lo > set.ranges[i].hi)
			return imap_fail(c, "Set must be in ascending order");
	}
	*ret = set;
	return true;
}

/* "(" known-sequence-set SP known-uid-set ")" */
static bool
get_match(struct imap_cursor *c, struct imap_select *sel)
{
	if (!imap_get(c, '(') || !get_known_set(c, &sel->match_seqs) ||
	    !imap_get_space(c) || !get_known_set(c, &sel->match_uids) ||
	    !imap_get(c, ')'))
		return false;
	if (imap_set_count(&sel->match_seqs) !=
	    imap_set_count(&sel->match_uids))
		return imap_fail(c, "Message numbers and UIDs do not pair up");
	sel->has_match = true;
	return true;
}

/* Behind "QRESYNC" (RFC 7162 3.2.5). */
static bool
get_qresync(struct imap_cursor *c, struct imap_select *sel)
{
	sel->qresync = true;
	if (!imap_get_space(c) || !imap_get(c, '(') ||
	    !imap_get_u32(c, 1, &sel->uid_validity) || !imap_get_space(c) ||
	    !imap_get_u64(c, IMAP_MOD_SEQ_MAX, &sel->mod_seq))
		return false;
	if (imap_try(c, ')'))
		return true;
	if (!imap_get_space(c))
		return false;
	if (imap_peek(c) != '(') {
		if (!get_known_set(c, &sel->known_uids))
			return false;
		sel->has_known_uids = true;
		if (imap_try(c, ')'))
			return true;
		if (!imap_get_space(c))
			return false;
	}
	return get_match(c, sel) && imap_get(c, ')');
}

bool
imap_parse_select(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_select *sel = &cmd->u.select;

	if (!imap_get_space(c) || !imap_get_mailbox(c, &sel->mailbox))
		return false;
	if (!imap_try(c, ' '))
		return imap_get_end(c);
	if (!imap_get(c, '('))
		return false;
	do {
		if (imap_try_word(c, STR("CONDSTORE")))
			sel->condstore = true;
		else if (sel->qresync || !imap_try_word(c, STR("QRESYNC")))
			return imap_fail(c, "Unknown parameter");
		else if (!get_qresync(c, sel))
			return false;
	} while (imap_try(c, ' '));
	return imap_get(c, ')') && imap_get_end(c);
}

static bool
get_use(struct imap_cursor *c, unsigned *ret)
{
	struct str name;
	const char *start = c->in.p;
	unsigned bit;

	if (!imap_try(c, '\\'))
		return imap_fail(c, "Expected a special use like \\Drafts");
	if (!imap_get_atom(c, &name))
		return false;
	name = str_make(start, name.n + 1);
	bit = imap_word_bit(special_uses, ARRAY_LEN(special_uses), name);
	*ret |= bit ? bit : IMAP_USE_UNKNOWN;
	return true;
}

/* create-param of RFC 6154 6: "(USE (\Drafts \Sent))". */
bool
imap_parse_create(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_create *create = &cmd->u.create;

	if (!imap_get_space(c) || !imap_get_new_mailbox(c, &create->mailbox))
		return false;
	if (!imap_try(c, ' '))
		return imap_get_end(c);
	if (!imap_get(c, '('))
		return false;
	if (!imap_try_word(c, STR("USE")))
		return imap_fail(c, "Unknown parameter");
	if (!imap_get_space(c) || !imap_get(c, '('))
		return false;
	if (!imap_try(c, ')')) {
		do {
			if (!get_use(c, &create->use))
				return false;
		} while (imap_try(c, ' '));
		if (!imap_get(c, ')'))
			return false;
	}
	return imap_get(c, ')') && imap_get_end(c);
}

bool
imap_parse_mailbox(struct imap_cursor *c, struct imap_command *cmd)
{
	return imap_get_space(c) && imap_get_mailbox(c, &cmd->u.mailbox) &&
	       imap_get_end(c);
}

bool
imap_parse_rename(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_rename *rename = &cmd->u.rename;

	return imap_get_space(c) && imap_get_mailbox(c, &rename->from) &&
	       imap_get_space(c) && imap_get_new_mailbox(c, &rename->to) &&
	       imap_get_end(c);
}

bool
imap_get_status_items(struct imap_cursor *c, unsigned *ret)
{
	if (!imap_get(c, '('))
		return false;
	do {
		if (!imap_get_word_bit(
			c, status_items, ARRAY_LEN(status_items), ret))
			return false;
	} while (imap_try(c, ' '));
	return imap_get(c, ')');
}

bool
imap_parse_status(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_status *status = &cmd->u.status;

	return imap_get_space(c) && imap_get_mailbox(c, &status->mailbox) &&
	       imap_get_space(c) && imap_get_status_items(c, &status->items) &&
	       imap_get_end(c);
}

bool
imap_parse_getquota(struct imap_cursor *c, struct imap_command *cmd)
{
	return imap_get_space(c) && imap_get_astring(c, &cmd->u.quota.root) &&
	       imap_get_end(c);
}

bool
imap_parse_getquotaroot(struct imap_cursor *c, struct imap_command *cmd)
{
	return imap_get_space(c) &&
	       imap_get_mailbox(c, &cmd->u.quota.mailbox) && imap_get_end(c);
}

/* setquota-list of RFC 9208 7: "(STORAGE 512 MESSAGE 100)". */
bool
imap_parse_setquota(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_vec limits =
	    IMAP_VEC(struct imap_quota_limit, IMAP_MAX_RESOURCES);

	if (!imap_get_space(c) || !imap_get_astring(c, &cmd->u.quota.root) ||
	    !imap_get_space(c) || !imap_get(c, '('))
		return false;
	while (!imap_try(c, ')')) {
		struct imap_quota_limit *limit;

		if (limits.n && !imap_get_space(c))
			return false;
		limit = imap_vec_add(c, &limits);
		if (!limit || !imap_get_atom(c, &limit->resource) ||
		    !imap_get_space(c) ||
		    !imap_get_u64(c, INT64_MAX, &limit->limit))
			return false;
	}
	cmd->u.quota.limits = limits.p;
	cmd->u.quota.n = limits.n;
	return imap_get_end(c);
}
