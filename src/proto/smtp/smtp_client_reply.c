/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_reply.c - replies of another server. See smtp_client_reply.h.
 */
#include "proto/smtp/smtp_client_reply.h"

void
smtp_client_reader_init(struct smtp_client_reader *r)
{
	*r = (struct smtp_client_reader){
		/* The CR of a line is held, too. */
		.line = BUF_INIT(SMTP_CLIENT_LINE_MAX + 1),
		.text = BUF_INIT(SMTP_REPLY_TEXT_MAX),
	};
}

void
smtp_client_reader_done(struct smtp_client_reader *r)
{
	buf_done(&r->line);
	buf_done(&r->text);
	smtp_client_reader_init(r);
}

void
smtp_client_reader_reset(struct smtp_client_reader *r)
{
	buf_reset(&r->line, SMTP_REPLY_LINE_MAX);
	buf_reset(&r->text, SMTP_REPLY_LINE_MAX);
	r->lines = 0;
	r->code = 0;
	r->is_done = false;
}

static bool
is_digit_up_to(char c, char max)
{
	return ascii_is_digit(c) && c <= max;
}

/* "250", "250 text" or "250-text". */
static bool
is_reply_line(struct str line)
{
	return line.n >= 3 && line.p[0] >= '2' &&
	       is_digit_up_to(line.p[0], '5') && ascii_is_digit(line.p[1]) &&
	       ascii_is_digit(line.p[2]) &&
	       (line.n == 3 || line.p[3] == ' ' || line.p[3] == '-');
}

/* The line as the text of an error, as far as it fits. */
static enum smtp_reply_step
bad_line(struct smtp_client_reader *r, struct str line)
{
	buf_reset(&r->text, SMTP_REPLY_LINE_MAX);
	buf_put_str(&r->text, str_first(line, SMTP_REPLY_LINE_MAX));
	return SMTP_REPLY_BAD;
}

static enum smtp_reply_step
read_line(struct smtp_client_reader *r, struct str line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > SMTP_CLIENT_LINE_MAX)
		return SMTP_REPLY_LONG;
	if (!is_reply_line(line))
		return bad_line(r, line);
	if (r->lines == SMTP_REPLY_LINES_MAX)
		return SMTP_REPLY_LONG;
	if (r->lines > 0)
		buf_put_char(&r->text, '\n');
	buf_put_str(&r->text, str_from(line, 4));
	if (r->text.failed)
		return SMTP_REPLY_LONG;
	r->lines++;
	r->code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
	          (line.p[2] - '0');
	return line.n > 3 && line.p[3] == '-' ? SMTP_REPLY_MORE
	                                      : SMTP_REPLY_DONE;
}

enum smtp_reply_step
smtp_client_reader_feed(struct smtp_client_reader *r, struct str *in)
{
	enum smtp_reply_step step = SMTP_REPLY_MORE;

	if (r->is_done)
		smtp_client_reader_reset(r);
	while (in->n > 0 && step == SMTP_REPLY_MORE) {
		ptrdiff_t lf = str_find(*in, '\n');
		size_t n = lf < 0 ? in->n : (size_t)lf;

		buf_put_str(&r->line, str_first(*in, n));
		if (r->line.failed)
			return SMTP_REPLY_LONG;
		*in = str_from(*in, n + 1);
		if (lf < 0)
			return SMTP_REPLY_MORE;
		step = read_line(r, buf_str(&r->line));
		buf_reset(&r->line, SMTP_REPLY_LINE_MAX);
	}
	r->is_done = step != SMTP_REPLY_MORE;
	return step;
}
