/* SPDX-License-Identifier: ISC */
/*
 * mime_charset.c - charsets to UTF-8. See mime_charset.h.
 *
 * Nearly all mail is UTF-8 or calls itself ASCII; that is checked and copied
 * here, eight bytes at a time. The rest goes through ICU, by way of UTF-16.
 */
#include "proto/mime/mime_charset.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#define REPLACEMENT "\xEF\xBF\xBD"

struct mime_charset {
	UConverter *icu; /* NULL: UTF-8, or guessed */
	bool is_guessed; /* what is not UTF-8 is windows-1252 */
	uint32_t high;   /* ICU: a high surrogate waits for its other half */
	unsigned n_held; /* UTF-8: bytes of a character not yet complete */
	unsigned char held[4];
};

/* What 0x80 to 0x9F are in windows-1252; the unused ones stay controls. */
static const uint16_t cp1252[32] = { 0x20AC, 0x81, 0x201A, 0x0192, 0x201E,
	0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
	0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013,
	0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178 };

/*
 * Labels that do not mean what they say: senders use them for the larger
 * charset that contains the one they name (as the WHATWG's list has it).
 */
static const struct {
	const char *label;
	const char *meant; /* NULL: guess; "": UTF-8 */
} labels[] = {
	{ "", NULL },
	{ "us-ascii", NULL },
	{ "ascii", NULL },
	{ "ansi_x3.4-1968", NULL },
	{ "unknown-8bit", NULL },
	{ "utf-8", "" },
	{ "utf8", "" },
	{ "unicode-1-1-utf-8", "" },
	{ "iso-8859-1", "windows-1252" },
	{ "iso8859-1", "windows-1252" },
	{ "latin1", "windows-1252" },
	{ "iso-8859-8-i", "iso-8859-8" },
	{ "iso-8859-9", "windows-1254" },
	{ "gb2312", "gb18030" },
	{ "gb_2312-80", "gb18030" },
	{ "gbk", "gb18030" },
	{ "ks_c_5601-1987", "windows-949" },
	{ "euc-kr", "windows-949" },
	{ "tis-620", "windows-874" },
};

/*
 * The name ICU knows the charset by, in name[MIME_CHARSET_NAME_MAX + 1].
 * False: guess. An empty name is UTF-8. Only what is an alias in ICU's own
 * table is opened, for ICU looks for a file of any other name.
 */
static bool
resolve(struct str label, char *name)
{
	UErrorCode err = U_ZERO_ERROR;

	label = str_trim(label);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		if (!str_eq_case(label, str_c(labels[i].label)))
			continue;
		if (!labels[i].meant)
			return false;
		memcpy(name, labels[i].meant, strlen(labels[i].meant) + 1);
		return true;
	}
	if (label.n > MIME_CHARSET_NAME_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		/* A comma would begin options of ICU's. */
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '_' && c != '.' && c != ':')
			return false;
		name[i] = c;
	}
	name[label.n] = '\0';
	return ucnv_countAliases(name, &err) > 0 && U_SUCCESS(err);
}

bool
mime_charset_is_known(struct str name)
{
	char icu_name[MIME_CHARSET_NAME_MAX + 1];

	name = str_trim(name);
	return resolve(name, icu_name) || str_eq_case(name, STR("us-ascii"));
}

/* Of one byte a character, the lower half of which is ASCII. */
static const struct str families[] = {
	{ "iso-8859-", 9 },
	{ "windows-125", 11 },
	{ "koi8-", 5 },
};

bool
mime_charset_is_ascii_based(struct str name)
{
	char icu_name[MIME_CHARSET_NAME_MAX + 1];

	if (!resolve(name, icu_name) || !*icu_name)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (str_starts_case(str_c(icu_name), families[i]))
			return true;
	return false;
}

struct mime_charset *
mime_charset_open(struct str name)
{
	struct mime_charset *cs = X_NEW(struct mime_charset);
	char icu_name[MIME_CHARSET_NAME_MAX + 1];
	UErrorCode err = U_ZERO_ERROR;

	if (!resolve(name, icu_name)) {
		cs->is_guessed = true;
	} else if (*icu_name) {
		cs->icu = ucnv_open(icu_name, &err);
		cs->is_guessed = U_FAILURE(err);
	}
	return cs;
}

void
mime_charset_close(struct mime_charset *cs)
{
	if (cs && cs->icu)
		ucnv_close(cs->icu);
	free(cs);
}

void
mime_charset_closep(struct mime_charset **cs)
{
	mime_charset_close(*cs);
}

/* --- UTF-8 ---------------------------------------------------------------- */

static void
put_char(struct buf *out, uint32_t c)
{
	uint8_t to[U8_MAX_LENGTH];
	size_t n = 0;

	if (c == 0 || U_IS_SURROGATE(c) || c > 0x10FFFF)
		c = 0xFFFD;
	U8_APPEND_UNSAFE(to, n, c);
	buf_put(out, to, n);
}

/* A byte that is no UTF-8. */
static void
put_bad(const struct mime_charset *cs, unsigned char c, struct buf *out)
{
	if (!cs->is_guessed || c == 0)
		buf_put_c(out, REPLACEMENT);
	else
		put_char(out, c >= 0x80 && c < 0xA0 ? cp1252[c - 0x80] : c);
}

enum sequence { SEQ_GOOD, SEQ_BAD, SEQ_CUT };

/* What begins at p; *ret_n is its length when it is good. RFC 3629. */
static enum sequence
sequence_at(const unsigned char *p, size_t n, size_t *ret_n)
{
	unsigned char c = p[0], low = 0x80, high = 0xBF;
	size_t len;

	if (c < 0xC2 || c > 0xF4)
		return SEQ_BAD;
	len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
	if (c == 0xE0)
		low = 0xA0;
	else if (c == 0xED)
		high = 0x9F;
	else if (c == 0xF0)
		low = 0x90;
	else if (c == 0xF4)
		high = 0x8F;
	for (size_t i = 1; i < len; i++) {
		if (i >= n)
			return SEQ_CUT;
		if (p[i] < low || p[i] > high)
			return SEQ_BAD;
		low = 0x80;
		high = 0xBF;
	}
	*ret_n = len;
	return SEQ_GOOD;
}

/* How many bytes at the start are ASCII and not NUL. */
static size_t
plain_length(const unsigned char *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if ((w | ((w - UINT64_C(0x0101010101010101)) & ~w)) &
		    UINT64_C(0x8080808080808080))
			break;
	}
	while (i < n && p[i] && p[i] < 0x80)
		i++;
	return i;
}

/* Finish the character that an earlier piece began; answers bytes used. */
static size_t
feed_held(struct mime_charset *cs, struct str in, struct buf *out)
{
	size_t used = 0, n;

	while (cs->n_held) {
		enum sequence s = sequence_at(cs->held, cs->n_held, &n);

		if (s == SEQ_GOOD) {
			buf_put(out, cs->held, n);
			cs->n_held = 0;
		} else if (s == SEQ_BAD) {
			put_bad(cs, cs->held[0], out);
			cs->n_held--;
			memmove(cs->held, cs->held + 1, cs->n_held);
			/* What is left may be plain ASCII. */
			if (cs->n_held && cs->held[0] < 0x80) {
				put_char(out, cs->held[0]);
				cs->n_held--;
				ASSERT(cs->n_held == 0);
			}
		} else if (used < in.n) {
			cs->held[cs->n_held++] = (unsigned char)in.p[used++];
		} else {
			break;
		}
	}
	return used;
}

static void
feed_utf8(struct mime_charset *cs, struct str in, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t i = feed_held(cs, in, out), n = 0;

	while (i < in.n) {
		size_t plain = plain_length(p + i, in.n - i);

		buf_put(out, p + i, plain);
		i += plain;
		if (i == in.n)
			break;
		switch (sequence_at(p + i, in.n - i, &n)) {
		case SEQ_GOOD:
			buf_put(out, p + i, n);
			i += n;
			break;
		case SEQ_BAD:
			put_bad(cs, p[i++], out);
			break;
		case SEQ_CUT:
			cs->n_held = (unsigned)(in.n - i);
			memcpy(cs->held, p + i, cs->n_held);
			return;
		}
	}
}

/* The end of the text: what is held is no character. */
static void
flush_utf8(struct mime_charset *cs, struct buf *out)
{
	for (unsigned i = 0; i < cs->n_held; i++)
		put_bad(cs, cs->held[i], out);
	cs->n_held = 0;
}

/* --- ICU -------------------------------------------------------------------- */

static void
put_utf16(struct mime_charset *cs, const UChar *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = p[i];

		if (cs->high && U16_IS_TRAIL(c)) {
			put_char(
			    out, (uint32_t)U16_GET_SUPPLEMENTARY(cs->high, c));
			cs->high = 0;
			continue;
		}
		if (cs->high)
			buf_put_c(out, REPLACEMENT);
		cs->high = U16_IS_LEAD(c) ? c : 0;
		if (!cs->high)
			put_char(out, c);
	}
}

static void
feed_icu(struct mime_charset *cs, struct str in, bool last, struct buf *out)
{
	const char *p = in.p ? in.p : "", *end = p + in.n;
	UErrorCode err;

	do {
		UChar piece[512], *to = piece;

		err = U_ZERO_ERROR;
		ucnv_toUnicode(cs->icu, &to, piece + ARRAY_LEN(piece), &p, end,
		    NULL, last, &err);
		put_utf16(cs, piece, (size_t)(to - piece), out);
	} while (err == U_BUFFER_OVERFLOW_ERROR && !out->failed);

	if (last || U_FAILURE(err)) {
		if (cs->high)
			buf_put_c(out, REPLACEMENT);
		cs->high = 0;
		ucnv_reset(cs->icu);
	}
}

void
mime_charset_feed(
    struct mime_charset *cs, struct str in, bool last, struct buf *out)
{
	if (cs->icu) {
		feed_icu(cs, in, last, out);
		return;
	}
	feed_utf8(cs, in, out);
	if (last)
		flush_utf8(cs, out);
}

void
mime_charset_to_utf8(struct str name, struct str in, struct buf *out)
{
	CLEANUP(mime_charset_closep)
	struct mime_charset *cs = mime_charset_open(name);

	mime_charset_feed(cs, in, true, out);
}

/* --- folding ------------------------------------------------------------------ */

/* Lower the ASCII at the start of in into out; answers how much it was. */
static size_t
fold_plain(struct str in, struct buf *out)
{
	size_t n = 0;
	char *to;

	while (n < in.n && (unsigned char)in.p[n] < 0x80)
		n++;
	to = buf_reserve(out, n);
	if (!to)
		return n;
	for (size_t i = 0; i < n; i++)
		to[i] = ascii_lower(in.p[i]);
	out->n += n;
	return n;
}

void
mime_charset_fold(struct str utf8, struct buf *out)
{
	while (utf8.n) {
		const unsigned char *p;
		size_t n = 1, at = 0;
		uint32_t c = 0xFFFD;

		utf8 = str_from(utf8, fold_plain(utf8, out));
		if (utf8.n == 0)
			break;
		p = (const unsigned char *)utf8.p;
		if (sequence_at(p, utf8.n, &n) == SEQ_GOOD)
			U8_NEXT_UNSAFE(p, at, c);
		put_char(
		    out, (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT));
		utf8 = str_from(utf8, n);
	}
}
