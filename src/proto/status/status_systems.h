/* SPDX-License-Identifier: ISC */
/*
 * status_systems.h - all systems that there are, so that what names some of them can
 * be held against them: what the command line and the HTTP API have in
 * common.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_post.h"
#include "proto/status/status_system.h"

struct status_systems;

struct status_systems *status_systems_new(void);
/* NULL is fine; returns NULL. */
struct status_systems *status_systems_free(struct status_systems *all);
/* The value of a row of the table SYSTEM, which is copied; what is none is
 * passed over. */
void status_systems_add(struct status_systems *all, struct str value);

/*
 * Ids are the same in any case of letters. What is found in the calls below is
 * written as the system writes itself afterwards, and points into all.
 */
bool status_systems_have(const struct status_systems *all, struct str id);
/* False: *ret names the first of the ids that is none. */
bool status_systems_have_all(const struct status_systems *all, struct str *ids,
    size_t n, struct status_fault *ret) WARN_UNUSED;
/*
 * May a post name these? What it named before (was; NULL: nothing) may have
 * been removed since. False: *ret says which one is none.
 */
bool status_systems_fit_affects(const struct status_systems *all,
    struct status_affects *affects, const struct status_affects *was,
    struct status_fault *ret) WARN_UNUSED;
/* May s, new or changed, have its parents? They are there, and none of them
 * depends on s. False: *ret says which one does not fit. */
bool status_systems_fit_parents(const struct status_systems *all,
    struct status_system *s, struct status_fault *ret) WARN_UNUSED;
/* The order of one behind all others. */
uint32_t status_systems_next_order(const struct status_systems *all);
