/* SPDX-License-Identifier: ISC */
/*
 * index.h - ordered tables on disk; wraps LMDB.
 *
 * One write transaction is always open in a writable index: reads see what
 * was put, and index_commit() makes it durable and opens the next one. It
 * belongs to the thread that calls. A read-only index shows the last commit,
 * also of a store that is running in another process. LMDB must not be
 * opened twice in one process.
 *
 * Values lent by the index are valid until the next call that changes it.
 * Results: 1 found, 0 not there (or done), else -errno.
 */
#pragma once

#include "base/str.h"

enum index_table {
	INDEX_KV,
	INDEX_BLOB,
	INDEX_META,
	INDEX_TABLES,
};

#define INDEX_KEY_MAX 255

struct index;

/* Open or create in folder dirfd (which holds nothing else). */
int index_open(
    const char *path, bool is_read_only, struct index **ret) WARN_UNUSED;
/* What was not committed is forgotten. NULL is fine. */
void index_close(struct index *ix);
/* Remove the files of a closed index. */
int index_remove(const char *path) WARN_UNUSED;

/* Keep this much of real disk space in front of the file's end, so that a
 * commit cannot meet a full disk. -ENOSPC when there is not. */
int index_reserve(struct index *ix, uint64_t bytes) WARN_UNUSED;
int index_commit(struct index *ix) WARN_UNUSED;
/* Read-only: drop the snapshot and take the present one. */
int index_refresh(struct index *ix) WARN_UNUSED;

int index_get(struct index *ix, enum index_table t, struct str key,
    struct str *ret_val) WARN_UNUSED;
/* *ret_room is size bytes to fill in before the next call. */
int index_put(struct index *ix, enum index_table t, struct str key, size_t size,
    char **ret_room) WARN_UNUSED;
int index_del(struct index *ix, enum index_table t, struct str key) WARN_UNUSED;
uint64_t index_count(struct index *ix, enum index_table t);

/* A cursor must be freed before the next commit. */
struct index_cursor;
struct index_cursor *index_cursor_new(struct index *ix, enum index_table t);
void index_cursor_free(struct index_cursor *c);
void index_cursor_freep(struct index_cursor **c);

enum index_move { INDEX_FIRST, INDEX_LAST, INDEX_NEXT, INDEX_PREV };
int index_move(struct index_cursor *c, enum index_move how, struct str *ret_key,
    struct str *ret_val) WARN_UNUSED;
/* The first key >= key. */
int index_seek(struct index_cursor *c, struct str key, struct str *ret_key,
    struct str *ret_val) WARN_UNUSED;
/* Delete what the cursor stands on; INDEX_NEXT then gives the one after. */
int index_cursor_del(struct index_cursor *c) WARN_UNUSED;
