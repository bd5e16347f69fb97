/* SPDX-License-Identifier: ISC */
/* backoff.c - delays between starts. See backoff.h. */
#include "supervisor/backoff.h"

uint64_t
backoff_next(struct backoff *b, uint64_t served_ms)
{
	uint64_t delay = BACKOFF_FIRST_MS;

	if (served_ms >= BACKOFF_HEALTHY_MS)
		b->failures = 0;
	/* The first failure may be anything: try again at once. */
	if (b->failures++ == 0)
		return 0;
	for (unsigned i = 2; i < b->failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	return MIN(delay, (uint64_t)BACKOFF_MAX_MS);
}
