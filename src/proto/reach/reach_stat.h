/* SPDX-License-Identifier: ISC */
/*
 * reach_stat.h - how unlikely a count is, when all is as usual.
 *
 * Layer: proto. Pure.
 */
#pragma once

#include "base/base.h"

/* Poisson with mean lambda: the probability of x or fewer. */
double reach_poisson_lower(double x, double lambda);
/* Binomial, n trials with probability p: the probability of k or more. */
double reach_binomial_upper(uint64_t k, uint64_t n, double p);
