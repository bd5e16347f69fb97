/* SPDX-License-Identifier: ISC */
/* sts_plan.c - what is decided about policies without any I/O. See sts.h. */
#include "send/tls/sts.h"

enum sts_step
sts_next(const struct sts_known *k)
{
	if (!k->has_record)
		return STS_USE;
	if (!k->has_kept || !str_eq(k->kept_id, k->id))
		return k->has_failed ? STS_USE : STS_FETCH;
	/* Half of its life is over: whoever blocks the fetch now has to do it
	 * for the other half (section 10.2). */
	if (!k->has_failed && k->now > k->fetched &&
	    k->now - k->fetched > (k->until - k->fetched) / 2)
		return STS_USE_REFRESH;
	return STS_USE;
}

const char *
sts_fit_str(enum sts_fit fit)
{
	static const char *const words[] = {
		[STS_NONE] = "none",
		[STS_TESTING] = "testing",
		[STS_TESTING_MISFIT] = "testing, not named",
		[STS_ENFORCE] = "enforce",
		[STS_ENFORCE_MISFIT] = "enforce, not named",
	};

	return words[fit];
}

enum sts_fit
sts_fit_of(const struct sts_answer *a, struct str host)
{
	bool fits;

	if (!a->has_policy)
		return STS_NONE;
	fits = mtasts_allows(&a->policy, host);
	switch (a->policy.mode) {
	case MTASTS_MODE_NONE:
		break;
	case MTASTS_MODE_TESTING:
		return fits ? STS_TESTING : STS_TESTING_MISFIT;
	case MTASTS_MODE_ENFORCE:
		return fits ? STS_ENFORCE : STS_ENFORCE_MISFIT;
	}
	return STS_NONE;
}
