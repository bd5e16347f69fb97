/* SPDX-License-Identifier: ISC */
/*
 * imap_flags.c - names of flags. See imap_flags.h.
 */
#include "proto/imap/imap_flags.h"

#include "proto/imap/imap_write.h"

static const struct {
	unsigned bit;
	struct str name;
} system_flags[] = {
	{ IMAP_FLAG_ANSWERED, { "\\Answered", 9 } },
	{ IMAP_FLAG_FLAGGED, { "\\Flagged", 8 } },
	{ IMAP_FLAG_DELETED, { "\\Deleted", 8 } },
	{ IMAP_FLAG_SEEN, { "\\Seen", 5 } },
	{ IMAP_FLAG_DRAFT, { "\\Draft", 6 } },
	{ IMAP_FLAG_RECENT, { "\\Recent", 7 } },
};

bool
imap_keyword_is_valid(struct str name)
{
	if (name.n == 0 || name.n > IMAP_MAX_KEYWORD_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (!imap_is_atom_char(name.p[i]))
			return false;
	}
	return true;
}

enum imap_flag_kind
imap_flag_parse(struct str name, unsigned *ret_bit)
{
	for (size_t i = 0; i < ARRAY_LEN(system_flags); i++) {
		if (!str_eq_case(name, system_flags[i].name))
			continue;
		if (system_flags[i].bit == IMAP_FLAG_RECENT)
			return IMAP_FLAG_KIND_BAD;
		*ret_bit = system_flags[i].bit;
		return IMAP_FLAG_KIND_SYSTEM;
	}
	return imap_keyword_is_valid(name) ? IMAP_FLAG_KIND_KEYWORD
	                                   : IMAP_FLAG_KIND_BAD;
}

void
imap_put_flags(
    struct buf *b, unsigned bits, const struct str *keywords, size_t n_keywords)
{
	char text[64]; /* all six names and their spaces take 48 */
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(system_flags); i++) {
		if (!(bits & system_flags[i].bit))
			continue;
		if (n)
			text[n++] = ' ';
		memcpy(
		    text + n, system_flags[i].name.p, system_flags[i].name.n);
		n += system_flags[i].name.n;
	}
	if (n)
		buf_put(b, text, n);
	for (size_t i = 0; i < n_keywords; i++) {
		if (n || i)
			buf_put_char(b, ' ');
		buf_put_str(b, keywords[i]);
	}
}
