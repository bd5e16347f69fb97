/* SPDX-License-Identifier: ISC */
/*
 * dsn_text.c - the words of reports. See dsn_text.h.
 */
#include "proto/dsn/dsn_text.h"

enum language {
#define LANGUAGE(code) LANGUAGE_##code,
#define TEXT(code, id, text)
#include "proto/dsn/dsn_text.def"
#undef LANGUAGE
#undef TEXT
	LANGUAGE_COUNT,
};
_Static_assert(LANGUAGE_COUNT <= DSN_LANGUAGES_MAX, "grow it");

static const char *const codes[] = {
#define LANGUAGE(code) #code,
#define TEXT(code, id, text)
#include "proto/dsn/dsn_text.def"
#undef LANGUAGE
#undef TEXT
};

static const char *const texts[LANGUAGE_COUNT][DSN_TEXT_COUNT] = {
#define LANGUAGE(code)
#define TEXT(code, id, text) [LANGUAGE_##code][DSN_TEXT_##id] = text,
#include "proto/dsn/dsn_text.def"
#undef LANGUAGE
#undef TEXT
};

int
dsn_language(struct str code)
{
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		struct str known = str_c(codes[i]);

		if (str_starts_case(code, known) &&
		    (code.n == known.n || code.p[known.n] == '-' ||
			code.p[known.n] == '_'))
			return i;
	}
	return LANGUAGE_en;
}

const char *
dsn_language_code(int language)
{
	return language < LANGUAGE_COUNT ? codes[language] : NULL;
}

const char *
dsn_text(int language, enum dsn_text id)
{
	const char *text = texts[language][id];

	return text ? text : texts[LANGUAGE_en][id];
}

static void
put_clean(struct buf *to, struct str s)
{
	bool is_utf8 = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool is_bad = c < ' ' || c == 0x7F || (c >= 0x80 && !is_utf8);

		buf_put_char(to, c == '\t' ? ' ' : is_bad ? '?' : s.p[i]);
	}
}

static void
put_blanks(struct buf *to, size_t n)
{
	while (n-- > 0)
		buf_put_char(to, ' ');
}

void
dsn_text_put_line(struct buf *to, struct str line, size_t indent)
{
	put_blanks(to, indent);
	put_clean(to, line);
	buf_put_c(to, "\r\n");
}

/* Characters, not bytes. */
static size_t
width(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

static void
put_wrapped(struct buf *to, struct str text, size_t indent)
{
	size_t column = 0;

	while (text.n > 0) {
		struct str word;

		text = str_split(text, ' ', &word);
		if (column > 0 && column + 1 + width(word) > DSN_LINE_WIDTH) {
			buf_put_c(to, "\r\n");
			column = 0;
		}
		if (column == 0)
			put_blanks(to, indent);
		else
			buf_put_char(to, ' ');
		column += (column ? 1 : indent) + width(word);
		buf_put_str(to, word);
	}
	buf_put_c(to, "\r\n");
}

void
dsn_text_put(struct buf *to, const char *text, struct str value, size_t indent)
{
	struct str in = str_c(text);
	ptrdiff_t at = str_search(in, STR("{}"));
	struct buf whole = BUF_INIT(in.n + value.n);

	if (at < 0) {
		buf_put_str(&whole, in);
	} else {
		buf_put_str(&whole, str_first(in, (size_t)at));
		put_clean(&whole, value);
		buf_put_str(&whole, str_from(in, (size_t)at + 2));
	}
	put_wrapped(to, buf_str(&whole), indent);
	buf_done(&whole);
}

static bool
is_plain(struct str text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		column = text.p[i] == '\n' ? 0 : column + 1;
		if (column > 900 || (unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* RFC 2045 section 6.7; a blank at the end of a line cannot stand. */
static bool
is_literal(struct str text, size_t i)
{
	char c = text.p[i];

	if (c == ' ')
		return i + 1 < text.n && text.p[i + 1] != '\r';
	return c > ' ' && c <= '~' && c != '=';
}

static void
put_quoted(struct buf *to, struct str text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\r' || text.p[i] == '\n') {
			buf_put_char(to, text.p[i]);
			column = 0;
			continue;
		}
		if (column > 72) {
			buf_put_c(to, "=\r\n");
			column = 0;
		}
		if (is_literal(text, i)) {
			buf_put_char(to, text.p[i]);
			column++;
		} else {
			buf_printf(to, "=%02X", (unsigned char)text.p[i]);
			column += 3;
		}
	}
}

void
dsn_text_put_part(struct buf *to, int language, struct str text)
{
	bool plain = is_plain(text);

	buf_printf(to,
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Language: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    codes[language], plain ? "7bit" : "quoted-printable");
	if (plain)
		buf_put_str(to, text);
	else
		put_quoted(to, text);
}

void
dsn_text_put_word(struct buf *to, const char *text)
{
	if (str_is_ascii(str_c(text))) {
		buf_put_c(to, text);
		return;
	}
	buf_put_c(to, "=?utf-8?Q?");
	for (; *text; text++) {
		if (*text == ' ')
			buf_put_char(to, '_');
		else if (ascii_is_alpha(*text) || ascii_is_digit(*text))
			buf_put_char(to, *text);
		else
			buf_printf(to, "=%02X", (unsigned char)*text);
	}
	buf_put_c(to, "?=");
}
