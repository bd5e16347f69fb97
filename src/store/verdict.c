/* SPDX-License-Identifier: ISC */
/*
 * verdict.c - engine errors as verdicts. See verdict.h.
 */
#include "store/verdict.h"

#include "store/engine.h"

struct verdict
verdict_engine(int err)
{
	switch (err) {
	case ENGINE_CORRUPT:
		return verdict_tempfail(REASON_CORRUPT);
	case ENGINE_FULL:
	case -ENOSPC:
	case -EDQUOT:
		return verdict_tempfail(REASON_DISK_FULL);
	case ENGINE_CONFLICT:
	case ENGINE_FENCED:
		return verdict_tempfail(REASON_CONFLICT);
	case ENGINE_TOO_BIG:
		return verdict_permfail(REASON_TOO_BIG);
	default:
		return verdict_tempfail(REASON_IO);
	}
}
