/* SPDX-License-Identifier: ISC */
/*
 * Property: the line framer gives the same answer with all of the input at
 * once and byte by byte, keeps its limit, and hands out no CR or LF.
 */
#include "base/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct answer {
	enum line_frame frame;
	struct str line;
	size_t used;
};

static struct answer
ask(struct line_framer *f, struct str in)
{
	struct answer a = { 0 };

	a.frame = line_framer_next(f, in, &a.line, &a.used);
	return a;
}

static struct answer
ask_bytewise(size_t max, struct str in)
{
	struct line_framer f = { .max = max };
	struct answer a = { .frame = LINE_MORE };

	for (size_t n = 0; n <= in.n && a.frame == LINE_MORE; n++)
		a = ask(&f, str_first(in, n));
	return a;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);
	struct line_framer f = { .max = size ? data[0] : 0 };

	for (;;) {
		struct answer want = ask_bytewise(f.max, in);
		struct answer got = ask(&f, in);

		ASSERT(got.frame == want.frame && got.used == want.used);
		if (got.frame != LINE_OK)
			return 0;
		ASSERT(str_eq(got.line, want.line));
		ASSERT(got.line.n <= f.max && got.used == got.line.n + 2);
		ASSERT(str_find(got.line, '\r') < 0);
		ASSERT(str_find(got.line, '\n') < 0);
		in = str_from(in, got.used);
	}
}
