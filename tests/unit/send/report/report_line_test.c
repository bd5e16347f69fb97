/* SPDX-License-Identifier: ISC */
/* report_line_test.c - many reports at once are written some at a time. */
#include "../../test.h"

#include "send/report/report.h"

TEST(together_they_stay_within_the_bound)
{
	struct report reports[100] = { 0 };
	struct report_line l = { 0 };
	size_t begun = 0, ended = 0;
	uint64_t bytes = 0;
	struct report *r;

	CHECK(report_line_next(&l) == NULL, "nobody waits");
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		reports[i].weight = MIB(5) + i;
		report_line_add(&l, &reports[i]);
	}
	while (ended < ARRAY_LEN(reports)) {
		while ((r = report_line_next(&l)) != NULL) {
			CHECK(r == &reports[begun], "in their order");
			bytes += r->weight;
			begun++;
		}
		CHECK(begun > ended, "somebody is always under way");
		CHECK(bytes <= REPORTS_BYTES_MAX, "within the bound");
		CHECK(begun == ARRAY_LEN(reports) ||
			  bytes + MIB(6) > REPORTS_BYTES_MAX,
		    "as many as fit");
		report_line_end(&l, reports[ended].weight);
		bytes -= reports[ended++].weight;
	}
	CHECK(l.bytes == 0 && report_line_next(&l) == NULL, "all went");
}

TEST(a_large_one_goes_alone)
{
	struct report large = { .weight = REPORTS_BYTES_MAX * 2 };
	struct report small = { .weight = 1 }, late = { .weight = 1 };
	struct report_line l = { 0 };

	report_line_add(&l, &small);
	report_line_add(&l, &large);
	CHECK(report_line_next(&l) == &small, "the first");
	CHECK(report_line_next(&l) == NULL, "not beside another");
	report_line_end(&l, small.weight);
	CHECK(report_line_next(&l) == &large, "alone");
	report_line_add(&l, &late);
	CHECK(report_line_next(&l) == NULL, "nor another beside it");
	report_line_end(&l, large.weight);
	CHECK(report_line_next(&l) == &late, "the line went empty before");
}

TEST_MAIN(
    UNIT(together_they_stay_within_the_bound), UNIT(a_large_one_goes_alone))
