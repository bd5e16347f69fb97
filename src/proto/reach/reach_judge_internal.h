/* SPDX-License-Identifier: ISC */
/*
 * reach_judge_internal.h - what the tests of reach_judge.c and of
 * reach_judge_people.c share. See reach_judge.h.
 */
#pragma once

#include "proto/reach/reach_judge.h"

#define REACH_STEP_MINUTES 5
#define REACH_SHARE_MIN    0.05 /* that many fail anyway */
#define REACH_LENGTHS      3

/* Stretches that are looked at, in steps. */
extern const unsigned reach_lengths[REACH_LENGTHS];

/* The shortest stretch that finds it; else what the longest with enough in it
 * says, for that is the least tolerant one. */
bool reach_is_better(
    const struct reach_finding *f, const struct reach_finding *best);
