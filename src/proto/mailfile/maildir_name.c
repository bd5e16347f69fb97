/* SPDX-License-Identifier: ISC */
/* maildir_name.c - names in a Maildir. See maildir_name.h. */
#include "proto/mailfile/maildir_name.h"

static const struct {
	char letter;
	unsigned flag;
} letters[] = {
	/* In ASCII order, as a name has them. */
	{ 'D', MAILFILE_DRAFT },
	{ 'F', MAILFILE_FLAGGED },
	{ 'R', MAILFILE_ANSWERED },
	{ 'S', MAILFILE_SEEN },
	{ 'T', MAILFILE_DELETED },
};

static void
add_letter(struct maildir_name *name, char c)
{
	if (c >= 'a' && c <= 'z')
		name->keywords |= 1U << (c - 'a');
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].letter == c)
			name->flags |= letters[i].flag;
}

bool
maildir_name_parse(struct str in, struct maildir_name *ret)
{
	struct maildir_name name = { 0 };
	ptrdiff_t info = str_search(in, STR(":2,"));
	struct str digits;

	if (info < 0)
		info = (ptrdiff_t)in.n;
	name.unique = str_first(in, (size_t)info);
	if (name.unique.n == 0 || in.p[0] == '.')
		return false;
	for (size_t i = (size_t)info + 3; i < in.n; i++)
		add_letter(&name, in.p[i]);
	(void)str_split(name.unique, '.', &digits);
	/* Before the year 10000; "0" and the like are no time. */
	name.has_time =
	    str_to_u64(digits, UINT64_C(253402300799), &name.time) &&
	    name.time > 1000000;
	if (!name.has_time)
		name.time = 0;
	*ret = name;
	return true;
}

void
maildir_name_format(const struct maildir_name *name, struct buf *out)
{
	buf_put_str(out, name->unique);
	buf_put_c(out, ":2,");
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (name->flags & letters[i].flag)
			buf_put_char(out, letters[i].letter);
	for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
		if (name->keywords & (1U << i))
			buf_put_char(out, (char)('a' + i));
}

bool
maildir_keyword_parse(
    struct str line, unsigned *ret_number, struct str *ret_name)
{
	struct str digits, name = str_split(line, ' ', &digits);
	uint32_t number;

	if (!str_to_u32(digits, MAILDIR_KEYWORDS - 1, &number) || name.n == 0 ||
	    name.n > MAILDIR_KEYWORD_MAX)
		return false;
	*ret_number = number;
	*ret_name = name;
	return true;
}

bool
maildir_folder_parse(struct str folder, struct buf *ret)
{
	if (folder.n < 2 || folder.p[0] != '.' || folder.p[1] == '.')
		return false;
	for (size_t i = 1; i < folder.n; i++)
		buf_put_char(ret, folder.p[i] == '.' ? '/' : folder.p[i]);
	return true;
}

void
maildir_folder_format(struct str path, struct buf *out)
{
	buf_put_char(out, '.');
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		buf_put_char(out, (char)(c == '/' ? '.' : c == '.' ? '_' : c));
	}
}
