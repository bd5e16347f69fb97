/* SPDX-License-Identifier: ISC */
/*
 * http_places.h - who has the places for requests under way (http_client.h).
 *
 * Many names can belong to one organisation. All of them together get a few of
 * the places, so that whoever is slow in all of its names waits for itself.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"

#define HTTP_PLACES_MAX       32
#define HTTP_PLACES_OWNER_MAX 4

struct http_places {
	uint64_t owners[HTTP_PLACES_MAX]; /* hashes of their names */
	size_t n;
};

/* Whatever its case; the empty one is somebody, too. seed: a random number, for
 * strangers choose the names. */
uint64_t http_places_owner(struct str organisation, uint64_t seed);
/* False: all places are taken, or those that it can have. */
bool http_places_take(struct http_places *p, uint64_t owner) WARN_UNUSED;
/* One that it took. */
void http_places_give(struct http_places *p, uint64_t owner);
bool http_places_are_full(const struct http_places *p);
