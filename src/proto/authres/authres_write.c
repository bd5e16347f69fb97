/* SPDX-License-Identifier: ISC */
/*
 * authres_write.c - write Authentication-Results fields, folded.
 */
#include "proto/authres/authres.h"

#define LINE_MAX_ 76
#define FOLD      "\r\n\t"

/* token of RFC 2045 section 5.1: no controls, blanks or specials. */
static bool
is_token(char c)
{
	return (unsigned char)c > ' ' && (unsigned char)c < 0x7f &&
	       !strchr("()<>@,;:\\\"/[]?=", c);
}

/* A token, or an address of tokens: it stands without quotes. */
static bool
is_plain(struct str s)
{
	bool has_at = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '@' && !has_at && i + 1 < s.n)
			has_at = true;
		else if (!is_token(s.p[i]))
			return false;
	}
	return s.n > 0;
}

/* Cut at the limit, but not inside of a character. */
static struct str
cut(struct str s)
{
	size_t n = AUTHRES_VALUE_MAX;

	if (s.n <= n)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_first(s, n);
}

/*
 * The text with its specials escaped. Controls become "?", and so does all
 * that is not ASCII when it is no UTF-8 (RFC 6532 allows that alone).
 */
static void
put_escaped(struct buf *to, struct str s, const char *specials)
{
	bool is_utf8 = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || (c >= 0x80 && !is_utf8)) {
			buf_put_char(to, '?');
			continue;
		}
		if (strchr(specials, (int)c))
			buf_put_char(to, '\\');
		buf_put_char(to, s.p[i]);
	}
}

static void
put_value(struct buf *to, struct str s)
{
	s = cut(s);
	if (is_plain(s)) {
		buf_put_str(to, s);
		return;
	}
	buf_put_char(to, '"');
	put_escaped(to, s, "\\\"");
	buf_put_char(to, '"');
}

/* Add text behind a blank, or on a new line when it does not fit. */
static void
add(struct authres_writer *w, struct buf *text)
{
	if (text->failed)
		w->to->failed = true;
	if (w->column + 1 + text->n > LINE_MAX_) {
		buf_put_c(w->to, FOLD);
		w->column = 8;
	} else {
		buf_put_char(w->to, ' ');
		w->column++;
	}
	buf_put_str(w->to, buf_str(text));
	w->column += text->n;
	buf_done(text);
}

/* Room for a value whose every byte is escaped, and what stands around. */
#define TEXT_INIT BUF_INIT(2 * AUTHRES_VALUE_MAX + 256)

void
authres_write_start(
    struct authres_writer *w, const char *name, struct str id, struct buf *to)
{
	struct buf text = TEXT_INIT;

	*w = (struct authres_writer){ .to = to };
	buf_put_c(to, name);
	buf_put_char(to, ':');
	w->column = strlen(name) + 1;
	put_value(&text, id);
	add(w, &text);
}

void
authres_write_result(struct authres_writer *w, const char *method,
    const char *result, const char *reason)
{
	struct buf text = TEXT_INIT;

	buf_put_c(w->to, ";" FOLD);
	buf_printf(w->to, "%s=%s", method, result);
	w->column = 8 + strlen(method) + 1 + strlen(result);
	w->has_result = true;
	if (!reason)
		return;
	buf_put_c(&text, "reason=");
	put_value(&text, str_c(reason));
	add(w, &text);
}

void
authres_write_prop(struct authres_writer *w, const char *type, const char *name,
    struct str value)
{
	struct buf text = TEXT_INIT;

	if (value.n == 0)
		return;
	buf_printf(&text, "%s.%s=", type, name);
	put_value(&text, value);
	add(w, &text);
}

void
authres_write_comment(struct authres_writer *w, struct str comment)
{
	struct buf text = TEXT_INIT;

	buf_put_char(&text, '(');
	put_escaped(&text, cut(comment), "()\\");
	buf_put_char(&text, ')');
	add(w, &text);
}

void
authres_write_finish(struct authres_writer *w)
{
	if (!w->has_result)
		buf_put_c(w->to, "; none");
	buf_put_c(w->to, "\r\n");
}
