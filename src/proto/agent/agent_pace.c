/* SPDX-License-Identifier: ISC */
/* agent_pace.c - see agent_pace.h. */
#include "proto/agent/agent_pace.h"

bool
agent_pace_take(struct agent_pace *p, uint64_t ended_ms)
{
	uint64_t spent_ms = MAX(p->spent_ms, ended_ms) + AGENT_PACE_MS;

	if (spent_ms > ended_ms + AGENT_PACE_BURST * AGENT_PACE_MS)
		return false;
	p->spent_ms = spent_ms;
	return true;
}
