/* SPDX-License-Identifier: ISC */
/*
 * mime_word.c - encoded words of RFC 2047. See mime_word.h.
 *
 * Decoding goes through one converter for as long as words of one charset
 * follow each other: senders cut multi-byte characters between words.
 */
#include "proto/mime/mime_word.h"

#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_cte.h"
#include "proto/mime/mime_header.h"

/* RFC 2047 section 2 says 75; senders who do not fold write long ones. */
#define WORD_CHARSET_MAX 64
/* 75 less "=?UTF-8?B?" and "?=", in whole groups of 3 bytes. */
#define WORD_PAYLOAD 45

struct word {
	struct str charset; /* without the language of RFC 2231 */
	char encoding;      /* 'b' or 'q' */
	struct str text;
	size_t length; /* of the word */
};

struct decoder {
	struct mime_charset *cs; /* of the word before, or NULL */
	struct str charset;
	struct buf *out;
	bool has_no_end; /* no "?=" follows: looking again would be n^2 */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Is there a word at the start of s? */
static bool
word_at(struct decoder *d, struct str s, struct word *ret)
{
	struct str rest, charset, encoding;
	ptrdiff_t end;

	if (d->has_no_end || !str_starts(s, STR("=?")))
		return false;
	rest = str_from(s, 2);
	if (str_find(str_first(rest, WORD_CHARSET_MAX), '?') < 1)
		return false;
	rest = str_split(rest, '?', &charset);
	rest = str_split(rest, '?', &encoding);
	if (encoding.n != 1 || !rest.p || !strchr("bBqQ", encoding.p[0]))
		return false;
	end = str_search(rest, STR("?="));
	if (end < 0) {
		d->has_no_end = true;
		return false;
	}
	*ret = (struct word){
		.encoding = ascii_lower(encoding.p[0]),
		.text = str_first(rest, (size_t)end),
		.length = (size_t)(rest.p - s.p) + (size_t)end + 2,
	};
	str_split(charset, '*', &ret->charset);
	return true;
}

static void
close_word(struct decoder *d)
{
	if (d->cs)
		mime_charset_feed(d->cs, STR_NONE, true, d->out);
	mime_charset_close(d->cs);
	d->cs = NULL;
}

static void
put_raw(struct decoder *d, struct str text)
{
	close_word(d);
	if (str_is_ascii(text))
		buf_put_str(d->out, text);
	else
		mime_charset_to_utf8(STR_NONE, text, d->out);
}

/* Q is quoted-printable but for "_", and for line ends, which it has not. */
static void
decode_q(struct str text, struct buf *out)
{
	struct mime_cte_decoder cte;

	mime_cte_init(&cte, MIME_CTE_QP);
	while (text.n) {
		struct str piece;
		bool has_underscore = str_find(text, '_') >= 0;

		text = str_split(text, '_', &piece);
		mime_cte_feed(&cte, piece, out);
		mime_cte_finish(&cte, out);
		if (has_underscore)
			buf_put_char(out, ' ');
	}
}

/* Controls that would make more than one line of it become blanks. */
static void
flatten(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->n; i++)
		if (b->p[i] == '\r' || b->p[i] == '\n' || b->p[i] == '\0')
			b->p[i] = ' ';
}

static void
put_word(struct decoder *d, const struct word *w)
{
	struct buf bytes = BUF_INIT(w->text.n);
	size_t from = d->out->n;

	if (!d->cs || !str_eq_case(d->charset, w->charset)) {
		close_word(d);
		d->cs = mime_charset_open(w->charset);
		d->charset = w->charset;
	}
	if (w->encoding == 'q') {
		decode_q(w->text, &bytes);
	} else {
		struct mime_cte_decoder cte;

		mime_cte_init(&cte, MIME_CTE_BASE64);
		mime_cte_feed(&cte, w->text, &bytes);
		mime_cte_finish(&cte, &bytes);
	}
	mime_charset_feed(d->cs, buf_str(&bytes), false, d->out);
	flatten(d->out, from);
	buf_done(&bytes);
}

/* What stands before the next "=?" that may begin a word. */
static size_t
raw_length(struct str s)
{
	ptrdiff_t at = str_search(str_from(s, 1), STR("=?"));

	return at < 0 ? s.n : (size_t)at + 1;
}

static void
decode_line(struct str s, struct decoder *d)
{
	struct word w;

	while (s.n) {
		size_t blanks = 0;

		while (blanks < s.n && is_blank(s.p[blanks]))
			blanks++;
		/* Blanks between two words are the folding's, not the text's. */
		if (word_at(d, str_from(s, blanks), &w)) {
			if (blanks && !d->cs)
				put_raw(d, str_first(s, blanks));
			put_word(d, &w);
			s = str_from(s, blanks + w.length);
		} else {
			size_t n =
			    blanks < s.n
				? blanks + raw_length(str_from(s, blanks))
				: blanks;

			/* Leave the blanks before a word to the next turn. */
			while (
			    n > blanks + 1 && n < s.n && is_blank(s.p[n - 1]))
				n--;
			put_raw(d, str_first(s, n));
			s = str_from(s, n);
		}
	}
	close_word(d);
}

bool
mime_word_is_encoded(struct str value)
{
	return !str_is_ascii(value) || str_search(value, STR("=?")) >= 0;
}

void
mime_word_decode(struct str value, struct buf *out)
{
	struct buf line = BUF_INIT(value.n);
	struct decoder d = { .out = out };

	if (!mime_word_is_encoded(value)) {
		mime_header_unfold(value, out);
		return;
	}
	mime_header_unfold(value, &line);
	decode_line(buf_str(&line), &d);
	buf_done(&line);
}

/* --- encoding --------------------------------------------------------------- */

static bool
is_printable_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* As much of s as fits one word without cutting a character. */
static size_t
payload_length(struct str s)
{
	size_t n = WORD_PAYLOAD;

	if (s.n <= n)
		return s.n;
	while ((s.p[n] & 0xC0) == 0x80)
		n--;
	return n;
}

void
mime_word_encode(struct str utf8, struct buf *out)
{
	struct buf clean = BUF_INIT(utf8.n * 3 + 3);
	struct str rest;
	bool is_first = true;

	if (is_printable_ascii(utf8) && !mime_word_is_encoded(utf8) &&
	    str_trim(utf8).n == utf8.n) {
		buf_put_str(out, utf8);
		return;
	}
	mime_charset_to_utf8(STR("utf-8"), utf8, &clean);
	for (rest = buf_str(&clean); rest.n; is_first = false) {
		size_t n = payload_length(rest);

		buf_put_c(out, is_first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		mime_cte_encode_base64(str_first(rest, n), out);
		/* Without the line end of the encoder. */
		if (!out->failed)
			out->n -= 2;
		buf_put_c(out, "?=");
		rest = str_from(rest, n);
	}
	buf_done(&clean);
}
