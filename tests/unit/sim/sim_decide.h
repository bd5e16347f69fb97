/* SPDX-License-Identifier: ISC */
/*
 * sim_decide.h - what role send decides, for simulations with the store: both
 * have a struct mail, so they do not fit into one file.
 */
#pragma once

#include "proc/ipc_msgs.h"

struct sim_decision {
	struct msg_queue_result result; /* without what names the entry */
	bool is_expired, is_notice, is_bounce;
};

/* An attempt of now, with the usual schedule: the server is dead, or takes it. */
struct sim_decision sim_decide(const struct msg_queue_item *item, bool is_dead,
    uint64_t now_ms, uint32_t random);
