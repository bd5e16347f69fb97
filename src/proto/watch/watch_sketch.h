/* SPDX-License-Identifier: ISC */
/*
 * watch_sketch.h - latencies as counts in 255 logarithmic steps.
 *
 * A step is 1/18 wider than the one before: from 0.1 ms to 90 s, and what is
 * read out is at most 2.8 % off. Sketches add up. A quantile is a code of
 * one byte (0: there is none), which is also how the history keeps it.
 */
#pragma once

#include "base/base.h"

#define WATCH_CODES 256
/* The five that are kept: 5, 25, 50, 75 and 95 per cent. */
#define WATCH_QUANTILES 5

struct watch_sketch {
	uint32_t total;
	uint32_t counts[WATCH_CODES]; /* counts[0] stays 0 */
};

struct watch_quantiles {
	uint8_t v[WATCH_QUANTILES]; /* ascending; all 0 when nothing came */
};

uint8_t watch_code_of_us(uint32_t us);
/* The middle of the step; 0 for code 0. */
uint32_t watch_code_to_us(uint8_t code);

/* weight is at most 2^16 at a time; the sum saturates at 2^31. */
void watch_sketch_add(struct watch_sketch *s, uint8_t code, uint32_t weight);
void watch_sketch_merge(struct watch_sketch *to, const struct watch_sketch *s);
/*
 * Add what five quantiles tell of weight samples: each stretch between two
 * of them spread evenly over its steps, the ends at their quantile.
 */
void watch_sketch_spread(
    struct watch_sketch *s, const struct watch_quantiles *q, uint32_t weight);
/* The smallest code that permille of the samples do not exceed. */
uint8_t watch_sketch_quantile(const struct watch_sketch *s, unsigned permille);
struct watch_quantiles watch_sketch_quantiles(const struct watch_sketch *s);
bool watch_quantiles_are_sane(const struct watch_quantiles *q);
