/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * The text of a page. Properties: titles and bodies lie in the text, one behind
 * the other; dates are the same when they are written and read again; the
 * tags of a cloud are in order and lie in its line; and the search for words
 * finds each tag in its own text.
 */
#include "proto/status/status_date.h"
#include "proto/status/status_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
lies_in(struct str part, struct str whole)
{
	return part.n == 0 ||
	       (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_date(uint64_t s)
{
	struct buf b = BUF_INIT(100);
	uint64_t back;

	status_date_put(&b, s);
	ASSERT(status_date_parse(buf_str(&b), &back) && back == s);
	buf_done(&b);
}

static void
check_tags(struct str in)
{
	struct str tags[STATUS_IMPORT_TAGS_MAX];
	size_t n = status_import_tags(in, tags, ARRAY_LEN(tags));

	for (size_t i = 0; i < n; i++) {
		ASSERT(tags[i].n > 0 && lies_in(tags[i], in));
		ASSERT(i == 0 || tags[i].p > tags[i - 1].p);
		ASSERT(status_import_has_words(tags[i], tags[i]));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct status_import im = status_import_begin(in);
	struct status_import_post p;
	const char *last = NULL;
	uint64_t at;

	while (status_import_next(&im, &p)) {
		struct buf b = BUF_INIT(STATUS_BODY_MAX);

		ASSERT(p.title.n > 0 && lies_in(p.title, in));
		ASSERT(lies_in(p.body, in) && p.title.p > last);
		last = p.title.p;
		check_date(p.at_s);
		status_import_markdown(p.body, &b);
		for (size_t i = 0; i < 3; i++)
			ASSERT(
			    lies_in(status_import_system(p.title, i), p.title));
		buf_done(&b);
	}
	check_tags(in);
	if (status_date_parse(in, &at) || status_date_parse_long(in, &at))
		check_date(at);
	return 0;
}
