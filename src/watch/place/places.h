/* SPDX-License-Identifier: ISC */
/*
 * places.h - vantage points elsewhere, from the master's side: agents that are
 * enrolled, what they have to say, and what is made of it.
 *
 * An agent is trusted with one vote on the checks that it was given, and with
 * nothing else. What it says about now goes the way that a probe's result goes; what
 * it says about a time when this process did not hear it goes into history only,
 * and tells nobody anything (late.c).
 */
#pragma once

#include "base/crypt.h"
#include "proto/agent/agent_message.h"
#include "proto/status/status_agent.h"
#include "proto/watch/watch_state.h"
#include "watch/server.h"

/* Results older than this are not about now. */
#define PLACE_LIVE_MS 60000
/* An agent asks at least so often, and is silent after that. */
#define PLACE_POLL_MS 10000
/* The longest that a request waits for its answer. */
#define PLACE_WAIT_MS   10000
#define PLACE_SILENT_MS 60000

struct place {
	struct server *sv;
	char *id;       /* the row's key */
	struct str row; /* owned; agent points into it */
	struct status_agent agent;
	struct crypt_key *key; /* NULL: not enrolled */
	uint8_t network;
	bool is_active; /* it may speak, and is among the first 15 */
	bool is_gone;   /* its row is; until places_sweep() */
	uint64_t seq;   /* of its last request */
	uint64_t
	    heard_ms;   /* the last good request, or since when it is known */
	bool was_heard; /* by this process */
	bool is_silent; /* and that was told */
	uint64_t silent_ms; /* since when, by the wall clock */
	int64_t skew_ms;    /* its wall clock less ours */
	bool is_skew_told;
	uint64_t left, lost; /* as it says */
	uint32_t budget; /* requests that it may still make now, times 1000 */
	uint64_t budget_ms;
	uint64_t saved_ms;   /* its row says when it was seen; 0: not yet */
	uint64_t refused_ms; /* a refusal was logged; 0: none */
	/* Its last request, which waits for something to say. */
	struct ipc_return held;
	uint64_t held_until_ms; /* 0: none waits */
	uint64_t held_list;     /* what it has */
	bool can_wait;
	char software[AGENT_SOFTWARE_MAX + 1];
	char client[64];
};

/* --- places.c ---------------------------------------------------------------- */

struct places *places_new(struct server *sv);
/* The rows are what the mirror says now. Places that go stay until
 * places_sweep(), so that who points to them can let go. True: other places than before
 * may probe. */
bool places_update(struct server *sv);
void places_sweep(struct server *sv);
struct place *place_find(struct server *sv, struct str id);
size_t place_count(const struct server *sv);
struct place *place_at(const struct server *sv, size_t i);

/* From where a check is probed: place NULL is this server, which comes first.
 * At least one; a check that nobody may probe has is_nobody. */
struct place_list {
	size_t n;
	struct place *v[WATCH_VANTAGES_MAX];
	uint8_t networks[WATCH_VANTAGES_MAX];
	bool is_nobody;
};
void places_of(
    struct server *sv, const struct status_check *c, struct place_list *ret);
/* Each second: who fell silent? */
void places_tick(struct server *sv, uint64_t now_ms);
/* It made a good request. */
void place_heard(struct place *p, uint64_t time_ms);

/* --- places_call.c ------------------------------------------------------------- */

struct calls *calls_new(void);
/* The list of checks is another one. */
void calls_changed(struct server *sv);
/* MSG_AGENT_CALL. False: it is malformed. */
bool calls_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
/* Each second: answer requests that wait, where there is something to say. */
void calls_tick(struct server *sv, uint64_t now_ms);
/* The one that waits is refused: the agent is another one, or none. */
void calls_drop(struct place *p);

/* --- places_list.c -------------------------------------------------------------- */

/* MSG_AGENT_LIST. False: it is malformed. */
bool places_list(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
/* watch_place of each place that a check is probed from. */
void places_put(const struct watched *w, struct buf *to);

/* --- late.c ---------------------------------------------------------------------- */

/* A result about the past. The times are of the wall clock. */
struct late {
	uint64_t started_ms, ended_ms;
	struct place *place;
	uint32_t us;
	uint8_t outcome, cause;
};
struct lates *lates_new(struct server *sv);
void lates_add(struct watched *w, const struct late *l);
/* Of a check that goes. */
void lates_drop(struct watched *w);
/* Everything into history: places or checks are about to change, or the process
 * ends. */
void lates_flush(struct server *sv);
/* All that was waited for is there. */
void lates_hurry(struct server *sv);
