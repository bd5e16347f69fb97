/* SPDX-License-Identifier: ISC */
/*
 * arena.c - memory that is freed all at once. See arena.h.
 */
#include "base/arena.h"

#define ARENA_BLOCK 4096
#define ARENA_ALIGN 16

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes behind this header */
	size_t used;
	_Alignas(ARENA_ALIGN) char data[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

static void
free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_done(struct arena *a)
{
	free_blocks(a->head);
	a->head = NULL;
	a->used = 0;
}

void
arena_done_secret(struct arena *a)
{
	for (struct arena_block *b = a->head; b; b = b->next)
		explicit_bzero(b->data, b->used);
	arena_done(a);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b = a->head;

	a->used = 0;
	if (!b)
		return;
	free_blocks(b->next);
	b->next = NULL;
	b->used = 0;
	if (b->size > ARENA_BLOCK)
		arena_done(a);
}

static struct arena_block *
new_block(struct arena *a, size_t n)
{
	size_t size = MAX(n, ARENA_BLOCK - sizeof(struct arena_block));
	struct arena_block *b = x_malloc(sizeof(*b) + size);

	b->next = a->head;
	b->size = size;
	b->used = 0;
	a->head = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	void *p;

	if (n > a->max - a->used || n > SIZE_MAX - ARENA_ALIGN)
		return NULL;
	a->used += n;
	n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!b || n > b->size - b->used)
		b = new_block(a, n);
	p = b->data + b->used;
	b->used += n;
	return memset(p, 0, n);
}

void *
arena_calloc(struct arena *a, size_t count, size_t n)
{
	if (n && count > SIZE_MAX / n)
		return NULL;
	return arena_alloc(a, count * n);
}

bool
arena_str(struct arena *a, struct str s, struct str *ret)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

	if (!p)
		return false;
	if (s.n)
		memcpy(p, s.p, s.n);
	*ret = str_make(p, s.n);
	return true;
}
