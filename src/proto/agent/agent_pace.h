/* SPDX-License-Identifier: ISC */
/*
 * agent_pace.h - how many results about one check an agent may have.
 *
 * Who probes has one result a second at most, for long: the next probe begins a
 * second after the last one ended, or at once when others see a failure. What
 * comes more often was made up, and each change that follows from it would be
 * a line of the log, a new page and perhaps an alert.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/base.h"

#define AGENT_PACE_MS    1000 /* a result */
#define AGENT_PACE_BURST 30   /* in a row at once */

struct agent_pace {
	uint64_t spent_ms; /* all time up to there is paid for */
};

/* A result that ended at ended_ms. False: it is one too many, and not counted. */
bool agent_pace_take(struct agent_pace *p, uint64_t ended_ms);
