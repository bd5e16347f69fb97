/* SPDX-License-Identifier: ISC */
/* content.c - what a message asks of a transport. See content.h. */
#include "send/message/content.h"

#include "base/base.h"

static void
end_line(struct content *c)
{
	/* The empty line is the end of the header. */
	if (!c->is_in_body && c->column == 0)
		c->is_in_body = true;
	c->column = 0;
}

static void
take(struct content *c, char byte)
{
	bool is_lf = byte == '\n';

	if (c->is_after_cr != is_lf && c->is_in_body)
		c->has_binary = true;
	if (c->is_after_cr && !is_lf)
		c->column++;
	c->is_after_cr = byte == '\r';
	if (is_lf) {
		end_line(c);
		return;
	}
	if (c->is_after_cr)
		return;
	if ((unsigned char)byte >= 0x80) {
		c->has_8bit |= c->is_in_body;
		c->has_utf8_header |= !c->is_in_body;
	} else if (byte == '\0' && c->is_in_body) {
		c->has_binary = true;
	}
	if (++c->column > CONTENT_LINE_MAX && c->is_in_body)
		c->has_long_line = true;
}

/* Printable ASCII at the start of p, by eights: most of all mail. */
static size_t
plain_run(const char *p, size_t n)
{
	const uint64_t ones = UINT64_MAX / 255;
	size_t run = 0;
	uint64_t w;

	for (; n - run >= sizeof(w); run += sizeof(w)) {
		memcpy(&w, p + run, sizeof(w));
		/* A byte below a blank borrows, one over 127 has it set. */
		if (((w - ones * ' ') | w) & ones * 0x80)
			break;
	}
	return run;
}

void
content_feed(struct content *c, struct str part)
{
	for (size_t i = 0; i < part.n; i++) {
		if (!c->is_after_cr) {
			size_t run = plain_run(part.p + i, part.n - i);

			c->column += run;
			if (c->column > CONTENT_LINE_MAX && c->is_in_body)
				c->has_long_line = true;
			i += run;
			if (i == part.n)
				break;
		}
		take(c, part.p[i]);
	}
}

void
content_finish(struct content *c)
{
	if (c->is_after_cr && c->is_in_body)
		c->has_binary = true;
}
