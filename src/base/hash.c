/* SPDX-License-Identifier: ISC */
/*
 * hash.c - wraps libxxhash. See hash.h.
 */
#include "base/hash.h"

#include <xxhash.h>

uint64_t
hash64(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t
hash64_seed(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

uint64_t
hash64_around(const void *p, size_t n, size_t at)
{
	static const uint8_t zeros[8];
	const uint8_t *bytes = p;
	uint64_t sum = hash64(bytes, at);

	sum = hash64_seed(zeros, sizeof(zeros), sum);
	return hash64_seed(bytes + at + 8, n - at - 8, sum);
}
