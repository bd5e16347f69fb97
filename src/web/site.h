/* SPDX-License-Identifier: ISC */
/*
 * site.h - what role watch says of the systems, as this worker knows it.
 *
 * Asked for when watch comes, when it says that something changed, and each
 * 15 seconds. An answer takes the place of the one before it as a whole. When there
 * was none for too long, the state is stale: pages say "not checked since", and no
 * state is green.
 */
#pragma once

#include "proto/reach/reach_judge.h"
#include "proto/status/status_service.h"
#include "proto/watch/watch_vantage.h"
#include "web/server.h"

#define SITE_SUSPECTED_MAX 8

struct site_state {
	bool is_known; /* there was an answer at all */
	bool is_stale; /* what follows is not to be believed any more */
	uint64_t today_s, at_s;
	unsigned places;
	uint64_t oldest_s; /* the last result of the place that is behind */
	size_t n_services;
	struct msg_watch_service services[STATUS_SERVICES];
	/* Signals that strangers may hear of; texts as long as the rest. */
	size_t n_suspected;
	struct msg_watch_suspected suspected[SITE_SUSPECTED_MAX];
	/* In the order in which they are shown. */
	size_t n_systems;
	struct msg_watch_system *systems;
};

struct site *site_new(struct server *sv);
void site_free(struct site *s);
/* watch is there (again), or says that something changed. */
void site_ask(struct site *s);
/* Valid until the loop goes on. */
const struct site_state *site_state(const struct site *s);
/* By key; NULL: there is none. */
const struct msg_watch_system *site_find(const struct site *s, struct str key);

/* One day of a system's 90; the oldest is 0. False: there are none. */
struct site_day {
	uint32_t up_s, degraded_s, down_s, planned_s;
};
bool site_day(const struct msg_watch_system *m, unsigned i,
    struct site_day *ret) WARN_UNUSED;
