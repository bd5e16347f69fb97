/* SPDX-License-Identifier: ISC */
/* handover.c - how long recipients wait. See handover.h. */
#include "send/result/handover.h"

static void
turn(struct handover *h, uint64_t now_ms)
{
	uint64_t window = now_ms / HANDOVER_WINDOW_MS;

	if (window == h->window)
		return;
	if (window == h->window + 1)
		h->before = h->now;
	else
		h->before = (struct sent_hist){ 0 };
	h->now = (struct sent_hist){ 0 };
	h->window = window;
}

void
handover_add(struct handover *h, uint64_t waited_ms, uint64_t now_ms)
{
	turn(h, now_ms);
	sent_hist_add(&h->now, waited_ms);
}

uint64_t
handover_ms(struct handover *h, unsigned permille, uint64_t now_ms)
{
	struct sent_hist both;

	turn(h, now_ms);
	both = h->now;
	sent_hist_merge(&both, &h->before);
	return sent_hist_ms(&both, permille);
}
