/* SPDX-License-Identifier: ISC */
/* html.c - escaping. See html.h. */
#include "web/page/html.h"

#include "base/markdown.h"
#include "proto/http/http_text.h"

/* How many bytes a character of well-formed UTF-8 has. */
static size_t
length_of(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Controls; those of direction are markdown_put_escaped()'s. */
static bool
is_bad(struct str c)
{
	const unsigned char *p = (const unsigned char *)c.p;

	if (c.n == 1)
		return (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7F;
	return c.n == 2 && p[0] == 0xC2 && p[1] < 0xA0;
}

void
html_text(struct buf *b, struct str s)
{
	bool is_good = str_is_utf8(s);

	while (s.n > 0) {
		size_t n = is_good ? length_of((unsigned char)s.p[0]) : 1;
		struct str c = str_first(s, n);

		if (is_bad(c) || (!is_good && (c.p[0] & 0x80)))
			buf_put_char(b, '?');
		else
			markdown_put_escaped(b, c);
		s = str_from(s, n);
	}
}

void
html_path(struct buf *b, const char *prefix, struct str part)
{
	buf_put_c(b, prefix);
	http_encode(b, part);
}
