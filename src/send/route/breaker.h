/* SPDX-License-Identifier: ISC */
/*
 * breaker.h - when a way that was refused is tried again.
 *
 *              refused                     time is up
 *   CLOSED ---------------> OPEN -------------------------> CANARY under way
 *      ^                     ^  refused: twice the pause     |  |  |
 *      |                     +-------------------------------+  |  |
 *      |                     +---- nobody knows: same pause ----+  |
 *      +------------------------ accepted -------------------------+
 *
 * A breaker is about one address of ours and one provider (or destination).
 * While it is open no mail takes that way, but now and then one message: the
 * canary. One that closed and is refused again soon goes on with the pauses
 * that it had, so that a provider who changes its mind all the time costs no
 * more than one who does not.
 *
 * Pure: the caller says what time it is (milliseconds since 1970, because it
 * outlives the process).
 */
#pragma once

#include "base/base.h"

/* A canary of which nothing was heard for so long is lost. */
#define BREAKER_CANARY_MS 900000U

struct breaker_pace {
	uint64_t first_ms; /* before the first canary */
	uint64_t max_ms;   /* the longest pause between canaries */
};

struct breaker {
	bool is_open;
	bool is_forced; /* open, by hand: no canary */
	uint64_t since_ms;
	uint64_t pause_ms;  /* the present one, without its spread */
	uint64_t next_ms;   /* of the next canary; while one is under way, when
	                     * it is given up */
	bool has_canary;    /* one is under way */
	uint64_t closed_ms; /* when it closed last; 0: never */
};

enum breaker_answer {
	BREAKER_FREE,   /* the way is open for mail */
	BREAKER_CANARY, /* shut, but one message should try */
	BREAKER_SHUT,
};

enum breaker_answer breaker_ask(const struct breaker *b, uint64_t now_ms);
/* One message is on its way. */
void breaker_canary(struct breaker *b, uint64_t now_ms);

/*
 * The way was refused; was_canary: to the canary. True: it has just opened.
 * random spreads the next attempt.
 */
bool breaker_refused(struct breaker *b, const struct breaker_pace *p,
    bool was_canary, uint64_t now_ms, uint32_t random);
/* The canary's end says nothing about the way. */
void breaker_unsure(struct breaker *b, uint64_t now_ms);
/* The canary was accepted, or the operator says so. */
void breaker_close(struct breaker *b, uint64_t now_ms);
/* Open it by hand. */
void breaker_force(struct breaker *b, uint64_t now_ms);
/* Closed for so long that nothing has to be remembered. */
bool breaker_is_over(
    const struct breaker *b, const struct breaker_pace *p, uint64_t now_ms);
