/* SPDX-License-Identifier: ISC */
/*
 * history.h - the file of one check's history: a ring (watch_ring.h), mapped.
 *
 * Its blocks are allocated when it is made, so a full disk cannot strike later;
 * when there is no room, there is no ring, and the caller tries again. What was
 * written survives the death of the process at any moment; after a power cut
 * the kernel may not have written the last half minute.
 */
#pragma once

#include "proto/watch/watch_ring.h"

struct history;

/* Make a file that large, with all its blocks: 0, or -errno. One that has that
 * size already stays as it is. */
int history_allocate(int fd, size_t bytes);

/* 0, or -errno. key: SYSTEM/CHECK; the file is SYSTEM,CHECK.ring in dir. */
int history_open(
    const char *dir, const char *key, struct history **ret) WARN_UNUSED;
void history_close(struct history *h); /* NULL is fine */
struct watch_ring *history_ring(struct history *h);
/* Much of it was read: give back the memory (not the contents). */
void history_relax(struct history *h);
/* The check is gone for good. */
void history_remove(const char *dir, const char *key);
