/* SPDX-License-Identifier: ISC */
/* style_test.c - what the style sheet promises. */
#include "../../test.h"
#include "web/page/page_frame.h"

#include <string.h>

/* What is between the braces that what opens; empty when it is not there. */
static struct str
block_of(struct str style, struct str what)
{
	const char *at = memmem(style.p, style.n, what.p, what.n);
	size_t depth = 1, n = 0;
	struct str rest;

	if (at == NULL)
		return STR_NONE;
	rest = str_from(style, (size_t)(at - style.p) + what.n);
	for (; n < rest.n && depth > 0; n++) {
		depth += rest.p[n] == '{';
		depth -= rest.p[n] == '}';
	}
	return depth == 0 ? str_first(rest, n - 1) : STR_NONE;
}

/* Is selector one of those of the rule of block whose body is body? */
static bool
is_in_rule(struct str block, struct str body, struct str selector)
{
	struct str rule, selectors, one;

	while (block.n > 0) {
		block = str_split(block, '}', &rule);
		rule = str_split(rule, '{', &selectors);
		if (!str_eq(rule, body))
			continue;
		while (selectors.n > 0) {
			selectors = str_split(selectors, ',', &one);
			if (str_eq(one, selector))
				return true;
		}
	}
	return false;
}

TEST(paper_has_no_controls)
{
	static const char *const controls[] = { ".top nav", ".languages",
		".button", "form", ".skip", ".side" };
	struct str print = block_of(page_style(), STR("@media print{"));

	CHECK(print.n > 0, "there is a style for paper");
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		CHECK(
		    is_in_rule(print, STR("display:none"), str_c(controls[i])),
		    controls[i]);
	CHECK(!is_in_rule(print, STR("display:none"), STR("main")), "text is");
	CHECK(is_in_rule(print,
		  STR("print-color-adjust:exact;"
		      "-webkit-print-color-adjust:exact"),
		  STR(".days li")),
	    "bars keep their colours");
}

/* Months and percentages, none of which has a blank to break at. */
TEST(tables_fit_a_small_telephone)
{
	struct str small =
	    block_of(page_style(), STR("@media(max-width:22rem){"));

	CHECK(small.n > 0, "there is a style for it");
	CHECK(is_in_rule(small,
		  STR("padding-left:.4rem;font-size:.85rem;"
		      "overflow-wrap:anywhere"),
		  STR("td")),
	    "cells may break");
}

TEST_MAIN(UNIT(paper_has_no_controls), UNIT(tables_fit_a_small_telephone))
