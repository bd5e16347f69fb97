/* SPDX-License-Identifier: ISC */
/*
 * decide.h - what becomes of an entry after what was said about it, and who
 * has to be told.
 *
 * Pure: it gets the time and a random number.
 */
#pragma once

#include "send/queue/entry.h"
#include "send/queue/schedule.h"

enum report_kind {
	REPORT_NONE,
	REPORT_FAILED,
	REPORT_DELAYED,
	REPORT_RELAYED, /* asked for by NOTIFY=SUCCESS */
};

struct decision {
	enum queue_state state;
	uint64_t due_ms;    /* of those that stay, but not of HELD */
	bool counts;        /* it was an attempt */
	bool is_delay_told; /* from now on */
	bool is_expired;    /* FAILED because its time is over */
	enum report_kind report;
	uint64_t end_ms; /* when it will be given up */
};

struct moment {
	uint64_t now_ms; /* wall clock */
	uint32_t random;
};

struct decision decide(const struct schedule *s,
    const struct msg_queue_item *item, const struct judgement *j,
    struct moment at);
