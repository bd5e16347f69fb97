/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_word_fuzz.c - decoded headers and parameters are always UTF-8 on one
 * line; decode(encode(x)) is x; charsets do not mind how input is split.
 */
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_param.h"
#include "proto/mime/mime_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct buf *b)
{
	ASSERT(!b->failed);
	ASSERT(str_is_utf8(buf_str(b)));
	ASSERT(str_find(buf_str(b), '\n') < 0);
	ASSERT(str_find(buf_str(b), '\r') < 0);
	ASSERT(str_find(buf_str(b), '\0') < 0);
}

static void
check_encoding(struct str utf8)
{
	struct buf enc = BUF_INIT(16 * utf8.n + 256);
	struct buf dec = BUF_INIT(16 * utf8.n + 256);

	mime_word_encode(utf8, &enc);
	ASSERT(str_is_ascii(buf_str(&enc)));
	mime_word_decode(buf_str(&enc), &dec);
	ASSERT(!enc.failed && str_eq(buf_str(&dec), utf8));
	buf_done(&enc);
	buf_done(&dec);
}

static void
check_params(struct str in)
{
	struct mime_params params;
	struct arena a;
	struct str head;

	arena_init(&a, MIB(16));
	mime_param_parse(in, &a, &head, &params);
	ASSERT(params.n <= MIME_PARAM_MAX);
	for (size_t i = 0; i < params.n; i++) {
		struct buf value = BUF_INIT(64 * in.n + KIB(64));

		ASSERT(mime_param_find(&params, params.v[i].name));
		if (mime_param_decode(&params, params.v[i].name, &value))
			check_line(&value);
		buf_done(&value);
	}
	arena_done(&a);
}

/* The first line of the input is the charset, the rest the text. */
static void
check_charset(struct str in)
{
	struct str name, text = str_split(in, '\n', &name);
	struct buf whole = BUF_INIT(16 * in.n + 64);
	struct buf parts = BUF_INIT(16 * in.n + 64);
	struct buf folded = BUF_INIT(32 * in.n + 64);
	struct mime_charset *cs = mime_charset_open(name);

	mime_charset_to_utf8(name, text, &whole);
	for (size_t i = 0; i < text.n; i++)
		mime_charset_feed(
		    cs, str_sub(text, i, 1), i + 1 == text.n, &parts);
	ASSERT(!whole.failed && str_is_utf8(buf_str(&whole)));
	ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
	mime_charset_fold(buf_str(&whole), &folded);
	ASSERT(str_is_utf8(buf_str(&folded)));
	mime_charset_close(cs);
	buf_done(&whole);
	buf_done(&parts);
	buf_done(&folded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf text = BUF_INIT(16 * size + 64);

	mime_word_decode(in, &text);
	check_line(&text);
	check_encoding(buf_str(&text));
	buf_done(&text);
	check_params(in);
	check_charset(in);
	return 0;
}
