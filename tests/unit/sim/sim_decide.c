/* SPDX-License-Identifier: ISC */
/* sim_decide.c - the decisions of role send. See sim_decide.h. */
#include "sim_decide.h"

#include "send/result/decide.h"

/* As without any option of mailstead.conf. */
static const struct schedule usual = {
	.first_ms = 3 * 60 * 1000,
	.max_ms = 2 * 3600 * 1000,
	.expire_ms = 5ULL * 24 * 3600 * 1000,
	.delay_ms = 4 * 3600 * 1000,
};

struct sim_decision
sim_decide(const struct msg_queue_item *item, bool is_dead, uint64_t now_ms,
    uint32_t random)
{
	struct judgement j = { .outcome = is_dead ? TEMPFAIL : DONE };
	struct moment at = { now_ms, random };
	struct decision d = decide(&usual, item, &j, at);
	struct msg_queue_result result = {
		.state = (uint8_t)d.state,
		.due_ms = d.due_ms,
		.is_delay_told = d.is_delay_told,
		.counts = d.counts,
	};

	return (struct sim_decision){ result, d.is_expired,
		d.report == REPORT_DELAYED, d.report == REPORT_FAILED };
}
