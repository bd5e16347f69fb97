/* SPDX-License-Identifier: ISC */
/*
 * ages.h - how long the oldest of many have been here, in 52 bytes.
 *
 * Times are counted in at most AGES spans that follow one another; when one more is
 * needed, the two neighbours become one whose sum is shortest. So the oldest is known to
 * within its span: never too young, and (in the tests) at most a fifth of its age too old. Adding and removing cost the same however many there are. Pure.
 */
#pragma once

#include "base/base.h"

#define AGES 6

struct ages {
	struct {
		uint32_t from_s; /* up to that of the next one */
		uint32_t n;
	} spans[AGES];
	uint32_t used;
};

/* Seconds since 1970. */
void ages_add(struct ages *a, uint64_t at_s);
/* One that was added; of others nothing happens. */
void ages_remove(struct ages *a, uint64_t at_s);
/* No one is older; 0: there is none. */
uint64_t ages_oldest(const struct ages *a);
