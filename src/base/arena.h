/* SPDX-License-Identifier: ISC */
/*
 * arena.h - memory that is freed all at once.
 *
 * One arena a command, a message or a session. No pointer into an arena may
 * be kept in anything that outlives it. The limit counts bytes handed out:
 * reaching it is an input error that the caller has asked for by name, so
 * arena_alloc() returns NULL then, and only then.
 */
#pragma once

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since the last reset */
	size_t max;
};

/* Nothing is allocated before first use. max bounds the bytes handed out. */
void arena_init(struct arena *a, size_t max);
void arena_done(struct arena *a);
/* Like arena_done, but the bytes are overwritten first. */
void arena_done_secret(struct arena *a);
/* Forget everything; keeps one block for the next use. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type; NULL when max would be passed. */
void *arena_alloc(struct arena *a, size_t n) WARN_UNUSED;
/* count elements of size n; NULL also when count * n overflows. */
void *arena_calloc(struct arena *a, size_t count, size_t n) WARN_UNUSED;
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* Copy of s, NUL-terminated behind its end. False when max is passed. */
bool arena_str(struct arena *a, struct str s, struct str *ret) WARN_UNUSED;
