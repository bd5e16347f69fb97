/* SPDX-License-Identifier: ISC */
/*
 * reach_stat.c - tails of the Poisson and the binomial distribution. Both are
 * sums whose terms shrink from the one at the edge on, so the sum is exact to
 * double precision long before it ends. See reach_stat.h.
 */
#include "proto/reach/reach_stat.h"

#include <math.h>

/* A term that is so much smaller than the sum changes nothing any more. */
#define NOTHING 1e-17

static double
log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double
reach_poisson_lower(double x, double lambda)
{
	double k = floor(x), term, sum;

	if (x < 0)
		return 0;
	if (lambda <= 0 || k >= lambda)
		return 1; /* nothing that is unlikely */
	term = exp(-lambda + k * log(lambda) - log_gamma(k + 1));
	sum = term;
	for (; k > 0 && term > sum * NOTHING; k--) {
		term *= k / lambda;
		sum += term;
	}
	return MIN(sum, 1.0);
}

double
reach_binomial_upper(uint64_t k, uint64_t n, double p)
{
	double i = (double)k, all = (double)n, term, sum;

	if (k > n || p <= 0)
		return k == 0;
	if (p >= 1 || i <= all * p)
		return 1; /* nothing that is unlikely */
	term = exp(log_gamma(all + 1) - log_gamma(i + 1) -
		   log_gamma(all - i + 1) + i * log(p) + (all - i) * log1p(-p));
	sum = term;
	for (; i < all && term > sum * NOTHING; i++) {
		term *= (all - i) / (i + 1) * p / (1 - p);
		sum += term;
	}
	return MIN(sum, 1.0);
}
