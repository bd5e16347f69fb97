/* SPDX-License-Identifier: ISC */
/*
 * LINK: smtp
 *
 * Property: however the input is split, the same end, the same verdict and
 * the same message as from a decoder that is too simple to be wrong.
 */
#include "base/buf.h"
#include "proto/smtp/smtp_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	struct buf message;
	size_t used; /* to the end of CRLF.CRLF; 0: it is not there */
	bool has_bad_eol;
};

/* Finds CRLF.CRLF in "CRLF" + in first, and then looks at lines. */
static void
decode_simply(struct str in, struct result *ret)
{
	struct buf all = BUF_INIT(MIB(2));
	struct str text;
	ptrdiff_t end;

	buf_put_c(&all, "\r\n");
	buf_put_str(&all, in);
	end = str_search(buf_str(&all), STR("\r\n.\r\n"));
	if (end >= 0)
		ret->used = (size_t)end + 5 - 2;
	text = str_first(buf_str(&all), end < 0 ? all.n : (size_t)end + 2);
	for (size_t i = 2; i < text.n; i++) {
		bool lf_before = text.p[i - 1] == '\n';

		ret->has_bad_eol |= text.p[i] == '\n' && text.p[i - 1] != '\r';
		ret->has_bad_eol |= text.p[i - 1] == '\r' && text.p[i] != '\n';
		if (!lf_before || text.p[i] != '.')
			buf_put_char(&ret->message, text.p[i]);
	}
	buf_done(&all);
}

static void
decode_split(struct str in, const uint8_t *sizes, size_t n, struct result *ret)
{
	struct smtp_data d = { 0 };
	size_t done = 0, turn = 0;
	struct str slice;

	while (done < in.n) {
		size_t len = n ? 1u + sizes[turn++ % n] % 16 : in.n;
		struct str part = str_sub(in, done, len);

		done += part.n;
		for (;;) {
			enum smtp_data_step step;

			step = smtp_data_next(&d, &part, &slice);
			if (step == SMTP_DATA_SLICE)
				buf_put_str(&ret->message, slice);
			if (step == SMTP_DATA_END) {
				ret->used = done - part.n;
				ret->has_bad_eol = d.has_bad_eol;
				return;
			}
			if (step == SMTP_DATA_MORE)
				break;
		}
		ASSERT(part.n == 0);
	}
	ASSERT(d.has_bad_eol || d.size == ret->message.n);
	ret->has_bad_eol = d.has_bad_eol;
}

static void
check_same(const struct result *got, const struct result *want)
{
	ASSERT(got->used == want->used);
	/* An unfinished message may end in half of something. */
	if (want->used)
		ASSERT(got->has_bad_eol == want->has_bad_eol);
	if (want->used && !want->has_bad_eol)
		ASSERT(str_eq(buf_str(&got->message), buf_str(&want->message)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = MIN(size, (size_t)4);
	struct str in = str_from(str_make(data, size), n);
	struct result want = { .message = BUF_INIT(MIB(2)) };
	struct result whole = want, parts = want, bytes = want;
	const uint8_t zero = 0;

	decode_simply(in, &want);
	decode_split(in, NULL, 0, &whole);
	decode_split(in, data, n, &parts);
	decode_split(in, &zero, 1, &bytes);
	check_same(&whole, &want);
	check_same(&parts, &want);
	check_same(&bytes, &want);
	buf_done(&want.message);
	buf_done(&whole.message);
	buf_done(&parts.message);
	buf_done(&bytes.message);
	return 0;
}
