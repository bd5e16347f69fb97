/* SPDX-License-Identifier: ISC */
/* report_line.c - reports wait for their turn. See report_line.h. */
#include "send/report/report_line.h"

#include "send/report/report.h"

void
report_line_add(struct report_line *l, struct report *r)
{
	if (l->end == NULL)
		l->end = &l->first;
	r->next = NULL;
	*l->end = r;
	l->end = &r->next;
}

struct report *
report_line_next(struct report_line *l)
{
	struct report *r = l->first;

	if (r == NULL ||
	    (l->bytes > 0 && l->bytes + r->weight > REPORTS_BYTES_MAX))
		return NULL;
	l->first = r->next;
	if (l->first == NULL)
		l->end = &l->first;
	r->next = NULL;
	l->bytes += r->weight;
	return r;
}

void
report_line_end(struct report_line *l, uint64_t weight)
{
	ASSERT(l->bytes >= weight);
	l->bytes -= weight;
}
