/* SPDX-License-Identifier: ISC */
/* output_tame.c - what may not reach a terminal. See output.h. */
#include "cli/output/output.h"

/* Bytes of the control that s begins with; 0: it begins with none. */
static size_t
control_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (p[0] < ' ' || p[0] == 0x7f)
		return 1;
	/* C1, and the Arabic letter mark. */
	if (s.n >= 2 && ((p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) ||
			    (p[0] == 0xd8 && p[1] == 0x9c)))
		return 2;
	/* The marks of direction, and what turns around. */
	if (s.n >= 3 && p[0] == 0xe2 && p[1] == 0x80 &&
	    (p[2] == 0x8e || p[2] == 0x8f))
		return 3;
	return str_turns_around(s) ? 3 : 0;
}

static void
tame(char *p, size_t n, bool keeps_lines)
{
	for (size_t i = 0; i < n; i++) {
		size_t length = control_length(str_make(p + i, n - i));

		if (length == 0 || (keeps_lines && p[i] == '\n'))
			continue;
		memset(p + i, '?', length);
		i += length - 1;
	}
}

void
output_tame(char *p, size_t n)
{
	tame(p, n, false);
}

void
output_tame_lines(char *p, size_t n)
{
	tame(p, n, true);
}

/* The code point of a control of that many bytes. */
static unsigned
code_point(struct str s, size_t length)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (length == 1)
		return p[0];
	if (length == 2)
		return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	return (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
}

/* Those of C0 are escaped already: the others stand between the values. */
void
output_escape_json(struct buf *to, struct str json)
{
	for (size_t i = 0; i < json.n; i++) {
		struct str rest = str_from(json, i);
		size_t length = control_length(rest);

		if (length == 0 || (unsigned char)rest.p[0] < ' ') {
			buf_put_char(to, rest.p[0]);
			continue;
		}
		buf_printf(to, "\\u%04x", code_point(rest, length));
		i += length - 1;
	}
}
