/* SPDX-License-Identifier: ISC */
/*
 * LINK: mailfile
 * maildir_name_fuzz.c - a name that was parsed and written is parsed as the
 * same one; folders and keyword lines stay within their limits.
 */
#include "proto/mailfile/maildir_name.h"

static void
try_name(struct str in)
{
	struct maildir_name one, two;
	struct buf b = BUF_INIT(MIB(1));

	if (maildir_name_parse(in, &one)) {
		maildir_name_format(&one, &b);
		if (!maildir_name_parse(buf_str(&b), &two) ||
		    !str_eq(one.unique, two.unique) || one.flags != two.flags ||
		    one.keywords != two.keywords ||
		    one.has_time != two.has_time || one.time != two.time)
			abort();
	}
	buf_done(&b);
}

static void
try_folder(struct str in)
{
	struct buf path = BUF_INIT(MIB(1)), back = BUF_INIT(MIB(1));

	if (maildir_folder_parse(in, &path)) {
		maildir_folder_format(buf_str(&path), &back);
		if (str_find(in, '/') < 0 && !str_eq(buf_str(&back), in))
			abort();
	}
	buf_done(&path);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), name;
	unsigned number;

	try_name(in);
	try_folder(in);
	if (maildir_keyword_parse(in, &number, &name) &&
	    (number >= MAILDIR_KEYWORDS || name.n > MAILDIR_KEYWORD_MAX))
		abort();
	return 0;
}
