/* SPDX-License-Identifier: ISC */
/* reach_public.c - the gate. See reach_public.h. */
#include "proto/reach/reach_public.h"

bool
reach_public_is_many(const struct reach_public *p)
{
	return p->usual_accounts >= REACH_GATE &&
	       p->usual_organisations >= REACH_GATE_ORGANISATIONS;
}

static bool
is_time(const struct reach_public *p)
{
	switch (p->decision) {
	case REACH_UNDECIDED:
		return p->now >= p->raised + REACH_LATE_S;
	case REACH_APPROVED:
		return true;
	case REACH_DISMISSED:
		break;
	}
	return false;
}

bool
reach_public_may_tell(const struct reach_public *p)
{
	return p->since != 0 && is_time(p) && reach_public_is_many(p);
}

enum reach_answer
reach_public_answer(const struct reach_public *p)
{
	if (reach_public_may_tell(p))
		return REACH_OTHERS_NO;
	/* While something is suspected, a few who got through prove nothing. */
	if (p->since != 0 && p->decision != REACH_DISMISSED)
		return REACH_NOT_ENOUGH;
	return reach_accounts_least(p->accounts) >= REACH_GATE &&
	               reach_accounts_organisations(p->accounts) >=
	                   REACH_GATE_ORGANISATIONS
	           ? REACH_OTHERS_YES
	           : REACH_NOT_ENOUGH;
}
