/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_body.c - dot-stuffing. See smtp_client_body.h.
 *
 * A CR is held back until the next byte tells whether it is one half of a
 * line end. Everything else is written at once, whole lines by one copy.
 */
#include "proto/smtp/smtp_client_body.h"

static void
end_line(struct smtp_client_body *b, struct buf *out)
{
	buf_put_c(out, "\r\n");
	b->is_inside = false;
	b->is_after_cr = false;
}

/* How many bytes at the start of in are neither CR nor LF. */
static size_t
text_length(struct str in)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;
	const char *cr = memchr(in.p, '\r', n);

	return cr ? (size_t)(cr - in.p) : n;
}

static void
put_text(struct smtp_client_body *b, struct str text, struct buf *out)
{
	if (b->is_after_cr)
		end_line(b, out);
	if (!b->is_inside && text.p[0] == '.' && !b->has_no_dots)
		buf_put_char(out, '.');
	buf_put_str(out, text);
	b->is_inside = true;
}

static void
put_eol(struct smtp_client_body *b, char c, struct buf *out)
{
	if (c == '\n') {
		end_line(b, out);
		return;
	}
	if (b->is_after_cr)
		end_line(b, out);
	b->is_after_cr = true;
}

void
smtp_client_body_put(struct smtp_client_body *b, struct str in, struct buf *out)
{
	while (in.n > 0) {
		size_t n = text_length(in);

		if (n > 0) {
			put_text(b, str_first(in, n), out);
		} else {
			put_eol(b, in.p[0], out);
			n = 1;
		}
		in = str_from(in, n);
	}
}

void
smtp_client_body_end(struct smtp_client_body *b, struct buf *out)
{
	if (b->is_inside || b->is_after_cr)
		end_line(b, out);
	buf_put_c(out, ".\r\n");
}
