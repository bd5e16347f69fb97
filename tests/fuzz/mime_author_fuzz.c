/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_author_fuzz.c - every mailbox that the address parser finds in a From
 * or Sender field is among the authors, and every word around an "@" of a
 * field without quotes, comments and literals, unless a fault is said.
 */
#include "proto/mime/mime_address.h"
#include "proto/mime/mime_author.h"
#include "proto/mime/mime_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
has(const struct mime_authors *authors, struct str address)
{
	for (size_t i = 0; i < authors->n; i++)
		if (str_eq(authors->v[i], address))
			return true;
	return false;
}

static void
check_parsed(struct str value, const struct mime_authors *authors)
{
	struct buf b = BUF_INIT(value.n * 2 + 2);
	struct mime_address *list;
	struct arena a;

	arena_init(&a, MIB(16));
	list = mime_address_parse(value, MIME_ADDRESS_MAX, &a, NULL);
	for (; list; list = list->next) {
		if (list->kind != MIME_ADDRESS_MAILBOX)
			continue;
		buf_reset(&b, 0);
		buf_put_str(&b, list->local);
		if (list->domain.p) {
			buf_put_char(&b, '@');
			buf_put_str(&b, list->domain);
		}
		ASSERT(has(authors, buf_str(&b)));
	}
	arena_done(&a);
	buf_done(&b);
}

/* A domain that is written in one piece is the end of some author. */
static void
check_seen(struct str value, const struct mime_authors *authors)
{
	for (size_t i = 0; i < value.n; i++) {
		bool is_seen = false;
		size_t n = 1;

		if (memchr("\"()[]\\", value.p[i], 6))
			return;
		if (value.p[i] != '@')
			continue;
		while (i + n < value.n && ascii_is_alpha(value.p[i + n]))
			n++;
		for (size_t k = 0; k < authors->n; k++)
			is_seen |= str_search(authors->v[k],
				       str_sub(value, i, n)) >= 0;
		ASSERT(is_seen);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_authors authors, from;
	struct mime_header_iter it;
	struct mime_field f;
	struct arena a, b;
	bool has_domain;

	arena_init(&a, MIME_AUTHORS_ARENA);
	arena_init(&b, MIME_AUTHORS_ARENA);
	mime_authors_read(str_make(data, size), &a, &authors);
	ASSERT(authors.n <= MIME_AUTHORS_MAX);
	mime_from_read(str_make(data, size), &b, &from);
	ASSERT(from.n <= MIME_AUTHORS_MAX);
	/* Whoever is in From is an author, but for what is looked for when
	 * there is no domain. */
	has_domain = from.n > 0 && str_find(from.v[0], '@') >= 0;
	for (size_t i = 0; has_domain && authors.faults == 0 && i < from.n;
	     i++) {
		size_t k = 0;

		while (k < authors.n && !str_eq(authors.v[k], from.v[i]))
			k++;
		ASSERT(k < authors.n);
	}
	arena_done(&b);
	mime_header_start(&it, str_make(data, size));
	while (authors.faults == 0 && mime_header_next(&it, &f)) {
		if (!str_eq_case(f.name, STR("from")) &&
		    !str_eq_case(f.name, STR("sender")))
			continue;
		check_parsed(f.value, &authors);
		check_seen(f.value, &authors);
	}
	arena_done(&a);
	return 0;
}
