/* SPDX-License-Identifier: ISC */
/*
 * mirror.h - rows of a table of the ledger in memory, as the store has them
 * now.
 *
 * All are read when a store connects; from then on its changes are followed.
 * Until that is done the rows of before count.
 */
#pragma once

#include "proc/ledger.h"

struct mirror;

/* Rows whose key begins with prefix (a literal). */
struct mirror *mirror_new(
    struct runtime *rt, enum ledger_table table, struct str prefix);
/* A store has connected: read everything, again and again until it is done. */
void mirror_load(struct mirror *m);
/* LEDGER_CHANGED came, of this table. */
void mirror_changed(struct mirror *m, struct str rows);
/* Everything was read once. */
bool mirror_is_loaded(const struct mirror *m);
size_t mirror_count(const struct mirror *m);
/* The value of a row whose time is not over; false: there is none. It lives
 * until the loop goes on. */
bool mirror_find(
    const struct mirror *m, struct str key, struct str *ret) WARN_UNUSED;
/* The row as it will be when what is being put has arrived. */
void mirror_set(struct mirror *m, const struct msg_ledger_row *row);
