/* SPDX-License-Identifier: ISC */
/*
 * ledger_mirror.h - tables of the ledger, kept in the memory of a role.
 *
 * Read as a whole when the store comes; changed by what it tells afterwards
 * (ledger_tables.def says who is told of which table). While the store is
 * away, everything stays as it was. A table is never seen half read.
 */
#pragma once

#include "proc/ledger.h"

#define LEDGER_MIRROR_TABLES 8

struct ledger_mirror;

/* changed(arg) runs from the loop after each change, and when all tables were
 * read for the first time. */
struct ledger_mirror *ledger_mirror_new(struct runtime *rt,
    const enum ledger_table *tables, size_t n, loop_fn changed, void *arg);
/* Before the first load: of a table only rows whose key begins with prefix,
 * which lives as long as the mirror. */
void ledger_mirror_below(
    struct ledger_mirror *m, enum ledger_table table, struct str prefix);
/*
 * One without a ledger: its rows are what ledger_mirror_set() says (an agent's
 * checks come from elsewhere).
 */
struct ledger_mirror *ledger_mirror_new_alone(struct loop *loop,
    const enum ledger_table *tables, size_t n, loop_fn changed, void *arg);
/* Of such a one; its loop does not run any more. */
void ledger_mirror_free_alone(struct ledger_mirror *m);
/* The store is there (again): read everything. */
void ledger_mirror_load(struct ledger_mirror *m);
/* The process stops: no more attempts. */
void ledger_mirror_stop(struct ledger_mirror *m);
/* MSG_LEDGER_CHANGED. False: it is malformed, or of another table. */
bool ledger_mirror_changed(
    struct ledger_mirror *m, struct str body) WARN_UNUSED;
/* Of a table that this role writes itself, and is not told of: a row is about to be
 * put. */
void ledger_mirror_note(struct ledger_mirror *m, enum ledger_table table,
    const struct msg_ledger_row *row);
/* All tables were read at least once. */
bool ledger_mirror_is_ready(const struct ledger_mirror *m);

struct ledger_mirror_row {
	struct str key, value; /* the mirror's, until the next change */
};
/* All rows of a table, in the order of their keys; copied. */
void ledger_mirror_set(struct ledger_mirror *m, enum ledger_table table,
    const struct ledger_mirror_row *rows, size_t n);
/* The rows of one of its tables, in the order of their keys. */
size_t ledger_mirror_count(
    const struct ledger_mirror *m, enum ledger_table table);
struct ledger_mirror_row ledger_mirror_row(
    const struct ledger_mirror *m, enum ledger_table table, size_t i);
/* False: there is none. */
bool ledger_mirror_find(const struct ledger_mirror *m, enum ledger_table table,
    struct str key, struct str *ret_value) WARN_UNUSED;
