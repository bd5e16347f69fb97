/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 *
 * accept_fuzz.c - lists of what somebody takes: members are within the field and
 * whole; a weight is one; the language that is chosen is one that some member asks
 * for, in whatever order those are that there are; what is not wanted in front
 * changes nothing.
 */
#include "base/accept.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N 4
static const struct str there[N] = { { "en", 2 }, { "de", 2 }, { "pt", 2 },
	{ "zh", 2 } };
static const struct str turned[N] = { { "zh", 2 }, { "pt", 2 }, { "de", 2 },
	{ "en", 2 } };

static bool
asks_for(struct str field, struct str language)
{
	struct str one, name;

	while (accept_list_next(&field, &one)) {
		(void)str_split(one, ';', &name);
		(void)str_split(str_trim(name), '-', &name);
		if (str_eq_case(name, language))
			return true;
	}
	return false;
}

static void
check_members(struct str field)
{
	struct str rest = field, one;
	const char *end = field.p;

	while (accept_list_next(&rest, &one)) {
		ASSERT(one.n > 0 && one.p >= end);
		ASSERT(one.p + one.n <= field.p + field.n);
		ASSERT(str_eq(str_trim(one), one) && str_find(one, ',') < 0);
		ASSERT(accept_weight(field, one) <= 1000);
		end = one.p + one.n;
	}
	ASSERT(rest.n == 0);
}

static void
check_language(struct str field)
{
	size_t at = N, other = N;
	bool is = accept_language(field, there, N, &at);

	ASSERT(is == accept_language(field, turned, N, &other));
	ASSERT(is == (at < N));
	if (!is)
		return;
	ASSERT(str_eq(there[at], turned[other]));
	ASSERT(asks_for(field, there[at]));
	/* Alone it is taken as well. */
	ASSERT(accept_language(field, &there[at], 1, &other) && other == 0);
}

/* What is empty, or not understood, in front changes nothing. */
static void
check_front(struct str field)
{
	struct buf b = BUF_INIT(KIB(64));
	size_t at = N, again = N;
	bool is = accept_language(field, there, N, &at);

	buf_put_c(&b, " ,\t, xx;q=1, de;q=0,;,en;q=2, ");
	buf_put_str(&b, field);
	if (!b.failed) {
		ASSERT(accept_language(buf_str(&b), there, N, &again) == is);
		ASSERT(at == again);
	}
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str field = str_make(data, size);

	check_members(field);
	check_language(field);
	check_front(field);
	return 0;
}
