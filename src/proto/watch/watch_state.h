/* SPDX-License-Identifier: ISC */
/*
 * watch_state.h - the state of one check, from all its vantage points.
 *
 * Down needs a strict majority (or the quorum) of the vantage points that
 * can be heard, in two networks where there are two. When all that can be
 * heard see it down and that is not enough, nobody can tell: unknown. Many
 * changes in a time make it unstable, until there are few again.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/watch/watch_vantage.h"

#define WATCH_VANTAGES_MAX 16
/* Changes that are remembered; flap_high is clamped to it. */
#define WATCH_CHANGES_MAX 16
#define WATCH_REASON_MAX  96

enum watch_event_kind {
	WATCH_CHANGED,  /* from one status to another */
	WATCH_UNSTABLE, /* flapping begins; from and to are the status now */
	WATCH_STEADY,   /* and ends */
};

struct watch_event {
	enum watch_event_kind kind;
	enum watch_status from, to;
	enum watch_cause cause; /* of the last failure, when there was one */
	uint64_t since_ms;      /* first sign of it; never goes back */
	uint64_t at_ms;         /* when it was decided */
	/* One line of ASCII made here, with nothing of the other side in it. */
	char reason[WATCH_REASON_MAX];
};

/* A result changes at most: to unknown, to what it says, flapping. */
#define WATCH_EVENTS_MAX 4
struct watch_events {
	size_t n;
	struct watch_event v[WATCH_EVENTS_MAX];
};

struct watch_state {
	struct watch_config config;
	enum watch_status status;
	enum watch_status known; /* the last that was not unknown */
	bool is_unstable;
	uint8_t networks;  /* different ones among the vantage points */
	uint64_t clock_ms; /* the latest time that it was told */
	size_t n_vantages;
	struct watch_vantage vantages[WATCH_VANTAGES_MAX];
	uint64_t since_ms;
	uint64_t decided_ms;   /* when the status was last changed */
	uint64_t recovered_ms; /* since of the last change away from down */
	uint64_t changes[WATCH_CHANGES_MAX];
	uint32_t n_changes; /* ever */
};

/*
 * n vantage points (1 to WATCH_VANTAGES_MAX), whose networks are numbered
 * by the caller. The config must be sane. First probes are due at due_ms.
 */
void watch_state_init(struct watch_state *s, const struct watch_config *c,
    const uint8_t *networks, size_t n, uint64_t due_ms);
/*
 * Other vantage points from now on, with these networks: number i is what
 * from[i] was, with all that is known of it, or a new one, whose first probe
 * is due now.
 */
#define WATCH_VANTAGE_NEW UINT8_MAX
void watch_state_arrange(struct watch_state *s, const uint8_t *networks,
    const uint8_t *from, size_t n, uint64_t now_ms, struct watch_events *ret);
/*
 * A result from a vantage point. False when it came too late to matter; it
 * can still go into the history. What changed is in ret either way. It may have been
 * under way for a while: what follows from it is decided no earlier than what
 * was decided before.
 */
bool watch_state_result(struct watch_state *s, size_t vantage,
    const struct watch_result *r, struct watch_events *ret);
/*
 * Time passed. To be called when watch_state_wake_ms() says and, after a
 * sleep of the machine, before the results that come then.
 */
void watch_state_tick(
    struct watch_state *s, uint64_t now_ms, struct watch_events *ret);
/* The watcher's own uplink fails: this vantage point knows nothing now. */
void watch_state_blind(struct watch_state *s, size_t vantage, uint64_t now_ms,
    struct watch_events *ret);
/* Probe from everywhere, now: somebody depends on the answer. */
void watch_state_poke(struct watch_state *s, uint64_t now_ms);

/* Down for a reason that is gone, it is thought: prove it again. */
void watch_state_doubt(struct watch_state *s, uint64_t now_ms);
/* Down, and proven since it was doubted last. */
bool watch_state_is_proven(const struct watch_state *s);

/* Of a place that sees it down; the first place's last one, if none does. */
enum watch_cause watch_state_cause(const struct watch_state *s);

uint64_t watch_state_due_ms(const struct watch_state *s, size_t vantage);
/* When watch_state_tick() can have something to say; UINT64_MAX: never. */
uint64_t watch_state_wake_ms(const struct watch_state *s);
bool watch_state_is_suspected(const struct watch_state *s);
/*
 * History may be written up to here: no later event has a since before it.
 * At most now_ms.
 */
uint64_t watch_state_settled_ms(const struct watch_state *s, uint64_t now_ms);
const char *watch_status_name(enum watch_status status);
/* One word, for programs: "ok", "slow", "failed", "unclear"; "unknown" for others. */
const char *watch_outcome_name(enum watch_outcome outcome);
const char *watch_cause_text(enum watch_cause cause);
/* One word, for programs, which stays: "timeout", "refused"; "none". */
const char *watch_cause_name(enum watch_cause cause);
