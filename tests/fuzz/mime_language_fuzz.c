/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_language_fuzz.c - the answer is one of the languages that were asked
 * about; a field in front that is about something else changes nothing, and
 * one that names a language decides.
 */
#include "proto/mime/mime_language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str languages[] = { { "en", 2 }, { "de", 2 }, { "fr", 2 },
	{ "pt", 2 } };

/* The index; the count when it asks for none. */
static size_t
asked(struct str front, struct str message)
{
	struct buf b = BUF_INIT(front.n + message.n + 1);
	size_t at = ARRAY_LEN(languages);
	bool is_any;

	buf_put_str(&b, front);
	buf_put_str(&b, message);
	is_any =
	    mime_language(buf_str(&b), languages, ARRAY_LEN(languages), &at);
	ASSERT(is_any == (at < ARRAY_LEN(languages)));
	buf_done(&b);
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str message = { (const char *)data, size };
	size_t at = asked(STR_NONE, message);

	/* A blank would continue the field in front. */
	if (size > 0 && (data[0] == ' ' || data[0] == '\t'))
		return 0;
	ASSERT(asked(STR("X-Other: fr\r\n"), message) == at);
	ASSERT(asked(STR("Accept-Language: pt\r\n"), message) == 3);
	return 0;
}
