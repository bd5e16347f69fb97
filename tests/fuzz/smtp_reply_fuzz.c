/* SPDX-License-Identifier: ISC */
/*
 * LINK: smtp
 *
 * Properties: any text becomes lines within the limit, which the reader takes
 * for one reply with the same code and, spaces at splits aside, the same
 * text; a hostile server's lines never pass the reader's limits.
 */
#include "base/line.h"
#include "proto/smtp/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes that writing and reading must not change. */
static void
put_solid(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\n')
			buf_put_char(to, s.p[i]);
}

static enum smtp_reply_step
read_reply(struct smtp_reply_reader *r, struct str in, size_t *ret_used)
{
	struct line_framer f = { .max = SMTP_REPLY_LINE_MAX - 2 };
	enum smtp_reply_step step = SMTP_REPLY_MORE;
	size_t used;
	struct str line;

	*ret_used = 0;
	while (step == SMTP_REPLY_MORE) {
		if (line_framer_next(
			&f, str_from(in, *ret_used), &line, &used) != LINE_OK)
			return SMTP_REPLY_MORE;
		*ret_used += used;
		step = smtp_reply_reader_line(r, line);
	}
	ASSERT(r->lines <= SMTP_REPLY_LINES_MAX);
	ASSERT(r->text.n <= SMTP_REPLY_TEXT_MAX);
	return step;
}

static void
check_round_trip(struct str in, bool is_utf8)
{
	char *text = str_dup(str_first(in, KIB(8)));
	struct smtp_reply reply = { 550, NULL, text, is_utf8 };
	struct buf wire = BUF_INIT(MIB(1)), a = wire, b = wire;
	struct smtp_reply_reader r;
	size_t used;

	smtp_reply_format(&wire, &reply);
	smtp_reply_reader_init(&r);
	switch (read_reply(&r, buf_str(&wire), &used)) {
	case SMTP_REPLY_DONE:
		ASSERT(r.code == 550 && used == wire.n);
		put_solid(&a, str_c(text));
		put_solid(&b, buf_str(&r.text));
		ASSERT(a.n == b.n);
		if (is_utf8 && str_is_utf8(str_c(text)))
			ASSERT(str_is_utf8(buf_str(&r.text)));
		else
			ASSERT(str_is_ascii(buf_str(&r.text)));
		break;
	case SMTP_REPLY_LONG:
		break;
	case SMTP_REPLY_MORE:
	case SMTP_REPLY_BAD:
		die("our own reply is not one");
	}
	smtp_reply_reader_done(&r);
	buf_done(&wire);
	buf_done(&a);
	buf_done(&b);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1), rest;
	struct smtp_reply_reader r;
	struct smtp_status status;
	size_t used;

	smtp_reply_reader_init(&r);
	if (read_reply(&r, in, &used) == SMTP_REPLY_DONE) {
		ASSERT(r.code >= 200 && r.code <= 599);
		if (smtp_status_parse(buf_str(&r.text), r.code, &status, &rest))
			ASSERT(status.class == r.code / 100);
	}
	smtp_reply_reader_done(&r);
	check_round_trip(in, size && (data[0] & 1));
	return 0;
}
