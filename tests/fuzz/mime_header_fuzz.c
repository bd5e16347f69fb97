/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_header_fuzz.c - the fields of a header add up to the header, whatever
 * the bytes are; finding, counting and selecting agree with iterating.
 */
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_field(struct str in, const struct mime_field *f)
{
	struct buf line = BUF_INIT(f->value.n);
	struct mime_field last;

	ASSERT(f->whole.n > 0);
	ASSERT(f->value.p >= f->whole.p);
	ASSERT(f->value.p + f->value.n <= f->whole.p + f->whole.n);
	mime_header_unfold(f->value, &line);
	ASSERT(!line.failed);
	ASSERT(str_find(buf_str(&line), '\n') < 0);
	ASSERT(str_find(buf_str(&line), '\0') < 0);
	buf_done(&line);
	if (!f->name.n)
		return;
	ASSERT(mime_header_find_nth(
	    in, f->name, mime_header_count(in, f->name) - 1, &last));
	ASSERT(last.off >= f->off);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct mime_header_iter it;
	struct mime_field f;
	struct mime_hop hop;
	struct buf all = BUF_INIT(size + 2);
	size_t at = 0, n_named = 0, n = 0;

	mime_header_start(&it, in);
	while (mime_header_next(&it, &f)) {
		ASSERT(f.off == at);
		at += f.whole.n;
		n_named += f.name.n > 0;
		if (n++ < 16)
			check_field(in, &f);
	}
	ASSERT(it.off == mime_header_length(in));
	ASSERT(it.off - at <= 2);

	mime_header_select(in, (struct mime_names){ NULL, 0 }, true, &all);
	ASSERT(str_eq(str_first(buf_str(&all), at), str_first(in, at)));
	buf_done(&all);
	mime_hop_scan(in, &hop);
	ASSERT(hop.fields == n_named && hop.header_length == it.off);
	return 0;
}
