/* SPDX-License-Identifier: ISC */
/*
 * test.h - cmocka with two short words: TEST() and CHECK().
 *
 * TEST(name_as_a_sentence) { ... CHECK(cond, "case name"); }
 * TEST_MAIN(UNIT(name_as_a_sentence), ...)
 */
#pragma once

#include "base/base.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#define TEST(name) static void name(UNUSED void **state)
#define UNIT(name) cmocka_unit_test(name)
/* Between setup() and teardown() of its file. */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CHECK(cond, what) \
	do { \
		if (!(cond)) \
			fail_msg("%s: %s", (what), #cond); \
	} while (0)
#define TEST_MAIN(...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}
