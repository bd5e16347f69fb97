/* SPDX-License-Identifier: ISC */
/*
 * progress.h - a bar with rate and time left, for people at a terminal. None
 * when standard error is not one.
 */
#pragma once

#include "base/base.h"

struct progress {
	bool is_shown;
	uint64_t total, done; /* in bytes or messages: for the bar */
	uint64_t messages;
	const char *noun; /* of them; NULL: "messages" */
	uint64_t started_ms, drawn_ms;
};

void progress_start(struct progress *p, uint64_t total, bool is_wanted);
/* done of total; draws a few times a second. */
void progress_set(struct progress *p, uint64_t done, uint64_t messages);
/* Take the bar away, before anything else is printed. */
void progress_clear(struct progress *p);
uint64_t progress_elapsed_ms(const struct progress *p);
