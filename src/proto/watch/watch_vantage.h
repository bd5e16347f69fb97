/* SPDX-License-Identifier: ISC */
/*
 * watch_vantage.h - what one vantage point believes of one check.
 *
 * Results come in with their times; the verdict changes only when several
 * in a row agree. Between the first sign and the verdict the next probe is
 * due sooner. What is not heard of for too long is unknown, not down.
 *
 * Times are milliseconds of a clock that never goes back and that runs
 * while the machine sleeps. Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/base.h"

#define WATCH_RECHECKS 3
/* Results in the window of losses, as in the monitors of old. */
#define WATCH_LOSS_WINDOW 21

enum watch_outcome {
	WATCH_OK,
	WATCH_SLOW,         /* answered, later than it should */
	WATCH_FAILED,       /* no answer, or a wrong one */
	WATCH_INCONCLUSIVE, /* the probe itself went wrong: says nothing */
};

/* Why a probe failed. Nothing of what the other side said is kept. */
enum watch_cause {
	WATCH_CAUSE_NONE,
	WATCH_TIMEOUT,
	WATCH_REFUSED,
	WATCH_UNREACHABLE,
	WATCH_NAME, /* its name does not resolve */
	WATCH_TLS,
	WATCH_CERTIFICATE,
	WATCH_PROTOCOL, /* not an answer of this protocol */
	WATCH_LOGIN,
	WATCH_CONTENT,   /* an answer with the wrong contents */
	WATCH_DISAGREES, /* servers that should say the same do not */
	WATCH_LISTED,    /* in a block list */
	WATCH_UNSIGNED,  /* without DNSSEC, where it was wanted */
	WATCH_BOGUS,     /* its signatures do not hold */
	WATCH_LATE,      /* it answers, and later than it may */
	WATCH_CAUSES
};

enum watch_status {
	WATCH_UNKNOWN, /* the watcher cannot tell: neither up nor down */
	WATCH_UP,
	WATCH_DEGRADED, /* slow, lossy, or failing from a minority */
	WATCH_DOWN,
};

struct watch_result {
	enum watch_outcome outcome;
	enum watch_cause cause; /* for WATCH_FAILED */
	uint64_t started_ms;
	uint64_t ended_ms; /* not before started_ms */
};

/* watch_config_default() is the documentation of the defaults. */
struct watch_config {
	uint32_t interval_ms;
	uint32_t timeout_ms; /* of one probe */
	/*
	 * A failure that took longer than the time-out and this was seen by
	 * a watcher that did not get to run: it is inconclusive.
	 */
	uint32_t lag_ms;
	/* No conclusive result for so long: unknown. */
	uint32_t stale_ms;
	/* Failures in a row count together within this time. */
	uint32_t confirm_ms;
	/* After the end of the first failure, ascending; new connections. */
	uint32_t recheck_ms[WATCH_RECHECKS];
	uint8_t down_after; /* failures in a row */
	uint8_t up_after;   /* answers in a row */
	uint8_t slow_after; /* slow answers in a row, and fast ones back */
	/* Failures of WATCH_LOSS_WINDOW that make it lossy, and unmake it. */
	uint8_t loss_high;
	uint8_t loss_low;
	/* Vantage points that must agree on down; 0: a strict majority. */
	uint8_t quorum;
	/* Changes within flap_ms that make it unstable, and unmake it. */
	uint8_t flap_high;
	uint8_t flap_low;
	uint32_t flap_ms;
};

struct watch_config watch_config_default(void);
/*
 * Re-checks after a third of this time, all of it, twice of it and so on; failures
 * count together, and silence is none, for as long as these and their probes
 * take. After interval_ms, timeout_ms and down_after are set.
 */
void watch_config_confirm(struct watch_config *c, uint32_t ms);
/* Lossy when so many of 100 probes fail (1 to 100), and not any more at a third. */
void watch_config_loss(struct watch_config *c, uint32_t percent);
/* Every number in its range, thresholds in order. */
bool watch_config_is_sane(const struct watch_config *c) WARN_UNUSED;

struct watch_vantage {
	enum watch_status verdict;
	enum watch_cause cause; /* of the last failure */
	uint8_t network;        /* vantage points in one network fail as one */
	uint8_t bad_run, good_run, slow_run, fast_run;
	uint8_t samples; /* in losses, at most WATCH_LOSS_WINDOW */
	bool is_lossy;
	bool was_down;    /* the last verdict that was not unknown */
	uint32_t losses;  /* one bit a result, the newest lowest */
	uint64_t seen_ms; /* end of the last conclusive result; 0: none */
	uint64_t seen_start_ms;
	uint64_t result_ms; /* end of the last result of any kind */
	uint64_t since_ms;  /* first sign of this verdict */
	uint64_t bad_since_ms, good_since_ms, slow_since_ms, fast_since_ms;
	uint64_t bad_ended_ms; /* end of the first failure of the run */
	uint64_t due_ms;       /* start the next probe then */
	/* Somebody wants to know how things are since then: a probe that was under
	 * way does not say that. */
	uint64_t asked_ms;
};

/* Nothing is known; the first probe is due at due_ms. */
void watch_vantage_init(
    struct watch_vantage *v, uint8_t network, uint64_t due_ms);
/*
 * Take a result and say when the next probe is due. False when its probe
 * began before the last result was there (an agent's back-fill; there is one
 * probe at a time): then nothing changed.
 */
bool watch_vantage_result(struct watch_vantage *v, const struct watch_config *c,
    const struct watch_result *r);
/* Unknown when nothing conclusive came for stale_ms; true when it became so. */
bool watch_vantage_expire(
    struct watch_vantage *v, const struct watch_config *c, uint64_t now_ms);
/* Unknown at once. since_ms is the end of the last conclusive result. */
void watch_vantage_forget(struct watch_vantage *v);
/* Down, but for another's reason, which is gone: count failures anew. */
void watch_vantage_doubt(struct watch_vantage *v, uint64_t now_ms);
/* Failures are being confirmed. */
bool watch_vantage_is_suspected(const struct watch_vantage *v);
/* Until when the verdict will not be changed any more with hindsight. */
uint64_t watch_vantage_settled_ms(const struct watch_vantage *v);
