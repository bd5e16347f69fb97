/* SPDX-License-Identifier: ISC */
/* mime_language.c - whom one answers, and how. See mime_language.h. */
#include "proto/mime/mime_language.h"

#include "base/accept.h"
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_token_internal.h"

/* Only whole members: "fra", cut, would be French. */
static struct str
bounded(struct str value)
{
	ptrdiff_t at;

	if (value.n <= MIME_LANGUAGE_FIELD_MAX)
		return value;
	value = str_first(value, MIME_LANGUAGE_FIELD_MAX);
	at = str_rfind(value, ',');
	return at < 0 ? STR_NONE : str_first(value, (size_t)at);
}

/* On one line, with a blank for each comment. */
static void
put_plain(struct str value, struct buf *out)
{
	while (value.n > 0) {
		bool is_comment = value.p[0] == '(';
		bool is_gap = is_comment || token_is_blank(value.p[0]);

		buf_put_char(out, is_gap ? ' ' : value.p[0]);
		value = str_from(
		    value, is_comment ? token_enclosed_length(value) : 1);
	}
}

static bool
asked_by(struct str message, struct str name, const struct str *languages,
    size_t n, size_t *ret)
{
	struct buf list = BUF_INIT(MIME_LANGUAGE_FIELD_MAX);
	struct mime_field f;
	bool is_any;

	if (!mime_header_find(message, name, &f))
		return false;
	put_plain(bounded(f.value), &list);
	is_any = accept_language(buf_str(&list), languages, n, ret);
	buf_done(&list);
	return is_any;
}

bool
mime_language(
    struct str message, const struct str *languages, size_t n, size_t *ret)
{
	return asked_by(message, STR("Accept-Language"), languages, n, ret) ||
	       asked_by(message, STR("Content-Language"), languages, n, ret);
}
