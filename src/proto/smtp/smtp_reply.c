/* SPDX-License-Identifier: ISC */
/*
 * smtp_reply.c - replies of a server. See smtp_reply.h.
 */
#include "proto/smtp/smtp_reply.h"

static bool
may_stay(char c, bool is_utf8)
{
	return (c >= ' ' && c <= '~') || ((unsigned char)c >= 0x80 && is_utf8);
}

/* What goes before the text of every line but for the code: "5.7.1 ". */
static size_t
prefix_len(const char *esc)
{
	return strlen("250-") + (esc ? strlen(esc) + 1 : 0);
}

static void
put_line(
    struct buf *to, int code, const char *esc, struct str text, bool is_last)
{
	buf_printf(to, "%03d%c", code, is_last ? ' ' : '-');
	if (esc) {
		buf_put_c(to, esc);
		buf_put_char(to, ' ');
	}
	buf_put_str(to, text);
	buf_put_c(to, "\r\n");
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* How much of text, which is without '\n', goes on a line of max bytes. */
static size_t
fit(struct str text, size_t max)
{
	ptrdiff_t space;

	if (text.n <= max)
		return text.n;
	space = str_rfind(str_first(text, max + 1), ' ');
	if (space >= 0 && (size_t)space >= max / 2)
		return (size_t)space;
	/* No character is torn apart. */
	while (max > 1 && is_continuation(text.p[max]))
		max--;
	return max;
}

/* Text with everything that must not be sent replaced. */
static void
put_clean(struct buf *to, struct str text, bool is_utf8)
{
	is_utf8 = is_utf8 && str_is_utf8(text);
	for (size_t i = 0; i < text.n; i++) {
		bool ok = text.p[i] == '\n' || may_stay(text.p[i], is_utf8);

		buf_put_char(to, ok ? text.p[i] : '?');
	}
}

static void
put_lines(struct buf *to, const struct smtp_reply *reply, struct str text)
{
	size_t max = SMTP_REPLY_LINE_MAX - 2 - prefix_len(reply->esc);

	for (;;) {
		struct str line, rest = str_split(text, '\n', &line);
		size_t n = fit(line, max);

		if (n < line.n) {
			rest = str_from(text, n);
			if (rest.p[0] == ' ')
				rest = str_from(rest, 1);
		}
		put_line(
		    to, reply->code, reply->esc, str_first(line, n), !rest.p);
		if (!rest.p)
			return;
		text = rest;
	}
}

void
smtp_reply_format(struct buf *to, const struct smtp_reply *reply)
{
	struct str text = str_c(reply->text);
	struct buf clean = BUF_INIT(text.n);

	ASSERT(reply->code >= 200 && reply->code <= 599);
	ASSERT(!reply->esc || strlen(reply->esc) <= strlen("5.999.999"));
	put_clean(&clean, text, reply->is_utf8);
	put_lines(to, reply, buf_str(&clean));
	buf_done(&clean);
}

void
smtp_reply_format_ehlo(
    struct buf *to, const char *greeting, const char *const *keywords, size_t n)
{
	put_line(to, 250, NULL, str_c(greeting), n == 0);
	for (size_t i = 0; i < n; i++)
		put_line(to, 250, NULL, str_c(keywords[i]), i == n - 1);
}

/* One to three digits without a leading zero, as RFC 3463 section 2 wants. */
static bool
status_number(struct str s, uint16_t *ret)
{
	uint32_t v;

	if ((s.n > 1 && s.p[0] == '0') || !str_to_u32(s, 999, &v))
		return false;
	*ret = (uint16_t)v;
	return true;
}

bool
smtp_status_parse(
    struct str text, int code, struct smtp_status *ret, struct str *ret_rest)
{
	struct smtp_status status = { 0 };
	struct str word, class, subject, detail, rest;
	uint16_t n = 0;

	rest = str_split(text, ' ', &word);
	detail = str_split(str_split(word, '.', &class), '.', &subject);
	if (!status_number(class, &n) || n != code / 100 ||
	    !status_number(subject, &status.subject) ||
	    !status_number(detail, &status.detail))
		return false;
	status.class = (uint8_t)n;
	*ret = status;
	*ret_rest = rest;
	return true;
}

void
smtp_reply_reader_init(struct smtp_reply_reader *r)
{
	*r = (struct smtp_reply_reader){
		.text = BUF_INIT(SMTP_REPLY_TEXT_MAX),
	};
}

void
smtp_reply_reader_done(struct smtp_reply_reader *r)
{
	buf_done(&r->text);
	smtp_reply_reader_init(r);
}

void
smtp_reply_reader_reset(struct smtp_reply_reader *r)
{
	buf_reset(&r->text, SMTP_REPLY_LINE_MAX);
	r->code = 0;
	r->lines = 0;
}

/*
 * The second and third digit of real servers leave the ranges that RFC 5321
 * section 4.2 gives, so only the first is checked.
 */
static bool
reply_code(struct str line, int *ret)
{
	uint32_t code;

	if (!str_to_u32(str_first(line, 3), 599, &code) || line.n < 3 ||
	    code < 200)
		return false;
	*ret = (int)code;
	return true;
}

enum smtp_reply_step
smtp_reply_reader_line(struct smtp_reply_reader *r, struct str line)
{
	bool is_last = line.n <= 3 || line.p[3] == ' ';
	int code;

	if (!reply_code(line, &code) || (!is_last && line.p[3] != '-') ||
	    (r->lines > 0 && code != r->code))
		return SMTP_REPLY_BAD;
	if (r->lines == SMTP_REPLY_LINES_MAX)
		return SMTP_REPLY_LONG;
	if (r->lines > 0)
		buf_put_char(&r->text, '\n');
	buf_put_str(&r->text, str_from(line, 4));
	if (r->text.failed)
		return SMTP_REPLY_LONG;
	r->code = code;
	r->lines++;
	return is_last ? SMTP_REPLY_DONE : SMTP_REPLY_MORE;
}
