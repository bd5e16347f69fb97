/* SPDX-License-Identifier: ISC */
/*
 * watch_alert.h - what people are told about many checks, and when not.
 *
 * A set of checks with what they depend on. Each time the state of things
 * is compared with what was told last: so nothing is lost when an alert had
 * to wait, and "up again" is said only where "down" was. Silent are: checks
 * in maintenance; checks whose parent is down; unstable ones after one
 * message. Their probes, states and recoveries go on as ever.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/watch/watch_state.h"

#define WATCH_PARENTS_MAX 8
#define WATCH_WINDOWS_MAX 8
#define WATCH_CHECKS_MAX  4096

/* Maintenance: from its start for its length, once or each every_ms. */
struct watch_window {
	uint64_t from_ms;
	uint64_t length_ms;
	uint64_t every_ms; /* 0: once; else not below length_ms */
};

bool watch_window_contains(const struct watch_window *w, uint64_t at_ms);

enum watch_told {
	WATCH_TOLD_FINE,
	WATCH_TOLD_DOWN,
	WATCH_TOLD_UNSTABLE,
	WATCH_TOLD_DEGRADED, /* it has been for a while */
	WATCH_TOLDS
};

struct watch_check {
	struct watch_state state;
	/* Those of one system have the same number: when one fails, or answers
	 * again, the others are looked at. 0: it is alone. */
	uint16_t group;
	uint16_t parents[WATCH_PARENTS_MAX];
	uint8_t n_parents;
	uint8_t n_windows;
	struct watch_window windows[WATCH_WINDOWS_MAX];
	enum watch_told told;
	/* The same number until it was well for reopen_ms: one post. */
	uint32_t incident;
	uint64_t fine_since_ms;        /* when "up again" was told; 0: never */
	char reason[WATCH_REASON_MAX]; /* of the last change */
};

struct watch_alert {
	uint16_t check;
	enum watch_told now, before;
	bool is_new; /* the first of its incident */
	uint32_t incident;
	uint64_t since_ms;
	uint64_t at_ms;
	enum watch_cause cause;
	char reason[WATCH_REASON_MAX];
};

struct watch_set {
	struct watch_check *checks; /* the caller's */
	size_t n;                   /* at most WATCH_CHECKS_MAX */
	/* An alert waits so long for what a parent has to say. */
	uint32_t hold_ms;
	/* After a parent's recovery its children get this to recover too. */
	uint32_t grace_ms;
	/* A relapse within this time continues the incident. */
	uint32_t reopen_ms;
	/* Slow for so long before anybody is told; down is told at once. */
	uint32_t slow_ms;
};

/* With the default times: 60 s, 60 s, 30 min, 5 min. */
void watch_set_init(
    struct watch_set *set, struct watch_check *checks, size_t n);
/* What a check depends on. False, and nothing changed: it would be a ring. */
bool watch_set_parents(struct watch_set *set, size_t check,
    const uint16_t *parents, size_t n) WARN_UNUSED;

/* As watch_state_result(); on a first failure the parents are probed too, and with a first
 * failure or answer those of its group. */
bool watch_set_result(struct watch_set *set, size_t check, size_t vantage,
    const struct watch_result *r, struct watch_events *ret);
/* As watch_state_tick(). */
void watch_set_tick(struct watch_set *set, size_t check, uint64_t now_ms,
    struct watch_events *ret);

/*
 * Is there something to tell about this check? To be asked after each event
 * of any check, and each few seconds while one is held back. Having given
 * an alert, it counts as told: the caller keeps it until it was sent.
 */
bool watch_set_alert(struct watch_set *set, size_t check, uint64_t now_ms,
    struct watch_alert *ret);

/* Would it say so? What, then. */
bool watch_set_has_alert(const struct watch_set *set, size_t check,
    uint64_t now_ms, enum watch_told *ret);

bool watch_check_is_maintained(const struct watch_check *c, uint64_t at_ms);
/* A parent is down or unstable: for showing "depends on". */
bool watch_check_is_masked(const struct watch_set *set, size_t check);
