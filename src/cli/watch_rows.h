/* SPDX-License-Identifier: ISC */
/*
 * watch_rows.h - what the commands about watching share: systems and checks as
 * rows, and the states that the watcher tells.
 */
#pragma once

#include "cli/ledger_rows.h"
#include "cli/output.h"
#include "proto/status/status_check.h"
#include "proto/status/status_system.h"
#include "proto/watch/watch_state.h"

/* Of uptime and coverage, unless said otherwise. */
#define WATCH_ROWS_RANGE_S (90U * 86400)

/* A system and its row, whose bytes the strings point into. */
struct watch_system {
	struct buf row;
	struct status_system s;
};
void watch_system_done(struct watch_system *s);
/* Exit codes; prints what is wrong. */
int watch_system_get(
    struct admin *a, const char *id, struct watch_system *ret) WARN_UNUSED;
int watch_system_put(
    struct admin *a, const struct status_system *s) WARN_UNUSED;

/* SYSTEM/CHECK as typed, as a key. False after an error was printed. */
bool watch_check_key(struct admin *a, const char *s, struct buf *ret);
int watch_fault(struct admin *a, const struct status_fault *f);

/* Each check whose key begins with prefix, as the watcher knows it. */
typedef void (*watch_row_fn)(void *arg, const struct msg_watch_row *row);
int watch_rows_each(struct admin *a, struct str prefix, uint32_t range_s,
    watch_row_fn fn, void *arg) WARN_UNUSED;
/* "up", "down, planned work": for people and JSON. */
void watch_row_state(const struct msg_watch_row *row, struct buf *to);
