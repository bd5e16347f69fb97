/* SPDX-License-Identifier: ISC */
/*
 * LINK: mailfile
 * mbox_fuzz.c - the messages of an mbox do not depend on how it was cut, and
 * what was read and is written again is read as the same messages.
 */
#include "proto/mailfile/mbox.h"

struct seen {
	struct buf all; /* every message, with what stands between them */
	struct buf again;
	struct buf one;
};

static void
on_begin(void *arg, const struct mbox_from *from)
{
	struct seen *s = arg;

	buf_printf(&s->all, "<%llu>", (unsigned long long)from->time);
	mbox_from_format(&(struct mbox_from){ .time = from->time }, &s->again);
	buf_reset(&s->one, MIB(8));
}

static void
on_data(void *arg, struct str bytes)
{
	struct seen *s = arg;

	buf_put_str(&s->all, bytes);
	buf_put_str(&s->one, bytes);
}

static void
on_end(void *arg)
{
	struct seen *s = arg;

	buf_put_c(&s->all, "</>");
	mbox_put_message(&s->again, buf_str(&s->one));
}

static const struct mbox_handlers handlers = { on_begin, on_data, on_end };

static void
read_all(struct seen *s, struct str in, size_t step, enum mbox_quoting q)
{
	struct mbox_reader r;

	*s = (struct seen){ BUF_INIT(MIB(8)), BUF_INIT(MIB(8)),
		BUF_INIT(MIB(8)) };
	mbox_reader_init(&r, q, &handlers, s);
	for (size_t i = 0; i < in.n; i += step)
		mbox_reader_feed(&r, str_sub(in, i, step));
	mbox_reader_finish(&r);
	if (r.line.cap > KIB(64))
		abort();
	mbox_reader_done(&r);
}

static void
seen_done(struct seen *s)
{
	buf_done(&s->all);
	buf_done(&s->again);
	buf_done(&s->one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	enum mbox_quoting q;
	struct seen whole, parts, again, third;

	if (size < 2)
		return 0;
	q = data[0] % 3;
	in = str_from(in, 1);
	read_all(&whole, in, size, q);
	read_all(&parts, in, 1 + data[1] % 7, q);
	if (!str_eq(buf_str(&whole.all), buf_str(&parts.all)))
		abort();
	/* Once it was written by us, it stays as it is. */
	read_all(&again, buf_str(&whole.again), 4096, MBOX_RD);
	read_all(&third, buf_str(&again.again), 4096, MBOX_RD);
	if (!str_eq(buf_str(&again.all), buf_str(&third.all)))
		abort();
	seen_done(&whole);
	seen_done(&parts);
	seen_done(&again);
	seen_done(&third);
	return 0;
}
