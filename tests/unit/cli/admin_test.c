/* SPDX-License-Identifier: ISC */
/* admin_test.c - errors of commands. */
#include "../test.h"
#include "cli/admin.h"

/* How often one of these texts, each ended by a NUL, is printed. */
static size_t
lines_of(struct admin *a, const char *texts)
{
	char said[1000] = "";
	FILE *was = stderr, *f = fmemopen(said, sizeof(said), "w");
	size_t n = 0;

	assert_non_null(f);
	stderr = f;
	for (; *texts; texts += strlen(texts) + 1)
		(void)admin_error(a, ADMIN_TEMPFAIL, "%s", texts);
	fclose(f);
	stderr = was;
	for (const char *p = said; *p; p++)
		n += *p == '\n';
	return n;
}

TEST(who_goes_on_trying_says_an_error_once)
{
	struct admin a = { 0 };

	assert_int_equal(lines_of(&a, "a\0a\0a\0"), 3);
	a = (struct admin){ .says_changes = true };
	assert_int_equal(lines_of(&a, "a\0a\0a\0"), 1);
	assert_int_equal(lines_of(&a, "a\0b\0b\0a\0"), 2);
	a.said = 0; /* it went well meanwhile */
	assert_int_equal(lines_of(&a, "a\0"), 1);
}

TEST_MAIN(UNIT(who_goes_on_trying_says_an_error_once))
