/* SPDX-License-Identifier: ISC */
/*
 * windows.h - planned work of single systems: a copy of the ledger's table
 * MAINTENANCE.
 */
#pragma once

#include "proto/status/status_system.h"
#include "web/server.h"

struct windows;

struct windows *windows_new(struct server *sv);
void windows_free(struct windows *w);
/* The store is there (again). */
void windows_load(struct windows *w);
/* MSG_LEDGER_CHANGED of that table. False: it is malformed. */
bool windows_changed(struct windows *w, struct str body) WARN_UNUSED;

size_t windows_count(const struct windows *w);
/* By their keys. False: its row is not sane. Valid until the loop goes on. */
bool windows_at(const struct windows *w, size_t i, struct str *ret_key,
    struct status_window *ret) WARN_UNUSED;
