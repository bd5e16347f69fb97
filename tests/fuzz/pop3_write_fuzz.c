/* SPDX-License-Identifier: ISC */
/*
 * LINK: pop3
 *
 * Properties: a client that undoes the dot-stuffing has the message again
 * (with CRLF for each bare LF, and at the end); the response ends where it
 * should and nowhere before; no split of the message changes it; and TOP is
 * the start of RETR with as many lines as were asked for.
 */
#include "proto/pop3/pop3_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_split(struct pop3_writer *w, struct str in, size_t len, struct buf *to)
{
	struct str piece;

	for (size_t at = 0; at < in.n && !pop3_writer_is_full(w); at += len) {
		struct str part = str_sub(in, at, len);

		while (pop3_writer_next(w, &part, &piece))
			buf_put_str(to, piece);
		ASSERT(part.n == 0 || pop3_writer_is_full(w));
	}
	buf_put_str(to, pop3_writer_end(w));
	ASSERT(!to->failed);
}

/* The message as lines that all end with CRLF. */
static void
normalise(struct str in, struct buf *to)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			buf_put_char(to, '\r');
		buf_put_char(to, in.p[i]);
	}
	if (to->n && !str_ends(buf_str(to), STR("\r\n")))
		buf_put_c(to, "\r\n");
}

/* What a client makes of a response, which must not end too early. */
static void
undo(struct str wire, struct buf *to)
{
	while (wire.n > 0) {
		ptrdiff_t lf = str_find(wire, '\n');
		struct str line = str_first(wire, (size_t)lf + 1);

		ASSERT(lf >= 1 && wire.p[lf - 1] == '\r');
		wire = str_from(wire, line.n);
		if (str_eq(line, STR(".\r\n"))) {
			ASSERT(wire.n == 0);
			return;
		}
		buf_put_str(to, str_from(line, line.p[0] == '.'));
	}
	die("no end");
}

/* Header, blank line and so many lines of a normalised message. */
static struct str
top_of(struct str message, uint32_t lines)
{
	struct str rest = message;
	bool in_body = false;

	while (rest.n > 0 && (!in_body || lines > 0)) {
		size_t n = (size_t)str_find(rest, '\n') + 1;

		if (in_body)
			lines--;
		else
			in_body = n == 2;
		rest = str_from(rest, n);
	}
	return str_first(message, message.n - rest.n);
}

static void
check(struct str in, size_t len, const uint32_t *top)
{
	struct buf wire = BUF_INIT(MIB(4)), want = wire, got = wire;
	struct pop3_writer w;
	struct str expected;

	if (top)
		pop3_writer_init_top(&w, *top);
	else
		pop3_writer_init(&w);
	write_split(&w, in, len, &wire);
	normalise(in, &want);
	ASSERT(want.n == in.n + pop3_crlf_extra(in));
	undo(buf_str(&wire), &got);
	expected = top ? top_of(buf_str(&want), *top) : buf_str(&want);
	ASSERT(str_eq(buf_str(&got), expected));
	buf_done(&wire);
	buf_done(&want);
	buf_done(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 2);
	uint32_t lines = size ? data[0] % 16 : 0;
	size_t len = size > 1 ? 1u + data[1] % 32 : 1;

	check(in, MAX(in.n, (size_t)1), NULL);
	check(in, len, NULL);
	check(in, 1, NULL);
	check(in, len, &lines);
	check(in, 1, &lines);
	return 0;
}
