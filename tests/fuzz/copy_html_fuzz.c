/* SPDX-License-Identifier: ISC */
/*
 * LINK: http
 * OBJS: src/cli/copy/copy_html.c src/conf/mirror_text.c
 *
 * Pages of static copies, and the targets of these. Properties: cutting a page
 * at its links gives back all of it; in a page that was made, no link of ours
 * begins with a slash any more; a file of a copy is below its folder; what is
 * a target has no blank in front of it, no dash, no control.
 */
#include "cli/copy/copy_html.h"
#include "conf/mirror_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_file(struct str value)
{
	struct buf file = BUF_INIT(KIB(64));
	struct copy_link l;

	ASSERT(value.n > 0 && value.p[0] == '/');
	if (copy_link_parse(value, &l)) {
		copy_put_file(&file, buf_str(&l.path));
		ASSERT(file.n > 0 && file.p[0] != '/');
		ASSERT(memchr(file.p, 0, file.n) == NULL);
		ASSERT(!str_starts(buf_str(&file), STR("../")));
		ASSERT(str_search(buf_str(&file), STR("/../")) < 0);
	}
	buf_done(&file);
	buf_done(&l.path);
}

static void
fuzz_page(struct str in)
{
	const struct copy_place p = { .usual = STR("en"),
		.language = STR("fr"),
		.path = STR("/tag/x"),
		.site = STR("https://s.example") };
	struct buf out = BUF_INIT(MIB(4));
	struct str rest = in, before, value;
	const char *at = in.p;
	bool is_html = true;

	while (copy_link_next(&rest, &before, &value)) {
		ASSERT(before.p == at && value.p == before.p + before.n);
		at = value.p + value.n;
		ASSERT(rest.p == at && rest.n > 0 && rest.p[0] == '"');
		check_file(value);
		/* Else a quote is missing, and others begin where they end. */
		is_html = is_html && str_find(value, ' ') < 0 &&
		          str_find(value, '<') < 0;
	}
	ASSERT(rest.p == at && rest.p + rest.n == in.p + in.n);
	copy_put_html(&out, &p, in);
	if (!out.failed && is_html) {
		rest = buf_str(&out);
		ASSERT(!copy_link_next(&rest, &before, &value));
	}
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	fuzz_page(in);
	if (mirror_kind_of(in) != MIRROR_BAD) {
		ASSERT(in.n > 0 && in.p[0] != '-' && in.p[0] != ' ');
		for (size_t i = 0; i < in.n; i++)
			ASSERT((unsigned char)in.p[i] >= ' ');
	}
	return 0;
}
