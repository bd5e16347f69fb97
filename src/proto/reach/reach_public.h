/* SPDX-License-Identifier: ISC */
/*
 * reach_public.h - what may be said to strangers about a network.
 *
 * Nothing about fewer than REACH_GATE accounts of REACH_GATE_ORGANISATIONS
 * organisations: a visitor could find out when a neighbour reads mail, or that
 * a company's office is cut off. Bad news only when they were found a quarter of
 * an hour ago, so that somebody here had the time to look, or when somebody did
 * and approved; never when somebody dismissed them. Layer: proto. Pure.
 */
#pragma once

#include "proto/reach/reach_cell.h"

#define REACH_GATE               20
#define REACH_GATE_ORGANISATIONS 3
#define REACH_LATE_S             900

enum reach_answer {
	REACH_NOT_ENOUGH, /* to say */
	REACH_OTHERS_YES, /* got through in the last 15 minutes */
	REACH_OTHERS_NO,
};

enum reach_decision {
	REACH_UNDECIDED,
	REACH_APPROVED,
	REACH_DISMISSED,
};

struct reach_public {
	/* Who signed in during the last 15 minutes. */
	const struct reach_accounts *accounts;
	/* In five minutes, at this hour; 0: not known. */
	double usual_accounts, usual_organisations;
	uint64_t since; /* something is suspected; 0: nothing is */
	uint64_t
	    raised; /* when that was found: not before somebody could look */
	uint64_t now;
	enum reach_decision decision; /* about that */
};
enum reach_answer reach_public_answer(const struct reach_public *p);
/* Are there usually enough that something may be told at all? */
bool reach_public_is_many(const struct reach_public *p);
/* Something is suspected: may it be told now? */
bool reach_public_may_tell(const struct reach_public *p);
