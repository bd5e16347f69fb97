/* SPDX-License-Identifier: ISC */
/*
 * probe_way.c - the way of a mail that went round, as its Received fields tell it.
 *
 * What the hosts on the way call themselves goes to the operator, so it is cut and
 * tamed like all that others say.
 */
#include "proto/mime/mime_received.h"
#include "watch/probe/probe_internal.h"

/* Seconds at one hop that are worth a word. */
#define LONG_S 2

static void
add_stage(struct probe *p, const char *name, struct str host, int64_t took_s,
    bool is_absurd)
{
	struct probe_stage stage = { .name = name,
		.how = took_s < 0  ? WATCH_STAGE_BEFORE
		       : is_absurd ? WATCH_STAGE_ABSURD
		                   : WATCH_STAGE_TOLD,
		.us = (uint64_t)(took_s < 0 ? -took_s : took_s) * 1000000 };

	(void)snprintf(stage.host, sizeof(stage.host), "%s", probe_cut(host));
	probe_add_stage(p, &stage);
}

void
probe_tell_way(struct probe *p, struct str header, uint64_t sent_s,
    uint64_t found_s, struct probe_hop *ret_slowest)
{
	struct probe_hop slowest = { .took_s = LONG_S - 1 };
	struct mime_way way;

	mime_way_read(header, (int64_t)sent_s, (int64_t)found_s, &way);
	for (size_t i = 0; i < way.n; i++) {
		const struct mime_way_hop *hop = &way.hops[i];

		add_stage(p, "hop", hop->by, hop->took_s, hop->is_absurd);
		if (hop->is_absurd || hop->took_s <= slowest.took_s)
			continue;
		slowest.took_s = hop->took_s;
		(void)snprintf(slowest.host, sizeof(slowest.host), "%s",
		    probe_cut(hop->by));
		*ret_slowest = slowest;
	}
	if (way.n > 0)
		add_stage(
		    p, "mailbox", STR_NONE, way.rest_s, way.is_rest_absurd);
}
