/* SPDX-License-Identifier: ISC */
/*
 * sent_count.h - how mail goes, by receiver: how long it waited for its first attempt,
 * how long the last one took, and what was refused by policy. Role watch hears of it
 * every five seconds and says what is unusual (docs/reach.md); nobody waits for it.
 *
 * A mail counts once for what becomes of it, however many recipients it has.
 */
#pragma once

#include "send/result/decide.h"
#include "send/server.h"

struct sent_counts;

struct sent_counts *sent_counts_new(struct server *sv);
/* What was said about the item, which is no longer in m. */
void sent_count(struct server *sv, struct mail *m,
    const struct msg_queue_item *item, const struct judgement *j,
    const struct decision *d, const struct trip *trip);
/* Tell the watcher, and show the percentiles. */
void sent_counts_flush(struct server *sv);
