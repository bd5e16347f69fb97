/* SPDX-License-Identifier: ISC */
/*
 * report_line.h - which reports are written now, and which wait.
 *
 * A report holds the message that it is about, in whole when its sender asked
 * for that (RET=FULL), and a message to a thousand dead domains makes a
 * thousand of them in one moment. So together they may only be so large.
 */
#pragma once

#include "base/base.h"

#define REPORTS_BYTES_MAX MIB(64)

struct report;

struct report_line {
	struct report *first, **end; /* those that wait; end NULL: none yet */
	uint64_t bytes;              /* of those that do not */
};

/* At the end of the line. weight is what it will take. */
void report_line_add(struct report_line *l, struct report *r);
/* The next one whose turn it is, or NULL. One alone may be of any size. */
struct report *report_line_next(struct report_line *l);
/* One that was next has ended. */
void report_line_end(struct report_line *l, uint64_t weight);
