/* SPDX-License-Identifier: ISC */
/*
 * verdict.h - how a request to the store ended: an outcome and its reason.
 *
 * Everything above the engine answers with one. An engine that failed is
 * always temporary: it never looks like "does not exist".
 */
#pragma once

#include "proc/ipc_msgs.h"

struct verdict {
	enum outcome outcome;
	enum reason reason;
};

#define VERDICT_DONE ((struct verdict){ DONE, REASON_NONE })

static inline WARN_UNUSED struct verdict
verdict_permfail(enum reason reason)
{
	return (struct verdict){ PERMFAIL, reason };
}

static inline WARN_UNUSED struct verdict
verdict_tempfail(enum reason reason)
{
	return (struct verdict){ TEMPFAIL, reason };
}

static inline WARN_UNUSED struct verdict
verdict_not_found(enum reason reason)
{
	return (struct verdict){ NOT_FOUND, reason };
}

static inline bool
verdict_is_done(struct verdict v)
{
	return v.outcome == DONE;
}

/* What an error (< 0) of the engine means to whoever asked. */
struct verdict verdict_engine(int err) WARN_UNUSED;
