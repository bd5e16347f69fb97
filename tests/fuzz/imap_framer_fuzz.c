/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * The first byte chooses how literals are answered, the rest is a client's
 * stream. Properties: the same events however the stream is split (slices
 * joined), bounded memory, bounded commands, and progress.
 */
#include "proto/imap/imap_framer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imap_framer_limits limits = {
	.line = 80,
	.literal = 40,
	.literals = 4,
	.command = 200,
	.skip = 300,
	.non_sync = 100,
};

#define MEMORY_MAX 16384 /* what the framer keeps, rounded up by doubling */

enum policy {
	STREAM = 1,
	REJECT_ODD = 2,
	GIVE_UP = 4, /* reject behind a streamed literal */
};

static void
answer(struct imap_framer *f, const struct imap_literal *lit, unsigned policy)
{
	if ((policy & REJECT_ODD) && lit->size % 2)
		imap_framer_reject(f);
	else if (lit->can_stream && ((policy & STREAM) || !lit->can_collect))
		imap_framer_stream(f);
	else if (lit->can_collect)
		imap_framer_accept(f);
	else
		imap_framer_reject(f);
}

static void
handle(struct imap_framer *f, enum imap_frame frame,
    const struct imap_frame_event *e, unsigned policy, struct buf *log)
{
	if (frame == IMAP_FRAME_SLICE) {
		buf_put_str(log, e->slice);
		if (e->left == 0)
			buf_put_c(log, "|end|");
		if (e->left == 0 && (policy & GIVE_UP))
			imap_framer_reject(f);
		return;
	}
	buf_printf(log, "|%d:%llu:%zu:", (int)frame,
	    (unsigned long long)e->literal.size, e->text.n);
	buf_put_str(log, e->text);
	ASSERT(e->text.n <= limits.command + 4 * limits.literals);
	if (frame == IMAP_FRAME_LITERAL)
		answer(f, &e->literal, policy);
}

/* Feed in pieces of step bytes. */
static void
run(struct str in, size_t step, unsigned policy, struct buf *log)
{
	struct imap_framer f;
	enum imap_frame frame = IMAP_FRAME_MORE;

	imap_framer_init(&f, &limits);
	while (in.n && frame != IMAP_FRAME_FATAL) {
		struct str part = str_first(in, step);
		struct imap_frame_event e;
		size_t used, events = 0, whole = part.n;

		do {
			frame = imap_framer_next(&f, part, &used, &e);
			ASSERT(used <= part.n);
			part = str_from(part, used);
			ASSERT(f.text.cap <= MEMORY_MAX && !f.text.failed);
			ASSERT(++events <= 4 * whole + 4);
			if (frame != IMAP_FRAME_MORE)
				handle(&f, frame, &e, policy, log);
		} while (frame != IMAP_FRAME_MORE && frame != IMAP_FRAME_FATAL);
		in = str_from(in, whole);
	}
	imap_framer_done(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(MIB(64)), split = BUF_INIT(MIB(64));
	static const size_t steps[] = { 1, 2, 7 };
	struct str in;

	if (size < 1 || size > KIB(8))
		return 0;
	in = str_make(data + 1, size - 1);
	run(in, SIZE_MAX, data[0], &whole);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		buf_reset(&split, MIB(1));
		run(in, steps[i], data[0], &split);
		ASSERT(str_eq(buf_str(&whole), buf_str(&split)));
	}
	buf_done(&whole);
	buf_done(&split);
	return 0;
}
