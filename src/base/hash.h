/* SPDX-License-Identifier: ISC */
/*
 * hash.h - the one checksum of records on disk, and the hash of tables.
 *
 * XXH3 with 64 bits, by libxxhash: it finds accidents, not attackers. Where
 * an outsider chooses the keys of a table, seed it with a random number.
 */
#pragma once

#include "base/str.h"

uint64_t hash64(const void *p, size_t n);
/* Chains: hash64_seed(b, hash64(a)) covers both. */
uint64_t hash64_seed(const void *p, size_t n, uint64_t seed);
/* As if the 8 bytes from at on were zeros: of a page that its own checksum is in. */
uint64_t hash64_around(const void *p, size_t n, size_t at);
