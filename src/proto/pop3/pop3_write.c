/* SPDX-License-Identifier: ISC */
/*
 * pop3_write.c - responses of a POP3 server. See pop3_write.h.
 */
#include "proto/pop3/pop3_write.h"

#define RESPONSE_LINE_MAX 512 /* RFC 2449 section 4, with CRLF */

void
pop3_writer_init(struct pop3_writer *w)
{
	*w = (struct pop3_writer){ 0 };
}

void
pop3_writer_init_top(struct pop3_writer *w, uint32_t lines)
{
	*w = (struct pop3_writer){ .is_top = true, .lines_left = lines };
}

bool
pop3_writer_is_full(const struct pop3_writer *w)
{
	return w->is_top && w->in_body && w->lines_left == 0;
}

static bool
is_after_cr(const struct pop3_writer *w)
{
	return w->state == POP3_WRITER_BLANK_CR ||
	       w->state == POP3_WRITER_TEXT_CR;
}

static void
line_ends(struct pop3_writer *w)
{
	if (w->in_body)
		w->lines_left -= w->is_top;
	else if (w->state == POP3_WRITER_BLANK_CR)
		w->in_body = true;
	w->state = POP3_WRITER_LINE_START;
}

/* Take one byte that is CR, or the first of its line, or behind a CR. */
static void
step(struct pop3_writer *w, char c)
{
	if (c == '\n')
		line_ends(w);
	else if (c == '\r')
		w->state = w->state == POP3_WRITER_LINE_START
		               ? POP3_WRITER_BLANK_CR
		               : POP3_WRITER_TEXT_CR;
	else
		w->state = POP3_WRITER_TEXT;
}

/* Bytes of text that hold neither CR nor LF nor a first dot. */
static size_t
scan_text(struct str in)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;

	/* Only the last CR can be half of a CRLF. */
	return n > 0 && in.p[n - 1] == '\r' ? n - 1 : n;
}

/* Whether something has to be put in before the byte c. */
static bool
needs_insertion(const struct pop3_writer *w, char c)
{
	if (c == '.')
		return w->state == POP3_WRITER_LINE_START && !w->is_stuffed;
	return c == '\n' && !is_after_cr(w);
}

/* What that is. The byte itself is left for the next step. */
static struct str
insertion(struct pop3_writer *w, char c)
{
	if (c == '.') {
		w->is_stuffed = true;
		return STR(".");
	}
	step(w, '\r');
	return STR("\r");
}

static size_t
take(struct pop3_writer *w, struct str in)
{
	size_t n = w->state == POP3_WRITER_TEXT ? scan_text(in) : 0;

	if (n > 0)
		return n;
	w->is_stuffed = false;
	step(w, in.p[0]);
	return 1;
}

bool
pop3_writer_next(struct pop3_writer *w, struct str *in, struct str *ret)
{
	const char *from = in->p;

	while (in->n > 0 && !pop3_writer_is_full(w)) {
		if (needs_insertion(w, in->p[0])) {
			if (in->p == from) {
				*ret = insertion(w, in->p[0]);
				return true;
			}
			break;
		}
		*in = str_from(*in, take(w, *in));
	}
	*ret = str_make(from, (size_t)(in->p - from));
	return ret->n > 0;
}

uint64_t
pop3_crlf_extra(struct str message)
{
	struct str rest = message;
	uint64_t extra = 0;
	ptrdiff_t lf;
	char before = '\0'; /* the byte in front of rest */

	while ((lf = str_find(rest, '\n')) >= 0) {
		if (lf > 0)
			before = rest.p[lf - 1];
		extra += before != '\r';
		before = '\n';
		rest = str_from(rest, (size_t)lf + 1);
	}
	return extra + (rest.n > 0 ? 2 : 0);
}

struct str
pop3_writer_end(struct pop3_writer *w)
{
	bool is_complete = w->state == POP3_WRITER_LINE_START;

	w->state = POP3_WRITER_LINE_START;
	return is_complete ? STR(".\r\n") : STR("\r\n.\r\n");
}

/* The line so far began at start. */
static void
put_rest(struct buf *to, size_t start, struct str text)
{
	size_t used = to->n - start;

	text = str_first(text, RESPONSE_LINE_MAX - 2 - used);
	for (size_t i = 0; i < text.n; i++) {
		bool ok = text.p[i] >= ' ' && text.p[i] <= '~';

		buf_put_char(to, ok ? text.p[i] : '?');
	}
	buf_put_c(to, "\r\n");
}

void
pop3_put_ok(struct buf *to, struct str text)
{
	size_t start = to->n;

	buf_put_c(to, text.n ? "+OK " : "+OK");
	put_rest(to, start, text);
}

void
pop3_put_err(struct buf *to, const char *code, struct str text)
{
	size_t start = to->n;

	ASSERT(!code || strlen(code) < 64);
	buf_put_c(to, "-ERR ");
	if (code)
		buf_printf(to, "[%s] ", code);
	put_rest(to, start, text);
}
