/* SPDX-License-Identifier: ISC */
/*
 * imap_write.c - pieces of server responses. See imap_write.h.
 */
#include "proto/imap/imap_write.h"

#include "proto/imap/imap_utf7.h"

bool
imap_is_atom_char(char c)
{
	/* atom-specials and controls; 8-bit bytes are no CHAR either. */
	return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\]", c);
}

bool
imap_is_astring_char(char c)
{
	return c == ']' || imap_is_atom_char(c);
}

static const char *
word_name(enum imap_status_word word)
{
	switch (word) {
	case IMAP_OK:
		return "OK";
	case IMAP_NO:
		return "NO";
	case IMAP_BAD:
		return "BAD";
	case IMAP_BYE:
		return "BYE";
	case IMAP_PREAUTH:
		return "PREAUTH";
	}
	return "BAD";
}

/* Text of a reply: what could end the line or the code becomes "?". */
static void
put_safe(struct buf *b, struct str s, bool is_code)
{
	char *to = buf_reserve(b, s.n);

	if (!to)
		return;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_safe = c >= 0x20 && c < 0x7f && !(is_code && c == ']');

		to[i] = is_safe ? c : '?';
	}
	b->n += s.n;
}

void
imap_put_status(struct buf *b, struct str tag, enum imap_status_word word,
    struct str code, struct str text)
{
	buf_put_str(b, tag.n ? tag : STR("*"));
	buf_put_char(b, ' ');
	buf_put_c(b, word_name(word));
	buf_put_char(b, ' ');
	if (code.n) {
		buf_put_char(b, '[');
		put_safe(b, code, true);
		buf_put_c(b, "] ");
	}
	/* RFC 3501 9, resp-text: at least one character. */
	put_safe(b, text.n ? text : STR("-"), false);
	buf_put_c(b, "\r\n");
}

void
imap_put_reply(struct buf *b, struct str tag, struct imap_reply reply)
{
	imap_put_status(
	    b, tag, reply.word, str_c(reply.code), str_c(reply.text));
}

/* Write v at p; returns what follows it. 20 bytes are always enough. */
static char *
write_number(char *p, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits), n;

	while (v >= 10) {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	}
	digits[--at] = (char)('0' + v);
	n = sizeof(digits) - at;
	memcpy(p, digits + at, n);
	return p + n;
}

static char *
write_text(char *p, struct str s)
{
	memcpy(p, s.p, s.n);
	return p + s.n;
}

void
imap_put_number(struct buf *b, uint64_t v)
{
	char text[20];

	buf_put(b, text, (size_t)(write_number(text, v) - text));
}

void
imap_put_fetch_open(struct buf *b, uint32_t seq)
{
	char text[32], *p = text;

	p = write_text(p, STR("* "));
	p = write_number(p, seq);
	p = write_text(p, STR(" FETCH ("));
	buf_put(b, text, (size_t)(p - text));
}

void
imap_put_fetch_flags(struct buf *b, uint32_t seq, uint32_t uid,
    const struct imap_flags *flags, bool is_recent)
{
	unsigned bits = flags->bits & IMAP_FLAGS_STORED;
	char text[64], *p = text;

	p = write_text(p, STR("* "));
	p = write_number(p, seq);
	p = write_text(p, STR(" FETCH (UID "));
	p = write_number(p, uid);
	p = write_text(p, STR(" FLAGS ("));
	buf_put(b, text, (size_t)(p - text));
	imap_put_flags(b, is_recent ? bits | IMAP_FLAG_RECENT : bits,
	    flags->keywords, flags->n_keywords);
	buf_put(b, "))\r\n", 4);
}

void
imap_put_literal(struct buf *b, uint64_t n, bool is_binary)
{
	buf_put_c(b, is_binary ? "~{" : "{");
	imap_put_number(b, n);
	buf_put_c(b, "}\r\n");
}

static bool
can_be_quoted(struct str s)
{
	if (s.n > IMAP_MAX_QUOTED)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c >= 0x7f)
			return false;
	}
	return true;
}

static void
put_quoted(struct buf *b, struct str s)
{
	char *to = buf_reserve(b, 2 * s.n + 2), *p = to;

	if (!to)
		return;
	*p++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			*p++ = '\\';
		*p++ = s.p[i];
	}
	*p++ = '"';
	b->n += (size_t)(p - to);
}

static void
put_as_literal(struct buf *b, struct str s)
{
	char *to;

	imap_put_literal(b, s.n, false);
	to = buf_reserve(b, s.n);
	if (!to)
		return;
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] ? s.p[i] : (char)0x80;
	b->n += s.n;
}

void
imap_put_string(struct buf *b, struct str s)
{
	if (can_be_quoted(s))
		put_quoted(b, s);
	else
		put_as_literal(b, s);
}

void
imap_put_nstring(struct buf *b, struct str s)
{
	if (s.p)
		imap_put_string(b, s);
	else
		buf_put_c(b, "NIL");
}

void
imap_put_astring(struct buf *b, struct str s)
{
	bool is_atom =
	    s.n > 0 && s.n <= IMAP_MAX_QUOTED && !str_eq_case(s, STR("NIL"));

	for (size_t i = 0; is_atom && i < s.n; i++)
		is_atom = imap_is_astring_char(s.p[i]);
	if (is_atom)
		buf_put_str(b, s);
	else
		imap_put_string(b, s);
}

/* Names that are the same in modified UTF-7 and in UTF-8. */
static bool
is_plain_name(struct str name)
{
	return str_is_ascii(name) && str_find(name, '&') < 0;
}

/* UTF-8 in quotes is what UTF8=ACCEPT is for (RFC 6855 3). */
static void
put_utf8_name(struct buf *b, struct str name)
{
	bool has_control = false;

	for (size_t i = 0; i < name.n; i++)
		has_control |= (unsigned char)name.p[i] < 0x20;
	if (has_control)
		put_as_literal(b, name);
	else
		put_quoted(b, name);
}

void
imap_put_mailbox(struct buf *b, struct str name, bool utf8_names)
{
	/* A byte becomes three at most, or two digits and "&" and "-". */
	struct buf wire = BUF_INIT(8 * name.n + 16);

	if (str_is_ascii(name) && (utf8_names || is_plain_name(name))) {
		imap_put_astring(b, name);
		return;
	}
	ASSERT(str_is_utf8(name));
	if (utf8_names) {
		put_utf8_name(b, name);
		return;
	}
	ASSERT(imap_utf7_encode(&wire, name));
	imap_put_astring(b, buf_str(&wire));
	buf_done(&wire);
}
