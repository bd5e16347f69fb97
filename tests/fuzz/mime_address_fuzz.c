/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_address_fuzz.c - formatting a parsed list and parsing that again is
 * the same list; limits hold.
 */
#include "proto/mime/mime_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct mime_address *a, const struct mime_address *b)
{
	for (; a && b; a = a->next, b = b->next) {
		ASSERT(a->kind == b->kind);
		ASSERT(str_eq(a->name, b->name));
		ASSERT(str_eq(a->local, b->local));
		ASSERT(str_eq(a->domain, b->domain));
		ASSERT(!a->domain.p == !b->domain.p);
	}
	ASSERT(!a && !b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = BUF_INIT(16 * size + 64);
	struct buf twice = BUF_INIT(64 * size + 64);
	struct mime_address *first, *second;
	struct arena a;
	bool is_truncated;
	size_t n = 0;

	arena_init(&a, MIB(64));
	first = mime_address_parse(
	    str_make(data, size), SIZE_MAX, &a, &is_truncated);
	ASSERT(!is_truncated);
	mime_address_format(first, &once);
	ASSERT(!once.failed);
	second = mime_address_parse(buf_str(&once), SIZE_MAX, &a, NULL);
	mime_address_format(second, &twice);
	check_same(first, second);
	ASSERT(str_eq(buf_str(&once), buf_str(&twice)));

	first = mime_address_parse(str_make(data, size), 3, &a, NULL);
	for (; first; first = first->next)
		n++;
	ASSERT(n <= 3);
	arena_done(&a);
	buf_done(&once);
	buf_done(&twice);
	return 0;
}
