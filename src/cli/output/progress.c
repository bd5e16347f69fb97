/* SPDX-License-Identifier: ISC */
/* progress.c - a progress bar. See progress.h. */
#include "cli/output/progress.h"

#include <time.h>
#include <unistd.h>

#define DRAW_MS   200
#define GUESS_MS  1000
#define BAR_WIDTH 24

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
progress_start(struct progress *p, uint64_t total, bool is_wanted)
{
	*p = (struct progress){ .total = total, .started_ms = now_ms() };
	p->is_shown = is_wanted && isatty(STDERR_FILENO);
}

uint64_t
progress_elapsed_ms(const struct progress *p)
{
	return now_ms() - p->started_ms;
}

static void
draw(const struct progress *p)
{
	uint64_t ms = MAX(progress_elapsed_ms(p), (uint64_t)1);
	double part = p->total ? (double)p->done / (double)p->total : 0;
	double left;
	char bar[BAR_WIDTH + 1];

	part = part > 1 ? 1 : part;
	left = part > 0 ? (double)ms / 1000 * (1 - part) / part : 0;
	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '=', (size_t)(part * BAR_WIDTH));
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3.0f%%  %llu %s", bar, part * 100,
	    (unsigned long long)p->messages, p->noun ? p->noun : "messages");
	/* The first moments say nothing of the rest. */
	if (ms >= GUESS_MS)
		fprintf(stderr, "  %.0f/s  %u:%02u left ",
		    (double)p->messages * 1000 / (double)ms,
		    (unsigned)left / 60, (unsigned)left % 60);
	fflush(stderr);
}

void
progress_set(struct progress *p, uint64_t done, uint64_t messages)
{
	uint64_t now;

	p->done = done;
	p->messages = messages;
	if (!p->is_shown)
		return;
	now = now_ms();
	if (now - p->drawn_ms < DRAW_MS)
		return;
	p->drawn_ms = now;
	draw(p);
}

void
progress_clear(struct progress *p)
{
	if (p->is_shown && p->drawn_ms > 0)
		fprintf(stderr, "\r\033[K");
	p->drawn_ms = 0;
}
